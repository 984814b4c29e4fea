// SPDX-License-Identifier: Apache-2.0
// Long lives under bad power: thousands of commits, each with some chance of a cut, each boot cut
// again, the log running many times around the flash. What survives is where the walk goes on.
import { expect, test } from "vitest";
import { type Cut, FlashBoard, PAGE_SIZE, PowerCut } from "../support/flashBoard.ts";
import {
  applied,
  commit,
  contents,
  EMPTY,
  isSame,
  type Model,
  READY,
  randomBatch,
} from "../support/journalModel.ts";
import { Random } from "../../host/torture/random.ts";

const MOMENTS = ["before", "inside", "inside", "inside", "after"] as const;

interface Walk {
  cuts: number;
  board: FlashBoard;
}

/** Walks `steps` batches from `seed`; `harshness` is the chance of a cut in a commit or a boot. */
function walk(seed: number, steps: number, harshness: number, counter: bigint): Walk {
  const random = new Random(seed);
  const board = new FlashBoard(random);
  board.counter = counter;
  let image = board.boot();
  expect(image.open()).toBe(EMPTY);
  let model: Model = new Map();
  let cuts = 0;
  const planned = (below: number): Cut | undefined =>
    random.chance(harshness)
      ? { operation: random.below(below), moment: random.pick(MOMENTS) }
      : undefined;
  for (let step = 0; step < steps; step++) {
    const batch = randomBatch(random, model, 130);
    const after = applied(model, batch);
    const where = `seed ${seed}, batch ${step}`;
    board.planCut(planned(random.chance(0.6) ? 2 : 12));
    try {
      if (commit(image, batch, random.chance(0.3))) model = after;
      else expect(image.freeBytes(), where).toBeLessThan(5192 + 4 * 62);
      image.collect();
      continue;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      cuts += 1;
    }
    for (;;) {
      board.planCut(planned(random.chance(0.5) ? 6 : 20));
      try {
        image = board.boot();
        expect(image.open(), where).toBe(READY);
        break;
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        cuts += 1;
      }
    }
    board.planCut(undefined);
    const found = contents(image);
    expect(isSame(found, model) || isSame(found, after), where).toBe(true);
    model = found;
  }
  return { cuts, board };
}

/** Largest difference between the erase counts of two pages. */
function wearSpread(board: FlashBoard): number {
  return Math.max(...board.erases) - Math.min(...board.erases);
}

test("nothing committed is lost in a long life of power cuts", { timeout: 120_000 }, () => {
  for (const seed of [1, 2, 3]) {
    const { cuts, board } = walk(seed, 1200, 0.7, 0n);
    expect(cuts).toBeGreaterThan(400);
    expect(Math.min(...board.erases)).toBeGreaterThan(10);
  }
});

test("a board without a counter keeps its records likewise", { timeout: 120_000 }, () => {
  const { cuts } = walk(4, 1200, 0.7, -1n);
  expect(cuts).toBeGreaterThan(400);
});

test("wear is even, and the journal's own count of it is right", { timeout: 60_000 }, () => {
  const { board } = walk(5, 6000, 0, 0n);
  const image = board.boot();
  expect(image.open()).toBe(READY);
  expect(Math.min(...board.erases)).toBeGreaterThan(20);
  expect(wearSpread(board)).toBeLessThanOrEqual(1);
  board.erases.forEach((erases, page) => {
    expect(image.erases(page)).toBe(erases);
  });
});

test("records that never change are carried along, not worn around", { timeout: 60_000 }, () => {
  const board = new FlashBoard(new Random(6));
  const image = board.boot();
  image.open();
  // 40 KiB of notes that stay, and one record that changes all the time.
  const model: Model = new Map();
  for (let key = 1; key <= 80; key++) {
    const value = new Random(key).bytes(512);
    expect(commit(image, [{ kind: 2, key, value }], true)).toBe(true);
    model.set(`2/${key}`, value);
  }
  let written = 0;
  for (let i = 0; i < 4000; i++) {
    const value = new Random(i).bytes(200);
    expect(commit(image, [{ kind: 1, key: 1, value }], false)).toBe(true);
    model.set("1/1", value);
    written += 200;
  }
  expect(isSame(contents(image), model)).toBe(true);
  expect(wearSpread(board)).toBeLessThanOrEqual(1);
  // Pages erased for each page of values written: what carrying along costs.
  const erased = board.erases.reduce((sum, erases) => sum + erases, 0) * PAGE_SIZE;
  expect(erased / written).toBeLessThan(4);
});
