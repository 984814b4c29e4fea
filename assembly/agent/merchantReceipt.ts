// SPDX-License-Identifier: Apache-2.0
// What a merchant's agent makes of agreed terms (Fig. 7, step 768; docs/protocol.md section 5): the
// receipt for the customer, and the record of what this side will owe the card's issuer.
import { Bytes } from "../codec/bytes";
import { Session } from "../session/session";
import { cardOf, MerchantIdentity } from "../ticket/credential";
import { beginTicket, finishTicket, payloadWriter } from "../ticket/issue";
import { PurchaseTerms, writeReceipt } from "../ticket/receipt";
import { readTicket, Ticket, TicketType } from "../ticket/ticket";
import { Certificate } from "../trust/certificate";
import { nowMs, nowSeconds } from "../trust/signedTime";
import { Obligation } from "./obligation";

/** The receipt of these terms and this card, for `customer`; null where signing fails. */
export function makeReceipt(
  terms: PurchaseTerms,
  merchant: MerchantIdentity,
  customer: Certificate,
  cardTicket: Ticket,
): Ticket | null {
  const card = cardOf(cardTicket)!;
  const writer = payloadWriter();
  if (!beginTicket(writer, merchant.name, merchant.expires, customer, TicketType.RECEIPT)) {
    return null;
  }
  writeReceipt(writer, terms, card, nowSeconds());
  const encoded = finishTicket(writer);
  return encoded !== null ? readTicket(encoded) : null;
}

/** The record of a purchase in this session, not yet in the journal; card and receipt encoded. */
export function newObligation(
  session: Session,
  terms: PurchaseTerms,
  card: Bytes,
  receipt: Bytes,
): Obligation {
  const obligation = new Obligation();
  obligation.sessionTag = session.tag;
  obligation.transactionId = terms.transactionId;
  obligation.payId = terms.payId;
  obligation.customer = terms.customer;
  obligation.amount = terms.money;
  obligation.unit = terms.offer.moneyUnit;
  obligation.card = card;
  obligation.receipt = receipt;
  obligation.startedMs = nowMs();
  obligation.peerMs = session.peerTimeMs;
  return obligation;
}
