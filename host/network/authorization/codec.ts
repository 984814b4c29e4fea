// SPDX-License-Identifier: Apache-2.0
// Card messages to bytes and back: the package iso_8583 inside strict walls. The package alone
// accepts bit flips, truncation and trailing bytes; here a message has exactly one spelling.
import Iso8583 from "iso_8583";
import { equalBytes } from "../../trust/cbor.ts";
import { AUTHENTICATION_BYTES, authenticate, isAuthentic } from "./messageAuthentication.ts";
import { FIELD_RULES, Field, type IsoMessage, type MessageType, typeRule } from "./messages.ts";

/** Longest message on a link; the longest possible one has about 1,200 bytes. */
export const MAX_MESSAGE_BYTES = 1500;

/** Why a received message was dropped. Nothing is ever answered to such bytes. */
export type DropReason = "length" | "authentication" | "form";

// Layout: type (4 digits), two bitmaps (the package always writes both), fields, code.
const TYPE_BYTES = 4;
const BITMAP_BYTES = 16;
const HEADER_BYTES = TYPE_BYTES + BITMAP_BYTES;
const NO_CODE = "00".repeat(AUTHENTICATION_BYTES);

/**
 * Encodes and authenticates a message for one link (without the length of the TCP framing).
 * @throws {Error} naming the field, when the message breaks the rules of its type
 */
export function encodeMessage(message: IsoMessage, linkKey: Uint8Array): Uint8Array {
  const problem = messageProblem(message);
  if (problem !== undefined) throw new Error(`cannot send message ${message.type}: ${problem}`);
  const bytes = pack(message);
  authenticate(bytes, linkKey);
  return bytes;
}

/** Checks and decodes what arrived on one link; the reason, when it is to be dropped. */
export function decodeMessage(bytes: Uint8Array, linkKey: Uint8Array): IsoMessage | DropReason {
  if (bytes.length < HEADER_BYTES + AUTHENTICATION_BYTES) return "length";
  if (bytes.length > MAX_MESSAGE_BYTES) return "length";
  // The code comes before any parsing: strangers do not reach the package at all.
  if (!isAuthentic(bytes, linkKey)) return "authentication";
  return unpack(bytes) ?? "form";
}

/** What is wrong with a message, in one clause; undefined when all is well. */
export function messageProblem(message: IsoMessage): string | undefined {
  const rule = typeRule(message.type);
  if (rule === undefined) return "unknown type";
  for (const field of rule.required) {
    if (message.fields[field] === undefined) return `field ${field} is missing`;
  }
  for (const [name, value] of Object.entries(message.fields)) {
    const field = Number(name);
    const allowed = rule.required.includes(field) || rule.optional.includes(field);
    if (!allowed) return `field ${name} does not belong to it`;
    if (!FIELD_RULES[field]!.pattern.test(value)) return `field ${name} has the wrong form`;
  }
  return undefined;
}

function pack(message: IsoMessage): Uint8Array {
  const fields: Record<string, string> = { 0: message.type, ...message.fields };
  fields[Field.authentication] = NO_CODE;
  const packed = new Iso8583(fields, FIELD_RULES).getRawMessage();
  if ("error" in packed) throw new Error(`cannot pack message ${message.type}: ${packed.error}`);
  return Uint8Array.from(packed);
}

function unpack(bytes: Uint8Array): IsoMessage | undefined {
  const type = String.fromCharCode(...bytes.subarray(0, TYPE_BYTES));
  // The package is shown known fields only: it would expand field 127, for instance.
  if (!fieldsFit(type, bytes.subarray(TYPE_BYTES, HEADER_BYTES))) return undefined;
  const unpacked = new Iso8583({}, FIELD_RULES).getIsoJSON(Buffer.from(bytes), {
    lenHeader: false,
  });
  const { 0: _, [Field.authentication]: __, ...fields } = unpacked as Record<string, string>;
  const message: IsoMessage = { type: type as MessageType, fields };
  if (messageProblem(message) !== undefined) return undefined;
  // Packed again it must be the same: closes lengths like "1e1", cut fields and trailing bytes.
  const again = pack(message);
  const covered = bytes.length - AUTHENTICATION_BYTES;
  const same = equalBytes(again.subarray(0, covered), bytes.subarray(0, covered));
  return same && again.length === bytes.length ? message : undefined;
}

/** Reads the bitmaps: bit n counts from 1 at the most significant bit; bit 1 = two bitmaps. */
function fieldsFit(type: string, bitmaps: Uint8Array): boolean {
  const rule = typeRule(type);
  if (rule === undefined) return false;
  const wanted = new Set([1, ...rule.required, Field.authentication]);
  for (let field = 1; field <= BITMAP_BYTES * 8; field++) {
    const present = ((bitmaps[(field - 1) >> 3]! >> (7 - ((field - 1) & 7))) & 1) === 1;
    if (wanted.has(field) && !present) return false;
    if (present && !wanted.has(field) && !rule.optional.includes(field)) return false;
  }
  return true;
}
