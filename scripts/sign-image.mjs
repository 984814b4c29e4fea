// SPDX-License-Identifier: Apache-2.0
// Signs a firmware image for `florin device flash` (docs/decisions/0011). Needs a build.
//
//   node scripts/sign-image.mjs NAME --version N [--key FILE] [--minimum N] [--image WASM] [--out FILE]
//
// NAME is an image of build/firmware. FILE with the key holds 64 hexadecimal digits, the signer's
// Ed25519 secret; without it the development signer signs, whose key everybody has. The result is
// build/firmware/NAME.VERSION.florin where --out names nothing else. It prints the path and the
// signer's public key, which assembly/images/release.json must name for boards to take the image.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ed25519 } from "@noble/curves/ed25519.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Ends with a sentence. */
function fail(sentence, code = 1) {
  process.stderr.write(`sign-image: ${sentence}\n`);
  process.exit(code);
}

const text = { type: "string" };
const options = { version: text, key: text, minimum: text, image: text, out: text };
const { values, positionals } = parseArgs({ allowPositionals: true, options });
const [name] = positionals;
if (name === undefined || values.version === undefined) {
  fail("usage: sign-image.mjs NAME --version N [--key FILE] [--out FILE]", 2);
}

let trust;
try {
  const release = await import("../dist/host/trust/imageRelease.js");
  const signer = await import("../dist/host/trust/releaseSigner.js");
  trust = { ...release, ...signer };
} catch {
  fail("the host is not built; run `npm run build` first");
}

function seedOf(file) {
  if (file === undefined) return trust.DEVELOPMENT_SEED;
  const digits = readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/i.test(digits)) fail(`${file} does not hold 64 hexadecimal digits`);
  return new Uint8Array(Buffer.from(digits, "hex"));
}

try {
  const seed = seedOf(values.key);
  const bytes = new Uint8Array(readFileSync(values.image ?? `build/firmware/${name}.wasm`));
  const version = Number(values.version);
  const minimumVersion = Number(values.minimum ?? trust.buildRelease().minimumVersion);
  const signed = trust.signImage({ name, version, minimumVersion }, bytes, seed);
  const out = values.out ?? `build/firmware/${name}.${version}.florin`;
  writeFileSync(out, trust.encodeSignedImage(signed));
  const key = Buffer.from(ed25519.getPublicKey(seed)).toString("hex");
  process.stdout.write(`${out}\nsigner ${key}\n`);
} catch (error) {
  fail(error.message);
}
