// SPDX-License-Identifier: Apache-2.0
// The merchant's transaction application (HTB of Fig. 7): carries the agent's signed objects to the
// authorization network and back (steps 810-813) and its questions about funds (728) to topUp.ts.
// It decides nothing about money: holds and postings rest on what agents and the card issuer
// signed. An event machine: (state, event) -> effects over plain state.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { decodeCbor } from "../trust/cbor.ts";
import { parseSigned } from "../trust/cose.ts";
import { DIRECTION_NUMBERS } from "../trust/merchantOffer.ts";
import { isUnit, isWhole } from "../trust/shapes.ts";
import { FieldReader, type HostBody, HostMessage, hostBody, PaymentState } from "./hostPort.ts";
import { reasonSentence } from "./reasons.ts";

/** One line of the merchant's log. */
export interface ServedEntry {
  state: "committed" | "aborted" | "in-doubt";
  reason: string;
  transactionId: string | null;
  payId: string | null;
  /** The receipt's bytes where one was made; the agent keeps none of a transaction that aborted. */
  ticket: Uint8Array | null;
}

/** Money that a customer's signed mandate will draw from the device when the card is authorized. */
export interface PromisedMoney {
  tag: string;
  amountMinor: number;
  unit: string;
}

/** Plain, cloneable state: what waits for the network, by session tag or transaction id (hex). */
export interface MerchantApplication {
  waitingForFunds: string[];
  waitingForHold: string[];
  promised: PromisedMoney[];
  waitingForSettlement: string[];
  log: ServedEntry[];
}

export type MerchantEvent =
  | { type: "agent"; body: HostBody }
  /** The end of the search for funds that a `short` effect began (732-748). */
  | { type: "funds-answered"; tag: string; isAvailable: boolean }
  /** The network's answer to a hold; `approval` null where no signed one came. */
  | { type: "hold-answered"; tag: string; approval: unknown; code: string }
  /** The issuer's signed word that it posted or voided. */
  | { type: "settled"; transactionId: string; posting: unknown };

export type MerchantEffect =
  | { type: "command"; body: Uint8Array }
  /** 728: the device lacks so much for this customer. */
  | { type: "short"; tag: string; missingMinor: number; unit: string }
  /** Money came from another device, without a ticket. */
  | { type: "received"; payId: string }
  | { type: "hold"; tag: string; mandate: Uint8Array; card: Uint8Array; credential: Uint8Array }
  | { type: "settle"; transactionId: string; completion: Uint8Array; card: Uint8Array }
  | { type: "served"; tag: string; entry: ServedEntry };

export function newMerchantApplication(): MerchantApplication {
  return {
    waitingForFunds: [],
    waitingForHold: [],
    promised: [],
    waitingForSettlement: [],
    log: [],
  };
}

/** What the device's present customers are promised of a unit, minor units. */
export function promisedMinor({ promised }: MerchantApplication, unit: string): number {
  return promised
    .filter((money) => money.unit === unit)
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}

/**
 * Takes one event and changes `state`; returns what is to be done, in order.
 * @throws {HostPortError} when the agent's body is not of the agreed shape
 */
export function stepMerchant(state: MerchantApplication, event: MerchantEvent): MerchantEffect[] {
  switch (event.type) {
    case "agent":
      return takeAgentBody(state, event.body);
    case "funds-answered": {
      // The customer may have left while money was sought.
      if (!remove(state.waitingForFunds, event.tag)) return [];
      const tag = hexToBytes(event.tag);
      return [command(hostBody(HostMessage.FUNDS_ANSWER, tag, event.isAvailable))];
    }
    case "hold-answered": {
      // A second answer to one hold (a late copy) finds nothing waiting.
      if (!remove(state.waitingForHold, event.tag)) return [];
      const tag = hexToBytes(event.tag);
      return [command(hostBody(HostMessage.AUTHORIZATION, tag, event.approval, event.code))];
    }
    case "settled": {
      if (!remove(state.waitingForSettlement, event.transactionId)) return [];
      const id = hexToBytes(event.transactionId);
      return [command(hostBody(HostMessage.COMPLETED, id, event.posting))];
    }
  }
}

