// SPDX-License-Identifier: Apache-2.0
// From a doubt to the money in the account, whole: a real money module claims, its host brings
// claim and drafts to the Certification Agency, the issuer's books pay, and the verdict ends the
// payment.
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { claimDoubts, exchangeWithAgency } from "../../host/application/claims.ts";
import { exportCertificates, exportItems } from "../../host/application/wallet.ts";
import type { AgencyState } from "../../host/network/agency/agency.ts";
import { LAG_SECONDS } from "../../host/network/agency/claims.ts";
import { ClaimsDesk, memoryClaimStore } from "../../host/network/agency/claimsDesk.ts";
import { openBankBatch, openDepositBatch, ownAccount } from "../../host/network/bank/chart.ts";
import { type LedgerState, memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { bodiesTo, HOST, PEER } from "../../host/torture/bareModule.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { readClaimedNote } from "../../host/trust/claims.ts";
import { pay } from "../support/agentStandIn.ts";
import { type Node, payingWorld, State } from "../support/moneyWorld.ts";

const BANK = "Bank of Tests";
const ACCOUNT = "ben:EUR";
const AMOUNT = 2_500;
const HORIZON = START_SECONDS + 120 * 86_400;
const MODULE = bytesToHex(id("MODUL-B"));

/** B is in doubt about 25.00 of A's; the issuer's books, and the agency's desk. */
async function doubted() {
  const { world, a, b } = payingWorld([1_500, 1_500]);
  world.loses = ({ type, port, from }) => type === 27 || (port === PEER && from === a.node);
  const { payId } = pay(a, b, AMOUNT, "doubt");
  world.settle();
  const device = deviceOf(b.node);
  const books: LedgerState = {};
  const ledger = memoryLedgerStore(books);
  await ledger.apply(openBankBatch(BANK, ["EUR"], { EUR: [BANK] }));
  const deposit = { account: ACCOUNT, owner: "ben", unit: "EUR", drawers: [], openingMinor: 0 };
  await ledger.apply(openDepositBatch(BANK, deposit, START_SECONDS));
  // Each of the payer's notes was issued, as far as the books go.
  for (const bytes of await exportItems(device, 4, "module")) {
    const { body, transfers } = readClaimedNote(bytes)!.note;
    const [first] = transfers;
    await ledger.apply({
      bank: BANK,
      payment: {
        expected: null,
        record: {
          module: bytesToHex(body.generator),
          payId: bytesToHex(first!.payId),
          kind: "issue",
          peer: bytesToHex(first!.transferee),
          account: null,
          amountMinor: body.amountMinor,
          unit: body.unit,
          state: "settled",
        },
      },
    });
  }
  const { moduleRoot, moduleServer } = world.agency;
  const agency: AgencyState = {
    kind: "module",
    rootId: moduleRoot.id,
    rootSeed: new Uint8Array(32).fill(2),
    serverSeed: moduleServer.seed,
    serverCertificate: moduleServer.certificate.bytes,
    issued: await exportCertificates(device, "module"),
    untrusted: [],
    listVersion: 1,
    listIssued: START_SECONDS,
  };
  let nowSeconds = START_SECONDS + 3_600;
  const desk = new ClaimsDesk({
    agency,
    claims: memoryClaimStore(),
    ledger,
    nowSeconds: () => nowSeconds,
    onAborted: async () => undefined,
    onConviction: async () => undefined,
  });
  const comes = (seconds: number) => {
    nowSeconds = seconds;
  };
  return { world, a, b, payId, device, books, desk, comes };
}

/** A module as its host reaches it. */
function deviceOf({ module }: Node) {
  return {
    command: async (_target: string, body: Uint8Array) =>
      bodiesTo(HOST, module.deliver(HOST, body))[0]!,
  };
}

const accountFor = (unit: string) => `ben:${unit}@${BANK}`;

describe("money in doubt", () => {
  test("is claimed, and paid after the horizon; the payment ends and nothing is held", async () => {
    const { world, b, payId, device, books, desk, comes } = await doubted();
    const filed = { payId: bytesToHex(payId), unit: "EUR", amountMinor: AMOUNT, reason: null };
    expect(await claimDoubts(device, desk, accountFor)).toEqual([filed]);
    // Again: the same claim.
    expect(await claimDoubts(device, desk, accountFor)).toEqual([filed]);
    expect(await desk.decideDue()).toEqual([]);
    comes(HORIZON + LAG_SECONDS);
    expect(await desk.decideDue()).toMatchObject([{ state: "paid" }]);
    expect(books[BANK]!.accounts[ACCOUNT]!.balanceMinor).toBe(AMOUNT);
    expect(books[BANK]!.accounts[ownAccount("money-issued", "EUR")]!.balanceMinor).toBe(-AMOUNT);
    expect(world.balance(b.node)).toEqual([0, AMOUNT, 0]);
    for (let times = 0; times < 2; times += 1) await exchangeWithAgency(device, MODULE, desk);
    expect(world.balance(b.node)).toEqual([0, 0, 0]);
    expect(await claimDoubts(device, desk, accountFor)).toEqual([]);
    b.close(payId);
    world.carry();
    expect(b.outcomeOf(payId)!.slice(1, 5)).toEqual([State.committed, 52, AMOUNT, "EUR"]);
  });

  test("that a module's host shows wrong drafts for can still be filed with the right ones", async () => {
    const { device, desk } = await doubted();
    const half = {
      file: (claim: Uint8Array, drafts: readonly Uint8Array[]) => desk.file(claim, drafts.slice(1)),
      showAborted: (statement: Uint8Array) => desk.showAborted(statement),
      all: () => desk.all(),
    };
    const [refused] = await claimDoubts(device, half, accountFor);
    expect(refused!.reason).toMatch(/drafts are not those of the offer/);
    expect(await claimDoubts(device, desk, accountFor)).toMatchObject([{ reason: null }]);
  });
});
