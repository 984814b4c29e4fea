// SPDX-License-Identifier: Apache-2.0
// A deliberately leaky build of the image `primitives`: the firmware's own sources with a branch on
// secret data put into each operation. The test of constant time must fail on it.
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const LEAKY_IMAGE = "primitives-leaky";
const FOLDER = "build/leaky";

/** What stands in a file, and what a careless hand writes there: results are the same. */
const LEAKS: readonly (readonly [file: string, from: string, to: string])[] = [
  // Ends at the first difference.
  [
    "bytes.ts",
    "difference |= load<u8>(a + i) ^ load<u8>(b + i);",
    "if (load<u8>(a + i) != load<u8>(b + i)) return false;",
  ],
  // Copies only where the ladder's bit is set.
  [
    "field25519.ts",
    "fieldSelect(out: usize, a: usize, choice: u32): void {",
    "fieldSelect(out: usize, a: usize, choice: u32): void {\n  if (choice == 0) return;",
  ],
  // Reads the table of the base point up to the wanted entry.
  ["comb25519.ts", "from += ENTRY_SIZE;", "if (mask != 0) break;\n      from += ENTRY_SIZE;"],
  // Does more where a bit of the one-time key is set.
  [
    "poly1305.ts",
    "for (; input < end; input += BLOCK_SIZE) {",
    "for (; input < end; input += BLOCK_SIZE) {\n" +
      "    if (load<u32>(state) & 1) store<u32>(accumulator, load<u32>(accumulator) + 1);",
  ],
];

/**
 * Builds the image into build/firmware.
 * @throws {Error} where a source no longer has the text that is to be changed
 */
export function buildLeakyImage(): void {
  rmSync(FOLDER, { recursive: true, force: true });
  cpSync("assembly", join(FOLDER, "assembly"), { recursive: true });
  for (const [name, from, to] of LEAKS) {
    const path = join(FOLDER, "assembly/crypto", name);
    const text = readFileSync(path, "utf8");
    if (!text.includes(from)) throw new Error(`${name} has no "${from}" to be made leaky.`);
    writeFileSync(path, text.replace(from, to));
  }
  const words = [
    ...["assembly/images/primitives.ts", "--config", resolve("asconfig.json")],
    ...["--transform", resolve("scripts/withoutStrings.mjs"), "--target", "release"],
    ...["--outFile", resolve(`build/firmware/${LEAKY_IMAGE}.wasm`)],
  ];
  const compiler = resolve("node_modules/assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [compiler, ...words], { cwd: FOLDER, stdio: "pipe" });
}
