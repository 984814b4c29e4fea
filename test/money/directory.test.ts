// SPDX-License-Identifier: Apache-2.0
// The choice of notes (par. 129): fewest notes, then fewest transfers, then fewest
// monetary-unit-days, against a model that looks at every subset.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../host/torture/random.ts";

const DAY = 86400;
const NOW = 1767225600;
const Found = { chosen: 0, insufficient: 1, tooMany: 2, reserved: 3 } as const;
const NOTES_PER_PACKET = 8;
const TRANSFERS_LIMIT = 12;

interface Note {
  key: number;
  amount: number;
  days: number;
  transfers: number;
}

interface Image {
  memory: WebAssembly.Memory;
  _initialize(): void;
  clear(): void;
  add(key: number, unit: number, amount: bigint, expiry: bigint, transfers: number): void;
  choose(unit: number, amount: bigint, now: bigint, toBank: number): number;
  chooseSorted(isReversed: number, unit: number, most: bigint, now: bigint): bigint;
  reserve(isReserved: number): void;
  leave(): void;
  promise(isKept: number): void;
  chosen(): number;
  keyAt(index: number): number;
  valueAt(index: number): bigint;
}

let image: Image;

beforeAll(() => {
  const file = new URL("../../build/firmware/note-directory.wasm", import.meta.url);
  const module = new WebAssembly.Module(new Uint8Array(readFileSync(file)));
  const board = new Proxy({}, { get: () => () => 0, has: () => true });
  const imports: Record<string, () => number> = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    imports[name] = (board as Record<string, () => number>)[name]!;
  }
  const instance = new WebAssembly.Instance(module, { board: imports });
  image = instance.exports as unknown as Image;
  image._initialize();
});

function fill(notes: Note[]): void {
  image.clear();
  for (const { key, amount, days, transfers } of notes) {
    image.add(key, 1, BigInt(amount), BigInt(NOW + days * DAY), transfers);
  }
}

const choose = (amount: number, toBank = false) =>
  image.choose(1, BigInt(amount), BigInt(NOW), toBank ? 1 : 0);

const chooseForBank = (most: number, isFreshest = false) =>
  Number(image.chooseSorted(isFreshest ? 1 : 0, 1, BigInt(most), BigInt(NOW)));

/** What the image chose: key and value of each note. */
const choice = () =>
  Array.from({ length: image.chosen() }, (_, index) => ({
    key: image.keyAt(index),
    value: Number(image.valueAt(index)),
  }));

/**
 * Cost of giving `amount` with all notes of a subset, best split: [notes, transfers, unit-days].
 */
function costOf(subset: Note[], amount: number): [number, number, number] {
  const sum = subset.reduce((total, note) => total + note.amount, 0);
  const longest = Math.max(...subset.map((note) => note.days));
  const unitDays = subset.reduce((total, note) => total + note.amount * note.days, 0);
  const transfers = subset.reduce((total, note) => total + note.transfers, 0);
  return [subset.length, transfers, unitDays - (sum - amount) * longest];
}

const compare = (a: number[], b: number[]) => {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : a[at]! - b[at]!;
};

/** The least cost over all subsets that pay the amount; undefined where none does. */
function bestCost(notes: Note[], amount: number): number[] | undefined {
  let best: number[] | undefined;
  for (let bits = 1; bits < 1 << notes.length; bits++) {
    const subset = notes.filter((_, index) => (bits & (1 << index)) !== 0);
    if (subset.reduce((total, note) => total + note.amount, 0) < amount) continue;
    const cost = costOf(subset, amount);
    if (best === undefined || compare(cost, best) < 0) best = cost;
  }
  return best;
}

