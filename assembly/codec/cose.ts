// SPDX-License-Identifier: Apache-2.0
// Signed objects: untagged COSE_Sign1 (RFC 9052, section 4.2) with Ed25519, in the one form
//   [ h'a10127', {} or { 4: reference }, payload, signature ]
// where h'a10127' is { alg: EdDSA } and `reference` the first 8 bytes of the hash of the signer's
// certificate. What is signed is the Sig_structure of section 4.4 with the purpose as external_aad.
import { ed25519Sign, ed25519Verify } from "../crypto/ed25519";
import { Bytes, bytesOf, equalAt } from "./bytes";
import { CborReader } from "./cborReader";
import { CborWriter } from "./cborWriter";

/** Longest payload that a module forms and signs itself; longer ones are only verified. */
export const PAYLOAD_MAX: i32 = 1024;
/** Size in bytes of an Ed25519 signature. */
export const SIGNATURE_SIZE: i32 = 64;
/** Size in bytes of a reference to a certificate, header parameter kid. */
export const REFERENCE_SIZE: i32 = 8;

/** Room for a Sig_structure up to its payload: 20 bytes, a purpose of at most 64 and two heads. */
const STRUCTURE_ROOM: i32 = 96;
const KID_LABEL: i64 = 4;

/** The encoded protected header { 1: -8 }, algorithm EdDSA (RFC 9053, section 2.2). */
const PROTECTED_HEADER: Bytes = [0xa1, 0x01, 0x27];
/** "Signature1", the context of a COSE_Sign1. */
const CONTEXT: Bytes = [0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31];

/** The Sig_structure up to the payload, which is signed and verified where it lies. */
const structure = memory.data(STRUCTURE_ROOM, 8);
const structureWriter: CborWriter = new CborWriter(structure, STRUCTURE_ROOM);

/** Builds the Sig_structure up to the payload's content; returns its length. */
function buildStructure(purpose: Bytes, payloadLength: i32): i32 {
  const writer = structureWriter;
  writer.restart();
  writer.array(4);
  writer.textFrom(CONTEXT);
  writer.bytesFrom(PROTECTED_HEADER);
  writer.bytesFrom(purpose);
  writer.bytesHead(payloadLength);
  assert(!writer.overflow);
  return writer.length;
}

/**
 * Writes the 64-byte signature over `payload` for one purpose to `output`. `seed` is the 32-byte
 * secret, `publicKey` the key that belongs to it.
 */
export function coseSignature(
  purpose: Bytes,
  payload: usize,
  payloadLength: i32,
  seed: usize,
  publicKey: usize,
  output: usize,
): void {
  const headLength = buildStructure(purpose, payloadLength);
  ed25519Sign(output, payload, payloadLength, seed, publicKey, structure, headLength);
}

/** Writes payload, reference (8 bytes at `kid`, 0 for none) and 64-byte signature as one object. */
export function coseWrite(
  writer: CborWriter,
  payload: usize,
  payloadLength: i32,
  kid: usize,
  signature: usize,
): void {
  writer.array(4);
  writer.bytesFrom(PROTECTED_HEADER);
  if (kid == 0) {
    writer.map(0);
  } else {
    writer.map(1);
    writer.int(KID_LABEL);
    writer.bytes(kid, REFERENCE_SIZE);
  }
  writer.bytes(payload, payloadLength);
  writer.bytes(signature, SIGNATURE_SIZE);
}

/** Joins payload, reference (8 bytes, or null for none) and 64-byte signature to one object. */
export function coseAssemble(
  payload: usize,
  payloadLength: i32,
  kid: Bytes | null,
  signature: usize,
): Bytes {
  const object = new StaticArray<u8>(payloadLength + SIGNATURE_SIZE + 32);
  const writer = new CborWriter(changetype<usize>(object), object.length);
  const reference = kid === null ? 0 : changetype<usize>(kid);
  coseWrite(writer, payload, payloadLength, reference, signature);
  return writer.taken();
}

/** Signs `payload` and returns the whole object. */
export function coseSign(
  purpose: Bytes,
  payload: usize,
  payloadLength: i32,
  kid: Bytes | null,
  seed: usize,
  publicKey: usize,
): Bytes {
  const signature = new StaticArray<u8>(SIGNATURE_SIZE);
  const at = changetype<usize>(signature);
  coseSignature(purpose, payload, payloadLength, seed, publicKey, at);
  return coseAssemble(payload, payloadLength, kid, at);
}

/** Used by `parse` alone: a packet of notes is dozens of objects, and must leave no garbage. */
const reader: CborReader = new CborReader(0, 0);

/** A signed object read in place: its parts are addresses in the range given to `parse`. */
export class CoseSign1 {
  payloadPointer: usize = 0;
  payloadLength: i32 = 0;
  /** Address of the 8-byte reference of the signer's certificate, or 0 where there is none. */
  kidPointer: usize = 0;
  signaturePointer: usize = 0;

  /** Whether the range is exactly one object of the one accepted form. Checks no signature. */
  parse(pointer: usize, length: i32): bool {
    reader.restart(pointer, length);
    reader.arrayOf(4);
    this.kidPointer = 0;
    reader.view();
    if (reader.viewLength != PROTECTED_HEADER.length) return false;
    if (!equalAt(PROTECTED_HEADER, reader.viewPointer)) return false;
    const headers = reader.map();
    if (headers == 1) {
      reader.key(KID_LABEL);
      reader.view();
      if (reader.viewLength != REFERENCE_SIZE) return false;
      this.kidPointer = reader.viewPointer;
    } else if (headers != 0) {
      return false;
    }
    reader.view();
    this.payloadPointer = reader.viewPointer;
    this.payloadLength = reader.viewLength;
    reader.view();
    this.signaturePointer = reader.viewPointer;
    return reader.viewLength == SIGNATURE_SIZE && reader.atEnd();
  }

  /** A copy of the reference, or null. */
  get kid(): Bytes | null {
    return this.kidPointer == 0 ? null : bytesOf(this.kidPointer, REFERENCE_SIZE);
  }

  /** Whether the signature is `publicKey`'s over this payload for this purpose. */
  verify(purpose: Bytes, publicKey: usize): bool {
    const headLength = buildStructure(purpose, this.payloadLength);
    return ed25519Verify(
      this.signaturePointer,
      this.payloadPointer,
      this.payloadLength,
      publicKey,
      structure,
      headLength,
    );
  }

  /** A copy of the payload. */
  payload(): Bytes {
    return bytesOf(this.payloadPointer, this.payloadLength);
  }
}
