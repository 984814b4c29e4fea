// SPDX-License-Identifier: Apache-2.0
// Searches all that a module is between two events, its linear memory and its mutable globals, for
// secrets that should not be there: whole, or any 8 bytes of one that lie together.
import type { BareModule } from "../../host/torture/bareModule.ts";
import type { Secret } from "./sealedMessages.ts";

const WINDOW = 8;
/** Globals with less than this are addresses and counts. */
const SMALL = 0x1_0000;
const FILTER_BITS = 20;

interface Window {
  high: number;
  secret: Secret;
  offset: number;
}

/** A secret where it should not be. */
export interface Find {
  secret: Secret;
  /** Address in memory, or the number of a global before the word. */
  place: string;
  /** How many bytes of it lie there together. */
  length: number;
}

export class SecretSearch {
  private readonly filter = new Uint8Array(1 << FILTER_BITS);
  private readonly windows = new Map<number, Window[]>();
  private indexed = 0;

  /** Secrets that `module` holds now though it is no holder of them. */
  search(module: BareModule, secrets: ReadonlyMap<string, Secret>): Find[] {
    this.index(secrets);
    const { instance } = module.snapshot();
    if (instance === null) return [];
    const { memory, globals } = instance;
    const finds: Find[] = [];
    const isForbidden = ({ secret }: Window) => !secret.holders.has(module);
    const words = new DataView(memory.buffer, memory.byteOffset, memory.length);
    for (let at = 0; at + WINDOW <= memory.length; at += 1) {
      const low = words.getUint32(at, true);
      if (this.filter[slotOf(low)] === 0) continue;
      const high = words.getUint32(at + 4, true);
      const found = this.windows.get(low)?.find((one) => one.high === high && isForbidden(one));
      if (found === undefined) continue;
      const { secret, offset } = found;
      let length = WINDOW;
      const { bytes } = secret;
      while (offset + length < bytes.length && memory[at + length] === bytes[offset + length]) {
        length += 1;
      }
      finds.push({ secret, place: `address ${at}`, length });
      at += length - 1;
    }
    for (const [index, value] of globals.entries()) {
      const bits = BigInt.asUintN(typeof value === "bigint" ? 64 : 32, BigInt(value));
      if (bits < SMALL) continue;
      const [low, high] = [Number(bits & 0xffffffffn), Number(bits >> 32n)];
      const is64 = typeof value === "bigint";
      const found = this.windows
        .get(low)
        ?.find((one) => isForbidden(one) && (is64 ? one.high === high : one.offset % 4 === 0));
      if (found !== undefined) {
        finds.push({ secret: found.secret, place: `global ${index}`, length: is64 ? 8 : 4 });
      }
    }
    return finds;
  }

  private index(secrets: ReadonlyMap<string, Secret>): void {
    if (this.indexed === secrets.size) return;
    for (const secret of [...secrets.values()].slice(this.indexed)) {
      const { bytes } = secret;
      const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let offset = 0; offset + WINDOW <= bytes.length; offset += 1) {
        const low = words.getUint32(offset, true);
        const high = words.getUint32(offset + 4, true);
        this.filter[slotOf(low)] = 1;
        const list = this.windows.get(low);
        if (list === undefined) this.windows.set(low, [{ high, secret, offset }]);
        else list.push({ high, secret, offset });
      }
    }
    this.indexed = secrets.size;
  }
}

const slotOf = (word: number) => Math.imul(word, 0x9e3779b1) >>> (32 - FILTER_BITS);