describe("choice of notes", () => {
  test("costs no more than the best of all subsets, in 1,500 random directories", () => {
    const random = new Random(20_260_101);
    for (let round = 0; round < 1_500; round++) {
      const notes = Array.from({ length: 1 + random.below(10) }, (_, index) => ({
        key: 100 + index,
        amount: 1 + random.below(random.pick([5, 50, 1000])),
        days: 1 + random.below(90),
        transfers: 1 + random.below(11),
      }));
      const total = notes.reduce((sum, note) => sum + note.amount, 0);
      const amount = 1 + random.below(total + 2);
      fill(notes);
      const found = choose(amount);
      const best = bestCost(notes, amount);
      if (best === undefined) {
        expect([round, found]).toEqual([round, Found.insufficient]);
        continue;
      }
      if (best[0]! > NOTES_PER_PACKET) {
        expect([round, found]).toEqual([round, Found.tooMany]);
        continue;
      }
      expect([round, found]).toEqual([round, Found.chosen]);
      const given = choice();
      const used = given.map(({ key }) => notes.find((note) => note.key === key)!);
      expect(new Set(used).size).toBe(used.length);
      expect(given.reduce((sum, { value }) => sum + value, 0)).toBe(amount);
      for (const { key, value } of given) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThanOrEqual(notes.find((note) => note.key === key)!.amount);
      }
      const unitDays = given.reduce(
        (sum, { key, value }) => sum + value * notes.find((note) => note.key === key)!.days,
        0,
      );
      const transfers = used.reduce((sum, note) => sum + note.transfers, 0);
      expect([round, used.length, transfers, unitDays]).toEqual([round, ...best]);
    }
  });

  test("is bounded: 64 like notes are chosen from in a moment", () => {
    fill(
      Array.from({ length: 64 }, (_, index) => ({
        key: index + 1,
        amount: 10,
        days: 9,
        transfers: 1,
      })),
    );
    expect(choose(75)).toBe(Found.chosen);
    expect(choice().reduce((sum, { value }) => sum + value, 0)).toBe(75);
    expect(choose(81)).toBe(Found.tooMany);
    expect(choose(641)).toBe(Found.insufficient);
  });

  test("passes over expired notes, other units, and full histories unless a bank is paid", () => {
    fill([
      { key: 1, amount: 10, days: 0, transfers: 1 },
      { key: 2, amount: 10, days: 5, transfers: TRANSFERS_LIMIT },
      { key: 3, amount: 10, days: -30, transfers: 1 },
      { key: 4, amount: 20, days: -29, transfers: 1 },
    ]);
    image.add(5, 2, 10n, BigInt(NOW + DAY), 1);
    expect(choose(10)).toBe(Found.insufficient);
    expect(choose(10, true)).toBe(Found.chosen);
    expect(choice()).toEqual([{ key: 4, value: 10 }]);
    // What a bank takes in all: not what expired thirty days ago.
    expect(choose(40, true)).toBe(Found.chosen);
    expect(choice().map(({ key }) => key)).toEqual([4, 1, 2]);
    expect(choose(41, true)).toBe(Found.insufficient);
  });

  test("for a bank: first what only a bank takes, then by expiry, then by transfers", () => {
    fill([
      { key: 1, amount: 10, days: 80, transfers: 1 },
      { key: 2, amount: 10, days: 20, transfers: 1 },
      { key: 3, amount: 10, days: 20, transfers: 3 },
      { key: 4, amount: 10, days: 70, transfers: TRANSFERS_LIMIT },
      { key: 5, amount: 10, days: -2, transfers: 1 },
      { key: 6, amount: 10, days: -30, transfers: 1 },
    ]);
    expect(chooseForBank(1_000)).toBe(50);
    expect(choice().map(({ key }) => key)).toEqual([5, 4, 3, 2, 1]);
    expect(chooseForBank(25)).toBe(25);
    expect(choice().map(({ value }) => value)).toEqual([10, 10, 5]);
    fill(Array.from({ length: 9 }, (_, key) => ({ key, amount: 10, days: 9, transfers: 1 })));
    expect(chooseForBank(90)).toBe(80);
    fill([]);
    expect(chooseForBank(90)).toBe(0);
  });

  test("what a bank gives in return lives longest", () => {
    fill([
      { key: 1, amount: 10, days: 20, transfers: 1 },
      { key: 2, amount: 10, days: 80, transfers: 3 },
      { key: 3, amount: 10, days: 80, transfers: 1 },
      { key: 4, amount: 10, days: 90, transfers: TRANSFERS_LIMIT },
    ]);
    expect(chooseForBank(25, true)).toBe(25);
    expect(choice()).toEqual([
      { key: 3, value: 10 },
      { key: 2, value: 10 },
      { key: 1, value: 5 },
    ]);
  });

  test("a part that is promised is neither spent nor free until it is paid or given back", () => {
    fill([{ key: 1, amount: 10, days: 5, transfers: 1 }]);
    expect(choose(4)).toBe(Found.chosen);
    image.promise(1);
    expect(choose(1)).toBe(Found.reserved);
    expect(choose(7)).toBe(Found.insufficient);
  });

  test("does not give a note to two payments, and says that it is only taken", () => {
    fill([{ key: 1, amount: 10, days: 5, transfers: 1 }]);
    expect(choose(4)).toBe(Found.chosen);
    image.reserve(1);
    const taken = choice();
    expect(choose(4)).toBe(Found.reserved);
    expect(choose(11)).toBe(Found.insufficient);
    fill([{ key: 1, amount: 10, days: 5, transfers: 1 }]);
    expect(choose(4)).toBe(Found.chosen);
    image.leave();
    expect(choose(7)).toBe(Found.insufficient);
    expect(choose(6)).toBe(Found.chosen);
    image.leave();
    expect(choose(1)).toBe(Found.insufficient);
    expect(taken).toEqual([{ key: 1, value: 4 }]);
  });

  test("takes the largest amounts", () => {
    const large = 2 ** 53 - 1;
    fill([{ key: 1, amount: large, days: 90, transfers: 1 }]);
    expect(choose(large)).toBe(Found.chosen);
    expect(choice()).toEqual([{ key: 1, value: large }]);
  });
});
