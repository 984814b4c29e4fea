// SPDX-License-Identifier: Apache-2.0
// The statements about a payment in doubt as a host reads them (docs/protocol.cddl section 6,
// `statement`; protocol rule 4.5). They prove themselves: a host may carry and check one, never
// make one. Ids are hexadecimal.
import { bytesToHex } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  type Certificate,
  isAgentRole,
  parseCertificate,
  type Root,
  verifyChain,
} from "./certificates.ts";
import { parseSigned, type SignedObject, verifySigned } from "./cose.ts";
import { isBytes, isId, isWhole } from "./shapes.ts";

/** Longest statement that hosts carry: a question with 8 drafts and its chain has some 1,700. */
export const STATEMENT_BYTES = 3072;
/** Kind of a peer-body that carries a statement. */
export const STATEMENT_BODY = 6;
const DRAFTS_LIMIT = 8;
const PAY_ID_BYTES = 16;
const SIGNATURE_BYTES = 64;

/** What a module answers (docs/protocol.cddl, module-answer). */
export const Answer = { ABORTED: 1, UNKNOWN: 2, NOT_YOURS: 3 } as const;

export interface Question {
  readonly kind: "question";
  readonly payId: string;
  readonly asker: string;
  readonly peer: string;
  /** Whether the asker receives the money. */
  readonly isPayee: boolean;
  /** Seconds since 1970. */
  readonly horizon: number;
  /** Payloads of the draft transfers. */
  readonly drafts: readonly Uint8Array[];
  readonly signed: SignedObject;
  /** Certificates of the asker and of its server. */
  readonly chain: unknown;
}

export interface Released {
  readonly kind: "released";
  readonly payId: string;
  /** Of the question's drafts, in order. */
  readonly signatures: readonly Uint8Array[];
}

export interface ModuleAnswer {
  readonly kind: "answer";
  readonly payId: string;
  readonly answerer: string;
  /** See Answer. */
  readonly state: number;
  /** By the answerer's clock, in seconds since 1970. */
  readonly atSeconds: number;
  readonly signed: SignedObject;
}

export interface Done {
  readonly kind: "done";
  readonly payId: string;
  readonly payee: string;
  readonly signed: SignedObject;
}

export type Statement = Question | Released | ModuleAnswer | Done;

/** Reads a statement without checking a signature; undefined when it is malformed. */
export function parseStatement(bytes: Uint8Array): Statement | undefined {
  if (bytes.length > STATEMENT_BYTES) return undefined;
  const item = decodeCbor(bytes);
  if (!Array.isArray(item)) return undefined;
  if (item.length === 4) return parseShort(bytes);
  const [first, second] = item as unknown[];
  if (item.length !== 2) return undefined;
  return first instanceof Uint8Array
    ? parseReleased(first, second)
    : parseQuestion(encodeCbor(first), second);
}

function parseReleased(payId: Uint8Array, list: unknown): Released | undefined {
  if (!isBytes(payId, PAY_ID_BYTES) || !isListOf(list, isSignature)) return undefined;
  if (list.length === 0) return undefined;
  return { kind: "released", payId: bytesToHex(payId), signatures: list };
}

function parseQuestion(bytes: Uint8Array, chain: unknown): Question | undefined {
  const signed = parseSigned(bytes);
  const item = signed && decodeCbor(signed.payload);
  if (signed === undefined || !Array.isArray(item) || item.length !== 6) return undefined;
  const [payId, asker, peer, role, horizon, drafts] = item as unknown[];
  if (!isBytes(payId, PAY_ID_BYTES) || !isId(asker) || !isId(peer)) return undefined;
  if ((role !== 1 && role !== 2) || !isWhole(horizon) || !isListOf(drafts, isDraft)) {
    return undefined;
  }
  return {
    kind: "question",
    payId: bytesToHex(payId),
    asker: bytesToHex(asker),
    peer: bytesToHex(peer),
    isPayee: role === 2,
    horizon,
    drafts,
    signed,
    chain,
  };
}

/** An answer, or `done`: signed objects on their own. */
function parseShort(bytes: Uint8Array): ModuleAnswer | Done | undefined {
  const signed = parseSigned(bytes);
  const item = signed && decodeCbor(signed.payload);
  if (signed === undefined || !Array.isArray(item)) return undefined;
  const [payId, id, third, fourth] = item as unknown[];
  if (!isBytes(payId, PAY_ID_BYTES) || !isId(id) || !isWhole(third)) return undefined;
  const names = { payId: bytesToHex(payId), signed };
  if (item.length === 3) return { kind: "done", payee: bytesToHex(id), ...names };
  if (item.length !== 4 || !isWhole(fourth) || third < 1 || third > 3) return undefined;
  return { kind: "answer", answerer: bytesToHex(id), state: third, atSeconds: fourth, ...names };
}

function isListOf<Item>(list: unknown, isItem: (item: unknown) => item is Item): list is Item[] {
  return Array.isArray(list) && list.length <= DRAFTS_LIMIT && list.every(isItem);
}

function isSignature(item: unknown): item is Uint8Array {
  return isBytes(item, SIGNATURE_BYTES);
}

function isDraft(item: unknown): item is Uint8Array {
  return item instanceof Uint8Array && item.length <= 112;
}

/**
 * The money module of a chain, at whatever time it was good: also who has expired since, or is on a
 * list, may learn how a payment ended (rule 4.5).
 */
export function moduleOfChain(chain: unknown, root: Root): Certificate | undefined {
  const items = chain instanceof Uint8Array ? decodeCbor(chain) : chain;
  if (!Array.isArray(items) || items.length !== 2) return undefined;
  const issued = items.map((item) => parseCertificate(encodeCbor(item))?.issued ?? 0);
  const verified = verifyChain(items, root, Math.max(...issued));
  return verified.ok && !isAgentRole(verified.holder.role) ? verified.holder : undefined;
}

/** Whether `module` made the question, `done` or answer. */
export function isStatementOf(
  module: Certificate,
  statement: Exclude<Statement, Released>,
): boolean {
  const id = bytesToHex(module.subject);
  const { kind, signed } = statement;
  if (kind === "question") {
    return statement.asker === id && verifySigned(signed, "florin/question", module.signingKey);
  }
  const author = kind === "done" ? statement.payee : statement.answerer;
  return author === id && verifySigned(signed, `florin/${kind}`, module.signingKey);
}

/** Whether `module` released exactly the drafts of a question. */
export function isReleaseOf(module: Certificate, released: Released, question: Question): boolean {
  const { drafts } = question;
  if (released.payId !== question.payId || released.signatures.length !== drafts.length)
    return false;
  return drafts.every((payload, index) => {
    const signature = released.signatures[index] ?? new Uint8Array();
    const transfer = { keyId: undefined, payload, signature };
    return verifySigned(transfer, "florin/transfer", module.signingKey);
  });
}
