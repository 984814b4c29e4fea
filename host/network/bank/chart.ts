// SPDX-License-Identifier: Apache-2.0
// The chart of accounts of a bank that gives out electronic money, and the batches that open it.
// The names are the patent's: money issued, notes on hand, in transit, correspondents.
import type { Direction } from "../../trust/merchantOffer.ts";
import type { AccountKind, AccountOpening, LedgerBatch } from "./ledger.ts";

/** By unit: the banks that issue it, those first from which a bank's teller gets its notes. */
export type Issuers = Readonly<Record<string, readonly string[]>>;

/** Name of a bank's own account of a kind in a unit, e.g. "in-transit:EUR". */
export function ownAccount(kind: AccountKind, unit: string): string {
  return `${kind}:${unit}`;
}

/**
 * Opens the bank's own accounts for each unit. It may be repeated. Notes on hand are booked by unit
 * and belong to the unit's first issuer: where that is another bank, they are a claim on it.
 */
export function openBankBatch(
  bank: string,
  units: readonly string[],
  issuers: Issuers,
): LedgerBatch {
  const kinds: AccountKind[] = ["reserve", "notes-on-hand", "money-issued", "in-transit", "losses"];
  const open = units.flatMap((unit) => {
    const issuer = issuers[unit]?.[0] ?? bank;
    return kinds.map((kind) => ({
      account: ownAccount(kind, unit),
      owner: kind === "notes-on-hand" ? issuer : bank,
      unit,
      kind,
      drawers: [],
    }));
  });
  return { bank, open };
}

/** A deposit to open: a customer's, a merchant's, or a correspondent bank's. */
export interface DepositOpening {
  readonly account: string;
  readonly owner: string;
  readonly unit: string;
  /** Ids (hexadecimal) of the money modules that may draw on it. */
  readonly drawers: readonly string[];
  /** Paid in as cash, so it is balanced by the reserve; may be 0. */
  readonly openingMinor: number;
}

/** Opens a deposit with its first balance. It may be repeated; the balance is paid in once. */
export function openDepositBatch(
  bank: string,
  { openingMinor, ...deposit }: DepositOpening,
  atSeconds: number,
): LedgerBatch {
  const open: AccountOpening[] = [{ ...deposit, kind: "deposit" }];
  if (openingMinor === 0) return { bank, open };
  const lines = [
    { account: ownAccount("reserve", deposit.unit), debitMinor: openingMinor },
    { account: deposit.account, debitMinor: -openingMinor },
  ];
  return { bank, open, entry: { transaction: "opening", leg: deposit.account, atSeconds, lines } };
}

/** A card authorization that a card issuer posted, as the merchant's bank sees it. */
export interface CardPosting {
  /** SHA-256 of the mandate, hexadecimal: one posting is booked once. */
  readonly mandateHash: string;
  readonly cardIssuer: string;
  readonly merchantAccount: string;
  readonly direction: Direction;
  readonly amountMinor: number;
  readonly unit: string;
}

/**
 * Books a posted card authorization: in a purchase the card issuer owes the bank what the
 * merchant is credited; in a sale it is the other way round.
 */
export function cardPostingBatch(
  bank: string,
  posting: CardPosting,
  atSeconds: number,
): LedgerBatch {
  const { cardIssuer, merchantAccount, direction, amountMinor, unit } = posting;
  const settlement = `settlement:${cardIssuer}:${unit}`;
  const debitMinor = direction === "buy" ? amountMinor : -amountMinor;
  return {
    bank,
    open: [{ account: settlement, owner: cardIssuer, unit, kind: "settlement", drawers: [] }],
    entry: {
      transaction: posting.mandateHash,
      leg: "card",
      atSeconds,
      lines: [
        { account: settlement, debitMinor },
        { account: merchantAccount, debitMinor: -debitMinor },
      ],
    },
  };
}

/**
 * A bank pays into its deposit at a bank that issues, from reserve to reserve.
 * @param payment unique name of this payment: repeated, it is booked once at each bank
 * @returns the batch of the paying bank and that of the issuer
 */
export function correspondentBatches(
  payment: string,
  { bank, issuer, unit }: { bank: string; issuer: string; unit: string },
  amountMinor: number,
  atSeconds: number,
): [LedgerBatch, LedgerBatch] {
  const own = correspondentOpening(issuer, unit);
  const deposit = correspondentDepositOpening(bank, unit);
  const reserve = ownAccount("reserve", unit);
  const entry = (debited: string, credited: string) => {
    const lines = [
      { account: debited, debitMinor: amountMinor },
      { account: credited, debitMinor: -amountMinor },
    ];
    return { transaction: payment, leg: "correspondent", atSeconds, lines };
  };
  return [
    { bank, open: [own], entry: entry(own.account, reserve) },
    { bank: issuer, open: [deposit], entry: entry(reserve, deposit.account) },
  ];
}

/** Account of a correspondent bank at the bank that issues. */
export function correspondentDeposit(bank: string, unit: string): string {
  return `deposit-of-correspondent:${bank}:${unit}`;
}

export function correspondentDepositOpening(bank: string, unit: string): AccountOpening {
  const account = correspondentDeposit(bank, unit);
  return { account, owner: bank, unit, kind: "deposit-of-correspondent", drawers: [] };
}

/** The same deposit in the correspondent's own books. */
export function correspondentAccount(issuer: string, unit: string): string {
  return `deposit-at-correspondent:${issuer}:${unit}`;
}

export function correspondentOpening(issuer: string, unit: string): AccountOpening {
  const account = correspondentAccount(issuer, unit);
  return { account, owner: issuer, unit, kind: "deposit-at-correspondent", drawers: [] };
}
