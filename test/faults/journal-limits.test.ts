// SPDX-License-Identifier: Apache-2.0
// The journal's promises about room: what is too much is refused with nothing changed, what was
// promised can be written, and a full journal still takes removals. Flash that fails is survived.
import { beforeEach, expect, test } from "vitest";
import { FlashBoard, type StorageImage } from "../support/flashBoard.ts";
import { commit, contents, isSame, type Model, READY, stage } from "../support/journalModel.ts";
import { Random } from "../../host/torture/random.ts";

/** `roomFor(0)` of assembly/flash/journal.ts. */
const RECORD_OVERHEAD = 62;

let board: FlashBoard;
let image: StorageImage;

beforeEach(() => {
  board = new FlashBoard(new Random(1));
  image = board.boot();
  image.open();
});

function put(kind: number, key: number, length: number, sealed = false): boolean {
  return commit(image, [{ kind, key, value: new Random(key).bytes(length) }], sealed);
}

/** Fills the journal with values of `length` bytes until it refuses; returns how many. */
function fill(length: number): number {
  let key = 1;
  while (put(3, key, length)) key++;
  return key - 1;
}

test("the largest value is taken, a larger one refused", () => {
  expect(put(1, 1, 4000)).toBe(true);
  expect(put(1, 2, 4001)).toBe(false);
  expect(image.has(1, 2)).toBe(0);
  expect(image.lengthOf(1, 1)).toBe(4000);
});

test("a batch of 5,192 bytes is taken, a larger one refused as a whole", () => {
  const of = (length: number) => [
    { kind: 1, key: 1, value: new Uint8Array(3000).fill(1) },
    { kind: 1, key: 2, value: new Uint8Array(length).fill(2) },
  ];
  expect(commit(image, of(5192 - 3007 - 7 + 1), true)).toBe(false);
  expect(contents(image).size).toBe(0);
  expect(commit(image, of(5192 - 3007 - 7), true)).toBe(true);
  expect(contents(image).size).toBe(2);
});

test("kinds 0 and 64 and above are refused", () => {
  for (const kind of [0, 64, 128, 129, 200]) {
    expect(put(kind, 1, 10)).toBe(false);
    stage(image, [{ kind: kind & 127, key: 1, value: undefined }]);
    expect(image.commit(false) !== 0).toBe((kind & 127) > 0 && (kind & 127) < 64);
  }
  expect(image.bootCount()).toBe(1);
});

test("a batch holds 96 entries, and a refused one does not stick to the next", () => {
  const entries = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ kind: 1, key: i, value: Uint8Array.of(i) }));
  expect(commit(image, entries(97), false)).toBe(false);
  expect(commit(image, entries(96), false)).toBe(true);
  expect(contents(image).size).toBe(96);
});

test("the last of several entries for one record counts", () => {
  const value = (byte: number) => Uint8Array.of(byte);
  const batch = [
    { kind: 1, key: 1, value: value(1) },
    { kind: 1, key: 1, value: value(2) },
    { kind: 1, key: 2, value: value(3) },
    { kind: 1, key: 2, value: undefined },
  ];
  expect(commit(image, batch, false)).toBe(true);
  expect(contents(image)).toEqual(new Map([["1/1", value(2)]]));
});

test("cancel and begin forget what was put", () => {
  stage(image, [{ kind: 1, key: 1, value: Uint8Array.of(1) }]);
  image.cancel();
  image.commit(false);
  stage(image, [{ kind: 1, key: 2, value: Uint8Array.of(1) }]);
  image.begin();
  image.commit(false);
  expect(contents(image).size).toBe(0);
});

test("keys come in order, and nextKey counts the batch under way", () => {
  for (const key of [7, 3, 0xffff_fff0, 5]) put(2, key, 4);
  expect([...contents(image).keys()]).toEqual(["2/3", "2/5", "2/7", "2/4294967280"]);
  expect(image.nextKey(4)).toBe(1);
  stage(image, [{ kind: 4, key: 9, value: Uint8Array.of(1) }]);
  expect(image.nextKey(4)).toBe(10);
});

