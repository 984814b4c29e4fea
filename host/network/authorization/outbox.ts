// SPDX-License-Identifier: Apache-2.0
// The merchant host's side of the card network: sends 0100, 0220 and 0400/0420 until the answer
// arrives (steps 796, 810; protocol rules 6). It is only a cache: the obligation to settle lives
// in the merchant agent's journal, and nothing here is believed without a signed object.
import { decodeMessage, encodeMessage, messageProblem } from "./codec.ts";
import { type Counters, newCounters } from "./counters.ts";
import { answerType, Field, type IsoMessage } from "./messages.ts";
import {
  type AcquirerIdentity,
  type CardAndMerchant,
  type HoldReference,
  holdMessage,
  originalDataOf,
  retrievalReference,
  settleMessage,
} from "./outboxMessages.ts";
import { ResponseCode } from "./responseCodes.ts";
import {
  fromFieldText,
  mandateHash,
  parseApproval,
  parseCompletion,
  parseMandate,
  parsePosting,
} from "./signedObjects.ts";

export interface OutboxConfig extends AcquirerIdentity {
  readonly linkKey: Uint8Array;
  /** Pause before the first repetition; doubled at each, up to `longestRetryMs`. */
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** How long a hold is asked for before its merchant's agent is told to give up. */
  readonly holdPatienceMs: number;
}

/** One transaction of which something is still awaited: an answer, or the agent's completion. */
export interface Errand {
  readonly mandateHash: string;
  readonly reference: string;
  /** What the 0100 said; absent when the host lost it before it was asked to settle. */
  readonly hold: HoldReference | undefined;
  /** The message to be repeated; absent between the answer to the 0100 and the completion. */
  readonly waiting:
    | { message: IsoMessage; attempts: number; nextMs: number; giveUpMs: number | null }
    | undefined;
}

export interface OutboxState {
  nextTrace: number;
  readonly errands: Record<string, Errand>;
  readonly counters: Counters;
}

export type OutboxEvent =
  | { kind: "hold"; mandate: Uint8Array; card: CardAndMerchant; nowMs: number }
  | { kind: "settle"; completion: Uint8Array; card: CardAndMerchant; nowMs: number }
  | { kind: "received"; bytes: Uint8Array; nowMs: number }
  /** The link is up again: everything awaited is sent at once. */
  | { kind: "connected"; nowMs: number }
  | { kind: "tick"; nowMs: number };

export type OutboxEffect =
  | { kind: "send"; bytes: Uint8Array }
  /** The answer to a hold. Without a signed approval it decides nothing: the agent then voids. */
  | { kind: "authorized"; mandateHash: string; code: string; approval: Uint8Array | null }
  /** The end of a transaction: the issuer's signed posting, for the merchant's agent. */
  | { kind: "settled"; mandateHash: string; code: string; posting: Uint8Array }
  /** An unsigned answer to a completion; it goes on being sent. */
  | { kind: "delayed"; mandateHash: string; code: string };

/** @param firstTrace trace number to begin with (1..999999); a restarted host draws one */
export function newOutboxState(firstTrace: number): OutboxState {
  return { nextTrace: firstTrace, errands: {}, counters: newCounters() };
}

