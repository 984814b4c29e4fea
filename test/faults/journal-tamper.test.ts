// SPDX-License-Identifier: Apache-2.0
// Flash outside the tamper boundary: old copies and copies of the sibling kind are refused, changed
// bits never give a wrong value and never trap, and the flash shows nothing of what it holds.
import { expect, test } from "vitest";
import { FLASH_SIZE, FlashBoard, type StorageImage } from "../support/flashBoard.ts";
import {
  commit,
  contents,
  DAMAGED,
  EMPTY,
  type Model,
  READY,
  ROLLED_BACK,
  randomBatch,
  applied,
} from "../support/journalModel.ts";
import { Random } from "../../host/torture/random.ts";

function fresh(seed: number, counter = 0n): { board: FlashBoard; image: StorageImage } {
  const board = new FlashBoard(new Random(seed));
  board.counter = counter;
  const image = board.boot();
  expect(image.open()).toBe(EMPTY);
  return { board, image };
}

const one = (byte: number) => [{ kind: 1, key: 1, value: new Uint8Array(40).fill(byte) }];

test("a copy from before a sealed commit is refused", () => {
  const { board, image } = fresh(1);
  commit(image, one(1), true);
  const old = board.flash.slice();
  commit(image, one(2), true);
  board.flash.set(old);
  expect(board.boot().open()).toBe(ROLLED_BACK);
});

test("a copy from before a boot is refused, though nothing was committed since", () => {
  const { board, image } = fresh(2);
  commit(image, one(1), true);
  const old = board.flash.slice();
  expect(board.boot().open()).toBe(READY);
  board.flash.set(old);
  expect(board.boot().open()).toBe(ROLLED_BACK);
});

test("a copy taken around a power cut undoes a payment: of two lives only one goes on", () => {
  const { board, image } = fresh(3);
  commit(image, one(1), true);
  // The copy is taken when the batch is in flash and the counter is not raised yet.
  board.planCut({ operation: 1, moment: "before" });
  expect(() => commit(image, one(2), true)).toThrow();
  board.planCut(undefined);
  const sibling = board.flash.slice();
  const first = board.boot();
  expect(first.open()).toBe(READY);
  expect(contents(first).get("1/1")![0]).toBe(2);
  board.flash.set(sibling);
  expect(board.boot().open()).toBe(ROLLED_BACK);
});

test("two copies that were cut before their raise go on by turns: only one of them opens", () => {
  const { board, image } = fresh(18);
  commit(image, one(1), true);
  const before = board.flash.slice();
  const cutBeforeRaise = (running: StorageImage, byte: number) => {
    board.planCut({ operation: 1, moment: "before" });
    expect(() => commit(running, one(byte), true)).toThrow();
    board.planCut(undefined);
    return board.flash.slice();
  };
  // A payment is in the first life's flash, and its counter is not raised.
  const first = cutBeforeRaise(image, 2);
  // The second life begins before that payment, and makes another one.
  board.flash.set(before);
  const second = board.boot();
  expect(second.open()).toBe(READY);
  const other = cutBeforeRaise(second, 3);
  // Were the first one to open now and send, the other would undo its payment afterwards.
  board.flash.set(first);
  expect(board.boot().open()).toBe(ROLLED_BACK);
  board.flash.set(other);
  expect(board.boot().open()).toBe(READY);
});

test("erased flash under a counter that has moved is an old copy too", () => {
  const { board } = fresh(4);
  board.flash.fill(0xff);
  expect(board.boot().open()).toBe(ROLLED_BACK);
});

test("a refused journal takes no commit and does not touch the flash", () => {
  const { board, image } = fresh(5);
  const old = board.flash.slice();
  commit(image, one(2), true);
  board.flash.set(old);
  const refused = board.boot();
  expect(refused.open()).toBe(ROLLED_BACK);
  expect(commit(refused, one(3), true)).toBe(false);
  expect(board.flash).toEqual(old);
});

test("another device's flash is not read", () => {
  const { board, image } = fresh(6);
  commit(image, one(1), true);
  const other = new FlashBoard(new Random(7), new Uint8Array(32).fill(9));
  other.flash.set(board.flash);
  other.counter = board.counter;
  expect(other.boot().open()).toBe(DAMAGED);
});

test("without a counter an old copy opens, a damaged one does not", () => {
  const { board, image } = fresh(8, -1n);
  commit(image, one(1), true);
  const old = board.flash.slice();
  for (let i = 0; i < 200; i++) commit(image, one(2), true);
  board.flash.set(old);
  const reborn = board.boot();
  expect(reborn.open()).toBe(READY);
  expect(contents(reborn).get("1/1")![0]).toBe(1);
  const noise = new FlashBoard(new Random(9));
  noise.counter = -1n;
  noise.flash.set(new Random(10).bytes(FLASH_SIZE));
  expect(noise.boot().open()).toBe(DAMAGED);
});

test("noise for flash is refused and never traps", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const board = new FlashBoard(new Random(seed));
    board.counter = 5n;
    board.flash.set(new Random(seed).bytes(FLASH_SIZE));
    expect(board.boot().open()).toBe(DAMAGED);
  }
});

/** A board with history: every value each record ever had, by name. */
function withHistory(seed: number, steps: number) {
  const { board, image } = fresh(seed);
  const random = new Random(seed);
  const history = new Map<string, Set<string>>();
  let model: Model = new Map();
  for (let step = 0; step < steps; step++) {
    const batch = randomBatch(random, model, 60);
    if (!commit(image, batch, true)) continue;
    model = applied(model, batch);
    for (const [name, value] of model) {
      const values = history.get(name) ?? new Set();
      history.set(name, values.add(Buffer.from(value).toString("hex")));
    }
  }
  return { board, model, history };
}

