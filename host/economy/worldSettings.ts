// SPDX-License-Identifier: Apache-2.0
// Where an economy's secrets, time and state come from: in memory for a demo, from a seed where it
// shall replay, in a directory where it shall last.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expand } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { Clock } from "../link/clock.ts";
import { systemClock } from "../link/clock.ts";
import { writeWholeFile } from "../wholeFile.ts";
import type { BoardMaker } from "./partyBoard.ts";
import { fileStorage } from "../simulator/storage.ts";
import type {
  BoardObserver,
  BoardStorage,
  RandomSource as BoardRandom,
} from "../simulator/types.ts";
import { RunningClock, SteppedClock, type StoryClock } from "./storyClock.ts";
import { type RandomSource, seededRandom, systemRandom } from "../trust/random.ts";

export interface WorldSettings {
  clock: Clock;
  /** Lets days pass; undefined where the date is that of the computer. */
  passDays: ((days: number) => void) | undefined;
  /** Randomness of agencies and hosts. */
  random: RandomSource;
  /** Randomness of one board. */
  boardRandom(name: string): BoardRandom;
  /** 32 bytes that belong to a name: board secrets, link keys, approval keys. */
  secretFor(label: string): Uint8Array;
  /** Undefined: in memory. */
  storageFor(name: string): BoardStorage | undefined;
  /** Port of the gateway; 0 takes a free one. */
  gatewayPort: number;
  /** Location for `openDatabase`. */
  database: string;
  /** Directory for agencies' keys; undefined: not kept. */
  directory: string | undefined;
  isTraced: boolean;
  observerFor(name: string): BoardObserver | undefined;
  /** Makes the boards of people; simulated if undefined. */
  peopleBoards: BoardMaker | undefined;
  /** Told which stage of the economy's building begins. */
  progress(text: string): void;
  /** Told what happens within an action, one short line each. */
  detail(text: string): void;
  /** Told what a person has to look at. */
  alarm(text: string): void;
}

/** What every kind of world may set. */
export interface WorldWatch {
  isTraced?: boolean;
  peopleBoards?: BoardMaker;
  observerFor?: (name: string) => BoardObserver | undefined;
  progress?: (text: string) => void;
  detail?: (text: string) => void;
  alarm?: (text: string) => void;
}

/** A world in memory; with a seed it signs the same bytes each time. */
export function memoryWorld(
  seed: string | undefined,
  watch: WorldWatch = {},
): WorldSettings & { clock: StoryClock } {
  const random = seed === undefined ? systemRandom : seededRandom(utf8ToBytes(seed));
  const secret = random(32);
  const clock = seed === undefined ? new RunningClock() : new SteppedClock();
  return {
    ...common(watch, secret),
    clock,
    passDays: (days) => clock.passDays(days),
    progress: (text) => {
      clock.step();
      watch.progress?.(text);
    },
    random,
    boardRandom: (name) =>
      seed === undefined ? { kind: "system" } : { kind: "seeded", seed: `${seed}/${name}` },
    storageFor: () => undefined,
    database: "memory:",
    directory: undefined,
  };
}

/**
 * A world whose state is in a directory, or whose books are in a database server.
 * @param database connection string of a server; undefined for an embedded one in the directory
 */
export function lastingWorld(
  directory: string,
  database: string | undefined,
  watch: WorldWatch = {},
): WorldSettings {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const secretFile = join(directory, "secret");
  if (!existsSync(secretFile)) writeWholeFile(secretFile, systemRandom(32));
  return {
    ...common(watch, new Uint8Array(readFileSync(secretFile))),
    clock: systemClock,
    passDays: undefined,
    random: systemRandom,
    boardRandom: () => ({ kind: "system" }),
    storageFor: (name) => fileStorage(join(directory, "boards", folderName(name))),
    database: database ?? join(directory, "books"),
    directory,
  };
}

function common(watch: WorldWatch, secret: Uint8Array) {
  return {
    secretFor: (label: string) => expand(sha256, secret, utf8ToBytes(`florin/world/${label}`), 32),
    gatewayPort: 0,
    isTraced: watch.isTraced ?? false,
    observerFor: watch.observerFor ?? (() => undefined),
    peopleBoards: watch.peopleBoards,
    progress: watch.progress ?? (() => undefined),
    detail: watch.detail ?? (() => undefined),
    alarm: watch.alarm ?? (() => undefined),
  };
}

/** A name as one folder: letters and digits stay, anything else is written as its code. */
function folderName(name: string): string {
  return encodeURIComponent(name).replace(/[.*'()~!]/g, (sign) => `%${sign.charCodeAt(0)}`);
}
