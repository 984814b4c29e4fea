// SPDX-License-Identifier: Apache-2.0
// The journal's two keys. They are derived from the board's secret for each operation and wiped
// behind it, so that memory holds them no longer than needed.
import { deviceKey } from "../board";
import { wipe } from "../crypto/bytes";
import { Bytes } from "../codec/bytes";

const KEY_SIZE: i32 = 32;

/** "florin/journal" and "florin/journal/nonce" in ASCII. */
const BOX_LABEL: Bytes = [
  0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f, 0x6a, 0x6f, 0x75, 0x72, 0x6e, 0x61, 0x6c,
];
const NONCE_LABEL: Bytes = [
  0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f, 0x6a, 0x6f, 0x75, 0x72, 0x6e, 0x61, 0x6c, 0x2f, 0x6e,
  0x6f, 0x6e, 0x63, 0x65,
];

/** Encrypts batches. */
export const boxKey = memory.data(KEY_SIZE, 8);
/** Makes nonces and the codes of page headers. */
export const nonceKey = memory.data(KEY_SIZE, 8);

/** Fills both keys; false where the board refuses. */
export function deriveKeys(): bool {
  return (
    deviceKey(changetype<usize>(BOX_LABEL), BOX_LABEL.length, boxKey) == 0 &&
    deviceKey(changetype<usize>(NONCE_LABEL), NONCE_LABEL.length, nonceKey) == 0
  );
}

export function wipeKeys(): void {
  wipe(boxKey, KEY_SIZE);
  wipe(nonceKey, KEY_SIZE);
}
