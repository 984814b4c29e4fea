// SPDX-License-Identifier: Apache-2.0
// Power cuts: before, inside and after every flash and counter operation of a random workload, with
// more cuts in the boots that follow. After each the journal holds all of the cut batch or none.
import { expect, test } from "vitest";
import { type BoardState, type Cut, FlashBoard, PowerCut } from "../support/flashBoard.ts";
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

/** Runs `action` with a cut planned; whether it was cut. */
function isCut(board: FlashBoard, cut: Cut, action: () => void): boolean {
  board.planCut(cut);
  try {
    action();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  } finally {
    board.planCut(undefined);
  }
}

/** Boots with up to `cuts` further cuts at random operations, then without; returns the image. */
function bootUnderCuts(board: FlashBoard, random: Random, cuts: number) {
  for (let i = 0; i < cuts; i++) {
    const cut: Cut = { operation: random.below(8), moment: random.pick(MOMENTS) };
    if (!isCut(board, cut, () => board.boot().open())) break;
  }
  const image = board.boot();
  return { image, result: image.open() };
}

function describeCut(seed: number, step: number, cut: Cut): string {
  return `seed ${seed}, batch ${step}, ${cut.moment} operation ${cut.operation}`;
}

/** Commits random batches; at each, tries every cut from a saved state. */
function workload(seed: number, batches: number, counter: bigint, maxLive: number): number {
  const random = new Random(seed);
  const board = new FlashBoard(random);
  board.counter = counter;
  let image = board.boot();
  expect(image.open()).toBe(EMPTY);
  let model: Model = new Map();
  let cutsSeen = 0;
  for (let step = 0; step < batches; step++) {
    const batch = randomBatch(random, model, maxLive);
    const sealed = random.chance(0.3);
    const before: BoardState = board.save();
    const memory = new Uint8Array(image.memory.buffer).slice();
    const after = applied(model, batch);
    board.planCut(undefined);
    expect(commit(image, batch, sealed)).toBe(true);
    const operations = board.operations;
    const done = board.save();
    const doneMemory = new Uint8Array(image.memory.buffer).slice();
    for (let operation = 0; operation < operations; operation++) {
      for (const moment of MOMENTS) {
        if (moment === "before" && operation > 0) continue;
        board.restore(before);
        new Uint8Array(image.memory.buffer).set(memory);
        // What the instance keeps outside its memory is only which batch is in the buffer.
        image.wipe();
        const cut: Cut = { operation, moment };
        const where = describeCut(seed, step, cut);
        const victim = image;
        expect(
          isCut(board, cut, () => commit(victim, batch, sealed)),
          where,
        ).toBe(true);
        const { image: reborn, result } = bootUnderCuts(board, random, random.below(4));
        expect(result, where).toBe(READY);
        const found = contents(reborn);
        const isOld = isSame(found, model);
        expect(isOld || isSame(found, after), where).toBe(true);
        // What was complete cannot be undone by a cut after it.
        if (operation === operations - 1 && moment === "after")
          expect(isSame(found, after)).toBe(true);
        cutsSeen++;
      }
    }
    board.restore(done);
    new Uint8Array(image.memory.buffer).set(doneMemory);
    image.wipe();
    model = after;
    if (random.chance(0.05)) {
      image = board.boot();
      expect(image.open()).toBe(READY);
      expect(isSame(contents(image), model)).toBe(true);
    }
  }
  return cutsSeen;
}

test("a cut at any operation leaves all of a batch or none", { timeout: 120_000 }, () => {
  expect(workload(1, 60, 0n, 60)).toBeGreaterThan(300);
});
