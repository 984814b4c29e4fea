// SPDX-License-Identifier: Apache-2.0
// The customer's transaction application (HTA of Fig. 7) for one purchase: answers the agent's
// prompts from the owner's order and asks the owner to confirm the receipt (steps 706-716, 754-756,
// 782). An event machine: (state, event) -> effects over plain state; the wallet is its shell.
import { bytesToHex } from "@noble/hashes/utils.js";
import { FieldReader, type HostBody, HostMessage, hostBody, PaymentState } from "./hostPort.ts";
import { reasonSentence } from "./reasons.ts";
import { type Receipt, readTicket } from "./tickets.ts";
import { step } from "../patent/step.ts";

/** Who reaches this file's steps, for traces. */
const HOST = "customer's host";

/** What the owner ordered. */
export interface PurchaseOrder {
  commandId: Uint8Array;
  amountMinor: number;
  unit: string;
  /** The merchant's signed offer as the gateway gave it (docs/protocol.cddl, merchant-offer). */
  offer: Uint8Array;
  /** Name in the offer; the merchant's credential must carry the same (step 462). */
  merchantName: string;
  /** Ticket id of the card credential to pay with (step 756). */
  credential: Uint8Array;
}

/** How the purchase ended. */
export interface PurchaseResult {
  state: "committed" | "aborted" | "in-doubt";
  /** One sentence without a final stop; empty when committed. */
  reason: string;
  /** The reason's number, docs/protocol.cddl section 9. */
  reasonNumber: number;
  /** Response code of the card network where it refused the card. */
  responseCode: string | null;
  transactionId: string | null;
  payId: string | null;
  /** The receipt ticket's bytes, kept by the agent; only when committed or in doubt. */
  ticket: Uint8Array | null;
}

/** Plain, cloneable state of one purchase. */
export interface PurchaseApplication {
  order: PurchaseOrder;
  /** The receipt that waits for the owner's word. */
  receipt: Receipt | null;
  result: PurchaseResult | null;
}

export type PurchaseEvent =
  | { type: "agent"; body: HostBody }
  /** The owner's word on the receipt that an `ask-owner` effect showed. */
  | { type: "owner"; isConfirmed: boolean };

export type PurchaseEffect =
  | { type: "command"; body: Uint8Array }
  | { type: "ask-owner"; receipt: Receipt }
  | { type: "progress"; text: string }
  | { type: "finished"; result: PurchaseResult };

/** A purchase that has not begun. */
export function newPurchase(order: PurchaseOrder): PurchaseApplication {
  return { order, receipt: null, result: null };
}

/** The order to the agent by which a purchase begins (706). */
export function purchaseOrder({ order }: PurchaseApplication): Uint8Array {
  step(HOST, 706);
  return hostBody(HostMessage.BUY, order.commandId, order.offer);
}

/** True for a HOST body that belongs to the command `commandId`. */
export function belongsTo(body: HostBody, commandId: Uint8Array): boolean {
  const first = body.fields[0];
  return first instanceof Uint8Array && bytesToHex(first) === bytesToHex(commandId);
}

/**
 * Takes one event and changes `state`; returns what is to be done, in order.
 * @throws {HostPortError} when the agent's body is not of the agreed shape
 */
export function stepPurchase(state: PurchaseApplication, event: PurchaseEvent): PurchaseEffect[] {
  const { order } = state;
  if (state.result !== null) return [];
  if (event.type === "owner") {
    state.receipt = null;
    const answer = hostBody(HostMessage.CONFIRM_RECEIPT, order.commandId, event.isConfirmed);
    return [command(answer)];
  }
  return belongsTo(event.body, order.commandId) ? takeAgentBody(state, event.body) : [];
}

function takeAgentBody(state: PurchaseApplication, body: HostBody): PurchaseEffect[] {
  const { order } = state;
  const fields = new FieldReader(body, `message ${body.number} of the agent`);
  fields.bytes();
  switch (body.number) {
    case HostMessage.MERCHANT: {
      const name = fields.text();
      step(HOST, 462);
      const isExpected = name === order.merchantName;
      return [
        { type: "progress", text: `merchant's credential is that of ${name}` },
        command(hostBody(HostMessage.CONFIRM_MERCHANT, order.commandId, isExpected)),
      ];
    }
    case HostMessage.ASK_AMOUNT:
      return [
        command(hostBody(HostMessage.AMOUNT, order.commandId, order.amountMinor, order.unit)),
      ];
    case HostMessage.ASK_CREDENTIAL: {
      step(HOST, 756);
      const wanted = bytesToHex(order.credential);
      const isHeld = fields
        .list()
        .some((id) => id instanceof Uint8Array && bytesToHex(id) === wanted);
      const pick = isHeld ? order.credential : null;
      return [command(hostBody(HostMessage.CREDENTIAL, order.commandId, pick))];
    }
    case HostMessage.RECEIPT: {
      const ticket = readTicket(fields.bytes());
      if (ticket?.type !== "receipt") {
        return [command(hostBody(HostMessage.CONFIRM_RECEIPT, order.commandId, false))];
      }
      step(HOST, 782);
      state.receipt = ticket;
      return [{ type: "ask-owner", receipt: ticket }];
    }
    case HostMessage.FINISHED: {
      const result = finishedResult(body);
      if (result === undefined) return [];
      state.result = result;
      return [{ type: "finished", result }];
    }
    default:
      return [];
  }
}

/** Reads `finished`; undefined while the transaction still runs. */
export function finishedResult(body: HostBody): PurchaseResult | undefined {
  const fields = new FieldReader(body, "the agent's outcome");
  fields.bytes();
  const state = fields.uint();
  const reasonNumber = fields.uint();
  const responseCode = fields.textOrNull();
  const transactionId = fields.bytesOrNull();
  const payId = fields.bytesOrNull();
  const ticket = fields.bytesOrNull();
  if (state === PaymentState.RUNNING) return undefined;
  const name =
    state === PaymentState.COMMITTED
      ? "committed"
      : state === PaymentState.IN_DOUBT
        ? "in-doubt"
        : "aborted";
  return {
    state: name,
    reason: name === "committed" ? "" : reasonSentence(reasonNumber),
    reasonNumber,
    responseCode,
    transactionId: transactionId && bytesToHex(transactionId),
    payId: payId && bytesToHex(payId),
    ticket,
  };
}

function command(body: Uint8Array): PurchaseEffect {
  return { type: "command", body };
}
