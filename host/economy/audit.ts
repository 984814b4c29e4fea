// SPDX-License-Identifier: Apache-2.0
// The closing audit (protocol section 8): issued - redeemed = held over all modules, ledgers
// balance, and every receipt agrees with card posting, money and the merchant's account.
import type { Row } from "../network/store/database.ts";
import { formatAmount } from "../network/currencies.ts";
import { moduleBalances } from "./banks.ts";
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
  for (const party of world.devices()) {
    for (const balance of await moduleBalances(party)) {
      const entry = supply[balance.unit];
      if (entry === undefined) {
        problems.push(`${party.name} holds ${balance.unit}, which nobody issues`);
        continue;
      }
      entry.held += balance.spendableMinor + balance.refreshMinor + balance.inDoubtMinor;
      if (balance.inDoubtMinor > 0) {
        const amount = formatAmount(balance.inDoubtMinor, balance.unit);
        problems.push(`${party.name} has ${amount} in doubt`);
      }
    }
  }
  for (const [unit, { issued, redeemed, held }] of Object.entries(supply)) {
    if (issued - redeemed === held) continue;
    const out = formatAmount(issued - redeemed, unit);
    problems.push(`${out} should be in circulation, but modules hold ${formatAmount(held, unit)}`);
  }
  return supply;
}

async function auditLedgers(world: World, problems: string[]): Promise<boolean> {
  let isBalanced = true;
  for (const bank of world.banks) {
    const { totals } = await bank.service.report();
    const stock = await moduleBalances(bank.teller);
    for (const { unit, debitMinor, creditMinor, onHandMinor, inTransitMinor } of totals) {
      if (debitMinor !== creditMinor) {
        isBalanced = false;
        problems.push(`the ledger of ${bank.name} does not balance in ${unit}`);
      }
      const held = stock.find((balance) => balance.unit === unit)?.spendableMinor ?? 0;
      if (held !== onHandMinor) {
        const books = formatAmount(onHandMinor, unit);
        const module = formatAmount(held, unit);
        problems.push(`${bank.name} books ${books} on hand, but its teller holds ${module}`);
      }
      if (inTransitMinor !== 0) problems.push(`${bank.name} has ${unit} in transit`);
    }
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
    if ((await wallet.tickets()).length >= TICKETS_HELD) full.add(agentId(party));
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
