// SPDX-License-Identifier: Apache-2.0
// The ledger's contract, for every store: balanced, atomic, idempotent, never overdrawn.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccountKind,
  LOSS_LEG,
  type LedgerBatch,
  type LedgerStore,
} from "../../host/network/bank/ledger.ts";
import type { RedeemedLeaf, RedeemedNote } from "../../host/network/bank/redeemedNotes.ts";

const MODULE = "00000000000000aa";
const CONVICTION = { module: "m", parent: "p", unit: "EUR", atSeconds: 1_800_000_000 };
let banks = 0;

/** A new bank with a reserve of its opening deposits, in a store that other tests share. */
export async function openBank(store: LedgerStore, aliceMinor = 1000): Promise<string> {
  banks += 1;
  const bank = `bank ${banks}`;
  const account = (name: string, kind: AccountKind, unit = "EUR") => ({
    account: name,
    owner: name,
    unit,
    kind,
    drawers: name === "alice" ? [MODULE] : [],
  });
  const result = await store.apply({
    bank,
    open: [
      account("reserve", "reserve"),
      account("alice", "deposit"),
      account("bob", "deposit"),
      account("transit", "in-transit"),
      account("issued", "money-issued"),
      account("stock", "notes-on-hand"),
      account("losses", "losses"),
      account("yen", "deposit", "JPY"),
    ],
    entry: entry("opening", "alice", [
      ["reserve", aliceMinor],
      ["alice", -aliceMinor],
    ]),
  });
  expect(result).toEqual({ status: "applied" });
  return bank;
}

export function entry(transaction: string, leg: string, lines: [string, number][]) {
  return {
    transaction,
    leg,
    atSeconds: 1_800_000_000,
    lines: lines.map(([account, debitMinor]) => ({ account, debitMinor })),
  };
}

/** Moves money from alice to the in-transit account, as a hold does. */
export function hold(bank: string, payId: string, amountMinor: number): LedgerBatch {
  return {
    bank,
    payment: {
      expected: null,
      record: {
        module: "teller",
        payId,
        kind: "withdrawal",
        peer: MODULE,
        account: "alice",
        amountMinor,
        unit: "EUR",
        state: "held",
      },
    },
    drawnBy: { account: "alice", module: MODULE },
    entry: entry(payId, "hold", [
      ["alice", amountMinor],
      ["transit", -amountMinor],
    ]),
    mustCover: ["alice"],
  };
}

/** A redeemed note of one transfer, as the index has it. */
export function redeemedNote(leaf: string, more: Partial<RedeemedLeaf> = {}): RedeemedNote {
  return {
    leaf: {
      leaf,
      body: "body",
      noteId: "note",
      unit: "EUR",
      startMinor: 0,
      amountMinor: 30,
      lostMinor: 0,
      generator: "g",
      issuePayId: "i",
      transferor: "t",
      payId: "p",
      atSeconds: 1_800_000_000,
      ...more,
    },
    transfers: [
      {
        hash: `transfer ${leaf}`,
        parent: `parent of ${leaf}`,
        sequence: 1,
        offsetMinor: 0,
        amountMinor: 30,
        payId: `payment ${leaf}`,
        signer: "t",
        signed: "00",
      },
    ],
    convictions: [],
  };
}

export async function balance(store: LedgerStore, bank: string, account: string): Promise<number> {
  return (await store.account(bank, account))!.balanceMinor;
}

