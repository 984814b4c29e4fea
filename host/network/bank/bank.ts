// SPDX-License-Identifier: Apache-2.0
// The bank as its teller's and generator's own side (docs/protocol.cddl section 8, 82 to 88): each
// message of a module is decided into one change of the books and what is done once it is durable.
import { hexToBytes } from "@noble/hashes/utils.js";
import { HostMessage, hostBody, PaymentState, RequestKind } from "../../application/hostPort.ts";
import { agreeBatch, correspondentSideBatch, endBatch } from "./bookings.ts";
import { correspondentDeposit, type Issuers } from "./chart.ts";
import type { LedgerBatch, PaymentKind, PaymentRecord } from "./ledger.ts";
import type { HoldWanted, ModuleMessage, Settle } from "./moduleMessages.ts";
import type { StockRequest } from "./stock.ts";

/** Who a bank deals with. Ids are 16 hexadecimal digits. */
export interface BankSettings {
  /** The bank's name, as in its modules' certificates. */
  readonly bank: string;
  readonly tellers: readonly string[];
  /** The bank's own generators; empty for a bank that does not issue. */
  readonly generators: readonly string[];
  /**
   * By id of another bank's teller: the name of that bank, whose deposit here pays its restocks.
   */
  readonly correspondentTellers: Readonly<Record<string, string>>;
  /** By id of another bank's generator: the name of that bank. */
  readonly correspondentGenerators: Readonly<Record<string, string>>;
  readonly issuers: Issuers;
}

export type BankEffect =
  | { readonly type: "send"; readonly module: string; readonly body: Uint8Array }
  /** The teller may go on as soon as its stock covers the payment (stock.ts). */
  | { readonly type: "notes wanted"; readonly module: string; readonly request: StockRequest }
  /** The teller has a payment that takes nothing out of its stock. */
  | { readonly type: "begun"; readonly module: string; readonly payId: string }
  /** A teller's payment is over; `broughtMinor` came into its stock. */
  | {
      readonly type: "ended";
      readonly module: string;
      readonly payId: string;
      readonly unit: string;
      readonly broughtMinor: number;
    }
  /** Notes lie in a generator that are not in the index yet (reconciliation.ts). */
  | { readonly type: "reconcile"; readonly module: string }
  /** Something that must not happen did; a person has to look. */
  | { readonly type: "alarm"; readonly text: string };

/** Apply the batch first, where there is one; then carry out what belongs to its result. */
export interface BankDecision {
  readonly batch?: LedgerBatch;
  readonly whenApplied: readonly BankEffect[];
  /** What follows when the books refuse the batch, for the reason that they give. */
  readonly whenRefused: readonly BankEffect[];
}

const NOTHING: BankDecision = { whenApplied: [], whenRefused: [] };

function only(...effects: BankEffect[]): BankDecision {
  return { ...NOTHING, whenApplied: effects };
}

/** The message 83 that lets a payment go on or ends it. */
export function holdAnswer(module: string, payId: string, isGranted: boolean): BankEffect {
  const body = hostBody(HostMessage.HOLD, hexToBytes(payId), isGranted);
  return { type: "send", module, body };
}

/**
 * Decides about a module's message.
 * @param module id of the module that sent it
 * @param payment the books' record of the message's pay id with this module
 */
export function decideMessage(
  settings: BankSettings,
  module: string,
  message: ModuleMessage,
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  return message.type === "hold wanted"
    ? decideHold(settings, module, message, payment, nowSeconds)
    : decideSettle(settings, module, message, payment, nowSeconds);
}

/** Asks a module about each payment that it has not settled, e.g. after a restart. */
export function closeQuestions(open: readonly PaymentRecord[]): BankEffect[] {
  return open.map(({ module, payId }) => ({
    type: "send",
    module,
    body: hostBody(HostMessage.CLOSE, hexToBytes(payId)),
  }));
}

/** How often a bank looks for payments that stay open, in milliseconds: longer than any may run. */
export const OPEN_ROUND_MS = 300_000;

/**
 * Payments that were open already when the bank looked last. A module tells once that it aborted;
 * where that was lost, nobody but the bank asks again, and the customer's money stays held.
 * @param before pay ids of the payments that were open then
 */
export function overduePayments(
  open: readonly PaymentRecord[],
  before: readonly string[],
): PaymentRecord[] {
  return open.filter(({ payId }) => before.includes(payId));
}

/**
 * The teller's stock cannot cover a payment that was agreed to: what was held for it goes back, and
 * then the module is told.
 */
export function decideRefusal(
  settings: BankSettings,
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  if (payment?.state !== "held") return NOTHING;
  const batch = endBatch(settings.bank, payment, "released", nowSeconds);
  return { batch, ...only(holdAnswer(payment.module, payment.payId, false)) };
}

function decideHold(
  settings: BankSettings,
  module: string,
  message: HoldWanted,
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  const refusal = holdAnswer(module, message.payId, false);
  const wanted = wantedRecord(settings, module, message);
  if (wanted === undefined) return only(refusal);
  // Asked again: the same content gets the same answer; a finished payment is not opened anew.
  if (payment !== undefined) {
    const isSame = isSameContent(payment, wanted) && payment.account === wanted.account;
    return isSame && payment.state === "held" ? only(...goAhead(payment)) : only(refusal);
  }
  const correspondent = settings.correspondentTellers[wanted.peer];
  const batch = agreeBatch(settings.bank, wanted, correspondent, nowSeconds);
  return { batch, whenApplied: goAhead(wanted), whenRefused: [refusal] };
}