/** When `tick` is next due, in ms since 1970; undefined when nothing is awaited. */
export function outboxDeadlineMs(state: OutboxState): number | undefined {
  const times = Object.values(state.errands).flatMap(({ waiting }) => waiting?.nextMs ?? []);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * Handles one event: changes `state` and returns what follows.
 * @throws {Error} when the mandate or completion handed over is malformed
 */
export function stepOutbox(
  config: OutboxConfig,
  state: OutboxState,
  event: OutboxEvent,
): readonly OutboxEffect[] {
  switch (event.kind) {
    case "hold":
      return beginHold(config, state, event);
    case "settle":
      return beginSettlement(config, state, event);
    case "received":
      return receive(config, state, event.bytes);
    case "connected":
      return sendDue(config, state, event.nowMs, Number.POSITIVE_INFINITY);
    case "tick":
      return sendDue(config, state, event.nowMs, event.nowMs);
  }
}

function beginHold(
  config: OutboxConfig,
  state: OutboxState,
  { mandate, card, nowMs }: Extract<OutboxEvent, { kind: "hold" }>,
): readonly OutboxEffect[] {
  const parsed = parseMandate(mandate);
  if (parsed === undefined) throw new Error("cannot ask for a hold: the mandate is malformed");
  const hash = mandateHash(parsed.object);
  const known = state.errands[hash]?.waiting?.message.type;
  if (known === "0100") return [];
  if (known !== undefined) {
    // It is being settled: no approval may come out of that any more.
    const code = ResponseCode.invalidTransaction;
    return [{ kind: "authorized", mandateHash: hash, code, approval: null }];
  }
  const { direction, accountAmountMinor: amountMinor, accountUnit: unit } = parsed.content;
  const terms = { direction, amountMinor, unit };
  const trace = takeTrace(state);
  const message = holdMessage(config, card, terms, mandate, trace, nowMs);
  // A card number that is no number, or an amount of more than 12 digits, fits no card network.
  if (messageProblem(message) !== undefined) {
    const code = ResponseCode.formatError;
    return [{ kind: "authorized", mandateHash: hash, code, approval: null }];
  }
  state.errands[hash] = {
    mandateHash: hash,
    reference: retrievalReference(nowMs, trace),
    hold: { ...terms, originalData: originalDataOf(message) },
    waiting: { message, attempts: 0, nextMs: nowMs, giveUpMs: nowMs + config.holdPatienceMs },
  };
  return sendDue(config, state, nowMs, nowMs);
}

function beginSettlement(
  config: OutboxConfig,
  state: OutboxState,
  { completion, card, nowMs }: Extract<OutboxEvent, { kind: "settle" }>,
): readonly OutboxEffect[] {
  const parsed = parseCompletion(completion);
  if (parsed === undefined) throw new Error("cannot settle: the completion is malformed");
  const { mandateHash: hash, outcome } = parsed.content;
  const known = state.errands[hash];
  const trace = takeTrace(state);
  const reference = known?.reference ?? retrievalReference(nowMs, trace);
  const signed = { bytes: completion, outcome };
  const { hold } = known ?? { hold: undefined };
  const message = settleMessage(config, card, hold, signed, reference, trace, nowMs);
  // The agent repeats itself until it is settled; the same completion is already on its way.
  const sent = known?.waiting?.message.fields[Field.signedObject];
  if (sent === message.fields[Field.signedObject]) return [];
  if (messageProblem(message) !== undefined) {
    return [{ kind: "delayed", mandateHash: hash, code: ResponseCode.formatError }];
  }
  const waiting = { message, attempts: 0, nextMs: nowMs, giveUpMs: null };
  state.errands[hash] = { mandateHash: hash, reference, hold, waiting };
  return sendDue(config, state, nowMs, nowMs);
}

/** Sends what is due by `untilMs`, later at each attempt; gives up holds out of patience. */
function sendDue(
  config: OutboxConfig,
  state: OutboxState,
  nowMs: number,
  untilMs: number,
): readonly OutboxEffect[] {
  const effects: OutboxEffect[] = [];
  for (const errand of Object.values(state.errands)) {
    const { mandateHash: hash, waiting } = errand;
    if (waiting === undefined || waiting.nextMs > untilMs) continue;
    if (waiting.giveUpMs !== null && nowMs >= waiting.giveUpMs) {
      state.errands[hash] = { ...errand, waiting: undefined };
      const code = ResponseCode.issuerUnavailable;
      effects.push({ kind: "authorized", mandateHash: hash, code, approval: null });
      continue;
    }
    // A reversal is repeated as a reversal advice (0420) with the same fields, as acquirers do.
    const { message: first, attempts } = waiting;
    const repeated = first.type === "0400" && attempts > 0;
    const message: IsoMessage = repeated ? { ...first, type: "0420" } : first;
    const pauseMs = Math.min(config.firstRetryMs * 2 ** attempts, config.longestRetryMs);
    const nextMs = Math.min(nowMs + pauseMs, waiting.giveUpMs ?? Number.POSITIVE_INFINITY);
    const later = { ...waiting, attempts: attempts + 1, nextMs };
    state.errands[hash] = { ...errand, waiting: later };
    effects.push({ kind: "send", bytes: encodeMessage(message, config.linkKey) });
  }
  return effects;
}

function receive(
  config: OutboxConfig,
  state: OutboxState,
  bytes: Uint8Array,
): readonly OutboxEffect[] {
  const answer = decodeMessage(bytes, config.linkKey);
  if (typeof answer === "string") {
    state.counters[answer]++;
    return [];
  }
  const errand = Object.values(state.errands).find(({ waiting }) => answers(answer, waiting));
  const effects = errand && takeAnswer(state, errand, answer);
  // Late, repeated or misdirected: whatever it says has been said, or concerns somebody else.
  state.counters[effects === undefined ? "route" : "accepted"]++;
  return effects ?? [];
}

function takeAnswer(
  state: OutboxState,
  errand: Errand,
  answer: IsoMessage,
): readonly OutboxEffect[] | undefined {
  const { mandateHash: hash } = errand;
  const code = answer.fields[Field.responseCode]!;
  const text = answer.fields[Field.signedObject];
  const signed = text === undefined ? undefined : fromFieldText(text);
  if (text !== undefined && signed === undefined) return undefined;
  if (answer.type === "0110") {
    if (signed === undefined) {
      if (passes(code)) return [];
      state.errands[hash] = { ...errand, waiting: undefined };
      return [{ kind: "authorized", mandateHash: hash, code, approval: null }];
    }
    const approval = parseApproval(signed)?.content;
    if (approval?.mandateHash !== hash) return undefined;
    // An approved hold stays known: its completion repeats what the 0100 said.
    if (approval.approved) state.errands[hash] = { ...errand, waiting: undefined };
    else delete state.errands[hash];
    return [{ kind: "authorized", mandateHash: hash, code, approval: signed }];
  }
  if (signed === undefined) return [{ kind: "delayed", mandateHash: hash, code }];
  if (parsePosting(signed)?.content.mandateHash !== hash) return undefined;
  delete state.errands[hash];
  return [{ kind: "settled", mandateHash: hash, code, posting: signed }];
}

/** True when `answer` is the answer to the message waited for: by type, trace and reference. */
function answers(answer: IsoMessage, waiting: Errand["waiting"]): boolean {
  if (waiting === undefined) return false;
  const { type, fields } = waiting.message;
  const fits = answerType(type) === answer.type || (type === "0400" && answer.type === "0430");
  const same = [Field.retrievalReference, Field.traceNumber];
  return fits && same.every((field) => fields[field] === answer.fields[field]);
}

/** Codes after which the same request may succeed a little later. */
function passes(code: string): boolean {
  return code === ResponseCode.issuerUnavailable || code === ResponseCode.systemMalfunction;
}

function takeTrace(state: OutboxState): number {
  const trace = state.nextTrace;
  state.nextTrace = trace === 999_999 ? 1 : trace + 1;
  return trace;
}