/** Declares the tests; `open` is asked within each of them. */
export function ledgerContract(name: string, open: () => LedgerStore): void {
  describe(`the ledger in ${name}`, () => {
    it("posts a balanced entry and shows it", async () => {
      const store = open();
      const bank = await openBank(store);
      expect(await balance(store, bank, "alice")).toBe(1000);
      expect(await balance(store, bank, "reserve")).toBe(1000);
      expect(await store.entries(bank, "opening")).toEqual([
        entry("opening", "alice", [
          ["reserve", 1000],
          ["alice", -1000],
        ]),
      ]);
      expect((await store.accounts(bank)).map(({ account }) => account)).toEqual([
        "alice",
        "bob",
        "issued",
        "losses",
        "reserve",
        "stock",
        "transit",
        "yen",
      ]);
      expect((await store.trialBalance(bank))[0]).toMatchObject({
        unit: "EUR",
        debitMinor: 1000,
        creditMinor: 1000,
      });
    });

    it.each([
      [
        "not balanced",
        [
          ["alice", 5],
          ["bob", -4],
        ],
      ],
      [
        "not balanced",
        [
          ["alice", 5],
          ["yen", -5],
        ],
      ],
      [
        "unknown account",
        [
          ["alice", 5],
          ["carol", -5],
        ],
      ],
      [
        "amount out of range",
        [
          ["alice", 0.5],
          ["bob", -0.5],
        ],
      ],
      [
        "amount out of range",
        [
          ["alice", 0],
          ["bob", 0],
        ],
      ],
      [
        "amount out of range",
        [
          ["bob", -Number.MAX_SAFE_INTEGER],
          ["alice", Number.MAX_SAFE_INTEGER],
          ["bob", -5],
          ["reserve", 5],
        ],
      ],
    ] as [string, [string, number][]][])("refuses an entry: %s %j", async (reason, lines) => {
      const store = open();
      const bank = await openBank(store);
      const before = await store.accounts(bank);
      const result = await store.apply({ bank, entry: entry("x", "y", lines) });
      expect(result).toEqual({ status: "refused", reason });
      expect(await store.accounts(bank)).toEqual(before);
      expect(await store.entries(bank, "x")).toEqual([]);
    });

    it("posts under one key once, and refuses other lines under it", async () => {
      const store = open();
      const bank = await openBank(store);
      const move = (amountMinor: number) => ({
        bank,
        entry: entry("m", "1", [
          ["alice", amountMinor],
          ["bob", -amountMinor],
        ]),
      });
      expect(await store.apply(move(7))).toEqual({ status: "applied" });
      expect(await store.apply(move(7))).toEqual({ status: "repeated" });
      expect(await store.apply(move(8))).toEqual({ status: "refused", reason: "entry differs" });
      expect(await balance(store, bank, "bob")).toBe(7);
    });

    it("holds only what is there, for a module that may draw, and once", async () => {
      const store = open();
      const bank = await openBank(store, 100);
      expect(await store.apply(hold(bank, "p1", 101))).toEqual({
        status: "refused",
        reason: "insufficient funds",
      });
      const foreign = { ...hold(bank, "p1", 50), drawnBy: { account: "alice", module: "ff" } };
      expect(await store.apply(foreign)).toEqual({
        status: "refused",
        reason: "module not permitted",
      });
      const ownBooks = { ...hold(bank, "p1", 50), drawnBy: { account: "stock", module: MODULE } };
      expect(await store.apply(ownBooks)).toEqual({ status: "refused", reason: "unknown account" });
      expect(await store.openPayments(bank)).toEqual([]);
      expect(await store.apply(hold(bank, "p1", 100))).toEqual({ status: "applied" });
      expect(await store.apply(hold(bank, "p1", 100))).toEqual({ status: "conflict" });
      expect(await store.openPayments(bank)).toEqual([hold(bank, "p1", 100).payment!.record]);
      expect(await balance(store, bank, "alice")).toBe(0);
      expect((await store.trialBalance(bank))[0]?.inTransitMinor).toBe(100);
    });

    it("changes a payment's state only from the expected one", async () => {
      const store = open();
      const bank = await openBank(store);
      await store.apply(hold(bank, "p1", 40));
      const record = { ...hold(bank, "p1", 40).payment!.record, state: "settled" as const };
      const settle: LedgerBatch = {
        bank,
        payment: { expected: "held", record },
        entry: entry("p1", "settle", [
          ["transit", 40],
          ["stock", -40],
        ]),
      };
      expect(await store.apply(settle)).toEqual({ status: "applied" });
      expect(await store.apply(settle)).toEqual({ status: "conflict" });
      expect(await store.payment(bank, "teller", "p1")).toEqual(record);
      expect(await store.openPayments(bank)).toEqual([]);
      expect(await balance(store, bank, "transit")).toBe(0);
    });

    it("lets one of two racing withdrawals have the balance", async () => {
      const store = open();
      const bank = await openBank(store, 100);
      const results = await Promise.all([
        store.apply(hold(bank, "p1", 80)),
        store.apply(hold(bank, "p2", 80)),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(["applied", "refused"]);
      expect(await balance(store, bank, "alice")).toBe(20);
    });

    it("opens an account once and refuses another under its name", async () => {
      const store = open();
      const bank = await openBank(store);
      const { balanceMinor: _, ...alice } = (await store.account(bank, "alice"))!;
      expect(await store.apply({ bank, open: [alice] })).toEqual({ status: "applied" });
      expect(await balance(store, bank, "alice")).toBe(1000);
      expect(await store.apply({ bank, open: [{ ...alice, unit: "USD" }] })).toEqual({
        status: "refused",
        reason: "account differs",
      });
    });

    it("lets a module draw once it is admitted, and keeps those before it", async () => {
      const store = open();
      const bank = await openBank(store);
      const admit = (account: string) => store.apply({ bank, admit: { account, module: "ff" } });
      expect(await admit("stock")).toEqual({ status: "refused", reason: "unknown account" });
      expect(await admit("alice")).toEqual({ status: "applied" });
      expect(await admit("alice")).toEqual({ status: "applied" });
      expect((await store.account(bank, "alice"))?.drawers).toEqual([MODULE, "ff"]);
      const drawn = { ...hold(bank, "p1", 50), drawnBy: { account: "alice", module: "ff" } };
      expect(await store.apply(drawn)).toEqual({ status: "applied" });
    });

    it("enters each leaf once and tells what is related to a note", async () => {
      const store = open();
      const bank = await openBank(store);
      const note = redeemedNote("a", { body: "B" });
      expect(await store.apply({ bank, redeemed: note })).toEqual({ status: "applied" });
      const again = { ...note, leaf: { ...note.leaf, amountMinor: 31 } };
      expect(await store.apply({ bank, redeemed: again })).toEqual({ status: "repeated" });
      const other = redeemedNote("b", { body: "C" });
      const conviction = { ...CONVICTION, first: "transfer a", second: "transfer b" };
      const convicting = { ...other, convictions: [conviction] };
      expect(await store.apply({ bank, redeemed: convicting })).toEqual({ status: "applied" });
      expect(await store.leaves(bank)).toEqual([note.leaf, other.leaf]);
      expect(await store.convictions(bank)).toEqual([conviction]);
      expect((await store.trialBalance(bank))[0]?.reconciledMinor).toBe(60);
      const keys = { body: "B", generator: "g", issuePayId: "i", parents: ["parent of a", "x"] };
      expect(await store.relatedTo(bank, keys)).toEqual({
        leaves: [note.leaf],
        transfers: note.transfers,
        otherBody: "C",
        aborted: [],
      });
      const strange = { ...keys, body: "D", issuePayId: "j", parents: [] };
      const none = { leaves: [], transfers: [], otherBody: undefined, aborted: [] };
      expect(await store.relatedTo(bank, strange)).toEqual(none);
      expect(await store.relatedTo("another bank", keys)).toEqual(none);
    });

    it("keeps what is said to be aborted, whom that acquits and whom it convicts", async () => {
      const store = open();
      const bank = await openBank(store);
      const [a, b] = [redeemedNote("a"), redeemedNote("b")];
      const follower = { ...b.transfers[0]!, hash: "follower", parent: "transfer a" };
      const conviction = { ...CONVICTION, first: "transfer a", second: "transfer b" };
      await store.apply({ bank, redeemed: a });
      const second = { ...b, transfers: [...b.transfers, follower], convictions: [conviction] };
      await store.apply({ bank, redeemed: second });
      expect(await store.transfersOf(bank, "payment a")).toEqual([a.transfers[0], follower]);
      expect(await store.transfersOf(bank, "payment c")).toEqual([]);
      const statement = {
        payId: "payment a",
        answerer: "d",
        atSeconds: 1_800_000_000,
        hash: "statement",
        signed: "00",
      };
      const guilty = { ...CONVICTION, module: "d", first: "statement", second: "follower" };
      const aborted = { statement, acquitting: ["transfer a"], convictions: [guilty] };
      expect(await store.apply({ bank, aborted })).toEqual({ status: "applied" });
      await store.apply({ bank, aborted });
      expect(await store.aborted(bank)).toEqual([statement]);
      expect(await store.convictions(bank)).toEqual([guilty]);
      const keys = { body: "", generator: "", issuePayId: "", parents: [] };
      expect((await store.relatedTo(bank, keys)).aborted).toEqual([statement]);
    });

    it("counts what was issued, what of it came back, and what was lost", async () => {
      const store = open();
      const bank = await openBank(store);
      const post = (transaction: string, leg: string, debited: string, amountMinor: number) =>
        store.apply({
          bank,
          entry: entry(transaction, leg, [
            [debited, amountMinor],
            [debited === "issued" ? "stock" : "issued", -amountMinor],
          ]),
        });
      await post("p1", "settled", "stock", 100);
      await post("p2", "settled", "issued", 70);
      await post("p3", LOSS_LEG, "losses", 20);
      expect((await store.trialBalance(bank))[0]).toMatchObject({
        issuedMinor: 100,
        redeemedMinor: 50,
        lostMinor: 20,
        onHandMinor: 30,
      });
    });

    it("lists the newest entries, of all accounts or of one", async () => {
      const store = open();
      const bank = await openBank(store);
      const moved = (name: string) =>
        entry(name, "1", [
          ["alice", 1],
          ["bob", -1],
        ]);
      for (const name of ["m1", "m2", "m3"]) await store.apply({ bank, entry: moved(name) });
      const last = [moved("m2"), moved("m3")];
      expect(await store.journal(bank, { limit: 2 })).toEqual(last);
      expect(await store.journal(bank, { limit: 2, account: "bob" })).toEqual(last);
      expect(await store.journal(bank, { limit: 9, account: "bob" })).toHaveLength(3);
      expect(await store.journal(bank, { limit: 9, account: "stock" })).toEqual([]);
    });

    it("applies batches of several banks together or not at all", async () => {
      const store = open();
      const [one, two] = [await openBank(store), await openBank(store, 10)];
      const move = (bank: string, amountMinor: number) => ({
        bank,
        entry: entry("between", "1", [
          ["alice", amountMinor],
          ["bob", -amountMinor],
        ]),
        mustCover: ["alice"],
      });
      expect(await store.applyTogether([move(one, 11), move(two, 11)])).toEqual({
        status: "refused",
        reason: "insufficient funds",
      });
      expect(await balance(store, one, "alice")).toBe(1000);
      expect(await store.applyTogether([move(one, 10), move(two, 10)])).toEqual({
        status: "applied",
      });
      expect([await balance(store, one, "alice"), await balance(store, two, "alice")]).toEqual([
        990, 0,
      ]);
      expect(await store.applyTogether([move(one, 10), move(two, 10)])).toEqual({
        status: "repeated",
      });
    });

    it("closes a customer's account to what is new, not to what is owed to it", async () => {
      const store = open();
      const bank = await openBank(store);
      const close = (account: string) => store.apply({ bank, close: account });
      expect(await close("stock")).toEqual({ status: "refused", reason: "unknown account" });
      expect(await store.apply(hold(bank, "p1", 40))).toEqual({ status: "applied" });
      expect(await close("alice")).toEqual({ status: "applied" });
      expect(await close("alice")).toEqual({ status: "applied" });
      const refusal = { status: "refused", reason: "account closed" };
      expect(await store.apply(hold(bank, "p2", 40))).toEqual(refusal);
      const paid = { bank, paidInto: { account: "alice", unit: "EUR" } };
      expect(await store.apply(paid)).toEqual(refusal);
      const released = entry("p1", "released", [
        ["transit", 40],
        ["alice", -40],
      ]);
      expect(await store.apply({ bank, entry: released })).toEqual({ status: "applied" });
      expect(await store.account(bank, "alice")).toMatchObject({
        isClosed: true,
        balanceMinor: 1000,
      });
    });

    it.each([
      ["carol", "EUR", "unknown account"],
      ["stock", "EUR", "unknown account"],
      ["alice", "JPY", "other unit"],
    ])("agrees to no payment into %s in %s", async (account, unit, reason) => {
      const store = open();
      const bank = await openBank(store);
      expect(await store.apply({ bank, paidInto: { account, unit } })).toEqual({
        status: "refused",
        reason,
      });
    });

    it("stays balanced whatever is posted", async () => {
      const names = ["alice", "bob", "reserve", "stock", "issued", "yen", "nobody"];
      const line = fc.tuple(fc.constantFrom(...names), fc.integer({ min: -50, max: 50 }));
      const lines = fc.array(line, { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(fc.array(lines, { maxLength: 8 }), async (entries) => {
          const store = open();
          const bank = await openBank(store);
          for (const [index, some] of entries.entries()) {
            // Half of them are made to balance in number, though perhaps not in unit.
            const rest = -some.reduce((sum, [, amountMinor]) => sum + amountMinor, 0);
            const posted = index % 2 === 0 ? [...some, ["bob", rest] as [string, number]] : some;
            await store.apply({
              bank,
              entry: entry(`t${index}`, "1", posted),
              mustCover: ["alice"],
            });
          }
          for (const { debitMinor, creditMinor } of await store.trialBalance(bank)) {
            expect(debitMinor).toBe(creditMinor);
          }
          expect(await balance(store, bank, "alice")).toBeGreaterThanOrEqual(0);
          const sums = new Map<string, number>();
          for (const { unit, kind, balanceMinor } of await store.accounts(bank)) {
            const sign = kind === "reserve" || kind === "notes-on-hand" ? 1 : -1;
            sums.set(unit, (sums.get(unit) ?? 0) + sign * balanceMinor);
          }
          expect([...sums.values()]).toEqual([0, 0]);
        }),
        { numRuns: 25, seed: 4 },
      );
    });
  });
}
