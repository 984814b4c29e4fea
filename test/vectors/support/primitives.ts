// SPDX-License-Identifier: Apache-2.0
// Loads the test-only firmware image `primitives` and gives its cryptography a shape that tests can
// use: byte arrays in, byte arrays out. Everything passes through the image's scratch buffer.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The exports of assembly/images/primitives.ts; every argument is an address or a length. */
type Exports = { memory: WebAssembly.Memory } & Record<
  | "buffer"
  | "bufferSize"
  | "ed25519PublicKey"
  | "ed25519Sign"
  | "ed25519Verify"
  | "equalConstantTime"
  | "fieldAdd"
  | "fieldFromBytes"
  | "fieldInvert"
  | "fieldMultiply"
  | "fieldSquare"
  | "fieldSubtract"
  | "fieldToBytes"
  | "hkdfExpand"
  | "hkdfExtract"
  | "hmacSha256"
  | "hpkeOpen"
  | "hpkeSeal"
  | "openBox"
  | "pointDecode"
  | "pointEncode"
  | "poly1305Begin"
  | "poly1305End"
  | "poly1305Padded"
  | "scalarMultiplyAdd"
  | "scalarReduce"
  | "sealBox"
  | "sha256"
  | "sha256Begin"
  | "sha256End"
  | "sha256Update"
  | "sha512"
  | "sha512Begin"
  | "sha512End"
  | "sha512Update"
  | "wipe"
  | "x25519"
  | "x25519PublicKey",
  (...values: number[]) => number
>;

/** The nearest folder at or above this file that holds the package. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** One instance of the image with a bump pointer into its scratch buffer. */
export class Primitives {
  readonly exports: Exports;
  readonly memory: Uint8Array;
  readonly #base: number;
  readonly #end: number;
  #next: number;

  constructor() {
    const file = join(packageRoot(), "build/firmware/primitives.wasm");
    if (!existsSync(file)) {
      throw new Error(
        `No image at ${file}: run "node scripts/build.mjs --firmware-only --test-images" first.`,
      );
    }
    const board = {
      panic(line: number, column: number) {
        throw new Error(`The image "primitives" panicked at line ${line}, column ${column}.`);
      },
    };
    const module = new WebAssembly.Module(readFileSync(file));
    const instance = new WebAssembly.Instance(module, { board });
    const initialize = instance.exports._initialize as (() => void) | undefined;
    initialize?.();
    this.exports = instance.exports as unknown as Exports;
    this.memory = new Uint8Array(this.exports.memory.buffer);
    this.#base = this.exports.buffer();
    this.#end = this.#base + this.exports.bufferSize();
    this.#next = this.#base;
  }

  /** Gives the whole scratch buffer back. */
  release(): void {
    this.#next = this.#base;
  }

  /** Reserves `length` bytes, aligned to 8, and returns their address. */
  room(length: number): number {
    const address = this.#next;
    this.#next += (length + 7) & ~7;
    if (this.#next > this.#end) throw new Error("The scratch buffer is full: call release().");
    return address;
  }

  /** Copies bytes into the scratch buffer and returns their address. */
  put(bytes: Uint8Array): number {
    const address = this.room(bytes.length);
    this.memory.set(bytes, address);
    return address;
  }

  /** A copy of `length` bytes at `address`. */
  take(address: number, length: number): Uint8Array {
    return this.memory.slice(address, address + length);
  }

  /** A copy of all memory except the scratch buffer. */
  outside(): Uint8Array {
    const copy = this.memory.slice();
    copy.fill(0, this.#base, this.#end);
    return copy;
  }

  hash(name: "sha256" | "sha512", message: Uint8Array): Uint8Array {
    this.release();
    const length = name === "sha256" ? 32 : 64;
    const output = this.room(length);
    this.exports[name](this.put(message), message.length, output);
    return this.take(output, length);
  }

  hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
    this.release();
    const output = this.room(32);
    this.exports.hmacSha256(this.put(key), key.length, this.put(message), message.length, output);
    return this.take(output, 32);
  }

  hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
    this.release();
    const prk = this.room(32);
    const output = this.room(length);
    this.exports.hkdfExtract(this.put(salt), salt.length, this.put(ikm), ikm.length, prk);
    this.exports.hkdfExpand(prk, this.put(info), info.length, output, length);
    return this.take(output, length);
  }

