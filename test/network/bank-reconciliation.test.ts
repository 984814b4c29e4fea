// SPDX-License-Identifier: Apache-2.0
// Money-issued reconciliation: every leaf once, forgers and those who signed twice found out, and a
// crash between any two steps (docs/protocol.md sections 3 and 6).
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import type { Signer } from "../support/noteMaker.ts";
import {
  BANK,
  type Hop,
  type MadeNote,
  RedeemedNotes,
  simpleNote,
  UNIT,
} from "./redeemed-notes.ts";

const hex = (signer: Signer) => bytesToHex(signer.id);

describe("a note that came back", () => {
  it("is entered once with its history, and the module forgets it", async () => {
    const world = new RedeemedNotes();
    const note = simpleNote(world);
    world.cameBack(note, 100);
    await world.reconcile();
    expect(world.held.size).toBe(0);
    expect(world.alarms).toEqual([]);
    const [leaf, ...others] = await world.store.leaves(BANK);
    expect(others).toEqual([]);
    expect(leaf).toMatchObject({
      leaf: note.leaf,
      unit: UNIT,
      startMinor: 0,
      amountMinor: 100,
      lostMinor: 0,
      transferor: hex(world.teller),
      payId: note.payId,
    });
    const [euro] = await world.store.trialBalance(BANK);
    expect(euro).toMatchObject({ issuedMinor: 100, redeemedMinor: 100, reconciledMinor: 100 });
  });

  it("in parts gives the parts their places in the body", async () => {
    const world = new RedeemedNotes();
    const [a, b] = world.people as [Signer, Signer];
    const { body, first } = world.issue(100);
    const back = (amount: number) => ({ to: world.generator, amount });
    const half = { to: a, amount: 60 };
    const later = world.note(body, [
      first,
      { ...half, payId: world.nextPayId() },
      { to: b, amount: 25, offset: 35, sequence: 2 },
      { to: world.teller, amount: 25 },
      back(25),
    ]);
    const rest = world.note(body, [
      first,
      { to: b, amount: 40, offset: 60, sequence: 2 },
      { to: world.teller, amount: 40 },
      back(40),
    ]);
    world.cameBack(later, 25);
    world.cameBack(rest, 40);
    await world.reconcile();
    expect(world.alarms).toEqual([]);
    const places = (await world.store.leaves(BANK)).map((leaf) => [
      leaf.startMinor,
      leaf.amountMinor,
    ]);
    expect(places).toEqual([
      [35, 25],
      [60, 40],
    ]);
    expect(world.balance("losses")).toBe(0);
  });

  it("waits until the payment that brought it is settled", async () => {
    const world = new RedeemedNotes();
    const note = simpleNote(world);
    world.held.set(note.leaf, note.bytes);
    await world.reconcile();
    expect([world.held.size, world.alarms]).toEqual([1, []]);
    world.cameBack(note, 100);
    await world.reconcile();
    expect(world.held.size).toBe(0);
  });
});

describe("a module that signed twice", () => {
  /** Both branches of what X got: X paid A, and paid overlapping money to B. */
  function forked(world: RedeemedNotes, one: Partial<Hop>, two: Partial<Hop> = {}) {
    const [a, b] = world.people as [Signer, Signer];
    const { body, first } = world.issue(100);
    const toThief = { to: world.thief, amount: 100, payId: world.nextPayId() };
    const branch = (hop: Hop) => {
      const { amount } = hop;
      return world.note(body, [
        first,
        toThief,
        hop,
        { to: world.teller, amount },
        { to: world.generator, amount },
      ]);
    };
    const notes = [branch({ to: a, amount: 60, ...one }), branch({ to: b, amount: 60, ...two })];
    return notes as [MadeNote, MadeNote];
  }

  it.each<[string, Partial<Hop>, Partial<Hop>, number]>([
    ["the same part again", {}, {}, 60],
    ["an overlapping part", {}, { offset: 30, amount: 70, sequence: 2 }, 30],
    ["a smaller part of the same", {}, { amount: 10 }, 10],
    [
      "one sequence for two parts",
      { offset: 10, amount: 20, sequence: 2 },
      { offset: 40, amount: 20, sequence: 2 },
      0,
    ],
  ])("is convicted by both of its signatures: %s", async (_what, one, two, lostMinor) => {
    const world = new RedeemedNotes();
    const [before, after] = forked(world, one, two);
    const amounts = [one.amount ?? 60, two.amount ?? 60] as const;
    world.cameBack(before, amounts[0]);
    await world.reconcile();
    expect(world.convicted).toEqual([]);
    world.cameBack(after, amounts[1]);
    await world.reconcile();
    expect(world.convicted).toMatchObject([{ module: hex(world.thief) }]);
    expect(world.balance("losses")).toBe(lostMinor);
    expect(world.held.size).toBe(0);
    const [euro] = await world.store.trialBalance(BANK);
    expect(euro!.issuedMinor).toBe(100);
    expect(euro!.redeemedMinor + euro!.lostMinor).toBe(amounts[0] + amounts[1]);
    const [conviction] = await world.store.convictions(BANK);
    const { first, second: other, parent } = conviction!;
    const keys = { body: "", generator: "", issuePayId: "", parents: [parent] };
    const { transfers } = await world.store.relatedTo(BANK, keys);
    expect(transfers.map(({ hash }) => hash).sort()).toEqual([first, other].sort());
    expect(transfers.every(({ signer }) => signer === hex(world.thief))).toBe(true);
    expect(world.alarms).toEqual([expect.stringContaining(`convicts module ${hex(world.thief)}`)]);
  });

  it("is convicted also by a branch of which only another part came back", async () => {
    const world = new RedeemedNotes();
    const [a, b] = world.people as [Signer, Signer];
    const { body, first } = world.issue(100);
    const toThief = { to: world.thief, amount: 100, payId: world.nextPayId() };
    const piece = (hop: Hop, offset: number) =>
      world.note(body, [
        first,
        toThief,
        hop,
        { to: world.teller, amount: 5, offset, sequence: offset === 0 ? 1 : 2 },
        { to: world.generator, amount: 5 },
      ]);
    const low = piece({ to: a, amount: 60 }, 0);
    const high = piece({ to: b, amount: 60, payId: world.nextPayId() }, 50);
    for (const note of [low, high]) world.cameBack(note, 5);
    await world.reconcile();
    expect(world.convicted).toMatchObject([{ module: hex(world.thief) }]);
    expect(world.balance("losses")).toBe(0);
  });

  it("may be the teller that redeems one leaf twice", async () => {
    const world = new RedeemedNotes();
    const { body, first } = world.issue(100);
    for (const _ of [1, 2]) {
      const note = world.note(body, [first, { to: world.generator, amount: 100 }]);
      world.cameBack(note, 100);
      await world.reconcile();
    }
    expect(world.convicted).toMatchObject([{ module: hex(world.teller) }]);
    expect(world.balance("losses")).toBe(100);
    expect(world.balance("money-issued")).toBe(0);
  });

  it("is told about again when the bank starts, until somebody hears it", async () => {
    const world = new RedeemedNotes();
    const [one, two] = forked(world, {});
    for (const note of [one, two]) world.cameBack(note, 60);
    await world.reconcile();
    expect(await world.store.convictions(BANK)).toHaveLength(1);
    // Entered again: nothing changes.
    world.held.set(two.leaf, two.bytes);
    await world.reconcile();
    expect(await world.store.convictions(BANK)).toHaveLength(1);
    expect([world.held.size, world.balance("losses")]).toEqual([0, 60]);
  });
});

