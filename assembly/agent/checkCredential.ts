// SPDX-License-Identifier: Apache-2.0
// Check Credential (Fig. 10): A asks B for its merchant credential and validates it; steps 460 and
// 462, showing the name to the owner, belong to the purchase.
import { step } from "../board";
import { CborReader } from "../codec/cborReader";
import { Session } from "../session/session";
import { copyTicket, Ticket } from "../ticket/ticket";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { merchantReason } from "../ticket/validation";
import { Reason } from "../trust/reasons";
import { nowSeconds } from "../trust/signedTime";

/** Messages between the agents (docs/protocol.cddl section 4). */
export const REQUEST_MERCHANT_CREDENTIAL: i32 = 10;
export const MERCHANT_CREDENTIAL: i32 = 11;

/** A: asks for the credential (444, 446). */
export function requestMerchantCredential(session: Session): void {
  step(444);
  const writer = session.compose(REQUEST_MERCHANT_CREDENTIAL);
  writer.array(0);
  step(446);
  session.send(true);
}

/** B: gives the own credential (448-452); 0 or the reason against it. */
export function giveMerchantCredential(session: Session, body: CborReader, isReplyOwed: bool): i32 {
  step(448);
  body.arrayOf(0);
  if (!body.atEnd()) return Reason.MALFORMED;
  step(450);
  const credential = ownMerchantCredential();
  if (credential === null) return Reason.UNKNOWN_TICKET;
  const writer = session.compose(MERCHANT_CREDENTIAL);
  writer.array(1);
  writer.rawFrom(credential.encoded);
  step(452);
  session.send(isReplyOwed);
  return Reason.NONE;
}

/** The one ticket that a message carries; null where it carries none. */
export function ticketIn(body: CborReader): Ticket | null {
  body.arrayOf(1);
  if (!body.raw() || !body.atEnd()) return null;
  return copyTicket(body.viewPointer, body.viewLength);
}

/** A: validates B's credential, `ticket` (454, 456); 0 or the reason against it. */
export function judgeMerchantCredential(session: Session, ticket: Ticket | null): i32 {
  step(454);
  const reason =
    ticket === null ? Reason.TICKET_INVALID : merchantReason(ticket, session.peer.id, nowSeconds());
  step(456);
  if (reason != Reason.NONE) step(458);
  return reason;
}
