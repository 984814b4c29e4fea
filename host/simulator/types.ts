// SPDX-License-Identifier: Apache-2.0
// The simulated board's options, events and storage: what tests, the bench and the command line
// see of it. The board contract itself is assembly/board.ts; see board.ts for the board.
import type { Clock } from "../link/clock.ts";
import type { ModuleChannel, Port } from "../link/protocol.ts";

/** Firmware as it is shipped, and the names its device keys are bound to (protocol section 7). */
export interface ImageDescription {
  /** The WebAssembly bytes. */
  bytes: Uint8Array;
  /** Name of the image, at most 24 ASCII bytes; part of what device keys are bound to. */
  name: string;
  /**
   * Ed25519 public key of the release signer; part of what device keys are bound to. A board takes
   * other versions of the image with this signer's statement, and none where it is absent.
   */
  signer?: Uint8Array;
  /** Version of the image; 0 if absent. */
  version?: number;
  /** Lowest version that may read this module's flash; part of what device keys are bound to. */
  minimumVersion?: number;
}

/** Where random bytes come from. Seeded bytes are for tests: the same seed, the same bytes. */
export type RandomSource = { kind: "system" } | { kind: "seeded"; seed: Uint8Array | string };

/** Durable parts of one module. */
export interface ModuleStorage {
  flash: FlashStorage;
  wear: WearStorage;
  counter: CounterStorage;
  /** The highest version of its image that has run: no lower one is started again. */
  versionFloor: CounterStorage;
  /** Two windows of flash for images that were loaded over the link. */
  banks: readonly [FlashStorage, FlashStorage];
}

/** How often each page of a flash window was erased. */
export interface WearStorage {
  /** One number for each page, or null for a window never used. */
  load(): Uint32Array | null;
  /** Makes one page's number durable before it returns. */
  store(page: number, erasures: number): void;
}

/** Backing of a flash window. Pages are FLASH_PAGE_SIZE bytes; 0xFF is erased. */
export interface FlashStorage {
  /** The content to start with, FLASH_SIZE bytes, or null for a window never used. */
  load(): Uint8Array | null;
  /** Makes one changed range durable before it returns. */
  store(offset: number, bytes: Uint8Array): void;
}

/** Backing of a monotonic counter. */
export interface CounterStorage {
  load(): bigint;
  /** Makes the value durable, the old one or the new one after a cut, before it returns. */
  store(value: bigint): void;
}

/** Durable parts of a whole board. */
export interface BoardStorage {
  agent: ModuleStorage;
  module: ModuleStorage;
  /** Times the board was switched on. */
  bootCounter: CounterStorage;
}

/** One flash or counter operation, told before it is done so that power may fail around it. */
export interface StorageOperation {
  channel: ModuleChannel;
  kind: "write" | "erase" | "raise" | "image-write" | "image-erase" | "image-floor";
  /** First byte in the flash window, or in the image's bank; 0 for a raise. */
  offset: number;
  /** Bytes written or erased; 0 for a raise. */
  length: number;
  /** Running number of the operation on this board, from 0. */
  index: number;
  /** What is written, in the image's memory: to be copied by who keeps it. Writes alone have it. */
  bytes?: Uint8Array;
}

/**
 * What the power does at one operation. `tear` cuts within it: each bit that was to change is
 * changed, unchanged or unstable, as the bits of the numbers that `random` returns (32 bits each)
 * decide. A raise is atomic: torn, it is done or not done.
 */
export type PowerDecision = "keep" | "cut-before" | "cut-after" | { tear: () => number };

/** What a board tells those who watch it; each method is optional. */
export interface BoardObserver {
  /** A message between a module and the world, without its port byte. */
  message?(event: {
    channel: ModuleChannel;
    direction: "to-module" | "from-module";
    port: Port;
    id: number;
    body: Uint8Array;
  }): void;
  /** A traced image reached a numbered step of the figures. */
  step?(channel: ModuleChannel, step: number): void;
  /** The module drew random bytes: who hears them knows its secrets, so only tests listen. */
  random?(channel: ModuleChannel, bytes: Uint8Array): void;
  /** The module read the device key of a label; for tests likewise. */
  deviceKey?(channel: ModuleChannel, key: Uint8Array): void;
  /** A flash or counter operation was done. */
  storage?(operation: StorageOperation): void;
  /** An image failed: an assertion at a source position, or a trap. It is started anew. */
  panic?(channel: ModuleChannel, reason: string): void;
  /** Power came or went. */
  power?(isOn: boolean): void;
}

/** How to make a simulated board. At least one of `agent` and `module` is given. */
export interface BoardOptions {
  /** Name told in SYNC, at most 24 ASCII bytes; "simulator" if absent. */
  name?: string;
  /** 32 bytes that every device key is derived from. */
  secret: Uint8Array;
  agent?: ImageDescription;
  module?: ImageDescription;
  random: RandomSource;
  clock: Clock;
  /** In memory if absent. */
  storage?: BoardStorage;
  /** False for a board without monotonic counters; true if absent. */
  hasCounter?: boolean;
  observer?: BoardObserver;
  /** Asked before each storage operation; power stays if absent. */
  power?: (operation: StorageOperation) => PowerDecision;
}

/** What a board counted since it was made; a snapshot does not carry it. */
export interface BoardStatistics {
  panics: number;
  powerCuts: number;
  flashBytesWritten: number;
  pagesErased: number;
  counterRaises: number;
}
