// SPDX-License-Identifier: Apache-2.0
// What must hold after a hostile deed (docs/protocol.md rule 8): nothing is made, what is lost is
// that device's, and nobody is in doubt but with it. A module with an old flash image says so.
import { bankAlarms, circulating, judgeTeller } from "./bankVerdict.ts";
import type { Device } from "./agentWorld.ts";
import type { Deed } from "./hostile.ts";
import type { Scenario } from "./scenarios.ts";
import { countCards, type Verdict, wearOf } from "./verdict.ts";

/** Reason 51 of docs/protocol.cddl section 9: the flash is older than the counter. */
const FLASH_ROLLED_BACK = 51;
const FUNDS = [80];
const UNIT = "USD";

/** Funds of each device by unit, and what it holds in doubt; null where its module is silent. */
interface Funds {
  sums: Record<string, number>;
  inDoubtMinor: number;
}

export type FundsByDevice = Map<string, Funds | null>;

/** Beside the devices: what the books of the bank have issued, as a debt. */
const BOOKS = "the books";

/** Asks every money module; the world must be at rest. */
export function fundsOfAll({ world }: Scenario): FundsByDevice {
  const all: FundsByDevice = new Map();
  const issued = Object.entries(circulating(world)).map(([unit, sum]) => [unit, -sum]);
  all.set(BOOKS, { sums: Object.fromEntries(issued), inDoubtMinor: 0 });
  for (const device of world.devices) {
    const answer = world.ask(device, "module", FUNDS).find(([number]) => number === 80);
    if (answer === undefined) {
      all.set(device.name, null);
      continue;
    }
    const funds: Funds = { sums: {}, inDoubtMinor: 0 };
    for (const [unit, spendable, inDoubt, refresh, promised] of answer[1] as Row[]) {
      // What lies in a generator was redeemed already.
      funds.sums[unit] = device === world.generator ? 0 : spendable + refresh;
      funds.inDoubtMinor += inDoubt + promised;
    }
    all.set(device.name, funds);
  }
  return all;
}

type Row = [string, number, number, number, number];

/** Compares the world with what it was before the order; `postedBefore`: cards posted by then. */
export function judgeDeed(
  scenario: Scenario,
  deed: Deed,
  before: FundsByDevice,
  postedBefore: number,
): Verdict {
  const { world, first, gainMinor, hasCard } = scenario;
  const { suspect } = deed;
  const verdict: Verdict = {
    lostMinor: 0,
    madeMinor: 0,
    inDoubtMinor: 0,
    isCommitted: false,
    wear: wearOf(scenario),
    // What an opened agent asks of the card issuer once more is refused, and is its own affair.
    complaints: deed.isOpened ? [] : [...alarmsOf(scenario, deed), ...world.conflicts],
  };
  const { complaints } = verdict;
  const after = fundsOfAll(scenario);
  const gained = (name: string, unit: string) =>
    (after.get(name)?.sums[unit] ?? 0) - (before.get(name)?.sums[unit] ?? 0);
  // A generator gains what its bank takes back, and pays out what that issues.
  const nameOf = (device: Device) => (device === world.generator ? BOOKS : device.name);
  for (const device of world.devices) {
    if (device === suspect) continue;
    const funds = after.get(device.name);
    if (funds === null || funds === undefined) {
      complaints.push(`the money module of ${device.name} is silent`);
      continue;
    }
    if (!deed.isGone) verdict.inDoubtMinor += funds.inDoubtMinor;
    const isInDoubt = funds.inDoubtMinor > 0;
    if (deed.isOrderChanged || (deed.isGone && isInDoubt)) continue;
    const sign = device === first ? 1 : -1;
    const orders = ordersOf(scenario, (unit) => sign * gained(nameOf(device), unit));
    if (orders === null) complaints.push(`${device.name} neither traded nor kept its money`);
    verdict.isCommitted ||= (orders ?? 0) > 0;
    // A merchant is paid by card exactly for what it paid out.
    const isMerchant = hasCard && device === scenario.second;
    const posted = countCards(world).posted - postedBefore;
    if (isMerchant && posted !== orders) {
      complaints.push(`${posted} postings for ${orders} orders`);
    }
    for (const unit of Object.keys(gainMinor)) {
      const one = Math.abs(gainMinor[unit]!);
      const paid = Math.max(one, -gained(nameOf(suspect), unit));
      if (gained(device.name, unit) > paid) {
        verdict.madeMinor += gained(device.name, unit) - paid;
      }
    }
  }
  const isUnreported = deed.isGone && suspect === world.generator;
  if (!deed.isOpened && !isUnreported) verdict.madeMinor += madeIn(after, before);
  // Whoever may speak has all that there was.
  if (!deed.isGone) verdict.lostMinor += madeIn(before, after);
  if (verdict.lostMinor > 0) complaints.push(`${verdict.lostMinor} minor units are lost`);
  if (verdict.madeMinor > 0) complaints.push(`${verdict.madeMinor} minor units are made`);
  if (verdict.inDoubtMinor > 0) complaints.push(`${verdict.inDoubtMinor} stay in doubt`);
  const { held } = countCards(world);
  if (deed.isWithholding) complaints.push(...withheldOf(scenario, verdict, postedBefore));
  else if (held > 0 && !deed.isGone) complaints.push("a card stays held");
  const { teller } = world;
  // What the bank's own generator never reported is not in its books.
  const isBanks = suspect === teller || suspect === world.generator;
  const onHand = teller === null || isBanks ? null : after.get(teller.name);
  if (onHand) complaints.push(...judgeTeller(world, onHand.sums));
  if (deed.locked !== null) complaints.push(...refusalOf(scenario, deed));
  return verdict;
}

