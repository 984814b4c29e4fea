// SPDX-License-Identifier: Apache-2.0
// The card messages Florin speaks (ISO 8583:1987): their types, the fields each may carry, and
// the form of every field. Docs: protocol rules 6; this list is all that the codec lets through.
import type { FieldFormat } from "iso_8583";

/** A decoded message: fields by number, as text. Field 128, the authentication, is not listed. */
export interface IsoMessage {
  readonly type: MessageType;
  readonly fields: Readonly<Record<number, string>>;
}

/** Numbers of the fields in use, named as the standard names them. */
export const Field = {
  cardNumber: 2,
  processingCode: 3,
  amount: 4,
  transmissionTime: 7,
  traceNumber: 11,
  localTime: 12,
  localDate: 13,
  cardExpiry: 14,
  acquirerId: 32,
  retrievalReference: 37,
  approvalCode: 38,
  responseCode: 39,
  terminalId: 41,
  cardAcceptorId: 42,
  currency: 49,
  signedObject: 55,
  originalData: 90,
  authentication: 128,
} as const;

/**
 * Processing codes (field 3): the customer buys electronic money with the card account, or sells
 * electronic money to it. 00 is "goods and services", a debit; 20 is "returns", a credit.
 */
export const ProcessingCode = { debit: "000000", credit: "200000" } as const;

interface FieldRule extends FieldFormat {
  readonly pattern: RegExp;
}

const fixed = (Label: string, MaxLen: number, pattern: RegExp): FieldRule => {
  return { ContentType: "ans", Label, LenType: "fixed", MaxLen, pattern };
};
const digits = (Label: string, MaxLen: number): FieldRule => {
  const pattern = new RegExp(`^[0-9]{${MaxLen}}$`);
  return { ContentType: "n", Label, LenType: "fixed", MaxLen, pattern };
};

/** Every field in use. The patterns are exact; the package's own checks are looser. */
export const FIELD_RULES: Readonly<Record<number, FieldRule>> = {
  2: {
    ContentType: "n",
    Label: "Primary account number",
    LenType: "llvar",
    MaxLen: 19,
    pattern: /^[0-9]{8,19}$/,
  },
  3: digits("Processing code", 6),
  4: digits("Amount, transaction", 12),
  7: digits("Transmission date and time", 10),
  11: digits("Systems trace audit number", 6),
  12: digits("Time, local transaction", 6),
  13: digits("Date, local transaction", 4),
  14: digits("Date, expiration", 4),
  32: {
    ContentType: "n",
    Label: "Acquiring institution identification code",
    LenType: "llvar",
    MaxLen: 11,
    pattern: /^[0-9]{1,11}$/,
  },
  37: fixed("Retrieval reference number", 12, /^[0-9A-Z]{12}$/),
  38: fixed("Authorization identification response", 6, /^[0-9A-Z]{6}$/),
  39: fixed("Response code", 2, /^[0-9A-Z]{2}$/),
  41: fixed("Card acceptor terminal identification", 8, /^[0-9A-Z]{8}$/),
  // The merchant's agent: its 8-byte id as base64url (11 characters), padded with blanks.
  42: fixed("Card acceptor identification code", 15, /^[0-9A-Za-z_-]{11} {4}$/),
  49: digits("Currency code, transaction", 3),
  55: {
    ContentType: "ans",
    Label: "Signed object",
    LenType: "lllvar",
    MaxLen: 999,
    pattern: /^[0-9A-Za-z_-]{1,999}$/,
  },
  90: digits("Original data elements", 42),
  // 8 bytes: two hexadecimal digits each. (The package's own table has room for 4 bytes only.)
  128: {
    ContentType: "b",
    Label: "Message authentication code",
    LenType: "fixed",
    MaxLen: 16,
    pattern: /^[0-9a-f]{16}$/,
  },
};

interface TypeRule {
  readonly answer?: MessageType;
  readonly required: readonly number[];
  readonly optional: readonly number[];
}

// Fields 3, 4 and 49 of completions and reversals repeat what the 0100 said. They are absent when
// the merchant's host has lost its notes: the signed object alone names what is to be settled.
const HOLD = [2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 55];
const SETTLE = [2, 7, 11, 12, 13, 32, 37, 41, 42, 55];
const ANSWER = [7, 11, 32, 37, 39, 41, 42];
const REPEATED = [3, 4, 49];

const TYPE_RULES = {
  "0100": { answer: "0110", required: HOLD, optional: [14] },
  "0110": { required: [...ANSWER, ...REPEATED], optional: [38, 55] },
  "0220": { answer: "0230", required: SETTLE, optional: REPEATED },
  "0230": { required: ANSWER, optional: [...REPEATED, 55] },
  "0400": { answer: "0410", required: [...SETTLE, 90], optional: REPEATED },
  "0410": { required: ANSWER, optional: [...REPEATED, 55] },
  "0420": { answer: "0430", required: [...SETTLE, 90], optional: REPEATED },
  "0430": { required: ANSWER, optional: [...REPEATED, 55] },
} as const;

export type MessageType = keyof typeof TYPE_RULES;

/** The rule of a message type, or undefined for a type that Florin does not speak. */
export function typeRule(type: string): TypeRule | undefined {
  return Object.hasOwn(TYPE_RULES, type) ? TYPE_RULES[type as MessageType] : undefined;
}

/** The type that answers this request; undefined for answers, which have none. */
export function answerType(type: MessageType): MessageType | undefined {
  return typeRule(type)?.answer;
}

/** Builds the answer to a request: the fields that match it up again, the code, and what is new. */
export function answerTo(
  request: IsoMessage,
  responseCode: string,
  more: Readonly<Record<number, string>> = {},
): IsoMessage {
  const type = answerType(request.type);
  if (type === undefined) throw new Error(`message ${request.type} is an answer, not a request`);
  const fields: Record<number, string> = { ...more, [Field.responseCode]: responseCode };
  const echoed = [3, 4, 7, 11, 32, 37, 41, 42, 49];
  for (const field of echoed) {
    const value = request.fields[field];
    if (value !== undefined) fields[field] = value;
  }
  return { type, fields };
}
