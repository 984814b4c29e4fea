// SPDX-License-Identifier: Apache-2.0
// The boards' C link against the golden transcripts, and against the TypeScript link on random
// lines with noise, losses and repetitions.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  fromHex,
  hostFrame,
  type Input,
  runTranscript,
  syncFrame,
  TRANSCRIPT_BOARD,
  type Transcript,
  toHex,
} from "../link/transcript.ts";
import { buildLinkEnd, runLinkEnd } from "./cLink.ts";

const GOLDEN = new URL("../link/golden/board-end.json", import.meta.url);
const transcripts = JSON.parse(readFileSync(GOLDEN, "utf8")) as Transcript[];

beforeAll(buildLinkEnd);

describe("golden transcripts of the board's end, in C", () => {
  test.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
    "%s",
    (_, { board, steps }) => {
      expect(
        runLinkEnd(
          board,
          steps.map(({ input }) => input),
        ),
      ).toEqual(steps);
    },
  );
});

/** A host's frame of any kind, channel, id and place in a message, often one that fits. */
const frames = fc
  .record({
    kind: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, 3, 4, 5),
    isFirst: fc.boolean(),
    isLast: fc.boolean(),
    sequence: fc.constantFrom(0 as const, 1 as const),
    channel: fc.constantFrom(0, 1, 2, 2, 3, 3, 9),
    id: fc.constantFrom(0, 1, 2),
    payload: fc.uint8Array({ maxLength: 244 }),
  })
  .map((frame) => hostFrame(frame as Parameters<typeof hostFrame>[0]));

/** A frame that lost, gained or changed a byte. */
const damaged = fc
  .tuple(frames, fc.nat(), fc.uint8Array({ maxLength: 2 }))
  .map(([hex, at, bytes]) => {
    const place = 2 * (at % (hex.length / 2));
    return hex.slice(0, place) + toHex(bytes) + hex.slice(place + 2);
  });

const bytes = fc.oneof(
  { weight: 6, arbitrary: frames },
  { weight: 1, arbitrary: damaged },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }).map(toHex) },
  { weight: 1, arbitrary: fc.constantFrom(syncFrame(1), syncFrame(2)) },
);
const sends = fc.record({
  channel: fc.constantFrom(1, 2, 3),
  id: fc.constantFrom(0, 1, 2),
  // Short ones, and some that leave no room for the answer to another request.
  body: fc
    .oneof(
      { weight: 4, arbitrary: fc.uint8Array({ maxLength: 600 }) },
      { weight: 1, arbitrary: fc.integer({ min: 2500, max: 8704 }).map((n) => new Uint8Array(n)) },
    )
    .map(toHex),
});
const events = fc.array(
  fc.tuple(
    fc.constantFrom(0, 1, 40, 100, 700, 1000),
    fc.oneof(
      { weight: 5, arbitrary: bytes.map((hex) => ({ bytes: hex })) },
      { weight: 2, arbitrary: sends.map((send) => ({ send })) },
      { weight: 2, arbitrary: fc.constant({ time: true as const }) },
    ),
  ),
  { minLength: 1, maxLength: 60 },
);

test("on any line, the C link writes what the TypeScript link writes", () => {
  fc.assert(
    fc.property(events, (list) => {
      const inputs: Input[] = [
        { atMs: 0, start: true },
        { atMs: 1, bytes: syncFrame(1) },
      ];
      let atMs = 1;
      for (const [waitMs, event] of list) {
        atMs += waitMs;
        inputs.push({ atMs, ...event } as Input);
      }
      const expected = runTranscript("random", TRANSCRIPT_BOARD, inputs).steps;
      expect(runLinkEnd(TRANSCRIPT_BOARD, inputs)).toEqual(expected);
    }),
    { numRuns: 300, seed: 0x0c1111 },
  );
});

test("a message of the largest size arrives whole and leaves whole", () => {
  const board = { ...TRANSCRIPT_BOARD, messageLimit: 8704 };
  const body = Uint8Array.from({ length: 8704 }, (_, index) => (index * 7) & 0xff);
  const inputs: Input[] = [{ atMs: 1, bytes: syncFrame(1) }];
  for (let at = 0; at < body.length; at += 244) {
    const frame = {
      channel: 3,
      id: 5,
      sequence: ((at / 244) & 1) as 0 | 1,
      isFirst: at === 0,
      isLast: at + 244 >= body.length,
      payload: body.slice(at, at + 244),
    };
    inputs.push({ atMs: 2, bytes: hostFrame(frame) });
  }
  inputs.push({ atMs: 3, send: { channel: 3, id: 5, body: toHex(body) } });
  for (let frame = 0; frame < 36; frame += 1) {
    const sequence = (frame & 1) as 0 | 1;
    const ack = { kind: 1 as const, channel: 3, id: 5, isFirst: false, isLast: false, sequence };
    inputs.push({ atMs: 4 + frame, bytes: hostFrame(ack) });
  }
  const steps = runLinkEnd(board, inputs);
  expect(steps.flatMap(({ requests }) => requests)).toEqual([
    { channel: 3, id: 5, body: toHex(body) },
  ]);
  expect(steps).toEqual(runTranscript("largest", board, inputs).steps);
  expect(fromHex(steps.at(-1)!.writes)).toHaveLength(0);
});
