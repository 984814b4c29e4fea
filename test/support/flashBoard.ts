// SPDX-License-Identifier: Apache-2.0
// The smallest board on which the test image `storage` runs: flash, counter and key of the board
// contract, and power cuts. Faults follow assembly/board.ts to the letter: an interrupted program
// leaves any subset of its bits, an interrupted erase any content, torn bits change at each boot.
import { readFileSync } from "node:fs";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Random } from "../../host/torture/random.ts";

export const FLASH_SIZE = 131072;
export const PAGE_SIZE = 4096;
const WORD_SIZE = 8;

/** Thrown out of the firmware at the moment power fails. */
export class PowerCut extends Error {}

/** Where in the next operation numbered `operation` (0 = the very next) power fails. */
export interface Cut {
  operation: number;
  moment: "before" | "inside" | "after";
}

/** What the image `storage` exports; see assembly/images/storage.ts. */
export interface StorageImage {
  memory: WebAssembly.Memory;
  _initialize(): void;
  buffer(): number;
  bufferSize(): number;
  open(): number;
  damage(): number;
  begin(): void;
  put(kind: number, key: number, value: number, length: number): void;
  remove(kind: number, key: number): void;
  commit(sealed: boolean): number;
  commitReserved(sealed: boolean, bytes: number): number;
  cancel(): void;
  has(kind: number, key: number): number;
  lengthOf(kind: number, key: number): number;
  read(kind: number, key: number, offset: number, pointer: number, length: number): number;
  first(kind: number): number;
  next(kind: number, cursor: number): number;
  keyAt(cursor: number): number;
  nextKey(kind: number): number;
  freeBytes(): number;
  reserve(bytes: number): number;
  release(bytes: number): void;
  bootCount(): number;
  erases(page: number): number;
  wipe(): void;
  collect(): void;
  signObject(
    purpose: number,
    purposeLength: number,
    payload: number,
    length: number,
    kid: number,
    seed: number,
    publicKey: number,
    output: number,
  ): number;
  verifyObject(
    purpose: number,
    purposeLength: number,
    object: number,
    length: number,
    publicKey: number,
  ): number;
  cborWellFormed(pointer: number, length: number): number;
  cborCopy(pointer: number, length: number, output: number, capacity: number): number;
}

const imageFile = new URL("../../build/firmware/storage.wasm", import.meta.url);
let compiled: WebAssembly.Module | undefined;

/** Everything that outlives power: to be copied and put back. */
export interface BoardState {
  flash: Uint8Array;
  torn: Map<number, Uint8Array>;
  erases: number[];
  counter: bigint;
}

export class FlashBoard {
  flash: Uint8Array = new Uint8Array(FLASH_SIZE).fill(0xff);
  /** Per word: mask of the bits that read differently at each boot. */
  torn = new Map<number, Uint8Array>();
  /** How often each page was erased. */
  erases: number[] = new Array<number>(FLASH_SIZE / PAGE_SIZE).fill(0);
  /** -1 for a board without a counter. */
  counter = 0n;
  operations = 0;
  /** Offset of the last complete flashWrite. */
  lastWrite = 0;
  cut: Cut | undefined;
  /** Makes flashWrite refuse while it is set. */
  failingWrites = false;
  private readonly keys = new Map<string, Uint8Array>();
  private readonly random: Random;
  private readonly secret: Uint8Array;

  constructor(random: Random, secret: Uint8Array = new Uint8Array(32).fill(7)) {
    this.random = random;
    this.secret = secret;
  }

  /** Copies what outlives power. */
  save(): BoardState {
    return {
      flash: this.flash.slice(),
      torn: new Map(this.torn),
      erases: [...this.erases],
      counter: this.counter,
    };
  }

  /** Puts a saved state back. */
  restore(state: BoardState): void {
    this.flash.set(state.flash);
    this.torn = new Map(state.torn);
    this.erases = [...state.erases];
    this.counter = state.counter;
  }

  /** Plans a power cut `operation` operations from now, or none. */
  planCut(cut: Cut | undefined): void {
    this.cut = cut === undefined ? undefined : { ...cut };
    this.operations = 0;
  }

  /** Switches power on: torn bits take new values and a fresh instance of the image starts. */
  boot(): StorageImage {
    for (const [word, mask] of this.torn) {
      for (let i = 0; i < WORD_SIZE; i++) {
        const place = word * WORD_SIZE + i;
        const changed = this.random.byte() & mask[i]!;
        this.flash[place] = (this.flash[place]! & ~mask[i]!) | changed;
      }
    }
    compiled ??= new WebAssembly.Module(readFileSync(imageFile));
    let memory: Uint8Array;
    const view = (pointer: number, length: number) =>
      memory.subarray(pointer >>> 0, (pointer >>> 0) + length);
    const board = {
      flashRead: (offset: number, pointer: number, length: number) => {
        if (offset < 0 || length < 0 || offset + length > FLASH_SIZE) return -1;
        view(pointer, length).set(this.flash.subarray(offset, offset + length));
        return 0;
      },
      flashWrite: (offset: number, pointer: number, length: number) =>
        this.write(offset, view(pointer, length)),
      flashErase: (page: number) => this.erase(page),
      counterRead: () => this.counter,
      counterRaise: () => this.raise(),
      deviceKey: (label: number, length: number, output: number) => {
        view(output, 32).set(this.keyFor(view(label, length)));
        return 0;
      },
      panic: (line: number, column: number) => {
        throw new Error(`The image panicked at ${line}:${column}.`);
      },
    };
    const instance = new WebAssembly.Instance(compiled, { board });
    const image = instance.exports as unknown as StorageImage;
    memory = new Uint8Array(image.memory.buffer);
    image._initialize();
    return image;
  }

