// SPDX-License-Identifier: Apache-2.0
// The flash window of one module, with the semantics that assembly/board.ts states and what a loss
// of power does to it: torn words that read differently at each boot. Pages are copied on write,
// so that a snapshot costs a list of 32 references.
import type { FlashStorage, WearStorage } from "./types.ts";

export const FLASH_SIZE = 131072;
export const FLASH_PAGE_SIZE = 4096;
export const FLASH_WORD_SIZE = 8;
const PAGE_COUNT = FLASH_SIZE / FLASH_PAGE_SIZE;
const ERASED = 0xff;

/** Gives 32 random bits. */
export type RandomBits = () => number;

/** Content of a window at one time; nobody changes its pages. */
export interface FlashSnapshot {
  pages: Uint8Array[];
  /** Masks of the bits that each boot reads anew, by byte offset. */
  unstable: Map<number, number>;
  /** Erasures of each page. */
  erasures: Uint32Array;
}

export class VirtualFlash {
  private pages: Uint8Array[];
  /** True for pages that a snapshot also refers to. */
  private shared: boolean[];
  private unstable = new Map<number, number>();
  private readonly storage: FlashStorage | null;
  private readonly wear: WearStorage | null;
  private erasures: Uint32Array;

  /** Starts from the storage's content, or all erased. */
  constructor(storage: FlashStorage | null = null, wear: WearStorage | null = null) {
    const content = storage?.load() ?? new Uint8Array(FLASH_SIZE).fill(ERASED);
    if (content.length !== FLASH_SIZE) {
      throw new Error(`A flash window has ${FLASH_SIZE} bytes; the stored one ${content.length}.`);
    }
    this.storage = storage;
    this.wear = wear;
    this.erasures = wear?.load() ?? new Uint32Array(PAGE_COUNT);
    this.pages = Array.from({ length: PAGE_COUNT }, (_, page) =>
      content.slice(page * FLASH_PAGE_SIZE, (page + 1) * FLASH_PAGE_SIZE),
    );
    this.shared = this.pages.map(() => false);
  }

  /** Copies `output.length` bytes from `offset`; false on a bad range. */
  read(offset: number, output: Uint8Array): boolean {
    if (offset + output.length > FLASH_SIZE) return false;
    for (let done = 0; done < output.length; ) {
      const at = (offset + done) % FLASH_PAGE_SIZE;
      const page = this.pages[Math.floor((offset + done) / FLASH_PAGE_SIZE)]!;
      const part = page.subarray(at, at + output.length - done);
      output.set(part, done);
      done += part.length;
    }
    return true;
  }

  /** True if `write` would program this range. */
  canWrite(offset: number, length: number): boolean {
    if (offset % FLASH_WORD_SIZE !== 0 || length % FLASH_WORD_SIZE !== 0) return false;
    if (length < 0 || offset + length > FLASH_SIZE) return false;
    for (let at = offset; at < offset + length; at += 1) {
      const page = this.pages[Math.floor(at / FLASH_PAGE_SIZE)]!;
      if (page[at % FLASH_PAGE_SIZE] !== ERASED) return false;
    }
    return true;
  }

  /**
   * Programs a range that `canWrite`. With `tear`, power is lost meanwhile: each bit that was to
   * become 0 is 0, still 1, or unstable.
   */
  write(offset: number, bytes: Uint8Array, tear: RandomBits | null): void {
    const result = bytes.slice();
    for (let index = 0; index < bytes.length; index += 1) {
      const at = offset + index;
      // Bits that an earlier torn erase left unstable stay so where they are not programmed.
      let mask = (this.unstable.get(at) ?? 0) & bytes[index]!;
      if (tear !== null) {
        const toChange = ~bytes[index]! & 0xff;
        const bits = tear();
        const unchanged = toChange & bits;
        mask |= unchanged & (bits >>> 8);
        result[index] = bytes[index]! | unchanged;
      }
      this.setUnstable(at, mask);
    }
    this.put(offset, result);
  }

  /** Erases a page. With `tear`, power is lost meanwhile: the page has any content after it. */
  erase(page: number, tear: RandomBits | null): void {
    const offset = page * FLASH_PAGE_SIZE;
    // Counted first: a cut in between counts one too many, never one too few.
    this.erasures[page]! += 1;
    this.wear?.store(page, this.erasures[page]!);
    const result = new Uint8Array(FLASH_PAGE_SIZE).fill(ERASED);
    for (let index = 0; index < FLASH_PAGE_SIZE; index += 1) {
      const bits = tear === null ? 0 : tear();
      if (tear !== null) result[index] = bits & 0xff;
      // About one bit in eight is between its two values.
      this.setUnstable(offset + index, (bits >>> 8) & (bits >>> 16) & (bits >>> 24) & 0xff);
    }
    this.put(offset, result);
  }

  /** A boot: each unstable bit gets the value that is read until the next one. */
  settle(random: RandomBits): void {
    for (const [offset, mask] of this.unstable) {
      const page = Math.floor(offset / FLASH_PAGE_SIZE);
      const old = this.pages[page]![offset % FLASH_PAGE_SIZE]!;
      this.put(offset, Uint8Array.of((old & ~mask) | (random() & mask)));
    }
  }

  /** Erasures of all pages together, and of the one that was erased most. */
  wearOf(): { total: number; most: number } {
    const total = this.erasures.reduce((sum, erasures) => sum + erasures, 0);
    return { total, most: Math.max(...this.erasures) };
  }

  snapshot(): FlashSnapshot {
    this.shared.fill(true);
    const erasures = this.erasures.slice();
    return { pages: [...this.pages], unstable: new Map(this.unstable), erasures };
  }

  restore(snapshot: FlashSnapshot): void {
    for (const [page, bytes] of snapshot.pages.entries()) {
      if (this.storage !== null && bytes !== this.pages[page]) {
        this.storage.store(page * FLASH_PAGE_SIZE, bytes);
      }
      this.pages[page] = bytes;
    }
    this.shared.fill(true);
    this.unstable = new Map(snapshot.unstable);
    for (const [page, erasures] of snapshot.erasures.entries()) {
      if (this.erasures[page] !== erasures) this.wear?.store(page, erasures);
    }
    this.erasures = snapshot.erasures.slice();
  }

  private setUnstable(offset: number, mask: number): void {
    if (mask === 0) this.unstable.delete(offset);
    else this.unstable.set(offset, mask);
  }

  private put(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const page = Math.floor((offset + done) / FLASH_PAGE_SIZE);
      const at = (offset + done) % FLASH_PAGE_SIZE;
      const part = bytes.subarray(done, done + FLASH_PAGE_SIZE - at);
      if (this.shared[page]) {
        this.pages[page] = this.pages[page]!.slice();
        this.shared[page] = false;
      }
      this.pages[page]!.set(part, at);
      done += part.length;
    }
    this.storage?.store(offset, bytes);
  }
}
