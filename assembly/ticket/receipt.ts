// SPDX-License-Identifier: Apache-2.0
// The electronic money purchase receipt (paragraph 43, fields 46-58 of Fig. 2) with what protocol
// rule 5 adds: transaction id, both agents, offer and rate. The merchant's agent writes it from the
// same values against which the customer's agent checks it (steps 768, 776).
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { AMOUNT_MAX } from "./conversion";
import { Card, readUnit } from "./credential";
import { OfferTerms } from "./merchantOffer";
import { NAME_MAX, TICKET_ID_SIZE } from "./ticket";

const ASTERISK: u8 = 0x2a;
/** Digits of a card number that a receipt still shows. */
const SHOWN_DIGITS: i32 = 4;

/** What both agents know of one purchase or sale; the receipt says the same. */
export class PurchaseTerms {
  /** Terms of the merchant's offer: direction, units, rate. */
  offer!: OfferTerms;
  /** Amount of electronic money, in minor units of the offer's money unit. */
  money: u64 = 0;
  /** Field 52 and field 56, in minor units of the account's unit. */
  authorization: u64 = 0;
  fee: u64 = 0;
  transactionId!: Bytes;
  payId!: Bytes;
  /** Agents of the customer and of the merchant. */
  customer!: Bytes;
  merchant!: Bytes;
  /** The customer's card credential. */
  credential!: Bytes;
  /** The merchant's credential. */
  merchantCredential!: Bytes;
}

/** The card number with all but the last four digits hidden. */
export function maskedAccount(account: Bytes): Bytes {
  const masked = new StaticArray<u8>(account.length);
  for (let i = 0; i < account.length; ++i) {
    masked[i] = i < account.length - SHOWN_DIGITS ? ASTERISK : account[i];
  }
  return masked;
}

/** Writes the components of a receipt dated `seconds` (16 elements). */
export function writeReceipt(w: CborWriter, terms: PurchaseTerms, card: Card, seconds: u64): void {
  const offer = terms.offer;
  const masked = maskedAccount(card.account);
  w.array(16);
  w.textFrom(card.bank);
  w.textFrom(masked);
  w.uint(u64(offer.rate.direction));
  w.textFrom(offer.accountUnit);
  w.uint(terms.authorization);
  w.textFrom(offer.moneyUnit);
  w.uint(terms.money);
  w.uint(terms.fee);
  w.uint(seconds);
  w.bytesFrom(terms.transactionId);
  w.bytesFrom(terms.customer);
  w.bytesFrom(terms.merchant);
  w.bytesFrom(offer.hash);
  w.uint(offer.rate.numerator);
  w.uint(offer.rate.denominator);
  w.bytesFrom(terms.credential);
}

/**
 * True if the components in this range are the receipt of exactly these terms and this card, dated
 * `earliest` to `latest`. Encoding is deterministic, but the date is the merchant's clock's.
 */
export function receiptAgrees(
  pointer: usize,
  length: i32,
  terms: PurchaseTerms,
  card: Card,
  earliest: u64,
  latest: u64,
): bool {
  const offer = terms.offer;
  const reader = new CborReader(pointer, length);
  reader.arrayOf(16);
  let agrees = bytesEqual(reader.text(NAME_MAX), card.bank);
  agrees = bytesEqual(reader.text(NAME_MAX), maskedAccount(card.account)) && agrees;
  agrees = reader.u64() == u64(offer.rate.direction) && agrees;
  agrees = bytesEqual(readUnit(reader), offer.accountUnit) && agrees;
  agrees = reader.uintAtMost(AMOUNT_MAX) == terms.authorization && agrees;
  agrees = bytesEqual(readUnit(reader), offer.moneyUnit) && agrees;
  agrees = reader.uintAtMost(AMOUNT_MAX) == terms.money && agrees;
  agrees = reader.uintAtMost(AMOUNT_MAX) == terms.fee && agrees;
  const date = reader.u64();
  agrees = date >= earliest && date <= latest && agrees;
  agrees = bytesEqual(reader.bytesExact(16), terms.transactionId) && agrees;
  agrees = bytesEqual(reader.bytesExact(8), terms.customer) && agrees;
  agrees = bytesEqual(reader.bytesExact(8), terms.merchant) && agrees;
  agrees = bytesEqual(reader.bytesExact(32), offer.hash) && agrees;
  agrees = reader.u64() == offer.rate.numerator && agrees;
  agrees = reader.u64() == offer.rate.denominator && agrees;
  agrees = bytesEqual(reader.bytesExact(TICKET_ID_SIZE), terms.credential) && agrees;
  return agrees && !reader.failed && reader.atEnd();
}