/** What was never sent is never done: nothing is posted, and the order's hold stays. */
function withheldOf({ world }: Scenario, { isCommitted }: Verdict, postedBefore: number) {
  const { held, posted } = countCards(world);
  if (isCommitted && held === 1 && posted === postedBefore) return [];
  return [`${posted - postedBefore} postings and ${held} holds where completions are withheld`];
}

/** A bank whose own host lies to its modules sees what is wrong, and that is its own affair. */
function alarmsOf({ world }: Scenario, { suspect, isOrderChanged }: Deed): readonly string[] {
  const isBanks = suspect === world.teller || suspect === world.generator;
  return isOrderChanged && isBanks ? [] : bankAlarms(world);
}

/** How often the order was carried out by these gains of its first device; null for no such sum. */
function ordersOf({ gainMinor }: Scenario, gained: (unit: string) => number): number | null {
  const main = gainMinor[UNIT] ?? 0;
  if (main === 0) return gained(UNIT) === 0 ? 0 : null;
  const orders = gained(UNIT) / main;
  const isWhole = Number.isInteger(orders) && orders >= 0 && orders <= 2;
  const isEach = Object.keys(gainMinor).every((unit) => gained(unit) === orders * gainMinor[unit]!);
  // Minus zero is no other number of orders.
  return isWhole && isEach ? Math.abs(orders) : null;
}

/** What all modules that speak have more than all had. */
function madeIn(after: FundsByDevice, before: FundsByDevice): number {
  const change = new Map<string, number>();
  const add = (all: FundsByDevice, sign: number) => {
    for (const funds of all.values()) {
      for (const [unit, sum] of Object.entries(funds?.sums ?? {})) {
        change.set(unit, (change.get(unit) ?? 0) + sign * sum);
      }
    }
  };
  add(after, 1);
  add(before, -1);
  return [...change.values()].reduce((sum, one) => sum + Math.max(0, one), 0);
}

/** A half with an old image answers no command but with the reason. */
function refusalOf({ world }: Scenario, { suspect, locked }: Deed): string[] {
  const command = locked === "module" ? FUNDS : [30, new Uint8Array(16)];
  const heard = world.ask(suspect, locked!, command);
  const refusal = heard.find(([number]) => number === 0);
  if (refusal?.[2] === FLASH_ROLLED_BACK) return [];
  return [`the ${locked} of ${suspect.name} opens an old flash image, or does not say so`];
}
