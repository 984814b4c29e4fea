// SPDX-License-Identifier: Apache-2.0
// What each kind of payment changes in a bank's books, when it is agreed to, settled or released
// (docs/protocol.md section 6, Ledger). Entries are keyed by pay id and leg, so each is made once.
import {
  correspondentAccount,
  correspondentDepositOpening,
  correspondentOpening,
  ownAccount,
} from "./chart.ts";
import type { Entry, LedgerBatch, PaymentRecord } from "./ledger.ts";

type Lines = Entry["lines"];

/** Debits one account and credits the other. */
export function move(debited: string, credited: string, amountMinor: number): Lines {
  return [
    { account: debited, debitMinor: amountMinor },
    { account: credited, debitMinor: -amountMinor },
  ];
}

function entryFor({ payId }: PaymentRecord, leg: string, atSeconds: number, lines: Lines) {
  return lines.length === 0 ? {} : { entry: { transaction: payId, leg, atSeconds, lines } };
}

/**
 * A payment is agreed to, before its module may go on: what leaves an account is held, what comes
 * in is booked nowhere yet.
 * @param correspondent the bank whose teller asks, for a generator; undefined for the own teller
 */
export function agreeBatch(
  bank: string,
  record: PaymentRecord,
  correspondent: string | undefined,
  atSeconds: number,
): LedgerBatch {
  const { kind, account, peer, amountMinor, unit } = record;
  const batch: LedgerBatch = { bank, payment: { expected: null, record } };
  if (account === null) return batch;
  if (kind === "deposit") return { ...batch, paidInto: { account, unit } };
  const open =
    correspondent === undefined ? [] : [correspondentDepositOpening(correspondent, unit)];
  if (kind === "redemption") return { ...batch, open };
  return {
    ...batch,
    open,
    // A correspondent's teller draws by agreement between the banks, not by the list.
    ...(kind === "withdrawal" ? { drawnBy: { account, module: peer } } : {}),
    ...entryFor(
      record,
      "held",
      atSeconds,
      move(account, ownAccount("in-transit", unit), amountMinor),
    ),
    mustCover: [account],
  };
}

/** The module committed (settled), or certainly did not (released), what was agreed to. */
export function endBatch(
  bank: string,
  held: PaymentRecord,
  state: "settled" | "released",
  atSeconds: number,
): LedgerBatch {
  const record: PaymentRecord = { ...held, state };
  const lines = state === "settled" ? settledLines(held) : releasedLines(held);
  const payment = { expected: "held" as const, record };
  return { bank, payment, ...entryFor(record, state, atSeconds, lines) };
}

function settledLines({ kind, account, amountMinor, unit }: PaymentRecord): Lines {
  const inTransit = ownAccount("in-transit", unit);
  const onHand = ownAccount("notes-on-hand", unit);
  const issued = ownAccount("money-issued", unit);
  switch (kind) {
    // What was held for the customer left the stock.
    case "withdrawal":
      return move(inTransit, onHand, amountMinor);
    case "deposit":
      return move(onHand, account!, amountMinor);
    // New money, in the own teller's stock or against what the other bank's deposit held.
    case "issue":
      return move(account === null ? onHand : inTransit, issued, amountMinor);
    // Out of the own teller's stock, or in favour of the other bank's deposit.
    case "redemption":
      return move(issued, account ?? onHand, amountMinor);
    // As much came into the stock as left it.
    default:
      return [];
  }
}

function releasedLines({ kind, account, amountMinor, unit }: PaymentRecord): Lines {
  const wasHeld = account !== null && (kind === "withdrawal" || kind === "issue");
  return wasHeld ? move(ownAccount("in-transit", unit), account, amountMinor) : [];
}

/**
 * The own teller's side of a payment with another bank's generator, which nobody had to agree to:
 * notes came into the stock for the deposit there (restock), or went back for it (return).
 */
export function correspondentSideBatch(
  bank: string,
  issuer: string,
  payment: Omit<PaymentRecord, "account" | "state">,
  atSeconds: number,
): LedgerBatch {
  const { kind, amountMinor, unit } = payment;
  const account = correspondentAccount(issuer, unit);
  const onHand = ownAccount("notes-on-hand", unit);
  const lines =
    kind === "return" ? move(account, onHand, amountMinor) : move(onHand, account, amountMinor);
  const record: PaymentRecord = { ...payment, account, state: "settled" };
  return {
    bank,
    open: [correspondentOpening(issuer, unit)],
    payment: { expected: null, record },
    ...entryFor(record, kind, atSeconds, lines),
  };
}
