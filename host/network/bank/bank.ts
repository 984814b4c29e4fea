// SPDX-License-Identifier: Apache-2.0
// The bank as its teller's and generator's own side (docs/protocol.cddl section 8, 82 to 88): each
// message of a module is decided into one change of the books and what is sent once it is durable.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  FieldReader,
  type HostBody,
  HostMessage,
  HostPortError,
  hostBody,
  PaymentState,
  parseHostBody,
  RequestKind,
} from "../../application/hostPort.ts";
import { isUnit, isWhole } from "../../trust/shapes.ts";
import { correspondentAccount, correspondentDeposit, ownAccount } from "./chart.ts";
import type { Entry, LedgerBatch, PaymentRecord } from "./ledger.ts";

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
}

/** A message of a module, read. Ids are hexadecimal. */
export type ModuleMessage =
  | {
      readonly type: "hold wanted";
      readonly payId: string;
      readonly peer: string;
      /** See RequestKind. */
      readonly request: number;
      readonly amountMinor: number;
      readonly unit: string;
      readonly account: string | null;
    }
  | {
      readonly type: "settle";
      readonly payId: string;
      readonly state: number;
      /** See RequestKind. */
      readonly request: number;
      readonly amountMinor: number;
      readonly unit: string;
      readonly peer: string;
    };

export type BankEffect =
  | { readonly type: "send"; readonly module: string; readonly body: Uint8Array }
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

/** Reads a module's message; undefined when it is none for the bank or is malformed. */
export function parseModuleMessage(bytes: Uint8Array): ModuleMessage | undefined {
  const body = parseHostBody(bytes);
  if (body === undefined) return undefined;
  try {
    const message = readMessage(body);
    const isSound = message && isWhole(message.amountMinor) && isUnit(message.unit);
    return isSound ? message : undefined;
  } catch (error) {
    if (error instanceof HostPortError) return undefined;
    throw error;
  }
}