test("a part of a value is read, and nothing outside it", () => {
  const value = new Random(3).bytes(100);
  commit(image, [{ kind: 1, key: 1, value }], false);
  const at = image.buffer();
  expect(image.read(1, 1, 40, at, 10)).toBe(1);
  expect(new Uint8Array(image.memory.buffer, at, 10)).toEqual(value.slice(40, 50));
  for (const [offset, length] of [
    [91, 10],
    [101, 0],
    [-1, 5],
    [0, -1],
    [2 ** 31 - 1, 2 ** 31 - 1],
  ] as const) {
    expect(image.read(1, 1, offset, at, length)).toBe(0);
  }
});

test.each([20, 150, 900, 2000, 4000])("a journal full of %i byte values stays sound", (length) => {
  const count = fill(length);
  expect(count === 400 - 1 || image.freeBytes() < length + RECORD_OVERHEAD).toBe(true);
  const before = contents(image);
  expect(before.size).toBe(count);
  // Replacing and removing go on when nothing can be added.
  const changed: Model = new Map(before);
  for (let i = 0; i < 200; i++) {
    const key = 1 + (i % count);
    const value = new Random(1000 + i).bytes(length);
    expect(commit(image, [{ kind: 3, key, value }], i % 3 === 0)).toBe(true);
    changed.set(`3/${key}`, value);
  }
  expect(isSame(contents(image), changed)).toBe(true);
  image = board.boot();
  expect(image.open()).toBe(READY);
  expect(isSame(contents(image), changed)).toBe(true);
  expect(commit(image, [{ kind: 3, key: 1, value: undefined }], true)).toBe(true);
  expect(put(4, 1, length)).toBe(true);
});

test("what was promised can be written when the rest is full", () => {
  const promised = 5 * (3000 + RECORD_OVERHEAD);
  expect(image.reserve(promised)).toBe(1);
  expect(image.reserve(100_000)).toBe(0);
  expect(image.reserve(-1)).toBe(0);
  fill(900);
  expect(put(5, 1, 3000)).toBe(false);
  for (let key = 1; key <= 5; key++) {
    stage(image, [{ kind: 5, key, value: new Random(key).bytes(3000) }]);
    expect(image.commitReserved(true, 3000 + RECORD_OVERHEAD)).toBe(1);
  }
  stage(image, [{ kind: 5, key: 6, value: new Random(6).bytes(3000) }]);
  expect(image.commitReserved(true, 3000 + RECORD_OVERHEAD)).toBe(0);
});

test("released room is free again, and no more than was promised", () => {
  const free = image.freeBytes();
  image.reserve(1000);
  expect(image.freeBytes()).toBe(free - 1000);
  image.release(4000);
  expect(image.freeBytes()).toBe(free);
});

test("a promised record finds a place in the index too", () => {
  image.reserve(10 * (8 + RECORD_OVERHEAD));
  expect(fill(8)).toBe(399);
  for (let key = 1; key <= 10; key++) {
    stage(image, [{ kind: 5, key, value: new Uint8Array(8) }]);
    expect(image.commitReserved(false, 8 + RECORD_OVERHEAD)).toBe(1);
  }
});

test("a flash that fails changes nothing, and the journal goes on when it works again", () => {
  put(1, 1, 100, true);
  const before = contents(image);
  board.failingWrites = true;
  expect(put(1, 2, 100, true)).toBe(false);
  expect(isSame(contents(image), before)).toBe(true);
  board.failingWrites = false;
  // After a failure that could not even be outdated the journal stays closed until the next boot.
  expect(put(1, 3, 100, true)).toBe(false);
  image = board.boot();
  expect(image.open()).toBe(READY);
  expect(isSame(contents(image), before)).toBe(true);
  expect(put(1, 3, 100, true)).toBe(true);
});

test("no plain text of a record stays in memory after wipe", () => {
  const secret = new Random(77).bytes(64);
  commit(image, [{ kind: 1, key: 1, value: secret }], true);
  image.read(1, 1, 0, image.buffer() + 1000, 64);
  const memory = Buffer.from(image.memory.buffer);
  memory.fill(0, image.buffer(), image.buffer() + image.bufferSize());
  expect(memory.indexOf(secret)).toBeGreaterThan(0);
  image.wipe();
  expect(memory.indexOf(secret)).toBe(-1);
});
