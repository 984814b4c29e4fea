// SPDX-License-Identifier: Apache-2.0
// Payments without a ticket as the owners' hosts see them (Fig. 12 alone): orders to pay, to
// request and to exchange (docs/protocol.cddl section 8, 60 to 63), another amount where the first
// cannot be, and the owner's word on what a peer began.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ConnectionId } from "../device/types.ts";
import type { Clock } from "../link/clock.ts";
import { type CommandDevice, runCommand } from "./commandRunner.ts";
import type { PurchaseResult } from "./customerApplication.ts";
import { FieldReader, type HostBody, HostMessage, hostBody, parseHostBody } from "./hostPort.ts";
import { reasonSentence } from "./reasons.ts";

/** An amount of electronic money. */
export interface Money {
  amountMinor: number;
  unit: string;
}

/** How the counter amount of an exchange was rounded from the owners' rate. */
export const Rounding = { EXACT: 0, DOWN: 1, UP: 2 } as const;

/** What one owner gives, and what the other one gives for it. */
export interface ExchangeTerms extends Money {
  counterMinor: number;
  counterUnit: string;
  rounding: (typeof Rounding)[keyof typeof Rounding];
}

/** What a peer asks this owner to pay. */
export interface AskedPayment {
  /** The asking agent's id, hex. */
  peer: string;
  pays: Money;
  /** What the owner gets for it in an exchange; null in a requested payment (paragraph 128). */
  gets: Money | null;
}

/** Another amount instead of the one that cannot be; null for none. `why` is one sentence. */
export type NewAmount = (why: string) => Promise<Money | null>;

export interface OrderOptions {
  device: CommandDevice;
  clock: Clock;
  connection: ConnectionId;
  /** Absent: there is no other amount. */
  newAmount?: NewAmount | undefined;
}

/** Orders a payment, and answers the agent where it asks for another amount (step 576). */
export function orderPayment(
  options: OrderOptions,
  bodyFor: (commandId: Uint8Array) => Uint8Array,
): Promise<PurchaseResult> {
  const { device, clock, connection, newAmount } = options;
  const onBody = (body: HostBody): void => {
    if (body.number !== HostMessage.ASK_AMOUNT) return;
    const fields = new FieldReader(body, "the agent's question for an amount");
    const commandId = fields.bytes();
    const why = reasonSentence(fields.uint());
    const named = newAmount?.(why) ?? Promise.resolve(null);
    named
      .catch(() => null)
      .then((money) => {
        const answer = [money?.amountMinor ?? null, money?.unit ?? null];
        device.send("agent", hostBody(HostMessage.AMOUNT, commandId, ...answer));
      });
  };
  return runCommand({ device, clock, connection, target: "agent", onBody }, bodyFor);
}

/**
 * Gives the owner's word on each payment that a peer asks for (65), until the returned function is
 * called. A `decide` that fails refuses; the agent waits 55 seconds for it.
 */
export function answerAsked(
  device: CommandDevice,
  decide: (asked: AskedPayment) => Promise<boolean>,
): () => void {
  return device.onEvent((event) => {
    if (event.type !== "message" || event.target !== "agent") return;
    const body = parseHostBody(event.body);
    if (body?.number !== HostMessage.ASKED) return;
    const fields = new FieldReader(body, "the agent's question about a payment");
    const tag = fields.bytes();
    const asked = readAsked(fields);
    decide(asked)
      .catch(() => false)
      .then((word) => device.send("agent", hostBody(HostMessage.ANSWERED, tag, word)));
  });
}

function readAsked(fields: FieldReader): AskedPayment {
  const peer = bytesToHex(fields.bytes());
  const pays = { amountMinor: fields.uint(), unit: fields.text() };
  const amountMinor = fields.uintOrNull();
  const unit = fields.textOrNull();
  const gets = amountMinor === null || unit === null ? null : { amountMinor, unit };
  return { peer, pays, gets };
}