describe("counterfeit money", () => {
  it("is a body whose issue is not in the books: it is told and booked as lost", async () => {
    const world = new RedeemedNotes();
    const forged = world.note(world.body(100), [
      { to: world.teller, amount: 100 },
      { to: world.generator, amount: 100 },
    ]);
    world.issue(100);
    world.cameBack(forged, 100);
    await world.reconcile();
    expect(world.alarms).toEqual([
      expect.stringContaining("counterfeit: Bank of Tests never issued"),
    ]);
    expect([world.balance("losses"), world.balance("money-issued")]).toEqual([100, 100]);
    expect(world.held.size).toBe(0);
  });

  it.each<[string, (world: RedeemedNotes, pay: string) => void]>([
    ["another amount", (world, pay) => world.issued(pay, 99)],
    ["another teller", (world, pay) => world.issued(pay, 100, { peer: hex(world.thief) })],
    ["an issue that was aborted", (world, pay) => world.issued(pay, 100, { state: "released" })],
    ["a payment of another kind", (world, pay) => world.issued(pay, 100, { kind: "redemption" })],
  ])("is a body that names %s", async (_what, issue) => {
    const world = new RedeemedNotes();
    const pay = world.nextPayId();
    issue(world, pay);
    const forged = world.note(world.body(100), [
      { to: world.teller, amount: 100, payId: pay },
      { to: world.generator, amount: 100 },
    ]);
    world.cameBack(forged, 100);
    await world.reconcile();
    expect(world.alarms).toEqual([expect.stringContaining("counterfeit")]);
  });

  it("is the second of two bodies for one issue", async () => {
    const world = new RedeemedNotes();
    const { body, first } = world.issue(100);
    for (const each of [body, world.body(100)]) {
      world.cameBack(world.note(each, [first, { to: world.generator, amount: 100 }]), 100);
    }
    await world.reconcile();
    expect(world.alarms).toEqual([expect.stringContaining("counterfeit")]);
    expect(world.balance("losses")).toBe(100);
  });
});

describe("a process that is killed", () => {
  it("between any two steps of a reconciliation loses nothing", async () => {
    let steps = 0;
    for (let kill = 0; ; kill += 1) {
      const world = new RedeemedNotes();
      const [a] = world.people as [Signer, Signer];
      const { body, first } = world.issue(100);
      const toThief = { to: world.thief, amount: 100, payId: world.nextPayId() };
      const notes = [30, 50].map((amount) =>
        world.note(body, [
          first,
          toThief,
          { to: a, amount },
          { to: world.teller, amount },
          { to: world.generator, amount },
        ]),
      );
      for (const [index, note] of notes.entries()) world.cameBack(note, [30, 50][index]!);
      steps = 0;
      const die = () => {
        steps += 1;
        if (steps === kill) throw new Error("killed");
      };
      const { apply } = world.store;
      world.onCommand = die;
      world.store.apply = async (batch) => {
        die();
        const result = await apply(batch);
        die();
        return result;
      };
      await world.reconcile();
      world.store.apply = apply;
      world.onCommand = () => undefined;
      await world.reconcile();
      expect(world.held.size).toBe(0);
      expect((await world.store.leaves(BANK)).map(({ amountMinor }) => amountMinor)).toEqual([
        30, 50,
      ]);
      expect(await world.store.convictions(BANK)).toMatchObject([{ module: hex(world.thief) }]);
      expect(world.balance("losses")).toBe(30);
      if (kill > steps) break;
    }
    expect(steps).toBeGreaterThan(8);
  });
});
