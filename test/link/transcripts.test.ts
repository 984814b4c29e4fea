// SPDX-License-Identifier: Apache-2.0
// The board's end against the golden transcripts, and docs/link.md against both ends.
// UPDATE_GOLDEN=1 writes the transcripts anew; the difference is then to be read byte by byte.
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { boardEndStep, newBoardEnd } from "../../host/link/boardEnd.ts";
import { hostEndStep, newHostEnd } from "../../host/link/hostEnd.ts";
import {
  fromHex,
  hostFrame,
  type Input,
  runTranscript,
  syncFrame,
  TRANSCRIPT_BOARD,
  toHex,
  type Transcript,
} from "./transcript.ts";

const GOLDEN = new URL("./golden/board-end.json", import.meta.url);

const body = (length: number, first: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);

/** The host's frames of one message. */
function fragments(channel: number, id: number, bytes: Uint8Array): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; at += 244) {
    const sequence = (frames.length & 1) as 0 | 1;
    const isFirst = at === 0;
    const isLast = at + 244 >= bytes.length;
    const payload = bytes.slice(at, at + 244);
    frames.push(hostFrame({ channel, id, sequence, isFirst, isLast, payload }));
  }
  return frames;
}

const opening: Input[] = [
  { atMs: 0, start: true },
  { atMs: 1, bytes: syncFrame(1) },
];
const at = (atMs: number, bytes: string): Input => ({ atMs, bytes });
const answer = (atMs: number, length: number): Input => ({
  atMs,
  send: { channel: 2, id: 1, body: toHex(body(length, 0x40)) },
});
const times = (...moments: number[]): Input[] => moments.map((atMs) => ({ atMs, time: true }));
const ACK = { kind: 1, isFirst: false, isLast: false } as const;
const request = hostFrame({ payload: fromHex("008101") });

const SCENARIOS: Record<string, Input[]> = {
  "start and SYNC, the SYNC repeated": [...opening, at(2, syncFrame(1))],
  "a request and its answer": [...opening, at(2, request), answer(3, 3), at(4, hostFrame(ACK))],
  "a request repeated is acknowledged again and not handed over again": [
    ...opening,
    at(2, request),
    at(3, request),
  ],
  "boot text and half a frame in front": [
    ...opening,
    at(2, `${toHex(new TextEncoder().encode("ets Jul 29 2019\r\n"))}${request.slice(0, 8)}`),
    at(3, request),
  ],
  "a frame in single bytes": [
    ...opening,
    ...(request.match(/../g) ?? []).map((byte) => at(2, byte)),
  ],
  "a damaged frame is not answered": [...opening, at(2, request.replace("8101", "8102"))],
  "a message in three frames each way": [
    ...opening,
    ...fragments(3, 9, body(600, 1)).map((frame) => at(2, frame)),
    answer(3, 500),
    at(4, hostFrame(ACK)),
    at(5, hostFrame({ ...ACK, sequence: 1 })),
    at(6, hostFrame(ACK)),
  ],
  "a message that is too long": [
    ...opening,
    ...fragments(2, 9, body(601, 1)).map((frame) => at(2, frame)),
  ],
  "a new FIRST ends a half message": [
    ...opening,
    at(2, fragments(2, 9, body(600, 1))[0]!),
    at(3, hostFrame({ id: 10, sequence: 1, payload: fromHex("0055") })),
  ],
  "a cancelled half message is forgotten": [
    ...opening,
    at(2, fragments(2, 9, body(300, 1))[0]!),
    at(3, hostFrame({ kind: 5, id: 9 })),
    at(4, fragments(2, 9, body(300, 1))[1]!),
  ],
  "a request whose answer might find no room is taken when there is room again": [
    ...opening,
    answer(2, 3100),
    at(3, request),
    ...Array.from({ length: 13 }, (_, index) =>
      at(4 + index, hostFrame({ ...ACK, sequence: (index & 1) as 0 | 1 })),
    ),
    at(20, request),
  ],
  "repeated at 100, 300, 700, 1500, 2500 ms ..., given up after eight": [
    ...opening,
    answer(2, 1),
    ...times(101, 102, 302, 702, 1502, 2502, 3502, 4502, 5502, 6502),
  ],
  "DATA before SYNC": [{ atMs: 0, start: true }, at(1, request), at(2, syncFrame(1))],
  "DATA for a channel that is not there": [...opening, at(2, hostFrame({ channel: 9 }))],
  "a new SYNC drops answers and keeps what was said unasked": [
    { atMs: 0, start: true },
    { atMs: 1, send: { channel: 2, id: 0, body: "00aa" } },
    { atMs: 1, send: { channel: 2, id: 4, body: "00bb" } },
    at(2, syncFrame(1)),
  ],
};

