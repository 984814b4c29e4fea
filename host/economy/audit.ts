// SPDX-License-Identifier: Apache-2.0
// The closing audit (protocol section 8): issued - redeemed = held over all modules, ledgers
// balance, and every receipt agrees with card posting, money and the merchant's account.
import type { Row } from "../network/store/database.ts";
import { formatAmount } from "../network/currencies.ts";
import { correspondentDeposit } from "../network/bank/chart.ts";
import { closureSentence } from "../application/closedModule.ts";
import { moduleBalances } from "./banks.ts";
import { heldMoney, isModuleClosed } from "./heldMoney.ts";
import { agentId } from "./merchants.ts";
import type { AuditReport, Supply } from "./report.ts";
import type { World } from "./world.ts";

/** Tickets that a trusted agent holds; its oldest receipt makes room for one more. */
const TICKETS_HELD = 32;

/** Audits a running economy; reads only. */
export async function audit(world: World): Promise<AuditReport> {
  const problems: string[] = [];
  if (!(await world.settled())) problems.push("card postings or ledger holds are still open");
  const supply = await auditSupply(world, problems);
  const ledger = { balanced: await auditLedgers(world, problems) };
  await auditReceipts(world, problems);
  return { ok: problems.length === 0 && ledger.balanced, supply, ledger, problems };
}

async function auditSupply(world: World, problems: string[]): Promise<Record<string, Supply>> {
  const supply: Record<string, Supply> = {};
  for (const unit of world.economy.units) supply[unit] = { issued: 0, redeemed: 0, held: 0 };
  for (const { service } of world.banks) {
    for (const totals of (await service.report()).totals) {
      const entry = supply[totals.unit];
      if (entry === undefined) continue;
      entry.issued += totals.issuedMinor;
      entry.redeemed += totals.redeemedMinor;
    }
  }
  const generators = world.banks.flatMap(({ generator }) => generator ?? []);
  for (const money of await heldMoney(world.devices(), generators)) {
    const { party, unit, heldMinor, inDoubtMinor } = money;
    const entry = supply[unit];
    if (entry === undefined) {
      problems.push(`${party.name} holds ${unit}, which nobody issues`);
      continue;
    }
    entry.held += heldMinor;
    if (inDoubtMinor > 0) {
      problems.push(`${party.name} has ${formatAmount(inDoubtMinor, unit)} in doubt`);
    }
  }
  const closed = world.devices().filter(({ closures }) => closures.length > 0);
  for (const { name, closures } of closed) {
    for (const closure of closures) problems.push(closureSentence(name, closure));
  }
  for (const [unit, { issued, redeemed, held }] of Object.entries(supply)) {
    if (issued - redeemed === held) continue;
    const missingMinor = issued - redeemed - held;
    if (missingMinor > 0 && closed.length > 0) {
      const names = closed.map(({ name }) => name).join(", ");
      const missing = formatAmount(missingMinor, unit);
      problems.push(`${missing} of what circulates is in no module that opens; not open: ${names}`);
      continue;
    }
    const out = formatAmount(issued - redeemed, unit);
    problems.push(`${out} should be in circulation, but modules hold ${formatAmount(held, unit)}`);
  }
  return supply;
}

/** Books that balance, and agree with modules, with the issuer's index and with each other. */
async function auditLedgers(world: World, problems: string[]): Promise<boolean> {
  let isBalanced = true;
  for (const bank of world.banks) {
    const { name, service, teller, generator } = bank;
    const { totals, accounts } = await service.report();
    const isClosed = isModuleClosed(teller);
    const stock = isClosed ? [] : await moduleBalances(teller);
    const isReading = generator !== undefined && !isModuleClosed(generator);
    const unreconciled = isReading ? await moduleBalances(generator) : [];
    for (const sums of totals) {
      const { unit, debitMinor, creditMinor, onHandMinor, inTransitMinor } = sums;
      if (debitMinor !== creditMinor) {
        isBalanced = false;
        problems.push(`the ledger of ${name} does not balance in ${unit}`);
      }
      const own = stock.find((balance) => balance.unit === unit);
      const held = (own?.spendableMinor ?? 0) + (own?.refreshMinor ?? 0);
      if (!isClosed && held !== onHandMinor) {
        const books = formatAmount(onHandMinor, unit);
        const module = formatAmount(held, unit);
        problems.push(`${name} books ${books} on hand, but its teller holds ${module}`);
      }
      if (inTransitMinor !== 0) problems.push(`${name} has ${unit} in transit`);
      const entered = formatAmount(sums.reconciledMinor, unit);
      if (sums.reconciledMinor !== sums.redeemedMinor + sums.lostMinor) {
        const redeemed = formatAmount(sums.redeemedMinor + sums.lostMinor, unit);
        problems.push(`${name} redeemed ${redeemed}, but ${entered} is in its index`);
      }
    }
    if (unreconciled.length > 0) problems.push(`notes in ${name}'s generator are not reconciled`);
    for (const { account, kind, unit, owner: issuer, balanceMinor } of accounts) {
      if (kind !== "deposit-at-correspondent") continue;
      const there = await world.base.ledger.account(issuer, correspondentDeposit(name, unit));
      if (there?.balanceMinor === balanceMinor) continue;
      problems.push(`${name} and ${issuer} do not agree about ${account}`);
    }
    for (const problem of await service.compareLogs()) problems.push(`${name}: ${problem}`);
  }
  return isBalanced;
}

/** Every receipt has its posting and its entry at the merchant's bank, and the reverse. */
async function auditReceipts(world: World, problems: string[]): Promise<void> {
  const { database } = world.base;
  const rows = await database.query("SELECT * FROM card_transactions");
  const posted = new Map<string, Row>();
  for (const row of rows) {
    const key = `${row.customer_agent_id}/${row.transaction_id}`;
    if (row.state === "posted") posted.set(key, row);
    if (row.state === "held") problems.push(`card transaction ${row.transaction_id} is still held`);
  }
  const full = new Set<string>();
  for (const { name, party, wallet } of world.people) {
    // An older copy of an agent misses its newest receipts.
    const isOld = party.closures.some(({ half }) => half === "agent");
    if (isOld && party.certified.agent === undefined) continue;
    if (isOld || (await wallet.tickets()).length >= TICKETS_HELD) full.add(agentId(party));
    for (const receipt of await wallet.receipts()) {
      const key = `${agentId(party)}/${receipt.transactionId}`;
      const row = posted.get(key);
      posted.delete(key);
      const what = `receipt ${receipt.identifier.ticketId} of ${name}`;
      if (row === undefined) {
        problems.push(`${what} has no card posting`);
        continue;
      }
      if (Number(row.amount_minor) !== receipt.authorizedMinor) {
        problems.push(`${what} says another amount than the card posting`);
      }
      const booked = await Promise.all(
        world.banks.map(({ name: bank }) =>
          world.base.ledger.entries(bank, String(row.mandate_hash)),
        ),
      );
      if (booked.flat().length !== 1) problems.push(`${what} is not booked once at a bank`);
    }
  }
  for (const [key] of posted) {
    // A full ticket holder has given its oldest receipts up; their purchases are in the ledgers.
    if (!full.has(key.slice(0, key.indexOf("/"))))
      problems.push(`card posting ${key} has no receipt`);
  }
}
