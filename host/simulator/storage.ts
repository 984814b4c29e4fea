// SPDX-License-Identifier: Apache-2.0
// Where a simulated board keeps its flash windows and counters: in memory, or in files of one
// directory, written through, so that a killed process loses at most what flash itself may lose.
// Files are not synchronised to the disk: a power cut of the computer may lose the last changes.
// Words that a simulated power cut left unstable are kept as they read last. One process at a time
// may use a directory.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { writeWholeFile } from "../wholeFile.ts";
import type {
  BoardStorage,
  CounterStorage,
  FlashStorage,
  ModuleStorage,
  WearStorage,
} from "./types.ts";
import { FLASH_PAGE_SIZE, FLASH_SIZE } from "./virtualFlash.ts";

const PAGE_COUNT = FLASH_SIZE / FLASH_PAGE_SIZE;

/** Storage that lasts as long as the object does; a board made on it again finds what it left. */
export function memoryStorage(): BoardStorage {
  const moduleStorage = (): ModuleStorage => ({
    flash: memoryFlash(),
    wear: memoryWear(),
    counter: memoryCounter(),
    versionFloor: memoryCounter(),
    banks: [memoryFlash(), memoryFlash()],
  });
  return { agent: moduleStorage(), module: moduleStorage(), bootCounter: memoryCounter() };
}

function memoryFlash(): FlashStorage {
  let content: Uint8Array | null = null;
  return {
    load: () => content?.slice() ?? null,
    store: (offset, bytes) => {
      content ??= new Uint8Array(FLASH_SIZE).fill(0xff);
      content.set(bytes, offset);
    },
  };
}

function memoryWear(): WearStorage {
  const erasures = new Uint32Array(PAGE_COUNT);
  return {
    load: () => erasures.slice(),
    store: (page, count) => {
      erasures[page] = count;
    },
  };
}

function memoryCounter(): CounterStorage {
  let value = 0n;
  return {
    load: () => value,
    store: (next) => {
      value = next;
    },
  };
}

/** Storage in a directory, made if absent; `close` gives the files back. */
export function fileStorage(directory: string): BoardStorage & { close(): void } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const open: { close(): void }[] = [];
  const flash = (name: string): FlashStorage => {
    const opened = fileFlash(join(directory, name));
    open.push(opened);
    return opened;
  };
  const moduleStorage = (name: string): ModuleStorage => ({
    flash: flash(`${name}.flash`),
    wear: fileWear(join(directory, `${name}.wear`)),
    counter: fileCounter(join(directory, `${name}.counter`)),
    versionFloor: fileCounter(join(directory, `${name}.version`)),
    banks: [flash(`${name}.bank0`), flash(`${name}.bank1`)],
  });
  return {
    agent: moduleStorage("agent"),
    module: moduleStorage("module"),
    bootCounter: fileCounter(join(directory, "boots")),
    close: () => {
      for (const file of open) file.close();
    },
  };
}

/** 32 numbers of 4 bytes, little-endian. */
function fileWear(path: string): WearStorage {
  const load = (): Uint32Array | null => {
    if (!existsSync(path)) return null;
    const bytes = readFileSync(path);
    if (bytes.length !== 4 * PAGE_COUNT) {
      throw new Error(`${path} does not hold ${PAGE_COUNT} numbers: the storage is damaged.`);
    }
    return Uint32Array.from({ length: PAGE_COUNT }, (_, page) => bytes.readUInt32LE(4 * page));
  };
  return {
    load,
    store: (page, erasures) => {
      const bytes = Buffer.alloc(4 * PAGE_COUNT);
      for (const [index, count] of (load() ?? []).entries()) bytes.writeUInt32LE(count, 4 * index);
      bytes.writeUInt32LE(erasures, 4 * page);
      writeWholeFile(path, bytes);
    },
  };
}

function fileFlash(path: string): FlashStorage & { close(): void } {
  let descriptor: number | null = null;
  return {
    load: () => (existsSync(path) ? new Uint8Array(readFileSync(path)) : null),
    store: (offset, bytes) => {
      if (descriptor === null) {
        if (!existsSync(path)) writeWholeFile(path, new Uint8Array(FLASH_SIZE).fill(0xff));
        descriptor = openSync(path, "r+");
      }
      writeSync(descriptor, bytes, 0, bytes.length, offset);
    },
    close: () => {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
    },
  };
}

function fileCounter(path: string): CounterStorage {
  return {
    load: () => {
      if (!existsSync(path)) return 0n;
      const text = readFileSync(path, "utf8");
      if (!/^\d{1,20}\n$/.test(text)) {
        throw new Error(`${path} does not hold a counter: the board's storage is damaged.`);
      }
      return BigInt(text.trim());
    },
    store: (value) => writeWholeFile(path, `${value}\n`),
  };
}
