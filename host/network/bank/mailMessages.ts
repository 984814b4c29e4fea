// SPDX-License-Identifier: Apache-2.0
// What travels between a mailbox and hosts: one CBOR array in each binary WebSocket message
// (docs/protocol.cddl section 10). The letters prove themselves; nothing else in here is believed.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../trust/cbor.ts";
import { isId, isWhole } from "../../trust/shapes.ts";
import { STATEMENT_BYTES } from "../../trust/statements.ts";
import { LETTERS_PER_FETCH } from "./mailbox.ts";

/** Longest chain of a sender, in bytes: two certificates. */
const CHAIN_BYTES = 1024;
/** Longest message in bytes that either side takes. */
export const MAIL_MESSAGE_BYTES = LETTERS_PER_FETCH * (STATEMENT_BYTES + 32);

const POST = 1;
const RELAY = 2;
const FETCH = 3;
const ARRIVED = 4;

/** To a mailbox. `request` is chosen by the sender and comes back with the answer. */
export type MailRequest =
  /** [1, request, statement: bstr, chain: bstr]; 2 from another bank, which is not passed on. */
  | {
      readonly type: "post";
      readonly request: number;
      readonly isRelayed: boolean;
      readonly statement: Uint8Array;
      /** Of who made the statement. */
      readonly chain: Uint8Array;
    }
  /** [3, request, module: id, after: uint]; from then on this line hears of the module's mail. */
  | {
      readonly type: "fetch";
      readonly request: number;
      /** Hexadecimal id. */
      readonly module: string;
      readonly after: number;
    };

export interface MailItem {
  readonly number: number;
  readonly statement: Uint8Array;
}

/** From a mailbox. */
export type MailAnswer =
  /** [1, request, result: tstr] */
  | { readonly type: "posted"; readonly request: number; readonly result: string }
  /** [3, request, [* [ number: uint, statement: bstr ]], more: bool] */
  | {
      readonly type: "letters";
      readonly request: number;
      readonly letters: readonly MailItem[];
      readonly hasMore: boolean;
    }
  /** [4, module: id]: there is new mail for it. */
  | { readonly type: "arrived"; readonly module: string };

export function encodeMailRequest(message: MailRequest): Uint8Array {
  const { request } = message;
  if (message.type === "fetch") {
    return encodeCbor([FETCH, request, hexToBytes(message.module), message.after]);
  }
  const { isRelayed, statement, chain } = message;
  return encodeCbor([isRelayed ? RELAY : POST, request, statement, chain]);
}

export function parseMailRequest(bytes: Uint8Array): MailRequest | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 4 || !isWhole(item[1])) return undefined;
  const [number, request, third, fourth] = item as [unknown, number, unknown, unknown];
  if (number === FETCH && isId(third) && isWhole(fourth)) {
    return { type: "fetch", request, module: bytesToHex(third), after: fourth };
  }
  if (number !== POST && number !== RELAY) return undefined;
  if (!isUpTo(third, STATEMENT_BYTES) || !isUpTo(fourth, CHAIN_BYTES)) return undefined;
  return { type: "post", request, isRelayed: number === RELAY, statement: third, chain: fourth };
}

export function encodeMailAnswer(message: MailAnswer): Uint8Array {
  if (message.type === "arrived") return encodeCbor([ARRIVED, hexToBytes(message.module)]);
  if (message.type === "posted") return encodeCbor([POST, message.request, message.result]);
  const letters = message.letters.map(({ number, statement }) => [number, statement]);
  return encodeCbor([FETCH, message.request, letters, message.hasMore]);
}

export function parseMailAnswer(bytes: Uint8Array): MailAnswer | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item)) return undefined;
  const [number, request, third, hasMore] = item as unknown[];
  if (number === ARRIVED && item.length === 2 && isId(request)) {
    return { type: "arrived", module: bytesToHex(request) };
  }
  if (!isWhole(request)) return undefined;
  if (number === POST && item.length === 3 && typeof third === "string") {
    return { type: "posted", request, result: third };
  }
  if (number !== FETCH || item.length !== 4 || typeof hasMore !== "boolean") return undefined;
  if (!Array.isArray(third) || third.length > LETTERS_PER_FETCH) return undefined;
  const letters = third.map(letterOf);
  if (!letters.every((letter) => letter !== undefined)) return undefined;
  return { type: "letters", request, letters, hasMore };
}

function letterOf(item: unknown): MailItem | undefined {
  if (!Array.isArray(item) || item.length !== 2) return undefined;
  const [number, statement] = item as unknown[];
  if (!isWhole(number) || !isUpTo(statement, STATEMENT_BYTES)) return undefined;
  return { number, statement };
}

function isUpTo(value: unknown, bytes: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length > 0 && value.length <= bytes;
}
