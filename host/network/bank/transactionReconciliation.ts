// SPDX-License-Identifier: Apache-2.0
// Transaction reconciliation: what a bank's module says it committed against what the books say,
// payment by payment. Whatever stands on one side alone is a fault or a fraud; a person looks.
import { latestEntries, type ModuleLogEntry } from "../../application/deviceLogs.ts";
import { PaymentState } from "../../application/hostPort.ts";
import type { PaymentRecord } from "./ledger.ts";

/**
 * Payments at a time of a bank's module: so far the order in which they end may differ from that in
 * which the books agreed to them.
 */
const AT_A_TIME = 3;

/**
 * Compares one module's log with the books.
 * @param module its id, hexadecimal
 * @param log its log, oldest entry first; it holds the newest payments only
 * @param payments the bank's payments, oldest first
 * @returns one sentence for each thing that does not agree
 */
export function compareLog(
  module: string,
  log: readonly ModuleLogEntry[],
  payments: readonly PaymentRecord[],
): string[] {
  const latest = latestEntries(log);
  const problems = latest.flatMap((entry) => complaint(module, entry, payments) ?? []);
  // Of what is older than the log nothing can be said.
  const own = payments.filter((payment) => payment.module === module);
  const first = own.findIndex(({ payId }) => latest.some((entry) => entry.payId === payId));
  const recent = first < 0 ? [] : own.slice(first + AT_A_TIME);
  for (const { payId, state, kind } of recent) {
    if (state !== "settled" || latest.some((entry) => entry.payId === payId)) continue;
    problems.push(`The books settled ${kind} ${payId}, which module ${module} does not know.`);
  }
  return problems;
}

function complaint(
  module: string,
  { payId, state, peer, amountMinor, unit }: ModuleLogEntry,
  payments: readonly PaymentRecord[],
): string | undefined {
  // A payment between a teller and a generator of one bank is booked at the generator.
  const record = [module, peer].flatMap(
    (id) => payments.find((each) => each.module === id && each.payId === payId) ?? [],
  )[0];
  const name = `payment ${payId} of module ${module}`;
  if (state === PaymentState.ABORTED && record?.state === "settled") {
    return `The books settled ${name}, which it aborted.`;
  }
  if (state !== PaymentState.COMMITTED || record?.state === "held") return undefined;
  if (record === undefined) return `The books do not know ${name}, which it committed.`;
  if (record.state !== "settled") return `The books gave back ${name}, which it committed.`;
  const isSame = record.amountMinor === amountMinor && record.unit === unit;
  return isSame ? undefined : `The books have another amount for ${name}.`;
}
