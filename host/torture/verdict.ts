// SPDX-License-Identifier: Apache-2.0
// Heals a world after a fault, lets its devices meet, and says what is then wrong: the invariants
// of docs/protocol.md section 8 by the modules' own word, the receipts and the banks' books.
import { itemsOf } from "./items.ts";
import { hex } from "./agentWorld.ts";
import type { Device, Half } from "./agentWorld.ts";
import { openPayments } from "./bankHost.ts";
import { customerAccount, MERCHANT_ACCOUNT } from "./bankParties.ts";
import { balanceOf, bankAlarms, circulating, judgeBank } from "./bankVerdict.ts";
import { endFaults } from "./faults.ts";
import type { CardAccount, CardTransaction } from "../network/authorization/issuerBooks.ts";
import type { FaultWorld } from "./faultWorld.ts";
import { commandOf, type Scenario } from "./scenarios.ts";

const COMMITTED = 2;
const IN_DOUBT = 3;
const RUNNING = 4;
/** Behind all time-outs, all held letters and everything that comes back. */
const HEAL_MS = 600_000;
const MEETING_MS = 60_000;
/** Each meeting asks about one open payment. */
const MEETINGS = 6;

/** Commands that ask: the funds, what is open among modules, and with a card issuer. */
const FUNDS = [80];
const OPEN_PAYMENTS = [89];
const OPEN_CARDS = [56];

/**
 * No page of a flash window is erased so much more often than all on average: the journal is a
 * ring, and each loss of power in an erasure has that page erased once more.
 */
const WEAR_LIMIT = 4;

/** All that is counted, before a run or after it. */
export interface Count {
  /** Minor units by unit, over all modules; what lies in a generator was redeemed already. */
  totals: Record<string, number>;
  /** What the bank's books say of the same. */
  circulating: Record<string, number>;
  /** The customer's account with the bank, and the merchant's, into which card postings go. */
  accountMinor: number;
  merchantMinor: number;
  /** The same of the first device alone, and of the bank's teller where it is in the world. */
  first: Record<string, number>;
  onHand: Record<string, number> | null;
  inDoubtMinor: number;
  /** Tickets of the first device's agent; 0 for an order to a module. */
  tickets: number;
  posted: number;
  held: number;
  /** Balances of all cards, and what is held on them, in minor units of the accounts. */
  cardMinor: number;
  cardHeldMinor: number;
}

export interface Verdict {
  /** Minor units that are missing, and that are too many, over all units. */
  lostMinor: number;
  madeMinor: number;
  inDoubtMinor: number;
  isCommitted: boolean;
  /** How much more often than on average the most worn page of any flash window was erased. */
  wear: number;
  /** What is wrong, in words; empty if nothing is. */
  complaints: string[];
}

/** Counts money, receipts and cards; the world must be at rest. */
export function count(scenario: Scenario): Count {
  const { world, first, half } = scenario;
  const result: Count = {
    totals: {},
    circulating: circulating(world),
    accountMinor: balanceOf(world, customerAccount("USD")),
    merchantMinor: balanceOf(world, MERCHANT_ACCOUNT),
    onHand: null,
    first: {},
    inDoubtMinor: 0,
    tickets: half === "agent" ? ticketsOf(scenario, first) : 0,
    ...countCards(world),
  };
  for (const device of world.devices) {
    const answer = world.ask(device, "module", FUNDS).find(([number]) => number === 80);
    if (answer === undefined) throw new Error(`The money module of ${device.name} is silent.`);
    for (const [unit, spendable, inDoubt, refresh, promised] of answer[1] as Row[]) {
      const sum = device === world.generator ? 0 : spendable + refresh;
      result.totals[unit] = (result.totals[unit] ?? 0) + sum;
      if (device === first) result.first[unit] = sum;
      if (device === world.teller) result.onHand = { ...result.onHand, [unit]: sum };
      result.inDoubtMinor += inDoubt + promised;
    }
  }
  return result;
}

/** What the card issuer's store says: transactions by state, and balances with what is held. */
export function countCards({ cards }: FaultWorld) {
  const { accounts = {}, transactions = {} } = cards?.issuer.books ?? {};
  const inState = (wanted: CardTransaction["state"]) =>
    Object.values(transactions).filter(({ state }) => state === wanted).length;
  const sum = (of: (account: CardAccount) => number) =>
    Object.values(accounts).reduce((total, account) => total + of(account), 0);
  return {
    posted: inState("posted"),
    held: inState("held"),
    cardMinor: sum(({ balanceMinor }) => balanceMinor),
    cardHeldMinor: sum(({ heldDebitMinor, heldCreditMinor }) => heldDebitMinor + heldCreditMinor),
  };
}

type Row = [string, number, number, number, number];

function ticketsOf({ world }: Scenario, device: Device): number {
  const ask = (cursor: unknown) =>
    world.ask(device, "agent", [8, 1, cursor]).find(([number]) => number === 8);
  return itemsOf(ask).length;
}

/**
 * Ends the faults, waits out everything and lets the devices meet until nothing is open, the order
 * under `number` among it. `persist` puts on again what does not end. What is open even then, in
 * words.
 */
export function heal(scenario: Scenario, number: number, persist = () => {}): string[] {
  const { world } = scenario;
  endFaults(world);
  persist();
  world.pass(HEAL_MS);
  let open = meet(scenario, number);
  for (let meeting = 0; meeting < MEETINGS && open.length > 0; meeting += 1) {
    world.pass(MEETING_MS);
    open = meet(scenario, number);
  }
  return open;
}

