// SPDX-License-Identifier: Apache-2.0
// What all modules hold (protocol rule 4.7): what can be spent or refreshed, and of what is in
// doubt one leg: what came in where the one who decides committed, what was promised where it did
// not.
import { latestEntries, moduleLog } from "../application/deviceLogs.ts";
import { PaymentState } from "../application/hostPort.ts";
import { moduleBalances, moduleId } from "./banks.ts";
import type { CertifiedParty } from "./foundations.ts";

/** Money of one unit in one device, minor units. */
export interface HeldMoney {
  readonly party: CertifiedParty;
  readonly unit: string;
  readonly heldMinor: number;
  /** Of it: received, but the payer's release has not arrived. */
  readonly inDoubtMinor: number;
}

/**
 * Counts the money in devices.
 * @param generators of them: what a generator has was redeemed already
 */
export async function heldMoney(
  devices: readonly CertifiedParty[],
  generators: readonly CertifiedParty[],
): Promise<HeldMoney[]> {
  const held: HeldMoney[] = [];
  for (const party of devices) {
    if (party.certified.module === undefined || isModuleClosed(party)) continue;
    const balances = await moduleBalances(party);
    const isDoubtful = balances.some(({ inDoubtMinor }) => inDoubtMinor > 0);
    const doubts = isDoubtful ? await openDoubts(party, devices) : [];
    for (const { unit, spendableMinor, refreshMinor, inDoubtMinor } of balances) {
      const own = generators.includes(party) ? 0 : spendableMinor + refreshMinor;
      const heldMinor = own + doubtful(doubts, unit, inDoubtMinor);
      held.push({ party, unit, heldMinor, inDoubtMinor });
    }
  }
  return held;
}

/** Whether a device's money module does not open: it tells no balance any more. */
export function isModuleClosed({ closures }: CertifiedParty): boolean {
  return closures.some(({ half }) => half === "module");
}

/** One leg of a payment in doubt. */
interface Doubt {
  readonly isPayer: boolean;
  readonly unit: string;
  readonly amountMinor: number;
  readonly isCommitted: boolean;
}

/**
 * The doubts in a module's log, each with whether the other module's log says that it committed.
 */
async function openDoubts(
  party: CertifiedParty,
  devices: readonly CertifiedParty[],
): Promise<Doubt[]> {
  const doubts: Doubt[] = [];
  for (const entry of latestEntries(await moduleLog(party.device))) {
    if (entry.state !== PaymentState.IN_DOUBT) continue;
    const peer = devices.find(
      (other) => other.certified.module !== undefined && moduleId(other) === entry.peer,
    );
    const told = peer === undefined ? [] : latestEntries(await moduleLog(peer.device));
    const isCommitted = told.some(
      ({ payId, state }) => payId === entry.payId && state === PaymentState.COMMITTED,
    );
    doubts.push({ ...entry, isCommitted });
  }
  return doubts;
}

/** What is held of a unit's doubts; those that the log does not name any more count as received. */
function doubtful(doubts: readonly Doubt[], unit: string, inDoubtMinor: number): number {
  let [heldMinor, unnamedMinor] = [0, inDoubtMinor];
  for (const doubt of doubts) {
    if (doubt.unit !== unit) continue;
    const isIncoming = !doubt.isPayer;
    if (isIncoming) unnamedMinor -= doubt.amountMinor;
    if (isIncoming === doubt.isCommitted) heldMinor += doubt.amountMinor;
  }
  return heldMinor + Math.max(0, unnamedMinor);
}
