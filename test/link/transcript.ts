// SPDX-License-Identifier: Apache-2.0
// Transcripts of the board's end of the link: what goes in, what must come out, as hex. Kept in
// test/link/golden as JSON, so that every implementation of the board's end can be held to them.
import { boardEndStep, newBoardEnd } from "../../host/link/boardEnd.ts";
import { encodeFrame, type Frame } from "../../host/link/frame.ts";
import type { BoardInformation, ModuleInformation } from "../../host/link/protocol.ts";
import { encodeSyncRequest } from "../../host/link/sync.ts";

/** Something that happens to the board, at a time in ms since the transcript's beginning. */
export type Input =
  | { atMs: number; start: true }
  | { atMs: number; bytes: string }
  | { atMs: number; send: { channel: number; id: number; body: string } }
  | { atMs: number; time: true };

export interface Step {
  input: Input;
  /** Bytes that the board writes, all of them, in order. */
  writes: string;
  /** Requests that it hands to the module or to the board's own channel. */
  requests: { channel: number; id: number; body: string }[];
}

export interface Transcript {
  name: string;
  /** What the board tells in SYNC; the hash as hex. */
  board: Omit<BoardInformation, "modules"> & {
    modules: (Omit<ModuleInformation, "imageHash"> & { imageHash: string })[];
  };
  steps: Step[];
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

export const TRANSCRIPT_BOARD: Transcript["board"] = {
  isSimulated: false,
  bootCounter: 5,
  messageLimit: 600,
  boardName: "golden",
  modules: [
    { channel: 2, starts: 1, imageVersion: 7, imageName: "agent", imageHash: "a1".repeat(32) },
    {
      channel: 3,
      starts: 1,
      imageVersion: 0x10203,
      imageName: "module",
      imageHash: "b2".repeat(32),
    },
  ],
};

/** Runs inputs against the board's end and gives the whole transcript. */
export function runTranscript(
  name: string,
  board: Transcript["board"],
  inputs: Input[],
): Transcript {
  const end = newBoardEnd({
    ...board,
    modules: board.modules.map((module) => ({ ...module, imageHash: fromHex(module.imageHash) })),
  });
  const steps = inputs.map((input): Step => {
    let writes = "";
    const requests: Step["requests"] = [];
    for (const effect of boardEndStep(end, eventOf(input))) {
      if (effect.type === "write") writes += toHex(effect.bytes);
      else if (effect.type === "message") {
        requests.push({ channel: effect.channel, id: effect.id, body: toHex(effect.body) });
      }
    }
    return { input, writes, requests };
  });
  return { name, board, steps };
}

function eventOf(input: Input): Parameters<typeof boardEndStep>[1] {
  const nowMs = input.atMs;
  if ("start" in input) return { type: "start", nowMs };
  if ("time" in input) return { type: "time", nowMs };
  if ("bytes" in input) return { type: "bytes", bytes: fromHex(input.bytes), nowMs };
  const { channel, id, body } = input.send;
  return { type: "send", channel, id, body: fromHex(body), nowMs };
}

/** The bytes of one frame of the host, as hex. */
export function hostFrame(frame: Partial<Frame>): string {
  const defaults = { isFirst: true, isLast: true, sequence: 0 as const, channel: 2, id: 1 };
  const payload = new Uint8Array(0);
  return toHex(encodeFrame({ kind: 0, payload, ...defaults, ...frame }));
}

export const syncFrame = (nonceByte: number): string =>
  hostFrame({
    kind: 4,
    channel: 0,
    id: 0,
    payload: encodeSyncRequest(new Uint8Array(8).fill(nonceByte)),
  });