  private keyFor(label: Uint8Array): Uint8Array {
    const name = Buffer.from(label).toString("latin1");
    let key = this.keys.get(name);
    if (key === undefined) {
      key = hkdf(sha256, this.secret, undefined, Uint8Array.from(label), 32);
      this.keys.set(name, key);
    }
    return key;
  }

  /** Whether power fails inside the operation that begins now; throws where it fails before. */
  private isCutInside(): boolean {
    const moment = this.cut?.operation === this.operations ? this.cut.moment : undefined;
    if (moment === "before") throw new PowerCut();
    return moment === "inside";
  }

  private finish(): void {
    const isCut = this.cut?.operation === this.operations && this.cut.moment === "after";
    this.operations += 1;
    if (isCut) throw new PowerCut();
  }

  private write(offset: number, bytes: Uint8Array): number {
    const end = offset + bytes.length;
    if (offset % WORD_SIZE !== 0 || end % WORD_SIZE !== 0 || end > FLASH_SIZE) return -1;
    if (this.failingWrites) return -1;
    for (let word = offset / WORD_SIZE; word < end / WORD_SIZE; word++) {
      if (this.torn.has(word)) return -1;
    }
    if (!this.flash.subarray(offset, end).every((byte) => byte === 0xff)) return -1;
    if (this.isCutInside()) {
      this.tearWrite(offset, bytes);
      throw new PowerCut();
    }
    this.flash.set(bytes, offset);
    this.lastWrite = offset;
    this.finish();
    return 0;
  }

  private erase(page: number): number {
    if (page < 0 || page >= FLASH_SIZE / PAGE_SIZE) return -1;
    const begin = page * PAGE_SIZE;
    this.erases[page]! += 1;
    if (this.isCutInside()) {
      this.tearErase(begin);
      throw new PowerCut();
    }
    this.flash.fill(0xff, begin, begin + PAGE_SIZE);
    for (let word = begin / WORD_SIZE; word < (begin + PAGE_SIZE) / WORD_SIZE; word++) {
      this.torn.delete(word);
    }
    this.finish();
    return 0;
  }

  /** The counter is atomic: a cut inside leaves the old or the new value. */
  private raise(): bigint {
    if (this.counter < 0n) return -1n;
    if (this.isCutInside()) {
      if (this.random.chance(0.5)) this.counter += 1n;
      throw new PowerCut();
    }
    this.counter += 1n;
    this.finish();
    return this.counter;
  }

  /**
   * Leaves some of the bits programmed, some not, some torn. How many of each differs from one cut
   * to the next: nearly finished and hardly begun are the hard cases.
   */
  private tearWrite(offset: number, bytes: Uint8Array): void {
    const programmed = this.random.pick([0, 0.5, 0.98, 1]);
    const torn = this.random.pick([0, 0.002, 0.5]);
    for (let i = 0; i < bytes.length; i++) {
      const target = bytes[i]!;
      let value = 0xff;
      let mask = 0;
      for (let bit = 1; bit < 256; bit <<= 1) {
        if ((target & bit) !== 0) continue;
        if (this.random.chance(programmed)) value &= ~bit;
        if (torn > 0 && this.random.chance(torn)) mask |= bit;
      }
      this.flash[offset + i] = value;
      if (mask !== 0) this.tear(offset + i, mask);
    }
  }

  private tearErase(begin: number): void {
    const kind = this.random.pick(["old", "mixed", "noise", "erased", "weak"]);
    for (let i = begin; i < begin + PAGE_SIZE; i++) {
      if (kind === "mixed") this.flash[i] = this.flash[i]! | this.random.byte();
      if (kind === "noise") this.flash[i] = this.random.byte();
      if (kind === "erased" || kind === "weak") this.flash[i] = 0xff;
      if ((kind === "weak" || kind === "old") && this.random.chance(0.01)) this.tear(i, 0xff);
    }
  }

  private tear(place: number, mask: number): void {
    const word = Math.floor(place / WORD_SIZE);
    const masks = this.torn.get(word)?.slice() ?? new Uint8Array(WORD_SIZE);
    masks[place % WORD_SIZE]! |= mask;
    this.torn.set(word, masks);
  }
}
