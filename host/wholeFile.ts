// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all: a process killed while it writes leaves the old one.
import { renameSync, writeFileSync } from "node:fs";

/**
 * Writes a file anew. A rename is atomic; it is not synchronised to the disk, so that a power cut
 * of the computer may lose it.
 * @param mode permissions of the file; 0o600 if absent: most are nobody else's business
 */
export function writeWholeFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  writeFileSync(`${path}.new`, content, { mode });
  renameSync(`${path}.new`, path);
}
