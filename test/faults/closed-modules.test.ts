// SPDX-License-Identifier: Apache-2.0
// Modules that do not open (protocol section 7): an older copy of the flash was put back, or the
// flash is damaged beyond recovery. They say so and why, sign and write nothing any more, and read
// out what can still be proved.
import { serialize } from "node:v8";
import { describe, expect, test } from "vitest";
import { type BareModule, HOST, OWN, PEER } from "../../host/torture/bareModule.ts";
import { Random } from "../../host/torture/random.ts";
import { pay } from "../support/agentStandIn.ts";
import { payingWorld } from "../support/moneyWorld.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";

const [IDENTIFY, EXPORT, LOG] = [1, 8, 9];
const [DAMAGED, ROLLED_BACK] = [50, 51];
const [NOTES, CERTIFICATES] = [2, 3];
const Damage = { NO_HEADER: 1, BATCH_MISSING: 3 } as const;

/** A module that was paid twice; `older` is its state before the second payment. */
function paidModule() {
  const { world, a, b } = payingWorld([5_000]);
  pay(a, b, 300, "first");
  world.settle();
  const { module } = b.node;
  const older = module.snapshot();
  pay(a, b, 200, "second");
  world.settle();
  return { world, module, older };
}

/** Boots the module with another content of its flash. */
function bootWith(module: BareModule, flash: ReturnType<BareModule["snapshot"]>["flash"]): void {
  module.restore({ ...module.snapshot(), flash, instance: null });
  module.reboot();
}

/** All that the module reads out: items of both kinds, and its log. */
function readOut(module: BareModule): unknown[][] {
  const all = (...command: number[]) => {
    const items: unknown[] = [];
    for (let cursor: unknown = 0; cursor !== null; ) {
      const answer = module.ask(...command, cursor);
      expect(answer[0]).toBe(command[0]);
      const [next, item] = answer.slice(-2);
      if (item !== null) items.push(item);
      cursor = next;
    }
    return items;
  };
  return [all(EXPORT, NOTES), all(EXPORT, CERTIFICATES), all(LOG)];
}

const durable = (module: BareModule) => {
  const { flash, counter } = module.snapshot();
  return serialize([flash, counter]);
};

describe("an older copy of the flash is put back", () => {
  test("the module says so, with both numbers, to every command, and signs and writes nothing", () => {
    const { module, older } = paidModule();
    bootWith(module, older.flash);
    const before = durable(module);
    const told = module.ask(IDENTIFY);
    expect(told.slice(0, 4)).toEqual([0, IDENTIFY, ROLLED_BACK, 0]);
    const [sealed, counter] = told.slice(6) as [number, number];
    expect(counter).toBeGreaterThan(sealed + 1);
    for (const command of [2, 3, 4, 5, 6, 7, 10, 11, 30, 80, 81, 89, 200]) {
      expect(module.ask(command).slice(0, 3)).toEqual([0, command, ROLLED_BACK]);
    }
    const tag = new Uint8Array(8);
    for (const kind of [1, 4, 6, 8, 10, 11, 12, 13]) {
      for (const port of [PEER, OWN]) {
        expect(module.deliver(port, encodeCbor([kind, tag, new Uint8Array(40)]))).toEqual([]);
      }
    }
    module.clock.advance(100_000);
    expect(module.tick()).toEqual([]);
    expect(durable(module).equals(before)).toBe(true);
  });

  test("it reads out what it had then; the newest copy put back, it opens", () => {
    const { module, older } = paidModule();
    const newest = module.snapshot();
    const now = readOut(module);
    module.restore(older);
    const then = readOut(module);
    expect(then[0]).not.toEqual(now[0]);
    module.restore(newest);
    bootWith(module, older.flash);
    expect(readOut(module)).toEqual(then);
    bootWith(module, newest.flash);
    expect(module.ask(IDENTIFY)[0]).toBe(IDENTIFY);
    expect(readOut(module)).toEqual(now);
  });
});

describe("flash damaged beyond recovery", () => {
  /** Boots after pages were overwritten; what identify says. */
  function damaged(module: BareModule, pages: number[]): unknown[] {
    const { flash } = module.snapshot();
    const changed = flash.pages.map((page, index) =>
      pages.includes(index) ? new Uint8Array(page.length) : page,
    );
    bootWith(module, { ...flash, pages: changed });
    return module.ask(IDENTIFY);
  }

  test("all of it: no page has a header", () => {
    const { module } = paidModule();
    const told = damaged(
      module,
      Array.from({ length: 32 }, (_, page) => page),
    );
    expect(told.slice(0, 4)).toEqual([0, IDENTIFY, DAMAGED, Damage.NO_HEADER]);
    expect(readOut(module)).toEqual([[], [], []]);
  });

  test("the page where the log begins, or one in its middle: told which, and the rest is read", () => {
    const { module } = paidModule();
    // Each boot opens a page.
    for (let boot = 0; boot < 6; boot += 1) module.reboot();
    const whole = module.snapshot();
    const readable: number[] = [];
    const lost: number[] = [];
    for (let page = 0; page < 32; page += 1) {
      module.restore(whole);
      const told = damaged(module, [page]);
      // Without its newest page the log is an older one.
      if (told[0] !== 0 || told[2] === ROLLED_BACK) continue;
      expect(told.slice(0, 4)).toEqual([0, IDENTIFY, DAMAGED, Damage.BATCH_MISSING]);
      const [last, endsIn] = [told[5] as number, told[4] as number];
      if (last === 0) lost.push(page);
      else {
        // What lies before the damage is readable: first of all who this is.
        readable.push(page);
        expect(endsIn).toBeLessThanOrEqual(page);
        expect(readOut(module)[1]!.length).toBeGreaterThan(0);
      }
    }
    expect(lost).toEqual([0]);
    expect(readable.length).toBeGreaterThan(0);
  });

  test("up to 400 of its bytes: it opens whole or says what it is, and never fails", () => {
    const { module } = paidModule();
    const whole = module.snapshot();
    const random = new Random(5);
    const seen = new Set<unknown>();
    for (let round = 0; round < 60; round += 1) {
      module.restore(whole);
      const pages = whole.flash.pages.map((page) => page.slice());
      const hits = 1 + random.below(400);
      for (let hit = 0; hit < hits; hit += 1) {
        const page = pages[random.below(pages.length)]!;
        page[random.below(page.length)]! ^= 0xff;
      }
      bootWith(module, { ...whole.flash, pages });
      const told = module.ask(IDENTIFY);
      seen.add(told[0] === 0 ? told[2] : "opens");
      readOut(module);
      expect(module.deliver(HOST, encodeCbor([2]))).toHaveLength(1);
    }
    expect(seen.has(DAMAGED)).toBe(true);
  });
});
