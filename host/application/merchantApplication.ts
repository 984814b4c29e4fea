// SPDX-License-Identifier: Apache-2.0
// The merchant's transaction application (HTB of Fig. 7): carries the agent's signed objects to the
// authorization network and back (steps 810-813) and answers its questions (728). It decides
// nothing about money: holds and postings rest on what agents and the card issuer signed.
// An event machine: (state, event) -> effects over plain state.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { FieldReader, type HostBody, HostMessage, hostBody, PaymentState } from "./hostPort.ts";
import { step } from "../patent/step.ts";
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

/** Plain, cloneable state: what waits for the network, by session tag or transaction id (hex). */
export interface MerchantApplication {
  waitingForHold: string[];
  waitingForSettlement: string[];
  log: ServedEntry[];
}

export type MerchantEvent =
  | { type: "agent"; body: HostBody }
  /** The network's answer to a hold; `approval` null where no signed one came. */
  | { type: "hold-answered"; tag: string; approval: unknown; code: string }
  /** The issuer's signed word that it posted or voided. */
  | { type: "settled"; transactionId: string; posting: unknown };

export type MerchantEffect =
  | { type: "command"; body: Uint8Array }
  | { type: "hold"; tag: string; mandate: Uint8Array; card: Uint8Array; credential: Uint8Array }
  | { type: "settle"; transactionId: string; completion: Uint8Array; card: Uint8Array }
  | { type: "served"; entry: ServedEntry };

export function newMerchantApplication(): MerchantApplication {
  return { waitingForHold: [], waitingForSettlement: [], log: [] };
}

/**
 * Takes one event and changes `state`; returns what is to be done, in order.
 * @throws {HostPortError} when the agent's body is not of the agreed shape
 */
export function stepMerchant(state: MerchantApplication, event: MerchantEvent): MerchantEffect[] {
  switch (event.type) {
    case "agent":
      return takeAgentBody(state, event.body);
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
    case HostMessage.FUNDS_SHORT:
      // No other device and no bank is asked: the purchase ends for lack of funds.
      step("merchant's host", 744);
      return [command(hostBody(HostMessage.FUNDS_ANSWER, fields.bytes(), false))];
    case HostMessage.AUTHORIZE: {
      const tag = bytesToHex(fields.bytes());
      const mandate = fields.encoded();
      const card = fields.encoded();
      const credential = fields.bytes();
      if (!state.waitingForHold.includes(tag)) state.waitingForHold.push(tag);
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
      const entry = servedEntry(fields);
      if (entry === undefined) return [];
      state.log.push(entry);
      return [{ type: "served", entry }];
    }
    default:
      return [];
  }
}

function servedEntry(fields: FieldReader): ServedEntry | undefined {
  fields.bytes();
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
