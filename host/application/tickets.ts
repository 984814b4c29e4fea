// SPDX-License-Identifier: Apache-2.0
// Tickets as the owner's host shows them (Fig. 2): reads the signed part of a ticket, without
// checking signatures. The agent has done that; whoever does not trust it verifies an export.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { CardAndMerchant } from "../network/authorization/outboxMessages.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { parseSigned } from "../trust/cose.ts";

/** Fields 22 to 26 of Fig. 2. Times are seconds since 1970, ids lower-case hexadecimal. */
export interface Identifier {
  issuer: string;
  issuerCredentialExpiry: number;
  receiver: string;
  receiverCertificateExpiry: number;
  ticketId: string;
}

/** A credit or debit card credential, fields 36 to 44. */
export interface CardCredential {
  type: "card";
  identifier: Identifier;
  bank: string;
  account: string;
  validFrom: number;
  expires: number;
  customer: string;
  kind: "credit" | "debit";
  unit: string;
}

/** A merchant's credential. */
export interface MerchantCredential {
  type: "merchant";
  identifier: Identifier;
  merchant: string;
  owner: string;
  validFrom: number;
  expires: number;
}

/** An electronic money purchase receipt, fields 46 to 58; amounts in minor units. */
export interface Receipt {
  type: "receipt";
  identifier: Identifier;
  bank: string;
  account: string;
  direction: "buy" | "sell";
  accountUnit: string;
  authorizedMinor: number;
  moneyUnit: string;
  moneyMinor: number;
  feeMinor: number;
  date: number;
  transactionId: string;
  customer: string;
  merchant: string;
  offer: string;
  rateNumerator: number;
  rateDenominator: number;
  credential: string;
}

export type Ticket = CardCredential | MerchantCredential | Receipt;

/**
 * The payload bytes of a ticket's signed part, whose hash names a receipt; undefined if
 * malformed.
 */
export function ticketPayload(bytes: Uint8Array): Uint8Array | undefined {
  const sections = decodeCbor(bytes);
  if (!Array.isArray(sections) || sections.length !== 4) return undefined;
  return parseSigned(encodeCbor(sections[0]))?.payload;
}

/** Reads a ticket; undefined when it is not of a shape that docs/protocol.cddl section 7 knows. */
export function readTicket(bytes: Uint8Array): Ticket | undefined {
  const payload = ticketPayload(bytes);
  const parts = payload === undefined ? undefined : decodeCbor(payload);
  if (!Array.isArray(parts) || parts.length !== 2) return undefined;
  const [head, components] = parts as unknown[];
  if (!Array.isArray(head) || head.length !== 6 || !Array.isArray(components)) return undefined;
  const [issuer, issuerExpiry, receiver, receiverExpiry, type, ticketId] = head as unknown[];
  if (!(receiver instanceof Uint8Array) || !(ticketId instanceof Uint8Array)) return undefined;
  const identifier: Identifier = {
    issuer: String(issuer),
    issuerCredentialExpiry: Number(issuerExpiry),
    receiver: bytesToHex(receiver),
    receiverCertificateExpiry: Number(receiverExpiry),
    ticketId: bytesToHex(ticketId),
  };
  const field = components as unknown[];
  if (type === 1 && field.length === 8) return cardCredential(identifier, field);
  if (type === 2 && field.length === 4) return merchantCredential(identifier, field);
  if (type === 3 && field.length === 16) return receipt(identifier, field);
  return undefined;
}

/**
 * The account and the merchant as card messages name them; undefined for a ticket that is no card.
 * @param merchantAgentId 16 hexadecimal digits
 */
export function cardAndMerchant(
  card: Uint8Array,
  merchantAgentId: string,
): CardAndMerchant | undefined {
  const ticket = readTicket(card);
  if (ticket?.type !== "card") return undefined;
  // The ticket's expiry is exclusive, a card's last month is not.
  const expires = new Date((ticket.expires - 1) * 1000);
  const year = String(expires.getUTCFullYear() % 100).padStart(2, "0");
  const month = String(expires.getUTCMonth() + 1).padStart(2, "0");
  return { cardNumber: ticket.account, cardExpiry: `${year}${month}`, merchantAgentId };
}

function cardCredential(identifier: Identifier, field: unknown[]): CardCredential {
  return {
    type: "card",
    identifier,
    bank: String(field[0]),
    account: String(field[1]),
    validFrom: Number(field[2]),
    expires: Number(field[3]),
    customer: String(field[4]),
    kind: field[5] === 1 ? "credit" : "debit",
    unit: String(field[6]),
  };
}

function merchantCredential(identifier: Identifier, field: unknown[]): MerchantCredential {
  return {
    type: "merchant",
    identifier,
    merchant: String(field[0]),
    owner: hexOf(field[1]),
    validFrom: Number(field[2]),
    expires: Number(field[3]),
  };
}

function receipt(identifier: Identifier, field: unknown[]): Receipt {
  return {
    type: "receipt",
    identifier,
    bank: String(field[0]),
    account: String(field[1]),
    direction: field[2] === 1 ? "buy" : "sell",
    accountUnit: String(field[3]),
    authorizedMinor: Number(field[4]),
    moneyUnit: String(field[5]),
    moneyMinor: Number(field[6]),
    feeMinor: Number(field[7]),
    date: Number(field[8]),
    transactionId: hexOf(field[9]),
    customer: hexOf(field[10]),
    merchant: hexOf(field[11]),
    offer: hexOf(field[12]),
    rateNumerator: Number(field[13]),
    rateDenominator: Number(field[14]),
    credential: hexOf(field[15]),
  };
}

function hexOf(value: unknown): string {
  return value instanceof Uint8Array ? bytesToHex(value) : "";
}
