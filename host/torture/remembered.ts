// SPDX-License-Identifier: Apache-2.0
// Work that gives the same result whenever it is done again, done once: the explorer meets the same
// messages at thousands of points. Results are shared and must not be changed.
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";

/** Results kept; all are forgotten when there are more. */
const KEPT_LIMIT = 8_192;

const decodedBodies = new Map<string, unknown>();
const encodedCommands = new WeakMap<readonly unknown[], Uint8Array>();

/** `make` for the same name is called once, and sometimes again. */
export function remember<Result>(
  kept: Map<string, Result>,
  name: string,
  make: () => Result,
): Result {
  let result = kept.get(name);
  if (result === undefined && !kept.has(name)) {
    result = make();
    if (kept.size >= KEPT_LIMIT) kept.clear();
    kept.set(name, result);
  }
  return result as Result;
}

const aboutObjects = new WeakMap<object, Map<string, unknown>>();

/** What `make` gives for an object that nobody changes, under a name; made once. */
export function rememberAbout<Result>(object: object, name: string, make: () => Result): Result {
  let kept = aboutObjects.get(object);
  if (kept === undefined) {
    kept = new Map();
    aboutObjects.set(object, kept);
  }
  return remember(kept as Map<string, Result>, name, make);
}

/** Bytes as a name, a character each. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** As `decodeCbor`. */
export function decoded(body: Uint8Array): unknown {
  return remember(decodedBodies, latin1(body), () => decodeCbor(body));
}

/** As `encodeCbor`; the same array is encoded once. */
export function encodedOnce(command: readonly unknown[]): Uint8Array {
  let body = encodedCommands.get(command);
  if (body === undefined) {
    body = encodeCbor(command);
    encodedCommands.set(command, body);
  }
  return body;
}