function goldenTranscripts(): Transcript[] {
  if (process.env.UPDATE_GOLDEN === "1") {
    const transcripts = Object.entries(SCENARIOS).map(([name, inputs]) =>
      runTranscript(name, TRANSCRIPT_BOARD, inputs),
    );
    writeFileSync(GOLDEN, `${JSON.stringify(transcripts, null, 1)}\n`);
  }
  return JSON.parse(readFileSync(GOLDEN, "utf8")) as Transcript[];
}

describe("golden transcripts of the board's end", () => {
  const transcripts = goldenTranscripts();
  test("each scenario has one", () => {
    expect(transcripts.map(({ name }) => name)).toEqual(Object.keys(SCENARIOS));
  });
  test.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
    "%s",
    (name, transcript) => {
      const inputs = transcript.steps.map(({ input }) => input);
      expect(inputs).toEqual(SCENARIOS[name]);
      expect(runTranscript(name, transcript.board, inputs)).toEqual(transcript);
    },
  );
});

test("the worked exchange of docs/link.md is what both ends write", () => {
  const page = readFileSync(new URL("../../docs/link.md", import.meta.url), "utf8");
  const documented = [
    ...page.matchAll(/^(host|board) +((?:[0-9a-f]{2} ?)+)((?:\n {6,}[0-9a-f ]+)*)/gm),
  ].map(([, who, first, more]) => `${who} ${`${first}${more}`.replace(/\s/g, "")}`);
  const lines: string[] = [];
  const host = newHostEnd(fromHex("0001020304050607"));
  const imageHash = fromHex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const board = newBoardEnd({
    isSimulated: true,
    bootCounter: 1,
    messageLimit: 8704,
    boardName: "simulator",
    modules: [{ channel: 2, starts: 1, imageVersion: 1, imageHash, imageName: "customer-agent" }],
  });
  const toHost: Uint8Array[] = [];
  const toBoard: Uint8Array[] = [];
  const atHost = (event: Parameters<typeof hostEndStep>[1]): void => {
    for (const effect of hostEndStep(host, event)) {
      if (effect.type !== "write") continue;
      lines.push(`host ${toHex(effect.bytes)}`);
      toBoard.push(effect.bytes);
    }
  };
  const atBoard = (event: Parameters<typeof boardEndStep>[1]): void => {
    for (const effect of boardEndStep(board, event)) {
      if (effect.type !== "write") continue;
      lines.push(`board ${toHex(effect.bytes)}`);
      toHost.push(effect.bytes);
    }
  };
  const settle = (): void => {
    while (toBoard.length + toHost.length > 0) {
      for (const bytes of toBoard.splice(0)) atBoard({ type: "bytes", bytes, nowMs: 0 });
      for (const bytes of toHost.splice(0)) atHost({ type: "bytes", bytes, nowMs: 0 });
    }
  };
  atHost({ type: "open", nowMs: 0 });
  settle();
  atHost({ type: "send", channel: 2, id: 7, body: fromHex("008101"), nowMs: 0 });
  settle();
  atBoard({ type: "send", channel: 2, id: 7, body: fromHex("0083000102"), nowMs: 0 });
  settle();
  expect(documented).toEqual(lines);
});
