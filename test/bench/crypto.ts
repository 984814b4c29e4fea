// SPDX-License-Identifier: Apache-2.0
// The speed of the firmware's cryptography beside @noble (JavaScript), libsodium (C compiled to
// WebAssembly) and node:crypto (native code), in one run. Read the ratios, not the times.
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  sign,
  verify,
} from "node:crypto";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import sodium from "libsodium-wrappers";
import { Generator } from "../vectors/support/generator.ts";
import { Primitives } from "../vectors/support/primitives.ts";

/** Median microseconds per operation; null where a library does not offer it. */
export interface Row {
  readonly name: string;
  readonly florinMicros: number;
  readonly nobleMicros: number;
  readonly libsodiumMicros: number | null;
  readonly nodeMicros: number;
}

type Operation = () => unknown;
/** One operation in four implementations: Florin, @noble, libsodium, node:crypto. */
type Contest = readonly [string, Operation, Operation, Operation | null, Operation];

// Many short rounds: on a busy machine most of them pass undisturbed, and the median is one of
// those.
const ROUNDS = 101;
const WARM_UP_MS = 60;
const ROUND_MS = 1;

/** Runs an operation for about `durationMs` and returns microseconds per operation. */
function timeMicros(operation: Operation, durationMs: number): number {
  const start = performance.now();
  let count = 0;
  let elapsedMs = 0;
  do {
    operation();
    count += 1;
    elapsedMs = performance.now() - start;
  } while (elapsedMs < durationMs);
  return (elapsedMs * 1000) / count;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/**
 * Times all implementations of one operation in turn, round by round, so that whatever slows the
 * machine for a while slows all of them.
 */
function compare([name, ...operations]: Contest): Row {
  const times = operations.map((): number[] => []);
  for (const operation of operations) if (operation) timeMicros(operation, WARM_UP_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, operation] of operations.entries()) {
      if (operation) times[i]!.push(timeMicros(operation, ROUND_MS));
    }
  }
  const [florinMicros, nobleMicros, libsodiumMicros, nodeMicros] = times.map(median);
  return {
    name,
    florinMicros: florinMicros!,
    nobleMicros: nobleMicros!,
    libsodiumMicros: libsodiumMicros ?? null,
    nodeMicros: nodeMicros!,
  };
}

/** node:crypto takes raw keys only in the wrapping of RFC 8410. */
function nodeKeys(algorithm: "x25519" | "ed25519", secret: Uint8Array, peer: Uint8Array) {
  const kind = algorithm === "x25519" ? "6e" : "70";
  const privateKey = createPrivateKey({
    key: Buffer.concat([Buffer.from(`302e020100300506032b65${kind}04220420`, "hex"), secret]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey({
    key: Buffer.concat([Buffer.from(`302a300506032b65${kind}032100`, "hex"), peer]),
    format: "der",
    type: "spki",
  });
  return { privateKey, publicKey };
}

/** The operations, each on inputs laid out beforehand, so that copying them is not timed. */
function contests(): Contest[] {
  const generator = new Generator(99);
  const firmware = new Primitives();
  const { exports } = firmware;
  const secret = generator.bytes(32);
  const peer = x25519.getPublicKey(generator.bytes(32));
  const publicKey = ed25519.getPublicKey(secret);
  const message = generator.bytes(200);
  const signature = ed25519.sign(message, secret);
  const kibibyte = generator.bytes(1024);
  const nonce = generator.bytes(12);
  const agreementKeys = nodeKeys("x25519", secret, peer);
  const signatureKeys = nodeKeys("ed25519", secret, publicKey);
  const sodiumKey = new Uint8Array([...secret, ...publicKey]);

  const output = firmware.room(1040);
  const at = {
    secret: firmware.put(secret),
    peer: firmware.put(peer),
    publicKey: firmware.put(publicKey),
    message: firmware.put(message),
    signature: firmware.put(signature),
    kibibyte: firmware.put(kibibyte),
    nonce: firmware.put(nonce),
  };
  const { length } = message;
  return [
    [
      "X25519",
      () => exports.x25519(output, at.secret, at.peer),
      () => x25519.getSharedSecret(secret, peer),
      () => sodium.crypto_scalarmult(secret, peer),
      () => diffieHellman(agreementKeys),
    ],
    [
      "Ed25519 sign",
      () => exports.ed25519Sign(output, at.message, length, at.secret, at.publicKey, 0, 0),
      () => ed25519.sign(message, secret),
      () => sodium.crypto_sign_detached(message, sodiumKey),
      () => sign(null, message, signatureKeys.privateKey),
    ],
    [
      "Ed25519 verify",
      () => exports.ed25519Verify(at.signature, at.message, length, at.publicKey, 0, 0),
      () => ed25519.verify(signature, message, publicKey, { zip215: false }),
      () => sodium.crypto_sign_verify_detached(signature, message, publicKey),
      () => verify(null, message, signatureKeys.publicKey, signature),
    ],
    [
      "SHA-256, 1 KiB",
      () => exports.sha256(at.kibibyte, 1024, output),
      () => sha256(kibibyte),
      null,
      () => createHash("sha256").update(kibibyte).digest(),
    ],
    [
      "SHA-512, 1 KiB",
      () => exports.sha512(at.kibibyte, 1024, output),
      () => sha512(kibibyte),
      () => sodium.crypto_hash(kibibyte),
      () => createHash("sha512").update(kibibyte).digest(),
    ],
    [
      "ChaCha20-Poly1305, 1 KiB",
      () => exports.sealBox(at.secret, at.nonce, at.nonce, 12, at.kibibyte, 1024, output),
      () => chacha20poly1305(secret, nonce, nonce).encrypt(kibibyte),
      () => sodium.crypto_aead_chacha20poly1305_ietf_encrypt(kibibyte, nonce, null, nonce, secret),
      () => {
        const cipher = createCipheriv("chacha20-poly1305", secret, nonce, { authTagLength: 16 });
        cipher.setAAD(nonce, { plaintextLength: 1024 });
        cipher.update(kibibyte);
        cipher.final();
        cipher.getAuthTag();
      },
    ],
  ];
}

/** Times every operation; takes about 4 seconds. */
export async function benchCrypto(): Promise<Row[]> {
  await sodium.ready;
  return contests().map(compare);
}

function format(row: Row): string {
  const cells = [row.florinMicros, row.nobleMicros, row.libsodiumMicros, row.nodeMicros];
  const times = cells.map((micros) => (micros === null ? "-" : micros.toFixed(1)).padStart(10));
  const ratio =
    row.libsodiumMicros === null ? "-" : (row.libsodiumMicros / row.florinMicros).toFixed(2);
  const noble = (row.nobleMicros / row.florinMicros).toFixed(1);
  return `${row.name.padEnd(26)}${times.join("")}${ratio.padStart(12)}${noble.padStart(10)}`;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const heads = ["florin", "noble", "libsodium", "node"].map((head) => head.padStart(10)).join("");
  console.log(
    `${"microseconds".padEnd(26)}${heads}${"x libsodium".padStart(12)}${"x noble".padStart(10)}`,
  );
  for (const row of await benchCrypto()) console.log(format(row));
}
