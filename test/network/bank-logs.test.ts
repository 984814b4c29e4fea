// SPDX-License-Identifier: Apache-2.0
// Transaction reconciliation: module logs against the books, and orphans on either side.
import { describe, expect, it } from "vitest";
import { PaymentState } from "../../host/application/hostPort.ts";
import type { ModuleLogEntry } from "../../host/application/deviceLogs.ts";
import type { PaymentRecord } from "../../host/network/bank/ledger.ts";
import { compareLog } from "../../host/network/bank/transactionReconciliation.ts";

const { ABORTED, COMMITTED, IN_DOUBT } = PaymentState;
const [TELLER, GENERATOR, CUSTOMER] = ["teller", "generator", "customer"];

function logged(payId: string, change: Partial<ModuleLogEntry> = {}): ModuleLogEntry {
  const what = { payId, isPayer: true, state: COMMITTED, reason: 0, peer: CUSTOMER, atSeconds: 1 };
  return { ...what, amountMinor: 5, unit: "EUR", ...change };
}

function booked(payId: string, change: Partial<PaymentRecord> = {}): PaymentRecord {
  const what = { module: TELLER, payId, kind: "withdrawal" as const, peer: CUSTOMER };
  return { ...what, account: "a", amountMinor: 5, unit: "EUR", state: "settled", ...change };
}

describe("a module's log and the books", () => {
  it("agree about what both have", () => {
    const log = [logged("1"), logged("2", { state: ABORTED }), logged("3", { state: IN_DOUBT })];
    const payments = [
      booked("1"),
      booked("2", { state: "released" }),
      booked("3", { state: "held" }),
    ];
    expect(compareLog(TELLER, log, payments)).toEqual([]);
  });

  it("agree about a payment of the own generator, which the books have on its side", () => {
    const log = [logged("1", { peer: GENERATOR })];
    expect(compareLog(TELLER, log, [booked("1", { module: GENERATOR, kind: "issue" })])).toEqual(
      [],
    );
  });

  it("go by the newest entry of a payment: a doubt that was settled", () => {
    const log = [logged("1", { state: IN_DOUBT }), logged("1")];
    expect(compareLog(TELLER, log, [booked("1")])).toEqual([]);
    expect(compareLog(TELLER, [...log].reverse(), [booked("1", { state: "released" })])).toEqual(
      [],
    );
  });

  it.each<[string, Partial<ModuleLogEntry>, PaymentRecord[], RegExp]>([
    ["committed, and not in the books", {}, [], /do not know payment 1/],
    ["committed, and given back", {}, [booked("1", { state: "released" })], /gave back payment 1/],
    ["aborted, and settled", { state: ABORTED }, [booked("1")], /settled payment 1/],
    ["of another amount", {}, [booked("1", { amountMinor: 6 })], /another amount/],
    ["of another unit", {}, [booked("1", { unit: "USD" })], /another amount/],
  ])("disagree about a payment: %s", (_what, change, payments, sentence) => {
    const problems = compareLog(TELLER, [logged("1", change)], payments);
    expect(problems).toEqual([expect.stringMatching(sentence)]);
  });

  it("disagree about a settled payment that the module does not know, but not about old ones", () => {
    const payments = ["1", "2", "3", "4", "5", "6"].map((payId) => booked(payId));
    const log = ["2", "3", "4", "5"].map((payId) => logged(payId));
    const problems = compareLog(TELLER, log, payments);
    expect(problems).toEqual([expect.stringMatching(/settled withdrawal 6/)]);
    expect(compareLog(TELLER, [], payments)).toEqual([]);
    // Agreed to later than one that is still in the log, but ended before it: too old for the log.
    const overtaken = ["1", "3", "4"].map((payId) => logged(payId));
    expect(compareLog(TELLER, overtaken, payments.slice(0, 4))).toEqual([]);
  });
});