/** Each side asks about what it knows to be open; what that is, in words. */
function meet(scenario: Scenario, number: number): string[] {
  const { world, hasCard, second } = scenario;
  const open: string[] = [];
  const ask = (device: Device, half: Half, command: readonly unknown[], what: string) => {
    const answer = world.ask(device, half, [...command]).find(([name]) => name === command[0]);
    if (answer === undefined) open.push(`the ${half} of ${device.name} does not say what is open`);
    else if (answer[1] !== 0) open.push(`${device.name} has ${answer[1]} ${what} open`);
  };
  // A host asks what became of its command, as long as that has no end.
  const state = stateOf(scenario, number);
  if (state === IN_DOUBT || state === RUNNING) open.push("the order has no end");
  for (const device of world.devices) ask(device, "module", OPEN_PAYMENTS, "payments");
  // The bank asks its own module by itself.
  const held = world.bank === null ? 0 : openPayments(world.bank.ledger, world.bankName).length;
  if (held > 0) open.push(`the bank has ${held} payments open`);
  if (hasCard) ask(second, "agent", OPEN_CARDS, "cards");
  return open;
}

/** Compares what is there now with `before`, after the order under `number`. */
export function judge(scenario: Scenario, before: Count, number: number): Verdict {
  const { world, gainMinor, hasCard, accountGainMinor, cardGainMinor } = scenario;
  const after = count(scenario);
  const verdict: Verdict = {
    lostMinor: 0,
    madeMinor: 0,
    inDoubtMinor: after.inDoubtMinor,
    isCommitted: stateOf(scenario, number) === COMMITTED,
    wear: wearOf(scenario),
    complaints: [...bankAlarms(world), ...world.conflicts],
  };
  const { complaints } = verdict;
  for (const unit of new Set([...Object.keys(before.totals), ...Object.keys(after.totals)])) {
    // What the bank issued is not made, nor what it redeemed lost.
    const issued = (after.circulating[unit] ?? 0) - (before.circulating[unit] ?? 0);
    const change = (after.totals[unit] ?? 0) - (before.totals[unit] ?? 0) - issued;
    if (change < 0) verdict.lostMinor -= change;
    else verdict.madeMinor += change;
  }
  if (verdict.lostMinor > 0) complaints.push(`${verdict.lostMinor} minor units are lost`);
  if (verdict.madeMinor > 0) complaints.push(`${verdict.madeMinor} minor units are made`);
  if (verdict.wear > WEAR_LIMIT) complaints.push(`the flash is worn unevenly by ${verdict.wear}`);
  if (after.inDoubtMinor > 0) complaints.push(`${after.inDoubtMinor} minor units stay in doubt`);
  const orders = verdict.isCommitted ? 1 : 0;
  for (const unit of Object.keys({ ...before.first, ...after.first })) {
    const gained = (after.first[unit] ?? 0) - (before.first[unit] ?? 0);
    const due = orders * (gainMinor[unit] ?? 0);
    if (gained !== due) {
      complaints.push(`the first device gained ${gained} ${unit} where its order says ${due}`);
    }
  }
  if (hasCard) {
    if (after.posted - before.posted !== orders) {
      complaints.push(`${after.posted - before.posted} postings for ${orders} orders`);
    }
    if (after.held > before.held) complaints.push("a card stays held");
    if (after.cardHeldMinor !== before.cardHeldMinor) {
      const held = after.cardHeldMinor - before.cardHeldMinor;
      complaints.push(`the card account holds ${held} more than before`);
    }
    const charged = after.cardMinor - before.cardMinor;
    if (charged !== orders * cardGainMinor) {
      complaints.push(`the card account changed by ${charged} for ${orders} orders`);
    }
  }
  // A receipt for which there is no place takes that of the oldest.
  const receipts = hasCard && !scenario.isHolderFull ? orders : 0;
  if (after.tickets - before.tickets !== receipts) {
    complaints.push(`${after.tickets - before.tickets} receipts for ${orders} orders`);
  }
  // An account gives what the customer withdraws and takes what he pays in, and nothing else.
  const booked = after.accountMinor - before.accountMinor;
  const dueMinor = orders * accountGainMinor;
  if (booked !== dueMinor) complaints.push(`the account changed by ${booked}, not ${dueMinor}`);
  const cleared = after.merchantMinor - before.merchantMinor;
  if (cleared !== -orders * cardGainMinor) {
    complaints.push(`the merchant's account changed by ${cleared} for ${orders} orders`);
  }
  complaints.push(...judgeBank(world, after.totals, after.onHand));
  return verdict;
}

export function wearOf({ world }: Scenario): number {
  return Math.max(...world.parts.map(({ module }) => module.wear));
}

/** What the first device says of an order now; none where it never heard of it. */
function stateOf({ world, first, half }: Scenario, number: number): number | undefined {
  const id = commandOf(number);
  const told = world.ask(first, half, [30, id]);
  const name = hex(id);
  return told.findLast(([kind, about]) => kind === 29 && hex(about as Uint8Array) === name)?.[2] as
    | number
    | undefined;
}

/** Orders once more; what fails then, in words. */
export function tryOnceMore(scenario: Scenario, number: number): string[] {
  const before = count(scenario);
  scenario.prepare();
  scenario.order(number);
  const open = heal(scenario, number);
  const verdict = judge(scenario, before, number);
  const failed = verdict.isCommitted ? [] : ["the next order fails"];
  return [...failed, ...open, ...verdict.complaints].map((complaint) => `afterwards: ${complaint}`);
}
