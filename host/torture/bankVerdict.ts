// SPDX-License-Identifier: Apache-2.0
// What the books of a world's bank must say when all is at rest (docs/protocol.md section 8): issued
// less redeemed is what all modules hold, nothing is held for anybody, and its teller's module and
// log agree with it.
import { readPayment } from "../application/deviceLogs.ts";
import { ownAccount } from "../network/bank/chart.ts";
import { trialBalance } from "../network/bank/memoryLedger.ts";
import { compareLog } from "../network/bank/transactionReconciliation.ts";
import { decodeCbor } from "../trust/cbor.ts";
import { openPayments } from "./bankHost.ts";
import { moduleIdOf } from "./bankParties.ts";
import type { FaultWorld } from "./faultWorld.ts";
import { itemsOf } from "./items.ts";

/** Minor units by unit of money. */
type Sums = Readonly<Record<string, number>>;

/** Balance of an account in the bank's books, in minor units; 0 where there is no bank. */
export function balanceOf({ bank, bankName }: FaultWorld, account: string): number {
  return bank?.ledger[bankName]?.accounts[account]?.balanceMinor ?? 0;
}

/** What the books say is in circulation by unit, in minor units: issued less redeemed. */
export function circulating({ bank, bankName }: FaultWorld): Record<string, number> {
  if (bank === null) return {};
  const rows = trialBalance(bank.ledger[bankName]!);
  return Object.fromEntries(
    rows.map(({ unit, issuedMinor, redeemedMinor }) => [unit, issuedMinor - redeemedMinor]),
  );
}

/** What has gone wrong in the books already, whatever else is open. */
export function bankAlarms({ bank }: FaultWorld): readonly string[] {
  return bank?.alarms ?? [];
}

/**
 * What is wrong with the books, in words.
 * @param held all that the modules of this world have
 * @param onHand what the bank's teller has; null where it is not in this world
 */
export function judgeBank(world: FaultWorld, held: Sums, onHand: Sums | null): string[] {
  const { bank, bankName, elsewhereMinor } = world;
  if (bank === null) return [];
  const books = bank.ledger[bankName]!;
  const complaints: string[] = [];
  for (const row of trialBalance(books)) {
    const { unit, debitMinor, creditMinor, issuedMinor, redeemedMinor, inTransitMinor } = row;
    const expected = (held[unit] ?? 0) + (elsewhereMinor[unit] ?? 0);
    const circulating = issuedMinor - redeemedMinor;
    if (circulating !== expected) {
      complaints.push(`the books issued ${circulating} ${unit}, modules hold ${expected}`);
    }
    if (debitMinor !== creditMinor) complaints.push(`the books of ${unit} do not balance`);
    if (inTransitMinor !== 0) complaints.push(`${inTransitMinor} ${unit} stay in transit`);
  }
  const open = openPayments(bank.ledger, bankName).length;
  if (open > 0) complaints.push(`the bank still holds ${open} payments open`);
  return onHand === null ? complaints : [...complaints, ...judgeTeller(world, onHand)];
}

/** Whether books and teller agree, whatever a peer leaves open. `onHand`: what the teller has. */
export function judgeTeller(world: FaultWorld, onHand: Sums): string[] {
  const complaints: string[] = [];
  for (const [unit, hasMinor] of Object.entries(onHand)) {
    const booked = balanceOf(world, ownAccount("notes-on-hand", unit));
    if (booked !== hasMinor) {
      complaints.push(`the teller has ${hasMinor} ${unit}, the books say ${booked}`);
    }
  }
  return [...complaints, ...logComplaints(world)];
}

/** Transaction reconciliation of the teller's log, as the bank does it. */
function logComplaints(world: FaultWorld): string[] {
  const { bank, bankName, teller } = world;
  if (teller === null) return [];
  const items = itemsOf((cursor) =>
    world.ask(teller, "module", [9, cursor]).find(([number]) => number === 9),
  );
  const log = items.map((item) => readPayment(decodeCbor(item) as unknown[]));
  const payments = Object.values(bank!.ledger[bankName]!.payments);
  return compareLog(moduleIdOf(teller), log, payments);
}
