// SPDX-License-Identifier: Apache-2.0
// Both ends of the link on a line that says anything (docs/link.md): bytes at random, and frames
// with a right checksum whose fields are wrong. The boards' end in C, where there is a compiler,
// must say the same as the one in TypeScript.
import { readFileSync } from "node:fs";
import { boardEndDeadlineMs, boardEndStep, newBoardEnd } from "../../host/link/boardEnd.ts";
import { encodeFrame } from "../../host/link/frame.ts";
import { hostEndDeadlineMs, hostEndStep, newHostEnd } from "../../host/link/hostEnd.ts";
import { projectFile } from "../../host/projectFile.ts";
import type { Random } from "../../host/torture/random.ts";
import { buildLinkEnd, runLinkEnd } from "../boards/cLink.ts";
import { INFORMATION } from "../link/noisyLine.ts";
import { runTranscript, TRANSCRIPT_BOARD, type Transcript } from "../link/transcript.ts";
import { bytesTarget } from "./bytesTarget.ts";
import { bytesMutated } from "./mutation.ts";
import { fromHex, type Target, toHex } from "./target.ts";

/** Events after which an end that still has something to do never stops. */
const TIMES_LIMIT = 400;

function seeds(): Uint8Array[] {
  const file = projectFile("test/link/golden/board-end.json");
  const transcripts = JSON.parse(readFileSync(file, "utf8")) as Transcript[];
  return transcripts.flatMap(({ steps }) =>
    steps.flatMap(({ input, writes }) => [
      ...("bytes" in input ? [fromHex(input.bytes)] : []),
      ...(writes === "" ? [] : [fromHex(writes)]),
    ]),
  );
}

/** A frame with a right checksum, of any kind and place. */
function anyFrame(random: Random): Uint8Array {
  const kind = random.below(6) as Parameters<typeof encodeFrame>[0]["kind"];
  const sequence = random.pick([0, 1] as const);
  const channel = random.pick([0, 1, 2, 2, 3, 3, 4, 9, 0x80]);
  const id = random.pick([0, 1, 2, 0xffff]);
  const payload = random.bytes(random.pick([0, 1, 8, 16, 33, 243, 244]));
  const [isFirst, isLast] = [random.chance(0.6), random.chance(0.6)];
  return encodeFrame({ kind, isFirst, isLast, sequence, channel, id, payload });
}

function anyStream(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let more = 1 + random.below(6); more > 0; more -= 1) {
    const way = random.below(4);
    if (way === 0) pieces.push(bytes);
    else if (way === 1) pieces.push(random.pick(others));
    else if (way === 2) pieces.push(anyFrame(random));
    else pieces.push(bytesMutated(random.chance(0.5) ? bytes : anyFrame(random), random));
  }
  return new Uint8Array(Buffer.concat(pieces)).slice(0, 6_000);
}

/** The host's end after SYNC or before it, with a message under way. */
function checkHost(bytes: Uint8Array): string {
  const end = newHostEnd(new Uint8Array(8).fill(1));
  const board = newBoardEnd(INFORMATION);
  let words = "";
  const give = (event: Parameters<typeof hostEndStep>[1]) => {
    for (const effect of hostEndStep(end, event)) {
      words += effect.type[0];
      if (effect.type !== "write" || bytes.length % 2 === 0) continue;
      for (const answer of boardEndStep(board, { type: "bytes", bytes: effect.bytes, nowMs: 0 })) {
        if (answer.type !== "write") continue;
        hostEndStep(end, { type: "bytes", bytes: answer.bytes, nowMs: 0 });
      }
    }
  };
  give({ type: "open", nowMs: 0 });
  give({ type: "send", channel: 2, id: 7, body: new Uint8Array(500), nowMs: 0 });
  for (let at = 0; at < bytes.length; at += 97) {
    give({ type: "bytes", bytes: bytes.slice(at, at + 97), nowMs: at });
  }
  for (let times = 0; hostEndDeadlineMs(end) !== null && times < 20; times += 1) {
    give({ type: "time", nowMs: hostEndDeadlineMs(end)! });
  }
  return `${words.slice(0, 60)} ${countsOf(end.statistics)}`;
}

/** The board's end, until it has nothing left to do. */
function checkBoard(bytes: Uint8Array): string {
  const end = newBoardEnd(INFORMATION);
  let words = "";
  const give = (event: Parameters<typeof boardEndStep>[1]) => {
    for (const effect of boardEndStep(end, event)) {
      words += effect.type[0];
      if (effect.type !== "message") continue;
      if (effect.body.length > INFORMATION.messageLimit) throw new Error("A message is too long.");
    }
  };
  give({ type: "start", nowMs: 0 });
  for (let at = 0; at < bytes.length; at += 89) {
    give({ type: "bytes", bytes: bytes.slice(at, at + 89), nowMs: at });
  }
  let times = 0;
  for (; boardEndDeadlineMs(end) !== null && times < TIMES_LIMIT; times += 1) {
    give({ type: "time", nowMs: boardEndDeadlineMs(end)! });
  }
  if (times === TIMES_LIMIT) throw new Error("The board's end repeats for ever.");
  return `${words.slice(0, 60)} ${countsOf(end.statistics)}`;
}

/** Which of the counters moved. */
function countsOf(statistics: object): string {
  return Object.values(statistics)
    .map((count) => Math.min(Number(count), 2))
    .join("");
}

/** What the two implementations of the board's end make of one stream. */
function compareWithC(bytes: Uint8Array): string {
  const inputs = [{ atMs: 0, start: true as const }];
  const all: Parameters<typeof runTranscript>[2] = [...inputs];
  for (let at = 0; at < bytes.length; at += 83) {
    all.push({ atMs: at, bytes: toHex(bytes.slice(at, at + 83)) });
  }
  all.push({ atMs: 9_000, time: true });
  const { steps } = runTranscript("fuzzed", TRANSCRIPT_BOARD, all);
  const there = runLinkEnd(TRANSCRIPT_BOARD, all);
  const place = steps.findIndex(
    (step, index) => JSON.stringify(step) !== JSON.stringify(there[index]),
  );
  if (place >= 0) throw new Error(`The boards' link in C differs at step ${place}.`);
  return steps
    .map(({ writes, requests }) => `${Math.min(writes.length, 9)}${requests.length}`)
    .join("");
}

export function linkTargets(): Target[] {
  const right = seeds();
  const common = { seeds: right, mutate: anyStream };
  return [
    bytesTarget({ name: "link/host", check: checkHost, ...common }),
    bytesTarget({ name: "link/board", check: checkBoard, ...common }),
  ];
}

/** The boards' end in C; nothing where there is no compiler. */
export function linkInC(): Target[] {
  try {
    buildLinkEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return [bytesTarget({ name: "link/c", check: compareWithC, seeds: seeds(), mutate: anyStream })];
}
