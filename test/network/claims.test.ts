// SPDX-License-Identifier: Apache-2.0
// Claims at the Certification Agency and in the issuers' books (par. 121, 122; docs/protocol.md
// rule 4.13), in virtual time: what is owed is paid once and late enough, what is false is refused,
// and who took both is convicted. How a module makes its claim: test/money/claims.test.ts.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { beforeEach, describe, expect, test } from "vitest";
import type { AgencyState } from "../../host/network/agency/agency.ts";
import { LAG_SECONDS } from "../../host/network/agency/claims.ts";
import { ClaimsDesk, memoryClaimStore } from "../../host/network/agency/claimsDesk.ts";
import { sqlClaimStore } from "../../host/network/agency/sqlClaims.ts";
import { openBankBatch, openDepositBatch } from "../../host/network/bank/chart.ts";
import type { AbortedStatement, Conviction } from "../../host/network/bank/redeemedNotes.ts";
import { openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";
import { Refusal } from "../../host/trust/claims.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { parseSigned, signObject } from "../../host/trust/cose.ts";
import { Signer } from "../support/noteMaker.ts";
import { AMOUNT, ClaimedMoney, HORIZON, type Parts, PAY_ID } from "./claimed-money.ts";
import { BANK, type Hop, type RedeemedNotes, UNIT } from "./redeemed-notes.ts";

const OTHER_BANK = "Other Bank";

let world: RedeemedNotes;
let payer: Signer;
let claimant: Signer;
let agency: AgencyState;
let claims: ReturnType<typeof memoryClaimStore>;
let nowSeconds: number;
let convicted: Conviction[];
let heard: AbortedStatement[];
let desk: ClaimsDesk;
let money: ClaimedMoney;

beforeEach(() => {
  money = new ClaimedMoney();
  ({ world, payer, claimant, agency } = money);
  claims = memoryClaimStore();
  nowSeconds = START_SECONDS + 3_600;
  [convicted, heard] = [[], []];
  desk = newDesk();
  const open = (bank: string, owner: string) =>
    world.store.apply(
      openDepositBatch(
        bank,
        { account: `${owner}:${UNIT}`, owner, unit: UNIT, drawers: [], openingMinor: 0 },
        START_SECONDS,
      ),
    );
  open(BANK, "ben");
  world.store.apply(openBankBatch(OTHER_BANK, [UNIT], { [UNIT]: [BANK] }));
  open(OTHER_BANK, "ben");
});

function newDesk(): ClaimsDesk {
  return new ClaimsDesk({
    agency,
    claims,
    ledger: world.store,
    nowSeconds: () => nowSeconds,
    onAborted: async (statement) => {
      heard.push(statement);
      const aborted = { statement, convictions: [], acquitting: [] };
      await world.store.apply({ bank: BANK, aborted });
    },
    onConviction: async (conviction) => {
      convicted.push(conviction);
    },
  });
}

const file = (change: Partial<Parts> = {}) => {
  const { claim, drafts } = money.made(change);
  return desk.file(claim, drafts);
};
const balance = async (bank: string) =>
  (await world.store.account(bank, `ben:${UNIT}`))!.balanceMinor;
const totals = async () => (await world.store.trialBalance(BANK))[0]!;

/** Time passes until the claims are due; how they ended. */
async function due(): Promise<(readonly [string, number])[]> {
  nowSeconds = HORIZON + LAG_SECONDS;
  return (await desk.decideDue()).map(({ state, refusal }) => [state, refusal] as const);
}

/** The note went on, from the payer to the claimant and further, and came back. */
async function cameBack(hops: Hop[], amount: number): Promise<void> {
  world.cameBack(world.note(money.held.body, [...money.held.hops, ...hops]), amount);
  await world.reconcile();
}
const back = (amount: number): Hop[] => [
  { to: world.teller, amount },
  { to: world.generator, amount },
];
const throughClaimant = (): Hop[] => [
  { to: claimant, amount: AMOUNT, payId: bytesToHex(PAY_ID) },
  ...back(AMOUNT),
];

describe("a claim that is true", () => {
  test("is paid after horizon and lag, not a second before; the books stay exact", async () => {
    expect((await file()).type).toBe("filed");
    nowSeconds = HORIZON + LAG_SECONDS - 1;
    expect(await desk.decideDue()).toEqual([]);
    expect(await balance(BANK)).toBe(0);
    expect(await due()).toEqual([["paid", Refusal.NONE]]);
    expect(await balance(BANK)).toBe(AMOUNT);
    expect(await totals()).toMatchObject({
      issuedMinor: 100,
      redeemedMinor: AMOUNT,
      reconciledMinor: AMOUNT,
      lostMinor: 0,
    });
    const [record] = await desk.all();
    const [object, server] = decodeCbor(record!.verdict!) as unknown[];
    expect(encodeCbor(server)).toEqual(agency.serverCertificate);
    const { claim } = money.made();
    expect(decodeCbor(parseSigned(encodeCbor(object))!.payload)).toEqual([
      PAY_ID,
      sha256(parseSigned(claim)!.payload),
      2,
      Refusal.NONE,
      nowSeconds,
    ]);
  });

  test("is paid at another bank through the deposit that this one has at the issuer", async () => {
    await file({ account: `ben:${UNIT}@${OTHER_BANK}` });
    expect(await due()).toEqual([["paid", Refusal.NONE]]);
    expect([await balance(BANK), await balance(OTHER_BANK)]).toEqual([0, AMOUNT]);
    const there = await world.store.account(BANK, `deposit-of-correspondent:${OTHER_BANK}:${UNIT}`);
    const here = await world.store.account(OTHER_BANK, `deposit-at-correspondent:${BANK}:${UNIT}`);
    expect([there?.balanceMinor, here?.balanceMinor]).toEqual([AMOUNT, AMOUNT]);
  });

  test("filed again it is the same claim, and it is paid once, wherever the process ends", async () => {
    await file();
    expect((await file()).type).toBe("known");
    const [open] = await desk.all();
    await due();
    // The payment is in the books, but the agency's own record of it was lost.
    await claims.put(open!);
    desk = newDesk();
    expect(await due()).toEqual([["paid", Refusal.NONE]]);
    expect(await due()).toEqual([]);
    expect(await balance(BANK)).toBe(AMOUNT);
  });

  test("of a note whose other part came back is paid", async () => {
    await file();
    const rest = { to: world.teller, amount: 40, offset: 60, sequence: 2 };
    await cameBack([rest, { to: world.generator, amount: 40 }], 40);
    expect(await due()).toEqual([["paid", Refusal.NONE]]);
    expect(await totals()).toMatchObject({ redeemedMinor: 100, lostMinor: 0 });
  });
});

describe("a false claim is refused", () => {
  const forged: [string, () => Partial<Parts>, RegExp][] = [
    ["by another than the payee", () => ({ claimSigner: world.thief }), /payee's module/],
    ["with a stranger's offer", () => ({ offerSigner: world.thief }), /payer's module/],
    ["with drafts of another amount", () => ({ draftAmount: AMOUNT + 1 }), /come to the amount/],
    ["with more than the payer had", () => ({ draftAmount: 101, amount: 101 }), /do not fit/],
    [
      "with a draft to another",
      () => ({ transferee: world.thief.id }),
      /another than the claimant/,
    ],
    ["with notes that outlive the offer", () => ({ horizon: HORIZON - 1 }), /outlives/],
  ];
  test.each(forged)("%s: forged evidence", async (_name, change, reason) => {
    const filing = await file(change());
    expect(filing.type === "refused" && filing.reason).toMatch(reason);
    expect(await desk.all()).toEqual([]);
  });

  test("with drafts of another payment, or none", async () => {
    expect((await file({ draftPayId: new Uint8Array(16) })).type).toBe("refused");
    expect((await desk.file(money.made().claim, [])).type).toBe("refused");
    expect((await desk.file(new Uint8Array(3), [])).type).toBe("refused");
  });

  test("by a stranger whom the agency never certified", async () => {
    const stranger = new Signer(world.agency, "MODUL-S", Role.TRANSACTION);
    const change = { claimant: stranger, claimSigner: stranger, transferee: stranger.id };
    expect((await file(change)).type).toBe("refused");
  });

  test("twice, to another account", async () => {
    await file();
    const filing = await file({ account: `ben:${UNIT}@${OTHER_BANK}` });
    expect(filing.type === "refused" && filing.reason).toMatch(/was filed before/);
  });

  test("after the horizon", async () => {
    nowSeconds = HORIZON;
    const filing = await file();
    expect(filing.type === "refused" && filing.reason).toMatch(/too late/);
  });

  test("to an account that there is not, or that was closed", async () => {
    await file({ account: `eve:${UNIT}@${BANK}` });
    expect(await due()).toEqual([["refused", Refusal.ACCOUNT]]);
    expect((await totals()).redeemedMinor).toBe(0);
  });

  test("of money that was received: who goes on with it is paid, and the claimant convicted", async () => {
    await file();
    await cameBack(throughClaimant(), AMOUNT);
    expect(world.alarms).toEqual([]);
    expect(await due()).toEqual([["refused", Refusal.RECEIVED]]);
    expect(convicted.map(({ module }) => module)).toEqual([bytesToHex(claimant.id)]);
    expect(await balance(BANK)).toBe(0);
    expect(await totals()).toMatchObject({ redeemedMinor: AMOUNT, lostMinor: 0 });
  });

  test("of money that went on after it was paid: the claimant is convicted by the transfer", async () => {
    await file();
    await due();
    await cameBack(throughClaimant(), AMOUNT);
    expect(world.convicted.map(({ module }) => module)).toEqual([bytesToHex(claimant.id)]);
    expect((await totals()).lostMinor).toBe(AMOUNT);
  });

  test("of money that was offered on to the next claimant, who is paid in its place", async () => {
    const { held } = money;
    const next = world.thief;
    await file();
    const received: Hop = { to: claimant, amount: AMOUNT, payId: bytesToHex(PAY_ID) };
    held.hops = [...held.hops, received];
    held.leaf = world.note(held.body, held.hops).leaf;
    const liar = claimant;
    [money.payer, money.claimant] = [claimant, next];
    expect((await file()).type).toBe("filed");
    expect(await due()).toEqual([
      ["refused", Refusal.RECEIVED],
      ["paid", Refusal.NONE],
    ]);
    expect(convicted.map(({ module }) => module)).toEqual([bytesToHex(liar.id)]);
    expect(await balance(BANK)).toBe(AMOUNT);
    expect(await totals()).toMatchObject({ redeemedMinor: AMOUNT, lostMinor: 0 });
  });

  test("of money that came back another way; nobody is convicted by an offer alone", async () => {
    await file();
    await cameBack(back(80), 80);
    expect(await due()).toEqual([["refused", Refusal.ELSEWHERE]]);
    expect([convicted, world.convicted]).toEqual([[], []]);
    expect(await balance(BANK)).toBe(0);
  });

  test("of notes that nobody issued", async () => {
    const { held } = money;
    held.body = { ...held.body, amount: 90 };
    held.hops = held.hops.map((hop) => ({ ...hop, amount: 90 }));
    held.leaf = world.note(held.body, held.hops).leaf;
    expect((await file()).type).toBe("filed");
    expect(await due()).toEqual([["refused", Refusal.ELSEWHERE]]);
  });
});

describe("a payer's signed aborted", () => {
  const aborted = (signer: Signer, state = 1) => {
    const payload = encodeCbor([PAY_ID, payer.id, state, START_SECONDS]);
    return signObject("florin/answer", payload, signer.seed, signer.reference);
  };

  test("defeats the claim, before it is filed and after", async () => {
    expect(await desk.showAborted(aborted(payer))).toBe(true);
    expect(heard).toMatchObject([{ answerer: bytesToHex(payer.id), payId: bytesToHex(PAY_ID) }]);
    const filing = await file();
    expect(filing).toMatchObject({ record: { state: "refused", refusal: Refusal.PAYER_ABORTED } });
    expect(await due()).toEqual([]);
    expect(await balance(BANK)).toBe(0);
  });

  test("defeats an open claim at once", async () => {
    await file();
    await desk.showAborted(aborted(payer));
    expect(await desk.all()).toMatchObject([{ state: "refused", refusal: 1 }]);
  });

  test("that another signed, or that says something else, does not", async () => {
    await file();
    expect(await desk.showAborted(aborted(world.thief))).toBe(false);
    expect(await desk.showAborted(aborted(payer, 2))).toBe(false);
    expect(await due()).toEqual([["paid", Refusal.NONE]]);
  });
});

test("the agency's records are the same in memory and in the database", async () => {
  const database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
  const inDatabase = sqlClaimStore(database);
  for (const store of [memoryClaimStore(), inDatabase]) {
    claims = store;
    desk = newDesk();
    await file();
  }
  const [open] = await inDatabase.all();
  expect(open).toMatchObject({ state: "open", verdict: null });
  expect(await due()).toEqual([["paid", Refusal.NONE]]);
  const [paid, ...others] = await inDatabase.all();
  expect(others).toEqual([]);
  expect(paid).toEqual({ ...open, state: "paid", verdict: paid!.verdict });
  expect(paid!.verdict).toBeInstanceOf(Uint8Array);
  await database.close();
});