function takeAgentBody(state: MerchantApplication, body: HostBody): MerchantEffect[] {
  const fields = new FieldReader(body, `message ${body.number} of the merchant's agent`);
  switch (body.number) {
    case HostMessage.FUNDS_SHORT: {
      const tag = bytesToHex(fields.bytes());
      if (!state.waitingForFunds.includes(tag)) state.waitingForFunds.push(tag);
      return [{ type: "short", tag, missingMinor: fields.uint(), unit: fields.text() }];
    }
    case HostMessage.RECEIVED: {
      fields.bytes();
      const isCommitted = fields.uint() === PaymentState.COMMITTED;
      fields.uint();
      return isCommitted ? [{ type: "received", payId: bytesToHex(fields.bytes()) }] : [];
    }
    case HostMessage.AUTHORIZE: {
      const tag = bytesToHex(fields.bytes());
      const mandate = fields.encoded();
      const card = fields.encoded();
      const credential = fields.bytes();
      if (!state.waitingForHold.includes(tag)) {
        state.waitingForHold.push(tag);
        state.promised.push(...promisedBy(tag, mandate));
      }
      return [{ type: "hold", tag, mandate, card, credential }];
    }
    case HostMessage.COMPLETE: {
      // The agent repeats this until it has the issuer's signed word; the outbox knows repeats.
      const transactionId = bytesToHex(fields.bytes());
      const completion = fields.encoded();
      const card = fields.encoded();
      if (!state.waitingForSettlement.includes(transactionId)) {
        state.waitingForSettlement.push(transactionId);
      }
      return [{ type: "settle", transactionId, completion, card }];
    }
    case HostMessage.SERVED: {
      const tag = bytesToHex(fields.bytes());
      const entry = servedEntry(fields);
      if (entry === undefined) return [];
      remove(state.waitingForFunds, tag);
      state.promised = state.promised.filter((money) => money.tag !== tag);
      state.log.push(entry);
      return [{ type: "served", tag, entry }];
    }
    default:
      return [];
  }
}

/** What a mandate draws from the device: nothing in a sale, where the device is paid. */
function promisedBy(tag: string, mandate: Uint8Array): PromisedMoney[] {
  const payload = decodeCbor(parseSigned(mandate)?.payload ?? new Uint8Array());
  const [, direction, , , , , amountMinor, unit] = Array.isArray(payload)
    ? (payload as unknown[])
    : [];
  if (direction !== DIRECTION_NUMBERS.buy || !isWhole(amountMinor) || !isUnit(unit)) return [];
  return [{ tag, amountMinor, unit }];
}

/** Reads `served` behind its tag; undefined while the transaction still runs. */
function servedEntry(fields: FieldReader): ServedEntry | undefined {
  const state = fields.uint();
  const reason = fields.uint();
  const transactionId = fields.bytesOrNull();
  const payId = fields.bytesOrNull();
  const ticket = fields.bytesOrNull();
  if (state === PaymentState.RUNNING) return undefined;
  const isCommitted = state === PaymentState.COMMITTED;
  return {
    state: isCommitted ? "committed" : state === PaymentState.IN_DOUBT ? "in-doubt" : "aborted",
    reason: isCommitted ? "" : reasonSentence(reason),
    transactionId: transactionId && bytesToHex(transactionId),
    payId: payId && bytesToHex(payId),
    ticket,
  };
}

function remove(list: string[], item: string): boolean {
  const index = list.indexOf(item);
  if (index < 0) return false;
  list.splice(index, 1);
  return true;
}

function command(body: Uint8Array): MerchantEffect {
  return { type: "command", body };
}
