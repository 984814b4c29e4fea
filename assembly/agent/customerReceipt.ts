// SPDX-License-Identifier: Apache-2.0
// The customer's view of the receipt (Fig. 7, steps 774-786; docs/protocol.md section 5): it must
// say exactly what session and offer imply, and it is kept with the mandate before that leaves.
import { Bytes, bytesEqual } from "../codec/bytes";
import { Session } from "../session/session";
import { Card, MerchantIdentity } from "../ticket/credential";
import { PurchaseTerms, receiptAgrees } from "../ticket/receipt";
import { Ticket } from "../ticket/ticket";
import { receiptReason } from "../ticket/validation";
import { Certificate, CLOCK_WINDOW_SECONDS } from "../trust/certificate";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { nowMs, nowSeconds } from "../trust/signedTime";
import { OpenKind, OpenTransaction } from "./openTransaction";

/** 0 if the receipt is the merchant's, for this agent, of these terms and card; else the reason. */
export function judgeReceipt(
  receipt: Ticket | null,
  terms: PurchaseTerms,
  card: Card,
  merchant: MerchantIdentity,
  peer: Certificate,
): i32 {
  if (receipt === null) return Reason.RECEIPT_WRONG;
  const own = identity.certificate;
  const now = nowSeconds();
  if (!bytesEqual(receipt.issuerName, merchant.name)) return Reason.RECEIPT_WRONG;
  if (receipt.issuerExpires != merchant.expires) return Reason.RECEIPT_WRONG;
  if (receipt.receiverExpires != own.expires) return Reason.RECEIPT_WRONG;
  const agrees = receiptAgrees(
    receipt.componentsPointer,
    receipt.componentsLength,
    terms,
    card,
    now - CLOCK_WINDOW_SECONDS,
    now + CLOCK_WINDOW_SECONDS,
  );
  if (!agrees) return Reason.RECEIPT_WRONG;
  return receiptReason(receipt, own.id, peer, now);
}

/**
 * The record of a purchase in this session, not yet in the journal; receipt and mandate encoded.
 */
export function newOpenPurchase(
  session: Session,
  commandId: Bytes,
  terms: PurchaseTerms,
  receipt: Bytes,
  mandate: Bytes,
): OpenTransaction {
  const open = new OpenTransaction();
  open.kind = OpenKind.PURCHASE;
  open.commandId = commandId;
  open.transactionId = terms.transactionId;
  open.payId = terms.payId;
  open.peer = terms.merchant;
  open.terms.amount = terms.money;
  open.terms.unit = terms.offer.moneyUnit;
  open.receipt = receipt;
  open.mandate = mandate;
  open.startedMs = nowMs();
  open.peerMs = session.peerTimeMs;
  return open;
}
