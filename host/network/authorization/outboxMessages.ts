// SPDX-License-Identifier: Apache-2.0
// How a merchant's host words its card messages: reference numbers, times and original data
// (fields 7, 11-13, 37, 90) as ISO 8583:1987 and common practice fill them. All times are UTC.
import { currencyByCode } from "../currencies.ts";
import { cardAcceptorId, processingCodeOf } from "./issuerRequest.ts";
import { Field, type IsoMessage } from "./messages.ts";
import { type Direction, toFieldText } from "./signedObjects.ts";

/** Who the acquirer is: its institution (up to 11 digits) and terminal (8 of 0-9, A-Z). */
export interface AcquirerIdentity {
  readonly acquirerId: string;
  readonly terminalId: string;
}

/** The card and the merchant of a transaction. `cardExpiry` is YYMM where it is known. */
export interface CardAndMerchant {
  readonly cardNumber: string;
  readonly cardExpiry?: string;
  readonly merchantAgentId: string;
}

/** What the 0100 said, repeated in the messages that settle it. */
export interface HoldReference {
  readonly direction: Direction;
  readonly amountMinor: number;
  readonly unit: string;
  /** Field 90: type, trace number, time and acquirer of the 0100. */
  readonly originalData: string;
}

/** Field 90 when the host has lost what the 0100 said; the signed object is what counts. */
export const NO_ORIGINAL_DATA = "0".repeat(42);

/** Field 37: last digit of the year, day of the year, hour, trace number. */
export function retrievalReference(nowMs: number, trace: number): string {
  const date = new Date(nowMs);
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  const day = Math.floor((nowMs - yearStart) / 86_400_000) + 1;
  const year = date.getUTCFullYear() % 10;
  return `${year}${padded(day, 3)}${padded(date.getUTCHours(), 2)}${padded(trace, 6)}`;
}

/** The 0100 for a mandate. */
export function holdMessage(
  identity: AcquirerIdentity,
  card: CardAndMerchant,
  terms: Omit<HoldReference, "originalData">,
  mandate: Uint8Array,
  trace: number,
  nowMs: number,
): IsoMessage {
  const fields: Record<number, string> = {
    ...commonFields(identity, card, retrievalReference(nowMs, trace), trace, nowMs),
    ...termsFields(terms),
    [Field.signedObject]: toFieldText(mandate),
  };
  if (card.cardExpiry !== undefined) fields[Field.cardExpiry] = card.cardExpiry;
  return { type: "0100", fields };
}

/** The 0220 (post) or 0400 (void) that carries a completion. */
export function settleMessage(
  identity: AcquirerIdentity,
  card: CardAndMerchant,
  hold: HoldReference | undefined,
  completion: { readonly bytes: Uint8Array; readonly outcome: "post" | "void" },
  reference: string,
  trace: number,
  nowMs: number,
): IsoMessage {
  const fields: Record<number, string> = {
    ...commonFields(identity, card, reference, trace, nowMs),
    ...(hold === undefined ? {} : termsFields(hold)),
    [Field.signedObject]: toFieldText(completion.bytes),
  };
  if (completion.outcome === "post") return { type: "0220", fields };
  fields[Field.originalData] = hold?.originalData ?? NO_ORIGINAL_DATA;
  return { type: "0400", fields };
}

/** Field 90 of a message that voids this 0100. */
export function originalDataOf({ type, fields }: IsoMessage): string {
  const acquirer = fields[Field.acquirerId]!.padStart(11, "0");
  const forwarder = "0".repeat(11);
  return type + fields[Field.traceNumber] + fields[Field.transmissionTime] + acquirer + forwarder;
}

function commonFields(
  identity: AcquirerIdentity,
  card: CardAndMerchant,
  reference: string,
  trace: number,
  nowMs: number,
): Record<number, string> {
  // "2026-08-01T12:34:56" becomes 0801 and 123456.
  const time = new Date(nowMs).toISOString();
  const monthDay = time.slice(5, 7) + time.slice(8, 10);
  const clock = time.slice(11, 19).replaceAll(":", "");
  return {
    [Field.cardNumber]: card.cardNumber,
    [Field.transmissionTime]: monthDay + clock,
    [Field.traceNumber]: padded(trace, 6),
    [Field.localTime]: clock,
    [Field.localDate]: monthDay,
    [Field.acquirerId]: identity.acquirerId,
    [Field.retrievalReference]: reference,
    [Field.terminalId]: identity.terminalId,
    [Field.cardAcceptorId]: cardAcceptorId(card.merchantAgentId),
  };
}

function termsFields(terms: Omit<HoldReference, "originalData">): Record<number, string> {
  return {
    [Field.processingCode]: processingCodeOf(terms.direction),
    [Field.amount]: padded(terms.amountMinor, 12),
    [Field.currency]: currencyByCode(terms.unit)?.numeric ?? "",
  };
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
