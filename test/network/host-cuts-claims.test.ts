// SPDX-License-Identifier: Apache-2.0
// The Certification Agency killed at each line between a claim's filing and its verdict, and an
// issuer at each line of its reconciliation (protocol rules 4.13 and 6): whatever line it was, the
// books and records are afterwards those of a host that nobody killed.
import { bytesToHex } from "@noble/hashes/utils.js";
import { expect, it } from "vitest";
import { systemClock } from "../../host/link/clock.ts";
import { LAG_SECONDS } from "../../host/network/agency/claims.ts";
import { ClaimsDesk } from "../../host/network/agency/claimsDesk.ts";
import { sqlClaimStore } from "../../host/network/agency/sqlClaims.ts";
import { type BankDevice, BankService } from "../../host/network/bank/bankService.ts";
import { openBankBatch, openDepositBatch } from "../../host/network/bank/chart.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import type { Row } from "../../host/network/store/database.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";
import { Refusal } from "../../host/trust/claims.ts";
import { signObject } from "../../host/trust/cose.ts";
import type { Signer } from "../support/noteMaker.ts";
import { AMOUNT, ClaimedMoney, HORIZON, PAY_ID } from "./claimed-money.ts";
import { useBooks } from "./cuts/life.ts";
import { commandName } from "./cuts/merchantAgent.ts";
import { HostProcess, Knife, never, rest } from "./cuts/process.ts";
import { BANK, type Hop, UNIT } from "./redeemed-notes.ts";

const OTHER_BANK = "Other Bank";
const ACCOUNT = `ben:${UNIT}`;
const TABLES = "lines entries payments accounts leaves transfers convictions aborted";

const books = useBooks([]);

