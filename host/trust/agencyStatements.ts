// SPDX-License-Identifier: Apache-2.0
// What an agency's server says to every device: the list of untrusted ids, in parts, and the time
// (docs/protocol.cddl section 2). Both carry the server's certificate.
import { decodeCbor, encodeCbor } from "./cbor.ts";
import {
  type Certificate,
  isValidAt,
  namesSigner,
  type Root,
  verifyServer,
} from "./certificates.ts";
import { parseSigned, signObject, verifySigned } from "./cose.ts";
import { isId, isWhole } from "./shapes.ts";

export const LIST_PURPOSE = "florin/list";
export const TIME_PURPOSE = "florin/time";
/** Ids of one part; a part then fits into one message of the link. */
export const LIST_PART_IDS = 480;
export const LIST_PARTS = 9;

/** A server's certificate and the 32-byte Ed25519 seed that belongs to it. */
export interface ServerKey {
  readonly certificate: Certificate;
  readonly seed: Uint8Array;
}

export interface ListPart {
  readonly version: number;
  readonly issued: number;
  readonly part: number;
  readonly parts: number;
  readonly ids: readonly Uint8Array[];
}

/** An object [ COSE_Sign1, server certificate ] for the members under the server's root. */
export function signStatement(purpose: string, payload: unknown[], server: ServerKey): Uint8Array {
  const { certificate, seed } = server;
  const signed = signObject(purpose, encodeCbor(payload), seed, certificate.reference);
  return encodeCbor([decodeCbor(signed), decodeCbor(certificate.bytes)]);
}

function verifyStatement(
  bytes: Uint8Array,
  purpose: string,
  root: Root,
  atSeconds: number,
): unknown[] | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 2) return undefined;
  const server = verifyServer(encodeCbor(item[1]), root);
  const object = parseSigned(encodeCbor(item[0]));
  if (server === undefined || object === undefined || !isValidAt(server, atSeconds)) {
    return undefined;
  }
  const payload = decodeCbor(object.payload);
  if (!namesSigner(object, server)) return undefined;
  if (!Array.isArray(payload) || !verifySigned(object, purpose, server.signingKey)) {
    return undefined;
  }
  return payload;
}

/** Bytewise order, the order of ids in a list; both of one length. */
function compareIds(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, at) => byte !== b[at]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}

/**
 * Signs a whole list, cut into parts; an empty list is one empty part. Parts are numbered from 0.
 * @throws {Error} when there are more ids than devices can store
 */
export function signList(
  server: ServerKey,
  version: number,
  issued: number,
  ids: readonly Uint8Array[],
): Uint8Array[] {
  if (ids.length > LIST_PART_IDS * LIST_PARTS) {
    throw new Error(
      `The list of untrusted ids has ${ids.length} entries, but devices store at most ` +
        `${LIST_PART_IDS * LIST_PARTS}; let certificates expire before more are added.`,
    );
  }
  const sorted = [...ids].sort(compareIds);
  const parts = Math.max(1, Math.ceil(sorted.length / LIST_PART_IDS));
  return Array.from({ length: parts }, (_, part) => {
    const slice = sorted.slice(part * LIST_PART_IDS, (part + 1) * LIST_PART_IDS);
    return signStatement(LIST_PURPOSE, [version, issued, part, parts, slice], server);
  });
}

/** Verifies one part of a list; undefined when anything is wrong with it. */
export function verifyListPart(
  bytes: Uint8Array,
  root: Root,
  atSeconds: number,
): ListPart | undefined {
  const payload = verifyStatement(bytes, LIST_PURPOSE, root, atSeconds);
  if (payload === undefined || payload.length !== 5) return undefined;
  const [version, issued, part, parts, ids] = payload;
  if (!isWhole(version) || !isWhole(issued) || !isWhole(part) || !isWhole(parts)) return undefined;
  if (parts < 1 || parts > LIST_PARTS || part >= parts) return undefined;
  if (!Array.isArray(ids) || ids.length > LIST_PART_IDS || !ids.every(isId)) return undefined;
  const ascending = ids.every(
    (id, index) => index === 0 || compareIds(ids[index - 1] as Uint8Array, id) < 0,
  );
  return ascending ? { version, issued, part, parts, ids } : undefined;
}

/** Signs the time, in seconds since 1970. */
export function signTime(server: ServerKey, seconds: number): Uint8Array {
  return signStatement(TIME_PURPOSE, [seconds], server);
}

/** The time that a server signed; undefined when it did not. */
export function verifyTime(bytes: Uint8Array, root: Root, atSeconds: number): number | undefined {
  const payload = verifyStatement(bytes, TIME_PURPOSE, root, atSeconds);
  if (payload === undefined || payload.length !== 1 || !isWhole(payload[0])) return undefined;
  return payload[0];
}
