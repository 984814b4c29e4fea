// SPDX-License-Identifier: Apache-2.0
// A line between two ends of a link that keeps order and does everything else wrong, from a seed:
// drops, flips, repeats, delays, cuts and invents bytes. Virtual time; no real waiting.
import {
  type BoardEnd,
  boardEndDeadlineMs,
  type BoardEndEffect,
  boardEndStep,
  newBoardEnd,
} from "../../host/link/boardEnd.ts";
import type { Untimed } from "../../host/link/clock.ts";
import {
  type HostEnd,
  hostEndDeadlineMs,
  type HostEndEffect,
  type HostEndEvent,
  hostEndStep,
  newHostEnd,
} from "../../host/link/hostEnd.ts";
import type { BoardInformation } from "../../host/link/protocol.ts";

/** Probabilities per frame written, each from 0 to 1. */
export interface Noise {
  drop: number;
  flip: number;
  repeat: number;
  garbage: number;
  /** Longest delay of a chunk in ms; order is kept. */
  delayMs: number;
}

export const QUIET: Noise = { drop: 0, flip: 0, repeat: 0, garbage: 0, delayMs: 0 };

/** A small generator of repeatable numbers below 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const INFORMATION: BoardInformation = {
  isSimulated: true,
  bootCounter: 1,
  messageLimit: 8704,
  boardName: "test",
  modules: [2, 3].map((channel) => ({
    channel,
    starts: 1,
    imageVersion: 1,
    imageHash: new Uint8Array(32).fill(channel),
    imageName: `image ${channel}`,
  })),
};

interface Chunk {
  atMs: number;
  bytes: Uint8Array;
}

export class NoisyLine {
  nowMs = 0;
  noise: Noise;
  readonly host: HostEnd = newHostEnd(new Uint8Array(8).fill(9));
  board: BoardEnd = newBoardEnd(INFORMATION);
  onHost: (effect: HostEndEffect) => void = () => {};
  onBoard: (effect: BoardEndEffect) => void = () => {};
  private readonly random: () => number;
  private readonly toBoard: Chunk[] = [];
  private readonly toHost: Chunk[] = [];

  constructor(seed: number, noise: Noise) {
    this.random = seededRandom(seed);
    this.noise = noise;
  }

  hostEvent(event: Untimed<HostEndEvent>): void {
    const timed = { ...event, nowMs: this.nowMs } as HostEndEvent;
    for (const effect of hostEndStep(this.host, timed)) {
      if (effect.type === "write") this.put(this.toBoard, effect.bytes);
      else this.onHost(effect);
    }
  }

  boardEvent(event: Untimed<Parameters<typeof boardEndStep>[1]>): void {
    const timed = { ...event, nowMs: this.nowMs } as Parameters<typeof boardEndStep>[1];
    for (const effect of boardEndStep(this.board, timed)) {
      if (effect.type === "write") this.put(this.toHost, effect.bytes);
      else this.onBoard(effect);
    }
  }

  /** The board is switched off and on: what it knew and had not sent is gone. */
  reboot(): void {
    const bootCounter = this.board.information.bootCounter + 1;
    this.board = newBoardEnd({ ...INFORMATION, bootCounter });
    this.boardEvent({ type: "start" });
  }

  /** Runs until nothing is under way and no deadline is set, or `limitMs` have passed. */
  run(limitMs: number): void {
    const endMs = this.nowMs + limitMs;
    for (;;) {
      const times = [this.toBoard[0]?.atMs, this.toHost[0]?.atMs];
      times.push(hostEndDeadlineMs(this.host) ?? undefined);
      times.push(boardEndDeadlineMs(this.board) ?? undefined);
      const next = Math.min(...times.map((time) => time ?? Infinity));
      if (next > endMs) break;
      this.nowMs = Math.max(this.nowMs, next);
      const forBoard = this.take(this.toBoard);
      if (forBoard !== null) this.boardEvent({ type: "bytes", bytes: forBoard });
      const forHost = this.take(this.toHost);
      if (forHost !== null) this.hostEvent({ type: "bytes", bytes: forHost });
      this.hostEvent({ type: "time" });
      this.boardEvent({ type: "time" });
    }
    if (endMs < Infinity) this.nowMs = endMs;
  }

  private take(chunks: Chunk[]): Uint8Array | null {
    if (chunks.length === 0 || chunks[0]!.atMs > this.nowMs) return null;
    return chunks.shift()!.bytes;
  }

  private put(chunks: Chunk[], bytes: Uint8Array): void {
    const { noise, random } = this;
    if (random() < noise.garbage) this.cut(chunks, this.garbage());
    if (random() < noise.drop) return;
    const damaged = bytes.slice();
    if (random() < noise.flip) damaged[this.below(bytes.length)]! ^= 1 << this.below(8);
    this.cut(chunks, damaged);
    if (random() < noise.repeat) this.cut(chunks, damaged);
  }

  private garbage(): Uint8Array {
    const kind = this.below(3);
    if (kind === 0) return new TextEncoder().encode("rst:0x1 (POWERON_RESET),boot:0x13\r\n");
    const noise = Uint8Array.from({ length: 1 + this.below(600) }, () => this.below(256));
    return kind === 1 ? noise : noise.map((byte) => byte || 1);
  }

  /** Cuts bytes at random places into chunks that arrive one after the other. */
  private cut(chunks: Chunk[], bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + this.below(bytes.length - at);
      const earliest = Math.max(chunks.at(-1)?.atMs ?? 0, this.nowMs);
      const atMs = earliest + this.random() * this.noise.delayMs;
      chunks.push({ atMs, bytes: bytes.slice(at, at + length) });
      at += length;
    }
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }
}
