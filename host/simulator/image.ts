// SPDX-License-Identifier: Apache-2.0
// A firmware image as the simulated board loads it: checked against the board contract
// (assembly/board.ts), compiled once, with its mutable globals made visible for snapshots.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ImageDescription } from "./types.ts";
import { exposeGlobals } from "./wasmGlobals.ts";

/** Functions that every image exports. */
const FUNCTIONS = ["_initialize", "boot", "receive", "tick", "inbox", "inboxSize"];

/** What an image may import from the module "board". */
const IMPORTS = new Set([
  "send",
  "random",
  "clock",
  "flashRead",
  "flashWrite",
  "flashErase",
  "counterRead",
  "counterRaise",
  "deviceKey",
  "panic",
  "stepReached",
]);

export interface FirmwareImage {
  name: string;
  signer: Uint8Array;
  version: number;
  minimumVersion: number;
  /** SHA-256 of the image as shipped. */
  hash: Uint8Array;
  module: WebAssembly.Module;
  /** Export names of the mutable globals. */
  globals: string[];
}

/** Compiled modules by the hash of their bytes: tests make hundreds of boards of few images. */
const compiled = new Map<string, { module: WebAssembly.Module; globals: string[] }>();

/** Loads an image; throws if it does not keep to the board contract. */
export function loadImage(description: ImageDescription): FirmwareImage {
  const hash = sha256(description.bytes);
  const key = bytesToHex(hash);
  let entry = compiled.get(key);
  if (entry === undefined) {
    const visible = exposeGlobals(description.bytes);
    entry = { module: new WebAssembly.Module(visible.bytes), globals: visible.names };
    checkContract(description.name, entry.module);
    compiled.set(key, entry);
  }
  return {
    name: description.name,
    signer: description.signer ?? new Uint8Array(0),
    version: description.version ?? 0,
    minimumVersion: description.minimumVersion ?? 0,
    hash,
    ...entry,
  };
}

function checkContract(name: string, module: WebAssembly.Module): void {
  const exported = new Map(WebAssembly.Module.exports(module).map((e) => [e.name, e.kind]));
  for (const wanted of FUNCTIONS) {
    if (exported.get(wanted) !== "function") {
      throw new Error(`The firmware image ${name} does not export the function ${wanted}.`);
    }
  }
  if (exported.get("memory") !== "memory") {
    throw new Error(`The firmware image ${name} does not export its memory.`);
  }
  for (const wanted of WebAssembly.Module.imports(module)) {
    if (wanted.module !== "board" || !IMPORTS.has(wanted.name)) {
      throw new Error(
        `The firmware image ${name} imports ${wanted.module}.${wanted.name}, which is not in the ` +
          "board contract (assembly/board.ts).",
      );
    }
  }
}
