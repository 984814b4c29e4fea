// SPDX-License-Identifier: Apache-2.0
// Components of credential tickets (section 12 of Fig. 2): the credit or debit card (paragraph 42,
// fields 36-44) and the merchant's credential (paragraph 89).
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { NAME_MAX, Ticket, TicketType } from "./ticket";

/** Bytes of an ISO 4217 code. */
export const UNIT_SIZE: i32 = 3;
const ACCOUNT_MIN: i32 = 8;
const ACCOUNT_MAX: i32 = 19;

/** A credit or debit card. */
export class Card {
  bank!: Bytes;
  /** Card number: 8 to 19 digits. */
  account!: Bytes;
  validFrom: u64 = 0;
  expires: u64 = 0;
  customer!: Bytes;
  /** 1 credit, 2 debit. */
  kind: i32 = 0;
  /** Unit of the account behind the card. */
  unit!: Bytes;
  /** Ed25519 key by which the card's issuer signs approvals and postings. */
  approvalKey!: Bytes;
}

/** Who a merchant is. */
export class MerchantIdentity {
  name!: Bytes;
  /** The owner: the same in all devices of one merchant. */
  owner!: Bytes;
  validFrom: u64 = 0;
  expires: u64 = 0;
}

/** Reads three capital letters; the reader fails on anything else. */
export function readUnit(reader: CborReader): Bytes {
  const unit = reader.text(UNIT_SIZE);
  let isCode = unit.length == UNIT_SIZE;
  for (let i = 0; i < unit.length; ++i) {
    if (unit[i] < 0x41 || unit[i] > 0x5a) isCode = false;
  }
  if (!isCode) reader.failed = true;
  return unit;
}

/** The card in a range of encoded components; null where out of form. */
export function readCard(pointer: usize, length: i32): Card | null {
  const reader = new CborReader(pointer, length);
  const card = new Card();
  reader.arrayOf(8);
  card.bank = reader.text(NAME_MAX);
  card.account = reader.text(ACCOUNT_MAX);
  card.validFrom = reader.u64();
  card.expires = reader.u64();
  card.customer = reader.text(NAME_MAX);
  card.kind = i32(reader.uintAtMost(2));
  card.unit = readUnit(reader);
  card.approvalKey = reader.bytesExact(32);
  if (reader.failed || !reader.atEnd()) return null;
  if (card.kind == 0 || card.bank.length == 0 || card.customer.length == 0) return null;
  if (!areDigits(card.account) || card.account.length < ACCOUNT_MIN) return null;
  return card;
}

/** The merchant in a range of encoded components; null where out of form. */
export function readMerchant(pointer: usize, length: i32): MerchantIdentity | null {
  const reader = new CborReader(pointer, length);
  const merchant = new MerchantIdentity();
  reader.arrayOf(4);
  merchant.name = reader.text(NAME_MAX);
  merchant.owner = reader.bytesExact(8);
  merchant.validFrom = reader.u64();
  merchant.expires = reader.u64();
  if (reader.failed || !reader.atEnd() || merchant.name.length == 0) return null;
  return merchant;
}

/** The card of a card credential; null where the ticket is none. */
export function cardOf(ticket: Ticket): Card | null {
  if (ticket.type != TicketType.CARD) return null;
  return readCard(ticket.componentsPointer, ticket.componentsLength);
}

/** The merchant of a merchant credential; null where the ticket is none. */
export function merchantOf(ticket: Ticket): MerchantIdentity | null {
  if (ticket.type != TicketType.MERCHANT) return null;
  return readMerchant(ticket.componentsPointer, ticket.componentsLength);
}

function areDigits(text: Bytes): bool {
  for (let i = 0; i < text.length; ++i) {
    if (text[i] < 0x30 || text[i] > 0x39) return false;
  }
  return true;
}
