// SPDX-License-Identifier: Apache-2.0
// Bytes as people and programs see them: hexadecimal digits, and fresh command ids.

/** Lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/**
 * Bytes of an even number of hexadecimal digits.
 * @throws {Error} for anything else
 */
export function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new Error(`"${text}" is not hexadecimal`);
  return new Uint8Array(Buffer.from(text, "hex"));
}