test("changed bits at rest: refused, or all that was sealed is right", { timeout: 60_000 }, () => {
  const { board, model } = withHistory(11, 300);
  const random = new Random(12);
  const state = board.save();
  let refused = 0;
  for (let trial = 0; trial < 400; trial++) {
    board.restore(state);
    for (let flips = 1 + random.below(3); flips > 0; flips--) {
      board.flash[random.below(FLASH_SIZE)]! ^= 1 << random.below(8);
    }
    const image = board.boot();
    const result = image.open();
    expect([READY, DAMAGED, ROLLED_BACK]).toContain(result);
    if (result === READY) expect(contents(image)).toEqual(model);
    else refused++;
  }
  expect(refused).toBeGreaterThan(50);
});

test("changed bits under a running module: a read fails or is right", { timeout: 60_000 }, () => {
  const { board, model } = withHistory(13, 200);
  const random = new Random(14);
  const image = board.boot();
  expect(image.open()).toBe(READY);
  const flash = board.flash.slice();
  let failed = 0;
  for (let trial = 0; trial < 300; trial++) {
    board.flash.set(flash);
    for (let i = 0; i < 200; i++) board.flash[random.below(FLASH_SIZE)]! ^= 1 << random.below(8);
    image.wipe();
    const [name, value] = random.pick([...model]);
    const [kind, key] = name.split("/").map(Number);
    const at = image.buffer();
    if (image.read(kind!, key!, 0, at, value.length) === 0) failed++;
    else expect(new Uint8Array(image.memory.buffer, at, value.length)).toEqual(value);
  }
  expect(failed).toBeGreaterThan(20);
});

test("a page put back to what it was earlier is noticed", () => {
  const { board, image } = fresh(15);
  commit(image, one(1), true);
  const old = board.flash.slice(0, 4096);
  for (let i = 0; i < 30; i++) commit(image, one(i), true);
  board.flash.set(old, 0);
  expect([DAMAGED, ROLLED_BACK]).toContain(board.boot().open());
});

test("a batch of an earlier turn under a running module gives no old value", () => {
  const { board, image } = fresh(17);
  const at = image.buffer();
  // Batches of 64 bytes each, so that after a turn of the ring some lie where others were.
  const earlier = new Map<number, Uint8Array>();
  let replaced = 0;
  for (let i = 0; i < 5000; i++) {
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, i >> 8, i & 255);
    commit(image, [{ kind: 1, key: 1, value }], false);
    const place = board.lastWrite;
    const batch = board.flash.slice(place, place + 64);
    const old = earlier.get(place);
    earlier.set(place, batch);
    if (old === undefined) continue;
    board.flash.set(old, place);
    image.wipe();
    expect(image.read(1, 1, 0, at, 9), `batch ${i}`).toBe(0);
    board.flash.set(batch, place);
    image.wipe();
    expect(image.read(1, 1, 0, at, 9), `batch ${i}`).toBe(1);
    replaced++;
  }
  expect(replaced).toBeGreaterThan(500);
});

test("without a counter, records missing from the middle are noticed", () => {
  const { board, image } = fresh(18, -1n);
  for (let key = 1; key <= 100; key++) {
    commit(image, [{ kind: 1, key, value: new Uint8Array(200).fill(key) }], false);
  }
  const flash = board.flash.slice();
  // The last page in use may lose its end as if cut; all pages before it may not.
  const used = flash.findLastIndex((byte) => byte !== 0xff);
  for (let place = 0; place < Math.floor(used / 4096) * 4096; place += 509) {
    board.flash.set(flash);
    board.flash[place]! ^= 0x10;
    expect(board.boot().open(), `byte ${place}`).toBe(DAMAGED);
    // Nor where the pages behind are damaged too, but for their headers.
    const next = (Math.floor(place / 4096) + 1) * 4096;
    for (let page = next; page < used; page += 4096) board.flash.fill(0, page + 40, page + 4096);
    if (next + 4096 < used) expect(board.boot().open(), `byte ${place}`).toBe(DAMAGED);
  }
});

test("the flash shows nothing of what it holds, and no nonce serves twice", () => {
  const { board, image } = fresh(16);
  const nonces = new Set<string>();
  const marker = Buffer.from("the owner's coffee at noon");
  for (let i = 0; i < 200; i++) {
    commit(image, [{ kind: 1, key: i % 7, value: marker }], i % 2 === 0);
    expect(Buffer.from(board.flash).indexOf(marker.subarray(0, 8))).toBe(-1);
  }
  // Batches of one record of this length lie 88 bytes apart; equal nonces would be equal words.
  const batches = Buffer.from(board.flash);
  for (let page = 0; page < 4; page++) {
    let at = page * 4096 + batches.readUInt32LE(page * 4096 + 24);
    while (at + 88 <= (page + 1) * 4096 && batches.readUInt16LE(at + 14) === 1) {
      const nonce = batches.subarray(at, at + 12).toString("hex");
      expect(nonces.has(nonce)).toBe(false);
      nonces.add(nonce);
      at += (48 + batches.readUInt16LE(at + 12) + 7) & ~7;
    }
  }
  expect(nonces.size).toBeGreaterThan(150);
});