/** What takes notes out of the stock waits for them, everything else goes on at once. */
function goAhead({ module, payId, kind, unit, amountMinor }: PaymentRecord): BankEffect[] {
  if (kind === "withdrawal" || kind === "refresh") {
    return [{ type: "notes wanted", module, request: { payId, unit, amountMinor } }];
  }
  const answer = holdAnswer(module, payId, true);
  return kind === "deposit" ? [{ type: "begun", module, payId }, answer] : [answer];
}

const TELLER_KINDS: Readonly<Record<number, PaymentKind>> = {
  [RequestKind.WITHDRAW]: "withdrawal",
  [RequestKind.DEPOSIT]: "deposit",
  [RequestKind.REFRESH]: "refresh",
};
const GENERATOR_KINDS: Readonly<Record<number, PaymentKind>> = {
  [RequestKind.ISSUE]: "issue",
  [RequestKind.REDEEM]: "redemption",
};

/** The record of what a module wants to do; undefined when this bank never does that. */
function wantedRecord(
  settings: BankSettings,
  module: string,
  { payId, peer, request, amountMinor, unit, account }: HoldWanted,
): PaymentRecord | undefined {
  const isGenerator = settings.generators.includes(module);
  const kind = (isGenerator ? GENERATOR_KINDS : TELLER_KINDS)[request];
  const issuers = settings.issuers[unit] ?? [];
  if (kind === undefined || amountMinor === 0) return undefined;
  const common = { module, payId, kind, peer, amountMinor, unit, state: "held" as const };
  if (kind === "withdrawal" || kind === "deposit") {
    return account === null ? undefined : { ...common, account };
  }
  if (account !== null) return undefined;
  if (kind === "refresh") return issuers.length > 0 ? { ...common, account } : undefined;
  if (!issuers.includes(settings.bank)) return undefined;
  if (settings.tellers.includes(peer)) return { ...common, account };
  const correspondent = settings.correspondentTellers[peer];
  if (correspondent === undefined) return undefined;
  return { ...common, account: correspondentDeposit(correspondent, unit) };
}

function isSameContent(payment: PaymentRecord, other: PaymentRecord): boolean {
  return (
    payment.kind === other.kind &&
    payment.peer === other.peer &&
    payment.amountMinor === other.amountMinor &&
    payment.unit === other.unit
  );
}

function decideSettle(
  settings: BankSettings,
  module: string,
  message: Settle,
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  const { payId, state, peer, request, amountMinor, unit } = message;
  const body = hostBody(HostMessage.NOTED, hexToBytes(payId));
  const noted: BankEffect = { type: "send", module, body };
  const alarm = (text: string): BankEffect => ({
    type: "alarm",
    text: `Payment ${payId} of module ${module}: ${text}.`,
  });
  const isCommitted = state === PaymentState.COMMITTED;
  // Running or in doubt: the module reports again when it knows. A doubt takes up no place there.
  if (state === PaymentState.IN_DOUBT && payment?.state === "held") {
    return only(...whatFollows(payment, "in doubt"));
  }
  if (!isCommitted && state !== PaymentState.ABORTED && state !== PaymentState.NONE) return NOTHING;
  if (payment === undefined) {
    // Own generator: it was booked from its side, stock included.
    if (!isCommitted || settings.generators.includes(peer)) return only(noted);
    const kind = ownOrderKind(request);
    const issuer = settings.correspondentGenerators[peer];
    if (issuer === undefined || kind === undefined) {
      return only(alarm("it committed, but the books never held it; it is not noted"));
    }
    const side = { module, payId, kind, peer, amountMinor, unit };
    return {
      batch: correspondentSideBatch(settings.bank, issuer, side, nowSeconds),
      whenApplied: [noted],
      whenRefused: [alarm(`the books refuse the ${kind} that it committed`)],
    };
  }
  const kinds = settings.generators.includes(module) ? GENERATOR_KINDS : TELLER_KINDS;
  const kind = kinds[request] ?? ownOrderKind(request) ?? payment.kind;
  if (isCommitted && !isSameContent(payment, { ...payment, kind, peer, amountMinor, unit })) {
    return only(alarm("it committed something else than was agreed to"));
  }
  // No record (kind 0): nothing was promised, or what was noted is forgotten by now, e.g. where the
  // question was long on its way. That says nothing against books that have an end (rule 4.6).
  const hasNoRecord = !isCommitted && request === RequestKind.NONE;
  const known = hasNoRecord && payment.state !== "held" ? payment.state : "released";
  const wanted = isCommitted ? "settled" : known;
  const follow = [noted, ...whatFollows(payment, wanted)];
  if (payment.state === wanted) return only(...follow);
  if (payment.state !== "held") {
    return only(alarm(`it now says ${wanted}, after the books were told ${payment.state}`));
  }
  return {
    batch: endBatch(settings.bank, payment, wanted, nowSeconds),
    whenApplied: follow,
    whenRefused: [alarm(`the books refuse to make it ${wanted}`)],
  };
}

/** What a teller does by its own bank's order, as its own books call it. */
function ownOrderKind(request: number): PaymentKind | undefined {
  if (request === RequestKind.ISSUE) return "restock";
  return request === RequestKind.REDEEM ? "return" : undefined;
}

function whatFollows(
  { module, payId, kind, unit, amountMinor, state }: PaymentRecord,
  wanted: "settled" | "released" | "in doubt",
): BankEffect[] {
  if (kind === "redemption") return wanted === "settled" ? [{ type: "reconcile", module }] : [];
  if (kind !== "withdrawal" && kind !== "deposit" && kind !== "refresh") return [];
  // A report that is repeated brought nothing more.
  const brings = state === "held" && wanted === "settled" && kind !== "withdrawal";
  return [{ type: "ended", module, payId, unit, broughtMinor: brings ? amountMinor : 0 }];
}