  /** The tag under a one-time key; messages of whole 16-byte blocks, since the firmware pads. */
  poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
    this.release();
    const output = this.room(16);
    this.exports.poly1305Begin(this.put(key));
    this.exports.poly1305Padded(this.put(message), message.length);
    this.exports.poly1305End(output);
    return this.take(output, 16);
  }

  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
    this.release();
    const output = this.room(plain.length + 16);
    this.exports.sealBox(
      this.put(key),
      this.put(nonce),
      this.put(aad),
      aad.length,
      this.put(plain),
      plain.length,
      output,
    );
    return this.take(output, plain.length + 16);
  }

  /** The plain text, or null where the box is refused. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, box: Uint8Array): Uint8Array | null {
    this.release();
    const output = this.room(box.length);
    this.memory.fill(0xee, output, output + box.length);
    const opened = this.exports.openBox(
      this.put(key),
      this.put(nonce),
      this.put(aad),
      aad.length,
      this.put(box),
      box.length,
      output,
    );
    const plain = this.take(output, Math.max(0, box.length - 16));
    if (opened) return plain;
    if (plain.some((byte) => byte !== 0xee)) throw new Error("A refused box was decrypted.");
    return null;
  }

  /** The shared secret, or null where it is all zero. */
  x25519(scalar: Uint8Array, point: Uint8Array): Uint8Array | null {
    this.release();
    const output = this.room(32);
    const valid = this.exports.x25519(output, this.put(scalar), this.put(point));
    return valid ? this.take(output, 32) : null;
  }

  x25519PublicKey(scalar: Uint8Array): Uint8Array {
    this.release();
    const output = this.room(32);
    this.exports.x25519PublicKey(output, this.put(scalar));
    return this.take(output, 32);
  }

  /** Decodes a point and encodes it again; null where the encoding is refused. */
  recode(encoding: Uint8Array): Uint8Array | null {
    this.release();
    const point = this.room(160);
    if (!this.exports.pointDecode(point, this.put(encoding))) return null;
    const output = this.room(32);
    this.exports.pointEncode(output, point);
    return this.take(output, 32);
  }

  ed25519PublicKey(seed: Uint8Array): Uint8Array {
    this.release();
    const output = this.room(32);
    this.exports.ed25519PublicKey(output, this.put(seed));
    return this.take(output, 32);
  }

  /** The signature of `head` followed by `message`, handed to the firmware as two parts. */
  sign(
    message: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
    head = new Uint8Array(),
  ): Uint8Array {
    this.release();
    const output = this.room(64);
    this.exports.ed25519Sign(
      output,
      this.put(message),
      message.length,
      this.put(seed),
      this.put(publicKey),
      this.put(head),
      head.length,
    );
    return this.take(output, 64);
  }

  verify(
    signature: Uint8Array,
    message: Uint8Array,
    publicKey: Uint8Array,
    head = new Uint8Array(),
  ): boolean {
    this.release();
    const valid = this.exports.ed25519Verify(
      this.put(signature),
      this.put(message),
      message.length,
      this.put(publicKey),
      this.put(head),
      head.length,
    );
    return valid === 1;
  }

  /** enc, cipher text and tag, or null where the recipient's key is of small order. */
  hpkeSeal(
    recipientKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plain: Uint8Array,
    ephemeralSecret: Uint8Array,
  ): Uint8Array | null {
    this.release();
    const output = this.room(plain.length + 48);
    const sealed = this.exports.hpkeSeal(
      output,
      this.put(recipientKey),
      this.put(info),
      info.length,
      this.put(aad),
      aad.length,
      this.put(plain),
      plain.length,
      this.put(ephemeralSecret),
    );
    return sealed ? this.take(output, plain.length + 48) : null;
  }

  /** The plain text, or null where the box is refused. */
  hpkeOpen(
    recipientSecret: Uint8Array,
    recipientKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    box: Uint8Array,
  ): Uint8Array | null {
    this.release();
    const output = this.room(box.length);
    const opened = this.exports.hpkeOpen(
      output,
      this.put(recipientSecret),
      this.put(recipientKey),
      this.put(info),
      info.length,
      this.put(aad),
      aad.length,
      this.put(box),
      box.length,
    );
    return opened ? this.take(output, box.length - 48) : null;
  }
}