/** What hosts leave behind: every table, but for the order in which rows came. */
async function everything(): Promise<Record<string, Row[]>> {
  const found: Record<string, Row[]> = {};
  for (const table of [...TABLES.split(" ").map((name) => `ledger_${name}`), "agency_claims"]) {
    const rows = await books().query(`SELECT * FROM ${table}`);
    const plain = rows.map(({ number: _, ...row }) => row);
    found[table] = plain.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return found;
}

class Life {
  readonly money: ClaimedMoney;
  readonly knife: Knife;
  readonly alarms: string[] = [];
  /** Modules that the agency put on its list. */
  readonly listed = new Set<string>();
  private nowSeconds = START_SECONDS;

  constructor(money: ClaimedMoney, cutAt?: number) {
    this.money = money;
    this.knife = new Knife(cutAt);
  }

  /** Books in which the claimed money was issued. */
  async open(): Promise<void> {
    for (const table of TABLES.split(" ")) await books().query(`DELETE FROM ledger_${table}`);
    await books().query("DELETE FROM agency_claims");
    const store = sqlLedgerStore(books());
    for (const bank of [BANK, OTHER_BANK]) {
      await store.apply(openBankBatch(bank, [UNIT], { [UNIT]: [BANK] }));
      const deposit = { account: ACCOUNT, owner: "ben", unit: UNIT, drawers: [] };
      await store.apply(openDepositBatch(bank, { ...deposit, openingMinor: 0 }, START_SECONDS));
    }
    const { world, held } = this.money;
    world.store = store;
    world.held.clear();
    world.issued(held.hops[0]!.payId!, 100);
    await rest(this.knife);
  }

  /** Starts a host, and once more where it is killed. */
  async run(start: (process: HostProcess) => Promise<void>): Promise<void> {
    let isDone = false;
    for (let starts = 0; starts < 2 && !isDone; starts += 1) {
      void start(new HostProcess("the host", this.knife)).then(() => {
        isDone = true;
      });
      // Messages and signatures go between no hosts here: what rests is done or dead.
      await rest(this.knife);
    }
    expect(isDone).toBe(true);
  }

  /** The agency takes a claim, hears whoever speaks against it, and decides when it is due. */
  agency(account: string, speaks?: Uint8Array) {
    const { claim, drafts } = this.money.made({ account });
    return async (process: HostProcess) => {
      const own = process.over(books());
      const bank = this.bank(process);
      const desk = new ClaimsDesk({
        agency: this.money.agency,
        claims: sqlClaimStore(own),
        ledger: sqlLedgerStore(own),
        nowSeconds: () => this.nowSeconds,
        onAborted: (statement) => bank.takeAborted(statement),
        onConviction: ({ module }) => this.list(process, module),
      });
      this.nowSeconds = START_SECONDS + 3_600;
      await desk.file(claim, drafts);
      if (speaks) await desk.showAborted(speaks);
      this.nowSeconds = HORIZON + LAG_SECONDS;
      await desk.decideDue();
    };
  }

  /** The issuer works off what lies in its generator. */
  async issuer(process: HostProcess): Promise<void> {
    const bank = this.bank(process);
    const device = this.money.world.device();
    await bank.open([UNIT], []);
    const killable: BankDevice = {
      onEvent: device.onEvent,
      command: async (target, body) => {
        const answer = process.does(commandName(body), () => device.command(target, body));
        if (answer === undefined) return never();
        const bytes = await answer;
        return process.isAlive ? bytes : never();
      },
    };
    await bank.attachGenerator(bytesToHex(this.money.world.generator.id), killable);
    await bank.settled();
  }

  private bank(process: HostProcess): BankService {
    const generators = [bytesToHex(this.money.world.generator.id)];
    const others = { correspondentTellers: {}, correspondentGenerators: {} };
    const settings = {
      bank: BANK,
      tellers: [],
      generators,
      ...others,
      issuers: { [UNIT]: [BANK] },
    };
    return new BankService(settings, sqlLedgerStore(process.over(books())), {
      nowSeconds: () => this.nowSeconds,
      clock: systemClock,
      moduleRoot: this.money.world.agency.moduleRoot,
      onAlarm: (text) => this.alarms.push(text),
      onConviction: ({ module }) => this.list(process, module),
      onAcquittal: () => Promise.resolve(),
    });
  }

  private async list(process: HostProcess, module: string): Promise<void> {
    await process.comesTo("before the list");
    this.listed.add(module);
    await process.comesTo("after the list");
  }
}

/** Lives once, and once more for each line; every life must leave behind what the first did. */
async function killAtEachLine(live: (life: Life) => Promise<void>) {
  const money = new ClaimedMoney();
  const calm = new Life(money);
  await calm.open();
  await live(calm);
  const whole = await everything();
  const lines = calm.knife.reached;
  for (let cutAt = 1; cutAt <= lines; cutAt += 1) {
    const life = new Life(money, cutAt);
    await life.open();
    await live(life);
    expect(life.knife.where).toBeDefined();
    const where = `line ${cutAt}, ${life.knife.where}`;
    expect(await everything(), where).toEqual(whole);
    expect([...life.listed], where).toEqual([...calm.listed]);
    expect(life.money.world.held.size, where).toBe(0);
  }
  return { lines, whole, calm };
}

const sums = (rows: Row[]) => rows.reduce((sum, row) => sum + Number(row.debit_minor), 0);

it.each([
  { bank: BANK, legs: 1, least: 15 },
  { bank: OTHER_BANK, legs: 2, least: 22 },
])(
  "a claim paid at $bank: once, at each of $least lines or more",
  async ({ bank, legs, least }) => {
    const { lines, whole } = await killAtEachLine((life) =>
      life.run(life.agency(`${ACCOUNT}@${bank}`)),
    );
    expect(lines).toBeGreaterThanOrEqual(least);
    expect(whole.agency_claims).toMatchObject([{ state: "paid", refusal: Refusal.NONE }]);
    expect(whole.ledger_entries!.filter(({ leg }) => leg === "claim")).toHaveLength(legs);
    expect(sums(whole.ledger_lines!)).toBe(0);
    const account = whole.ledger_accounts!.find((row) => row.bank === bank && row.owner === "ben");
    expect(Number(account!.balance_minor)).toBe(AMOUNT);
  },
);

it("a claim that its payer's signed `aborted` defeats: at each of 8 lines or more", async () => {
  const { lines, whole } = await killAtEachLine((life) => {
    const { payer } = life.money;
    const payload = encodeCbor([PAY_ID, payer.id, 1, START_SECONDS]);
    const word = signObject("florin/answer", payload, payer.seed, payer.reference);
    return life.run(life.agency(`${ACCOUNT}@${BANK}`, word));
  });
  expect(lines).toBeGreaterThanOrEqual(8);
  expect(whole.agency_claims).toMatchObject([{ refusal: Refusal.PAYER_ABORTED }]);
  expect(whole.ledger_entries!.filter(({ leg }) => leg === "claim")).toEqual([]);
});

/** The way back from a branch, in payments of its own. */
function back({ world }: ClaimedMoney, branch: string): Hop[] {
  return [world.teller, world.generator].map((to, leg) => {
    return { to, amount: AMOUNT, payId: `${branch}${leg}c`.padStart(32, "0") };
  });
}

it("a claim about money that was received and passed on: refused, its claimant listed, 6 lines or more", async () => {
  const { lines, whole, calm } = await killAtEachLine(async (life) => {
    const { world, held, claimant } = life.money;
    const through = { to: claimant, amount: AMOUNT, payId: bytesToHex(PAY_ID) };
    const hops = [...held.hops, through, ...back(life.money, "a")];
    world.cameBack(world.note(held.body, hops), AMOUNT);
    await world.reconcile();
    await life.run(life.agency(`${ACCOUNT}@${BANK}`));
  });
  expect(lines).toBeGreaterThanOrEqual(6);
  expect(whole.agency_claims).toMatchObject([{ refusal: Refusal.RECEIVED }]);
  expect([...calm.listed]).toEqual([bytesToHex(calm.money.claimant.id)]);
});

it("an issuer whose reconciliation convicts a module: at each of 47 lines or more", async () => {
  const { lines, whole, calm } = await killAtEachLine(async (life) => {
    const { world, held, payer } = life.money;
    // The payer signs the same part to two people.
    for (const [at, to] of ([life.money.claimant, world.thief] as Signer[]).entries()) {
      const branch = { to, amount: AMOUNT, payId: `${at}b`.padStart(32, "0"), by: payer };
      const hops = [...held.hops, branch, ...back(life.money, String(at))];
      world.cameBack(world.note(held.body, hops), AMOUNT);
    }
    await rest(life.knife);
    await life.run((process) => life.issuer(process));
  });
  expect(lines).toBeGreaterThanOrEqual(47);
  expect(whole.ledger_leaves).toHaveLength(2);
  expect(whole.ledger_convictions).toHaveLength(1);
  expect([...calm.listed]).toEqual([bytesToHex(calm.money.payer.id)]);
  expect(sums(whole.ledger_lines!)).toBe(0);
});