function readMessage(body: HostBody): ModuleMessage | undefined {
  if (body.number === HostMessage.HOLD_WANTED) {
    const reader = new FieldReader(body, "hold-wanted");
    // The tag names the module's session; the answer goes by pay id.
    reader.bytes(8);
    return {
      type: "hold wanted",
      payId: bytesToHex(reader.bytes(16)),
      peer: bytesToHex(reader.bytes(8)),
      request: reader.uint(),
      amountMinor: reader.uint(),
      unit: reader.text(),
      account: reader.textOrNull(),
    };
  }
  if (body.number !== HostMessage.SETTLE) return undefined;
  const reader = new FieldReader(body, "settle");
  return {
    type: "settle",
    payId: bytesToHex(reader.bytes(16)),
    state: reader.uint(),
    request: reader.uint(),
    amountMinor: reader.uint(),
    unit: reader.text(),
    peer: bytesToHex(reader.bytes(8)),
  };
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

function decideHold(
  settings: BankSettings,
  module: string,
  message: ModuleMessage & { type: "hold wanted" },
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  const { payId, peer, request, amountMinor, unit, account } = message;
  const reply = (isGranted: boolean): BankEffect => ({
    type: "send",
    module,
    body: hostBody(HostMessage.HOLD, hexToBytes(payId), isGranted),
  });
  const refusal: BankDecision = { whenApplied: [reply(false)], whenRefused: [] };
  const payer = payerAccount(settings, message);
  if (payment !== undefined) {
    // Asked again: the same content gets the same answer; a finished payment is not opened anew.
    const isSame = payment.peer === peer && payment.account === payer && isAmount(message, payment);
    return { ...NOTHING, whenApplied: [reply(isSame && payment.state === "held")] };
  }
  const isIssue = settings.generators.includes(module);
  const served = isIssue ? RequestKind.ISSUE : RequestKind.WITHDRAW;
  if (request !== served || amountMinor === 0 || isIssue !== (account === null)) return refusal;
  const record: PaymentRecord = {
    module,
    payId,
    kind: isIssue ? "issue" : "withdrawal",
    peer,
    account: payer,
    amountMinor,
    unit,
    state: "held",
  };
  const isOwnTeller = settings.tellers.includes(peer);
  if (payer === null && !isOwnTeller) return refusal;
  const batch: LedgerBatch = {
    bank: settings.bank,
    payment: { expected: null, record },
    // A correspondent's teller draws by agreement between the banks, not by the list.
    ...(isIssue || account === null ? {} : { drawnBy: { account, module: peer } }),
    ...(payer === null ? {} : { entry: holdEntry(record, nowSeconds), mustCover: [payer] }),
  };
  return { batch, whenApplied: [reply(true)], whenRefused: [reply(false)] };
}

/** Who pays: the customer of a withdrawal, the other bank of an issue; nobody for own stock. */
function payerAccount(
  settings: BankSettings,
  { account, peer, unit }: ModuleMessage & { type: "hold wanted" },
): string | null {
  const correspondent = settings.correspondentTellers[peer];
  if (account !== null || correspondent === undefined) return account;
  return correspondentDeposit(correspondent, unit);
}

function isAmount(message: ModuleMessage, payment: PaymentRecord): boolean {
  return message.amountMinor === payment.amountMinor && message.unit === payment.unit;
}

function decideSettle(
  settings: BankSettings,
  module: string,
  message: ModuleMessage & { type: "settle" },
  payment: PaymentRecord | undefined,
  nowSeconds: number,
): BankDecision {
  const { payId, state, peer } = message;
  const noted: BankEffect = {
    type: "send",
    module,
    body: hostBody(HostMessage.NOTED, hexToBytes(payId)),
  };
  const alarm = (text: string): BankEffect => ({
    type: "alarm",
    text: `Payment ${payId} of module ${module}: ${text}.`,
  });
  const only = (effect: BankEffect): BankDecision => ({ ...NOTHING, whenApplied: [effect] });
  const isCommitted = state === PaymentState.COMMITTED;
  // Running or in doubt: the module reports again when it knows.
  if (!isCommitted && state !== PaymentState.ABORTED && state !== PaymentState.NONE) return NOTHING;
  if (payment === undefined) {
    if (!isCommitted) return only(noted);
    // Own generator: the issue was booked from its side, stock included.
    if (settings.generators.includes(peer)) return only(noted);
    const issuer = settings.correspondentGenerators[peer];
    if (issuer === undefined) {
      return only(alarm("it committed, but the books never held it; it is not noted"));
    }
    const refusal = alarm("the books refuse the restock that it committed");
    const batch = restockBatch(settings, module, message, issuer, nowSeconds);
    return { batch, whenApplied: [noted], whenRefused: [refusal] };
  }
  const isFitting = payment.peer === peer && isAmount(message, payment);
  if (isCommitted && payment.kind !== "restock" && !isFitting) {
    return only(alarm("it committed another amount or to another peer than was held"));
  }
  const wanted = isCommitted ? "settled" : "released";
  if (payment.state === wanted) return only(noted);
  if (payment.state !== "held") {
    return only(alarm(`it now says ${wanted}, after the books were told ${payment.state}`));
  }
  const lines = isCommitted ? settleLines(payment) : releaseLines(payment);
  const record: PaymentRecord = { ...payment, state: wanted };
  const entry: Entry = { transaction: payId, leg: wanted, atSeconds: nowSeconds, lines };
  return {
    batch: {
      bank: settings.bank,
      payment: { expected: "held", record },
      ...(lines.length > 0 ? { entry } : {}),
    },
    whenApplied: [noted],
    whenRefused: [alarm(`the books refuse to make it ${wanted}`)],
  };
}

function holdEntry({ payId, account, amountMinor, unit }: PaymentRecord, atSeconds: number): Entry {
  const lines = move(account!, ownAccount("in-transit", unit), amountMinor);
  return { transaction: payId, leg: "held", atSeconds, lines };
}

/** Debits one account and credits the other. */
function move(debited: string, credited: string, amountMinor: number): Entry["lines"] {
  return [
    { account: debited, debitMinor: amountMinor },
    { account: credited, debitMinor: -amountMinor },
  ];
}

function settleLines({ kind, account, amountMinor, unit }: PaymentRecord): Entry["lines"] {
  const inTransit = ownAccount("in-transit", unit);
  const onHand = ownAccount("notes-on-hand", unit);
  // Withdrawal: what was held for the customer left the stock.
  if (kind === "withdrawal") return move(inTransit, onHand, amountMinor);
  // Issue: new money, in the own teller's stock or against what the other bank's deposit held.
  return move(account === null ? onHand : inTransit, ownAccount("money-issued", unit), amountMinor);
}

function releaseLines({ account, amountMinor, unit }: PaymentRecord): Entry["lines"] {
  return account === null ? [] : move(ownAccount("in-transit", unit), account, amountMinor);
}

/** Money of another bank's generator came into the stock; that bank's deposit paid for it. */
function restockBatch(
  settings: BankSettings,
  module: string,
  { payId, peer, amountMinor, unit }: ModuleMessage & { type: "settle" },
  issuer: string,
  atSeconds: number,
): LedgerBatch {
  const account = correspondentAccount(issuer, unit);
  const lines = move(ownAccount("notes-on-hand", unit), account, amountMinor);
  return {
    bank: settings.bank,
    payment: {
      expected: null,
      record: {
        module,
        payId,
        kind: "restock",
        peer,
        account,
        amountMinor,
        unit,
        state: "settled",
      },
    },
    entry: { transaction: payId, leg: "restock", atSeconds, lines },
  };
}
