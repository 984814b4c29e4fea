// SPDX-License-Identifier: Apache-2.0
// Keys of the simulated board: HKDF-SHA256 (RFC 5869) of the board's secret. Device keys are bound
// to image name, signer, minimum version and label, so that no other image can read a module's
// journal; the board's own key signs what it tells of itself (docs/decisions/0011).
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { FirmwareImage } from "./image.ts";

const KEY_SIZE = 32;

/** The 32-byte key for `label`. */
export function deriveDeviceKey(
  secret: Uint8Array,
  image: Pick<FirmwareImage, "name" | "signer" | "minimumVersion">,
  label: Uint8Array,
): Uint8Array {
  const version = new Uint8Array(4);
  new DataView(version.buffer).setUint32(0, image.minimumVersion, true);
  const purpose = utf8ToBytes("florin/device-key");
  return derive(secret, [purpose, utf8ToBytes(image.name), image.signer, version, label]);
}

/** The Ed25519 secret that a board signs its identity with. */
export function deriveBoardSeed(secret: Uint8Array): Uint8Array {
  return derive(secret, [utf8ToBytes("florin/board-key")]);
}

function derive(secret: Uint8Array, parts: Uint8Array[]): Uint8Array {
  // Each part goes with its length, so that no two lists of parts give the same bytes.
  const info = parts.flatMap((part) => [part.length & 0xff, part.length >> 8, ...part]);
  return hkdf(sha256, secret, undefined, Uint8Array.from(info), KEY_SIZE);
}
