// SPDX-License-Identifier: Apache-2.0
// What the release images are made of, read from the binaries: one page of memory and no more, only
// what wasm3 and wasm2c run, exactly the agreed imports and exports, a size within budget, and the
// hash that SHA256SUMS announces. That one was made in another folder: the build is reproducible.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import binaryen from "binaryen";
import { describe, expect, it } from "vitest";

const IMAGES = [
  "customer-agent",
  "merchant-agent",
  "authority-agent",
  "transaction-module",
  "teller-module",
  "generator-module",
];

/** Bytes of WebAssembly: the most an image may have. */
const SIZE_LIMIT = 80 * 1024;

/** The board contract (assembly/board.ts) as the imports of module "board". */
const CONTRACT = [
  "clock",
  "counterRaise",
  "counterRead",
  "deviceKey",
  "flashErase",
  "flashRead",
  "flashWrite",
  "panic",
  "random",
  "send",
];

const EXPORTS = ["_initialize", "boot", "inbox", "inboxSize", "memory", "receive", "tick"];

/** WebAssembly 1.0 with sign extension, bulk memory and mutable globals. */
const FEATURES =
  binaryen.Features.MVP |
  binaryen.Features.SignExt |
  binaryen.Features.BulkMemory |
  binaryen.Features.MutableGlobals;

/** The lines of SHA256SUMS, as sha256sum writes them. */
const ANNOUNCED = readFileSync("SHA256SUMS", "utf8").trimEnd().split("\n");

const pathOf = (image: string): string => `build/firmware/${image}.wasm`;

function bytesOf(image: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(pathOf(image)));
}

describe.each(IMAGES)("the release image %s", (image) => {
  const bytes = bytesOf(image);

  it("imports the board contract and nothing else", () => {
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
    expect(imports.map(({ name }) => name).sort()).toEqual(CONTRACT);
    expect(new Set(imports.map(({ module, kind }) => `${module} ${kind}`))).toEqual(
      new Set(["board function"]),
    );
  });

  it("exports what a board calls and nothing else", () => {
    const exports = WebAssembly.Module.exports(new WebAssembly.Module(bytes));
    expect(exports.map(({ name }) => name).sort()).toEqual(EXPORTS);
  });

  it("has one page of memory and cannot grow it", () => {
    const module = binaryen.readBinary(bytes);
    const { initial, max } = module.getMemoryInfo();
    module.dispose();
    expect([initial, max]).toEqual([1, 1]);
  });

  it("needs only features that every engine for boards has, and no floats", () => {
    const module = binaryen.readBinary(bytes);
    module.setFeatures(FEATURES);
    expect(module.validate()).toBe(1);
    const text = module.emitText();
    module.dispose();
    expect(text.match(/\b(?:f32|f64|v128)\b/)).toBeNull();
  });

  it(`has at most ${SIZE_LIMIT} bytes`, () => {
    expect(bytes.length).toBeLessThanOrEqual(SIZE_LIMIT);
  });

  it("is the one that SHA256SUMS announces", () => {
    const line = `${createHash("sha256").update(bytes).digest("hex")}  ${pathOf(image)}`;
    expect(
      ANNOUNCED,
      `${pathOf(image)} is not the image of SHA256SUMS. If its firmware was meant to change, run ` +
        "`npm run build -- --sums` and commit SHA256SUMS with the change; if not, find what " +
        "changed it: `npm ci` installs the compiler that the hashes were made with",
    ).toContain(line);
  });
});

it("SHA256SUMS announces the release images and nothing else", () => {
  expect(ANNOUNCED.map((line) => line.split("  ")[1])).toEqual(IMAGES.map(pathOf));
});
