// SPDX-License-Identifier: Apache-2.0
// Device keys of the simulated board: HKDF-SHA256 (RFC 5869) of the board's secret, bound to image
// name, signer, minimum version and label, so that no other image can read a module's journal.
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { FirmwareImage } from "./image.ts";

const KEY_SIZE = 32;
const PURPOSE = "florin/device-key";

/** The 32-byte key for `label`. */
export function deriveDeviceKey(
  secret: Uint8Array,
  image: Pick<FirmwareImage, "name" | "signer" | "minimumVersion">,
  label: Uint8Array,
): Uint8Array {
  const version = new Uint8Array(4);
  new DataView(version.buffer).setUint32(0, image.minimumVersion, true);
  const info: number[] = [];
  // Each part goes with its length, so that no two lists of parts give the same bytes.
  for (const part of [
    utf8ToBytes(PURPOSE),
    utf8ToBytes(image.name),
    image.signer,
    version,
    label,
  ]) {
    info.push(part.length & 0xff, part.length >> 8, ...part);
  }
  return hkdf(sha256, secret, undefined, Uint8Array.from(info), KEY_SIZE);
}
