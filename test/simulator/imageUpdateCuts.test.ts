// SPDX-License-Identifier: Apache-2.0
// Updates of images that are cut short: the line breaks, the power goes at every step, the board is
// put back to a snapshot. There is the old image or the new one, whole (protocol rule 7).
import { beforeAll, describe, expect, test } from "vitest";
import { DATA_SIZE, UpdateRequest, UpdateStatus } from "../../host/simulator/imageUpdate.ts";
import { memoryStorage } from "../../host/simulator/storage.ts";
import { seededRandom } from "../link/noisyLine.ts";
import { Echo, MODULE, pack } from "./echoBoard.ts";
import { ask, begin, bench, data, finish, signed, update, versionOf } from "./updateBench.ts";

test("an update goes on after a break of the line, and begins anew after a cut", () => {
  const at = bench();
  const image = signed(2);
  begin(at, image);
  data(at, image.bytes, 0, 4 * DATA_SIZE);
  const statement = image.statement;
  const again = () => ask(at, { request: UpdateRequest.BEGIN, channel: MODULE, statement })?.offset;
  expect(again()).toBe(4 * DATA_SIZE);
  data(at, image.bytes, 4 * DATA_SIZE);
  at.board.powerOff();
  at.board.powerOn();
  expect(versionOf(at)).toBe(1);
  expect(again()).toBe(0);
});

describe("power cut in an update", () => {
  /** Operations of one whole update, after those of the start. */
  const FIRST = 3;
  let operations = 0;
  beforeAll(() => {
    const at = bench({
      power: ({ index }) => {
        operations = index + 1;
        return "keep";
      },
    });
    expect(update(at, signed(2))).toBe(UpdateStatus.TAKEN);
    expect(operations).toBeGreaterThan(FIRST + 10);
  });

  test.each(["cut-before", "cut-after", "tear"] as const)("%s each operation", (kind) => {
    const seen = new Set<number>();
    for (let index = 0; index < operations; index += 1) {
      const random = seededRandom(index + 1);
      const tear = () => Math.floor(random() * 2 ** 32);
      const storage = memoryStorage();
      const at = bench({
        storage,
        power: (operation) => {
          if (operation.index !== index) return "keep";
          return kind === "tear" ? { tear } : kind;
        },
      });
      if (at.board.isOn) update(at, signed(2));
      expect(at.board.isOn).toBe(false);
      const after = bench({ storage });
      const version = versionOf(after);
      expect([1, 2]).toContain(version);
      seen.add(version);
      expect(after.ask(MODULE, Echo.ECHO, [9]).data).toEqual(pack([9]));
      // Once the new one has run, the old one never does; and the update can be done again.
      if (version === 2) expect(begin(after, signed(1))).toBe(UpdateStatus.OLDER);
      expect(update(after, signed(2))).toBe(UpdateStatus.TAKEN);
      expect(versionOf(after)).toBe(2);
    }
    expect([...seen].sort()).toEqual([1, 2]);
  });
});

test("a snapshot carries an update: before it, in it and after it", () => {
  const at = bench();
  const image = signed(2);
  const before = at.board.snapshot();
  begin(at, image);
  data(at, image.bytes, 0, 4 * DATA_SIZE);
  const within = at.board.snapshot();
  const link = at.link.snapshot();
  data(at, image.bytes, 4 * DATA_SIZE);
  finish(at);
  const after = at.board.snapshot();
  at.board.restore(within);
  at.link.restore(link);
  expect(versionOf(at)).toBe(1);
  expect(data(at, image.bytes, 4 * DATA_SIZE)).toBe(UpdateStatus.TAKEN);
  at.board.restore(after);
  expect(versionOf(at)).toBe(2);
  at.board.restore(before);
  expect(versionOf(at)).toBe(1);
  at.board.powerOff();
  at.board.powerOn();
  expect(versionOf(at)).toBe(1);
  expect(finish(at)).toBe(UpdateStatus.OUT_OF_ORDER);
});
