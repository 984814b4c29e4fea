// SPDX-License-Identifier: Apache-2.0
// Little-endian numbers and the constants of curve25519, for tests against plain integers.

/** The prime of the field, RFC 7748, section 4.1. */
export const P = 2n ** 255n - 19n;
/** The order of the base point, RFC 8032, section 5.1. */
export const L = 2n ** 252n + 27742317777372353535851937790883648493n;

export function toNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}

export function toBytes(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

export function modulo(value: bigint, modulus: bigint): bigint {
  return ((value % modulus) + modulus) % modulus;
}

export function hexOf(bytes: Uint8Array | null): string {
  return bytes === null ? "refused" : Buffer.from(bytes).toString("hex");
}

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}
