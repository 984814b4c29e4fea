// SPDX-License-Identifier: Apache-2.0
// The components section of the three ticket types (docs/protocol.cddl section 7, Fig. 2): shapes
// only, tickets.ts says what must hold between them and the rest of the ticket.
import { array, bytes, id, name, ensure, text, uint, unit } from "./strict.ts";

export type TicketKind = "card" | "merchant" | "receipt";

export interface CardCredential {
  readonly kind: "card";
  readonly bank: string;
  readonly holderName: string;
  readonly validFrom: number;
  readonly expires: number;
}

export interface MerchantCredential {
  readonly kind: "merchant";
  readonly holderName: string;
  readonly owner: Uint8Array;
  readonly validFrom: number;
  readonly expires: number;
}

export type Credential = CardCredential | MerchantCredential;

export interface Receipt {
  readonly kind: "receipt";
  /** 1 buy, 2 sell, seen from the customer. */
  readonly direction: number;
  readonly accountUnit: string;
  readonly authorizationMinor: number;
  readonly moneyUnit: string;
  readonly moneyMinor: number;
  readonly feeMinor: number;
  readonly date: number;
  readonly customer: Uint8Array;
  readonly merchant: Uint8Array;
  readonly rateNumerator: number;
  readonly rateDenominator: number;
}

export type Components = Credential | Receipt;

const MAXIMUM_RATE = 1_000_000_000;
const ACCOUNT_BYTES = [8, 19] as const;

/** Reads the decoded components of a ticket of this kind. */
export function readComponents(kind: TicketKind, value: unknown): Components {
  if (kind === "card") return readCard(value);
  return kind === "merchant" ? readMerchant(value) : readReceipt(value);
}

function readCard(value: unknown): CardCredential {
  const fields = array(value, "the card credential", 8);
  const account = text(fields[1], "the card number", ...ACCOUNT_BYTES);
  // The number itself stays out of the refusal: reports are shown around, card numbers are not.
  ensure(/^[0-9]+$/.test(account), "the card number is not made of digits");
  uint(fields[5], "the kind of card", 1, 2);
  unit(fields[6], "the unit of the card's account");
  bytes(fields[7], "the card's approval key", 32);
  return {
    kind: "card",
    bank: name(fields[0], "the card's bank"),
    holderName: name(fields[4], "the card's customer"),
    ...readValidity(fields[2], fields[3]),
  };
}

function readMerchant(value: unknown): MerchantCredential {
  const fields = array(value, "the merchant credential", 4);
  return {
    kind: "merchant",
    holderName: name(fields[0], "the merchant's name"),
    owner: id(fields[1], "the merchant credential's owner"),
    ...readValidity(fields[2], fields[3]),
  };
}

function readValidity(from: unknown, until: unknown): { validFrom: number; expires: number } {
  const validFrom = uint(from, "the start of the credential's validity");
  const expires = uint(until, "the end of the credential's validity");
  ensure(validFrom < expires, "the credential expires before it is valid");
  return { validFrom, expires };
}

function readReceipt(value: unknown): Receipt {
  const fields = array(value, "the receipt", 16);
  name(fields[0], "the receipt's bank");
  const account = text(fields[1], "the receipt's account", ...ACCOUNT_BYTES);
  const masked = /^\*+[0-9]{4}$/.test(account);
  ensure(masked, "the receipt's account is not masked down to its last four digits");
  bytes(fields[9], "the receipt's transaction id", 16);
  bytes(fields[12], "the receipt's offer hash", 32);
  bytes(fields[15], "the receipt's credential", 16);
  return {
    kind: "receipt",
    direction: uint(fields[2], "the receipt's direction", 1, 2),
    accountUnit: unit(fields[3], "the receipt's account unit"),
    authorizationMinor: uint(fields[4], "the receipt's authorization"),
    moneyUnit: unit(fields[5], "the receipt's money unit"),
    moneyMinor: uint(fields[6], "the receipt's money"),
    feeMinor: uint(fields[7], "the receipt's fee"),
    date: uint(fields[8], "the receipt's date"),
    customer: id(fields[10], "the receipt's customer"),
    merchant: id(fields[11], "the receipt's merchant"),
    rateNumerator: uint(fields[13], "the receipt's rate numerator", 1, MAXIMUM_RATE),
    rateDenominator: uint(fields[14], "the receipt's rate denominator", 1, MAXIMUM_RATE),
  };
}
