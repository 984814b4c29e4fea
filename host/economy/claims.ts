// SPDX-License-Identifier: Apache-2.0
// Claims in an economy (par. 121, 122): owners file them at the Certification Agency, which decides
// what is due at each start and whenever days have passed, and verdicts go to the modules.
import { hexToBytes } from "@noble/hashes/utils.js";
import { type ClaimAttempt, claimDoubts, exchangeWithAgency } from "../application/claims.ts";
import { ClaimsDesk } from "../network/agency/claimsDesk.ts";
import { sqlClaimStore } from "../network/agency/sqlClaims.ts";
import { LETTERS_OF_OWNER } from "../network/bank/mailbox.ts";
import { sqlMailStore } from "../network/bank/sqlMailStore.ts";
import { readClaim, Refusal } from "../trust/claims.ts";
import { accountName, type Bank, moduleId } from "./banks.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";
import { isModuleClosed } from "./heldMoney.ts";
import { bankNamed, ownerNamed } from "./names.ts";
import type { World } from "./world.ts";

/** One claim as programs and people read it; amounts in minor units. */
export interface ClaimReport {
  payId: string;
  /** Name of the device. */
  device: string;
  unit: string;
  amount: number;
  account: string;
  bank: string;
  filed: string;
  due: string;
  state: "open" | "paid" | "refused";
  reason: string | null;
}

const REASONS: Readonly<Record<number, string>> = {
  [Refusal.PAYER_ABORTED]: "the payer's module signed that the payment was aborted",
  [Refusal.RECEIVED]: "the money was received, and passed on",
  [Refusal.ELSEWHERE]: "the money came back to its issuer another way",
  [Refusal.CLAIMED]: "the money was paid on another claim",
  [Refusal.ACCOUNT]: "the account is unknown, closed or of another unit",
};

/** The desk of this economy's Certification Agency. */
export function openClaims(base: Foundations, banks: readonly Bank[]): ClaimsDesk {
  return new ClaimsDesk({
    agency: base.agencies.module,
    claims: sqlClaimStore(base.database),
    ledger: base.ledger,
    nowSeconds: base.nowSeconds,
    onAborted: async (statement) => {
      for (const { service } of banks) await service.takeAborted(statement);
    },
    onConviction: ({ module }) => base.distrustModule(hexToBytes(module)),
  });
}

/**
 * Shows the agency the payers' answers that lie in mailboxes, decides what is due, and lets each
 * device and the agency hear of one another.
 */
export async function settleClaims(
  { base, claims: desk }: Pick<World, "base" | "claims">,
  devices: readonly CertifiedParty[],
): Promise<void> {
  for (const { claimant, state } of await desk.all()) {
    if (state === "open") await showLetters(base, desk, claimant);
  }
  await desk.decideDue();
  for (const party of devices) {
    if (party.certified.module !== undefined && !isModuleClosed(party)) {
      await exchangeWithAgency(party.device, moduleId(party), desk);
    }
  }
}

/**
 * Answers that came for a claimant too late: its module takes them no more, but they are evidence.
 */
async function showLetters(base: Foundations, desk: ClaimsDesk, claimant: string): Promise<void> {
  const mail = sqlMailStore(base.database);
  const banks = await base.database.query("SELECT DISTINCT bank FROM mail_letters ORDER BY bank");
  for (const bank of banks.map((row) => String(row.bank))) {
    for (const { statement } of await mail.lettersTo(bank, claimant, 0, LETTERS_OF_OWNER)) {
      await desk.showAborted(statement);
    }
  }
}

/** What an owner claims: each payment in doubt of its devices. */
export interface ClaimOrder {
  who: string;
  /** "OWNER:UNIT"; that of `who` in the payment's unit if absent. */
  account?: string;
  /** The owner's own bank if absent, else the first. */
  bank?: string;
}

/**
 * Files a claim for each payment that is in doubt.
 * @throws {UnknownNameError} when a name is wrong
 */
export async function fileClaims(world: World, order: ClaimOrder): Promise<ClaimAttempt[]> {
  const owner = ownerNamed(world, order.who);
  const bank =
    order.bank === undefined ? (owner.bank ?? world.banks[0]!) : bankNamed(world, order.bank);
  const attempts: ClaimAttempt[] = [];
  for (const { device } of owner.parties) {
    const accountFor = (unit: string) =>
      `${order.account ?? accountName(owner.name, unit)}@${bank.name}`;
    attempts.push(...(await claimDoubts(device, world.claims, accountFor)));
  }
  return attempts;
}

/** All claims, oldest first. */
export async function claimReports(world: World): Promise<ClaimReport[]> {
  await settleClaims(world, world.devices());
  const nameOf = (id: string) => {
    const known = world.devices().filter(({ certified }) => certified.module !== undefined);
    return known.find((party) => moduleId(party) === id)?.name ?? id;
  };
  const date = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10);
  return (await world.claims.all()).map((record) => {
    const { offer, account, bank } = readClaim(record.claim)!;
    return {
      payId: record.payId,
      device: nameOf(record.claimant),
      unit: offer.unit,
      amount: offer.amountMinor,
      account,
      bank,
      filed: date(record.filedAt),
      due: date(record.dueAt),
      state: record.state,
      reason: REASONS[record.refusal] ?? null,
    };
  });
}
