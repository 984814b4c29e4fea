// SPDX-License-Identifier: Apache-2.0
// An image of the build as the C that a board's compiler takes: by wasm2c or, for an interpreter,
// its bytes; who it is; and the list of a board's images.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { run } from "./boardCompiler.mjs";

export const RUNTIME = "boards/runtime";
const FIRMWARE = "build/firmware";
/** Versions and signer of all images, which host/trust/releaseSigner.ts reads too. */
const RELEASE = "assembly/images/release.json";

/** Bytes of an image in the build. */
export function imageBytes(image) {
  const wasm = `${FIRMWARE}/${image}.wasm`;
  if (!existsSync(wasm)) throw new Error(`${wasm} is missing: npm run build`);
  const bytes = readFileSync(wasm);
  if (hasTable(bytes)) throw new Error(`${wasm} has a table: boards run images without one`);
  return bytes;
}

/** Has wasm2c write an image as C, its names beginning with `prefix`; gives the file's path. */
export function translate(base, prefix, image) {
  const digest = createHash("sha256").update(imageBytes(image)).digest("hex");
  mkdirSync(base, { recursive: true });
  const generated = `${base}/${prefix}.c`;
  const stamp = `${base}/stamp`;
  const made = `${digest} ${run("wasm2c", ["--version"])}`;
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== made) {
    run("wasm2c", ["-n", prefix, `${FIRMWARE}/${image}.wasm`, "-o", generated]);
    writeFileSync(generated, withKnownSize(readFileSync(generated, "utf8")));
    writeFileSync(stamp, made);
  }
  return generated;
}

/**
 * Each access is checked against the memory's size. An image has one page and cannot grow it: with
 * the constant, the compiler makes one comparison of 32 bits where it made four of 64.
 */
function withKnownSize(text) {
  const check = "offset + (uint64_t)len > mem->size";
  if (!text.includes(check)) throw new Error("this wasm2c checks memory otherwise than 1.0.32");
  return text.replace(check, "offset + (uint64_t)len > WASM_RT_PAGE_SIZE");
}

/** Writes what the engine needs of the images, for a board whose own tools compile (ESP-IDF). */
export function writeSources(folder, { agent, module, engine }) {
  const slots = Object.entries({ agent, module }).filter(([, image]) => image !== undefined);
  const base = engine === "wasm3" ? `${folder}/wasm3` : folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(base, { recursive: true });
  for (const [slot, image] of slots) {
    const own = `${base}/${slot}-image`;
    mkdirSync(own, { recursive: true });
    writeIdentity(own, slot, image);
    const parts = [`#define SLOT ${slot}`, `#define SLOT_IDENTITY "${slot}-image/identity.inc"`];
    if (engine === "wasm3") {
      writeFileSync(`${own}/bytes.inc`, `${bytesInC(imageBytes(image))}\n`);
      parts.push(`#define SLOT_BYTES "${slot}-image/bytes.inc"`);
    } else {
      translate(own, slot, image);
      parts.push(`#define SLOT_HEADER "${slot}-image/${slot}.h"`);
      writeFileSync(`${base}/${slot}.c`, `#include "${slot}-image/${slot}.c"\n`);
    }
    parts.push(`#include "${relative(base, `${RUNTIME}/${engine}/engine.c`)}"`, "");
    writeFileSync(`${base}/${slot}Engine.c`, parts.join("\n"));
  }
  const names = slots.map(([slot]) => slot);
  const qualifier = engine === "wasm3" ? "" : "const ";
  writeFileSync(`${base}/installed.c`, installedImages(names, qualifier));
}

export function installedImages(slots, qualifier) {
  const names = slots.map((slot) => `${slot}_image`);
  const addresses = names.map((name) => `&${name}`).join(", ");
  return [
    '#include "runtime.h"',
    ...names.map((name) => `extern ${qualifier}struct image ${name};`),
    `const struct image *const installed_images[] = {${addresses}};`,
    `struct module_buffers installed_buffers[${names.length}];`,
    `const uint8_t installed_image_count = ${names.length};`,
    "",
  ].join("\n");
}

/** Name, signer, versions and hash of an image, for the engine's page. */
export function writeIdentity(base, slot, image) {
  const digest = createHash("sha256").update(imageBytes(image)).digest();
  const release = JSON.parse(readFileSync(RELEASE, "utf8"));
  writeIfChanged(
    `${base}/identity.inc`,
    [
      `    .name = "${image}",`,
      `    .signer = {${bytesInC(Buffer.from(release.signer, "hex"))}},`,
      `    .minimum_version = ${release.minimumVersion},`,
      `    .version = ${release.version},`,
      `    .hash = {${bytesInC(digest)}},`,
      `    .channel = ${slot === "agent" ? 2 : 3},`,
      "",
    ].join("\n"),
  );
}

export function bytesInC(bytes) {
  return [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(", ");
}

export function writeIfChanged(path, text) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

/** True if the WebAssembly has a table section (number 4). */
function hasTable(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const section = bytes[at];
    if (section === 4) return true;
    let size = 0;
    let shift = 0;
    do {
      at += 1;
      size += (bytes[at] & 0x7f) * 2 ** shift;
      shift += 7;
    } while (bytes[at] & 0x80);
    at += 1 + size;
  }
  return false;
}
