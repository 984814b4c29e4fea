// SPDX-License-Identifier: Apache-2.0
// Releases of firmware images: the statement of a release signer over name, version, minimum
// version, size and hash of an image, and the file that carries both (docs/protocol.cddl,
// "images"; docs/decisions/0011). A board takes an image only with such a statement.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
import { parseSigned, signObject, verifySigned } from "./cose.ts";
import { HASH_BYTES, isBytes, isWhole } from "./shapes.ts";

const PURPOSE = "florin/image";
const LARGEST_VERSION = 0xffff;
const LARGEST_SIZE = 0xffffff;

/** What a release signer states of an image. */
export interface ImageRelease {
  /** 1 to 24 printable ASCII characters, such as "transaction-module". */
  name: string;
  /** 1 to 65,535, one more with each release. */
  version: number;
  /** With name and signer what device keys are bound to: another one is another purse. */
  minimumVersion: number;
  sizeBytes: number;
  /** SHA-256 of the WebAssembly bytes. */
  hash: Uint8Array;
}

/** An image with its signed statement, as a file. */
export interface SignedImage {
  /** The statement, a COSE_Sign1, as it is sent to a board. */
  statement: Uint8Array;
  bytes: Uint8Array;
}

/**
 * Signs an image. `seed` is the signer's 32-byte Ed25519 secret.
 * @throws {RangeError} where name or versions are none
 */
export function signImage(
  about: Pick<ImageRelease, "name" | "version" | "minimumVersion">,
  bytes: Uint8Array,
  seed: Uint8Array,
): SignedImage {
  const { name, version, minimumVersion } = about;
  const payload = encodeCbor([name, version, minimumVersion, bytes.length, sha256(bytes)]);
  if (releaseOf(payload) === undefined) {
    throw new RangeError(
      `An image "${name}" of ${bytes.length} bytes cannot have version ${version} and minimum ` +
        `version ${minimumVersion}: versions are whole, 1 to ${LARGEST_VERSION}, the minimum is ` +
        "the smaller, and names have 1 to 24 ASCII characters.",
    );
  }
  return { statement: signObject(PURPOSE, payload, seed), bytes };
}

/** What a statement says, unchecked by any key; undefined when it is malformed. */
export function readRelease(statement: Uint8Array): ImageRelease | undefined {
  const signed = parseSigned(statement);
  return signed?.keyId === undefined && signed ? releaseOf(signed.payload) : undefined;
}

/** The same, or undefined unless `signer`, an Ed25519 public key, signed it. */
export function verifyRelease(statement: Uint8Array, signer: Uint8Array): ImageRelease | undefined {
  const signed = parseSigned(statement);
  if (signed === undefined || !verifySigned(signed, PURPOSE, signer)) return undefined;
  return readRelease(statement);
}

/** True if these are the bytes that the release names. */
export function isImageOf(release: ImageRelease, bytes: Uint8Array): boolean {
  return bytes.length === release.sizeBytes && equalBytes(sha256(bytes), release.hash);
}

export function encodeSignedImage({ statement, bytes }: SignedImage): Uint8Array {
  return encodeCbor([statement, bytes]);
}

/** The parts of a file, unchecked by any key; undefined when it is no signed image. */
export function decodeSignedImage(file: Uint8Array): SignedImage | undefined {
  const item = decodeCbor(file);
  if (!Array.isArray(item) || item.length !== 2) return undefined;
  const [statement, bytes] = item as unknown[];
  if (!(statement instanceof Uint8Array) || !(bytes instanceof Uint8Array)) return undefined;
  return { statement, bytes };
}

function releaseOf(payload: Uint8Array): ImageRelease | undefined {
  const item = decodeCbor(payload);
  if (!Array.isArray(item) || item.length !== 5) return undefined;
  const [name, version, minimumVersion, sizeBytes, hash] = item as unknown[];
  if (typeof name !== "string" || !/^[\x20-\x7e]{1,24}$/.test(name)) return undefined;
  if (!isWhole(version) || version > LARGEST_VERSION) return undefined;
  if (!isWhole(minimumVersion) || minimumVersion < 1 || minimumVersion > version) return undefined;
  if (!isWhole(sizeBytes) || sizeBytes > LARGEST_SIZE) return undefined;
  if (!isBytes(hash, HASH_BYTES)) return undefined;
  return { name, version, minimumVersion, sizeBytes, hash };
}
