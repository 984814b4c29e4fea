// SPDX-License-Identifier: Apache-2.0
// The switch of the authorization network (208 in Fig. 5): routes requests to the card issuer
// whose number range the card is in, and answers back to the acquirer. Each link has its own key,
// so every message is checked and authenticated anew. It never answers in an issuer's stead.
import { decodeMessage, encodeMessage } from "./codec.ts";
import { type Counters, newCounters } from "./counters.ts";
import type { SendEffect } from "./issuerMachine.ts";
import { answerTo, answerType, Field, type IsoMessage } from "./messages.ts";
import { ResponseCode } from "./responseCodes.ts";

/** A link to a merchant's host. `acquirerId` (field 32) leads answers back to it. */
export interface AcquirerLink {
  readonly acquirerId: string;
  readonly linkKey: Uint8Array;
}

/** A link to a card issuer. `prefixes`: its issuer identification numbers. */
export interface IssuerLink {
  readonly prefixes: readonly string[];
  readonly linkKey: Uint8Array;
}

/** The switch's links, by name; the names of both kinds differ. */
export interface SwitchConfig {
  readonly acquirers: Readonly<Record<string, AcquirerLink>>;
  readonly issuers: Readonly<Record<string, IssuerLink>>;
}

export interface SwitchState {
  /** The issuer links that are connected now. */
  readonly connected: Record<string, boolean>;
  readonly counters: Counters;
}

export type SwitchEvent =
  | { kind: "received"; link: string; bytes: Uint8Array }
  | { kind: "connected" | "disconnected"; link: string };

export function newSwitchState(): SwitchState {
  return { connected: {}, counters: newCounters() };
}

/** Handles one event: changes `state` and returns what is to be sent. */
export function stepSwitch(
  config: SwitchConfig,
  state: SwitchState,
  event: SwitchEvent,
): readonly SendEffect[] {
  if (event.kind !== "received") {
    state.connected[event.link] = event.kind === "connected";
    return [];
  }
  const acquirer = config.acquirers[event.link];
  const link = acquirer ?? config.issuers[event.link];
  if (link === undefined) throw new Error(`the switch has no link "${event.link}"`);
  const message = decodeMessage(event.bytes, link.linkKey);
  if (typeof message === "string") {
    state.counters[message]++;
    return [];
  }
  state.counters.accepted++;
  return acquirer === undefined
    ? routeAnswer(config, state, message)
    : routeRequest(config, state, event.link, acquirer, message);
}

/** The issuer link with the longest prefix of this card number, or undefined. */
export function issuerLinkFor(config: SwitchConfig, cardNumber: string): string | undefined {
  let found: { name: string; digits: number } | undefined;
  for (const [name, { prefixes }] of Object.entries(config.issuers)) {
    for (const prefix of prefixes) {
      const longer = found === undefined || prefix.length > found.digits;
      if (cardNumber.startsWith(prefix) && longer) found = { name, digits: prefix.length };
    }
  }
  return found?.name;
}

function routeRequest(
  config: SwitchConfig,
  state: SwitchState,
  from: string,
  acquirer: AcquirerLink,
  request: IsoMessage,
): readonly SendEffect[] {
  if (answerType(request.type) === undefined) {
    state.counters.route++;
    return [];
  }
  const turnDown = (code: string): readonly SendEffect[] => {
    const bytes = encodeMessage(answerTo(request, code), acquirer.linkKey);
    return [{ kind: "send", link: from, bytes }];
  };
  // An acquirer that borrows another's id would send the answers astray.
  if (request.fields[Field.acquirerId] !== acquirer.acquirerId) {
    return turnDown(ResponseCode.securityViolation);
  }
  const name = issuerLinkFor(config, request.fields[Field.cardNumber]!);
  if (name === undefined) return turnDown(ResponseCode.invalidCardNumber);
  if (!state.connected[name]) return turnDown(ResponseCode.issuerUnavailable);
  const bytes = encodeMessage(request, config.issuers[name]!.linkKey);
  return [{ kind: "send", link: name, bytes }];
}

/** Answers carry their way back in field 32, so that a restarted switch still delivers them. */
function routeAnswer(
  config: SwitchConfig,
  state: SwitchState,
  answer: IsoMessage,
): readonly SendEffect[] {
  const isAnswer = answerType(answer.type) === undefined;
  const acquirerId = answer.fields[Field.acquirerId];
  for (const [name, acquirer] of Object.entries(config.acquirers)) {
    if (!isAnswer || acquirer.acquirerId !== acquirerId) continue;
    return [{ kind: "send", link: name, bytes: encodeMessage(answer, acquirer.linkKey) }];
  }
  state.counters.route++;
  return [];
}
