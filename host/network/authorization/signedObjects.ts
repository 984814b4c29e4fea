// SPDX-License-Identifier: Apache-2.0
// The signed objects of field 55: mandate, approval, completion, posting (docs/protocol.cddl
// section 7, protocol rules 6). Ids and hashes are lower-case hexadecimal text on the host.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor } from "../../trust/cbor.ts";
import { parseSigned, type SignedObject, signObject } from "../../trust/cose.ts";

/** The external_aad of each kind: a signature of one kind is never one of another. */
export const Purpose = {
  mandate: "florin/mandate",
  approval: "florin/approval",
  completion: "florin/completion",
  posting: "florin/posting",
} as const;

export type Direction = "buy" | "sell";

/** The customer's order to his card issuer, signed by his trusted agent after he confirmed. */
export interface Mandate {
  readonly transactionId: string;
  readonly direction: Direction;
  readonly credentialId: string;
  /** What the account is charged (buy) or credited (sell), fee included, in `accountUnit`. */
  readonly accountAmountMinor: number;
  readonly accountUnit: string;
  readonly feeMinor: number;
  readonly moneyAmountMinor: number;
  readonly moneyUnit: string;
  readonly merchantCredentialId: string;
  /** Seconds since 1970: the issuer holds nothing for this mandate later. */
  readonly notAfterS: number;
  readonly receiptHash: string;
}

/** The issuer's answer to a mandate. `untilS`: seconds since 1970, when the hold lapses. */
export interface Approval {
  readonly mandateHash: string;
  readonly approved: boolean;
  readonly code: string;
  readonly untilS: number;
}

/** The merchant agent's word that its money module committed (post) or certainly did not (void). */
export interface Completion {
  readonly mandateHash: string;
  readonly outcome: "post" | "void";
}

/** The issuer's word on how a mandate ended; it ends the merchant agent's obligation. */
export interface Posting {
  readonly mandateHash: string;
  readonly state: "posted" | "voided" | "refused";
}

/** A parsed payload with its still unchecked signature. */
export interface Signed<Content> {
  readonly content: Content;
  readonly object: SignedObject;
}

const DIRECTIONS = ["buy", "sell"] as const;
const OUTCOMES = ["post", "void"] as const;
const STATES = ["posted", "voided", "refused"] as const;
const PURPOSE_OF_MONEY = 1;

/** Bytes to field 55 text. */
export function toFieldText(signed: Uint8Array): string {
  return Buffer.from(signed).toString("base64url");
}

/** Field 55 text to bytes; undefined unless it is the one base64url spelling of them. */
export function fromFieldText(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? Uint8Array.from(bytes) : undefined;
}

/** SHA-256 of a mandate's payload: the name that the other three objects call it by. */
export function mandateHash(object: SignedObject): string {
  return hex(sha256(object.payload));
}

/** Reads a mandate; undefined when anything is out of form or range. */
export function parseMandate(bytes: Uint8Array): Signed<Mandate> | undefined {
  return parse(bytes, 12, (item) => ({
    transactionId: bytesOf(item[0], 16),
    direction: choice(item[1], DIRECTIONS),
    credentialId: bytesOf(item[2], 16),
    accountAmountMinor: positive(item[3]),
    accountUnit: unitOf(item[4]),
    feeMinor: whole(item[5]),
    moneyAmountMinor: positive(item[6]),
    moneyUnit: unitOf(item[7]),
    merchantCredentialId: bytesOf(item[8], 16),
    notAfterS: whole(item[9]),
    receiptHash: item[10] === PURPOSE_OF_MONEY ? bytesOf(item[11], 32) : undefined,
  }));
}

/** Reads an approval; undefined when out of form. */
export function parseApproval(bytes: Uint8Array): Signed<Approval> | undefined {
  return parse(bytes, 4, (item) => ({
    mandateHash: bytesOf(item[0], 32),
    approved: typeof item[1] === "boolean" ? item[1] : undefined,
    code: typeof item[2] === "string" && /^[0-9A-Z]{2}$/.test(item[2]) ? item[2] : undefined,
    untilS: whole(item[3]),
  }));
}

/** Reads a completion; undefined when out of form. */
export function parseCompletion(bytes: Uint8Array): Signed<Completion> | undefined {
  return parse(bytes, 2, (item) => ({
    mandateHash: bytesOf(item[0], 32),
    outcome: choice(item[1], OUTCOMES),
  }));
}

/** Reads a posting; undefined when out of form. */
export function parsePosting(bytes: Uint8Array): Signed<Posting> | undefined {
  return parse(bytes, 2, (item) => ({
    mandateHash: bytesOf(item[0], 32),
    state: choice(item[1], STATES),
  }));
}

/** Signs a mandate. `seed` is the Ed25519 secret, `keyId` the reference of its certificate. */
export function signMandate(mandate: Mandate, seed: Uint8Array, keyId?: Uint8Array): Uint8Array {
  const payload = encodeCbor([
    unhex(mandate.transactionId),
    DIRECTIONS.indexOf(mandate.direction) + 1,
    unhex(mandate.credentialId),
    mandate.accountAmountMinor,
    mandate.accountUnit,
    mandate.feeMinor,
    mandate.moneyAmountMinor,
    mandate.moneyUnit,
    unhex(mandate.merchantCredentialId),
    mandate.notAfterS,
    PURPOSE_OF_MONEY,
    unhex(mandate.receiptHash),
  ]);
  return signObject(Purpose.mandate, payload, seed, keyId);
}

/** Signs an approval with the issuer's approval key, which the card credential names. */
export function signApproval(approval: Approval, seed: Uint8Array): Uint8Array {
  const { approved, code, untilS } = approval;
  const payload = encodeCbor([unhex(approval.mandateHash), approved, code, untilS]);
  return signObject(Purpose.approval, payload, seed);
}

/** Signs a completion as the merchant's agent does. */
export function signCompletion(
  completion: Completion,
  seed: Uint8Array,
  keyId?: Uint8Array,
): Uint8Array {
  const outcome = OUTCOMES.indexOf(completion.outcome) + 1;
  const payload = encodeCbor([unhex(completion.mandateHash), outcome]);
  return signObject(Purpose.completion, payload, seed, keyId);
}

/** Signs a posting with the issuer's approval key. */
export function signPosting(posting: Posting, seed: Uint8Array): Uint8Array {
  const state = STATES.indexOf(posting.state) + 1;
  return signObject(Purpose.posting, encodeCbor([unhex(posting.mandateHash), state]), seed);
}

type Unchecked<Content> = { [Key in keyof Content]: Content[Key] | undefined };

/** Reads the array of a payload; one member undefined makes the whole undefined. */
function parse<Content extends object>(
  bytes: Uint8Array,
  length: number,
  read: (item: readonly unknown[]) => Unchecked<Content>,
): Signed<Content> | undefined {
  const object = parseSigned(bytes);
  const item = object && decodeCbor(object.payload);
  if (!Array.isArray(item) || item.length !== length || object === undefined) return undefined;
  const content = read(item);
  if (Object.values(content).includes(undefined)) return undefined;
  return { content: content as Content, object };
}

function bytesOf(value: unknown, length: number): string | undefined {
  return value instanceof Uint8Array && value.length === length ? hex(value) : undefined;
}

function whole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function positive(value: unknown): number | undefined {
  return value === 0 ? undefined : whole(value);
}

function unitOf(value: unknown): string | undefined {
  return typeof value === "string" && /^[A-Z]{3}$/.test(value) ? value : undefined;
}

function choice<Name extends string>(value: unknown, names: readonly Name[]): Name | undefined {
  return typeof value === "number" ? names[value - 1] : undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
