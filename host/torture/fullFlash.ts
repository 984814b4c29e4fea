// SPDX-License-Identifier: Apache-2.0
// A flash that is full (docs/protocol.md rule 4.1): all room of a module's journal that is neither
// used nor promised is taken by other records, as notes, tickets and lists may take it in life. They
// are told to the journal's count of what lives (assembly/flash/index.ts) and written nowhere; how
// a flash full of real ones behaves, test/faults/journal-limits knows.
import type { BareModule } from "./bareModule.ts";

/** `LIVE_LIMIT` of assembly/flash/format.ts: room for records, in bytes of flash. */
const LIVE_LIMIT = 19 * (4096 - 40);
/** What the objects are long in memory, as their heads say; and where their fields lie. */
const JOURNAL_SIZE = 24;
const INDEX_SIZE = 8;
const PENDING_SIZE = 20;
const RECOVERY_SIZE = 28;
const [INDEX_AT, PENDING_AT, RECOVERY_AT, OPEN_AT, RESERVED_AT] = [4, 8, 12, 16, 20] as const;
const LIVE_AT = 4;
/** Before an object lies its head, whose last word is its length. */
const HEAD_SIZE = 20;
const LENGTH_AT = -4;

export class FullFlash {
  /** Bytes that other records take, by full module. */
  private readonly taken = new Map<BareModule, number>();

  /** From now on this module's flash is full, after each boot too. */
  begin(module: BareModule): void {
    if (!this.taken.has(module)) this.taken.set(module, 0);
    this.fill(module);
  }

  /** Takes the room that a module has gained, if its flash is to be full. */
  fill(module: BareModule): void {
    const before = this.taken.get(module);
    if (before === undefined) return;
    const taken = changeLive(module, (live, reserved) => Math.max(0, LIVE_LIMIT - live - reserved));
    this.taken.set(module, before + taken);
  }

  /** A module lost its power: it counts anew at its next start. */
  forget(module: BareModule): void {
    if (this.taken.has(module)) this.taken.set(module, 0);
  }

  /** The other records are removed. */
  end(): void {
    for (const [module, taken] of this.taken) if (taken > 0) changeLive(module, () => -taken);
    this.taken.clear();
  }
}

/** Bytes that a module's journal may still give away; null without power or with no open journal. */
export function freeBytes(module: BareModule): number | null {
  let free: number | null = null;
  changeLive(module, (live, reserved) => {
    free = LIVE_LIMIT - live - reserved;
    return 0;
  });
  return free;
}

/** Adds to the bytes that live in a module's journal; how many, 0 where none is open. */
function changeLive(module: BareModule, by: (live: number, reserved: number) => number): number {
  const snapshot = module.snapshot();
  if (snapshot.instance === null) return 0;
  const { memory, globals } = snapshot.instance;
  const words = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const journal = journalIn(words, globals, module.image);
  // A journal that does not open, an old flash image's, has no room to give.
  if (words.getUint8(journal + OPEN_AT) === 0) return 0;
  const liveAt = words.getUint32(journal + INDEX_AT, true) + LIVE_AT;
  const live = words.getInt32(liveAt, true);
  const change = by(live, words.getInt32(journal + RESERVED_AT, true));
  if (change === 0) return 0;
  words.setInt32(liveAt, live + change, true);
  module.restore(snapshot);
  return change;
}

const addresses = new Map<string, number>();

/** The one object of a journal's form that a global names. @throws {Error} if there is not one */
function journalIn(words: DataView, globals: readonly (number | bigint)[], image: string): number {
  const known = addresses.get(image);
  if (known !== undefined && isJournal(words, known)) return known;
  const found = new Set(globals.map(Number).filter((address) => isJournal(words, address)));
  const [journal] = found;
  if (journal === undefined || found.size > 1) {
    throw new Error(`The journal in the memory of ${image} is not found: has its form changed?`);
  }
  addresses.set(image, journal);
  return journal;
}

function isJournal(words: DataView, address: number): boolean {
  if (!hasLength(words, address, JOURNAL_SIZE)) return false;
  const isOf = (at: number, length: number) =>
    hasLength(words, words.getUint32(address + at, true), length);
  return (
    isOf(INDEX_AT, INDEX_SIZE) && isOf(PENDING_AT, PENDING_SIZE) && isOf(RECOVERY_AT, RECOVERY_SIZE)
  );
}

function hasLength(words: DataView, address: number, length: number): boolean {
  const isInside = address >= HEAD_SIZE && address + length <= words.byteLength;
  return isInside && address % 4 === 0 && words.getUint32(address + LENGTH_AT, true) === length;
}
