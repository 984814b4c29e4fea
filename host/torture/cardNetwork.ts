// SPDX-License-Identifier: Apache-2.0
// The card network of a world (Fig. 5: 208; docs/protocol.md section 6): the machines that run in
// real hosts, merchant's application, outbox, switch and card issuer, and the bytes that they say to
// one another. Every state here is a value: a step gives a new one, so that a copy of the world
// costs nothing, and a step that was taken before, from the same state, is not computed again.
import { parseHostBody } from "../application/hostPort.ts";
import { decodeMessage } from "../network/authorization/codec.ts";
import {
  type IssuerConfig,
  type IssuerState,
  newIssuerState,
  stepIssuer,
} from "../network/authorization/issuerMachine.ts";
import { Field } from "../network/authorization/messages.ts";
import type { OutboxConfig } from "../network/authorization/outbox.ts";
import { fromFieldText, parsePosting } from "../network/authorization/signedObjects.ts";
import {
  newSwitchState,
  stepSwitch,
  type SwitchConfig,
  type SwitchEvent,
  type SwitchState,
} from "../network/authorization/switch.ts";
import type { CardAccount } from "../network/authorization/issuerBooks.ts";
import { type MerchantHost, MerchantWork, newMerchantHost } from "./merchantHost.ts";
import { encodedOnce, latin1 } from "./remembered.ts";

/** Which way a card message goes; each pair of hosts has a line of its own. */
export type CardLeg = "acquirer>switch" | "switch>issuer" | "issuer>switch" | "switch>acquirer";

/** Names of the switch's links. */
const ACQUIRER = "acquirer";
const ISSUER = "issuer";

/** What the hosts of the network are; it does not change in a run. */
export interface CardConfig {
  /** Id of the merchant's agent, 16 hexadecimal digits. */
  readonly merchantAgentId: string;
  readonly outbox: OutboxConfig;
  readonly switch: SwitchConfig;
  readonly issuer: IssuerConfig;
}

/** The hosts' states at one moment. */
export interface CardNetwork {
  readonly merchant: MerchantHost;
  readonly switch: SwitchState;
  readonly issuer: IssuerState;
}

/** What a step leads to: the new state, messages on their way, commands for the agent. */
export interface CardStep {
  readonly network: CardNetwork;
  readonly posts: readonly { leg: CardLeg; bytes: Uint8Array }[];
  /** Bodies of commands. */
  readonly commands: readonly Uint8Array[];
  /** Hashes of mandates that the merchant's bank books before any command is given. */
  readonly posted: readonly string[];
  /** What no honest party may ask for: a void after a posting, and the reverse. */
  readonly conflicts: readonly string[];
}

/** The network before anything happened, with all lines up. `firstTrace`: as a host draws it. */
export function newCardNetwork(accounts: readonly CardAccount[], firstTrace: number): CardNetwork {
  return {
    merchant: newMerchantHost(firstTrace),
    switch: { ...newSwitchState(), connected: { [ISSUER]: true } },
    issuer: newIssuerState(accounts),
  };
}

/** The merchant's host was killed: the obligation lives in its agent's journal alone. */
export function restartMerchant(network: CardNetwork): CardNetwork {
  // A restarted host draws another trace number to begin with.
  const firstTrace = ((network.merchant.outbox.nextTrace + 77_777) % 999_999) + 1;
  return { ...network, merchant: newMerchantHost(firstTrace) };
}

/** The switch was killed; it keeps nothing. */
export function restartSwitch(network: CardNetwork, isIssuerUp: boolean): CardNetwork {
  return { ...network, switch: { ...newSwitchState(), connected: { [ISSUER]: isIssuerUp } } };
}

/** Tells the switch that the line to the issuer is up or down. */
export function lineToIssuer(config: CardConfig, network: CardNetwork, isUp: boolean): CardNetwork {
  const kind = isUp ? "connected" : "disconnected";
  return atSwitch(config, network, { kind, link: ISSUER }).network;
}

/** The merchant's agent told its host something. `message`: decoded, and not to be changed. */
export function agentTold(
  config: CardConfig,
  network: CardNetwork,
  message: readonly unknown[],
  nowMs: number,
): CardStep {
  const bytes = encodedOnce(message);
  return remembered(network.merchant, `told ${nowMs} ${latin1(bytes)}`, network, () => {
    const body = parseHostBody(bytes);
    const work = workOf(config, network, nowMs);
    if (body !== undefined) work.application({ type: "agent", body });
    return outcomeOf(work);
  });
}

/** The line to the switch is up again, or a repetition is due. */
export function acquirerTime(
  config: CardConfig,
  network: CardNetwork,
  kind: "connected" | "tick",
  nowMs: number,
): CardStep {
  return remembered(network.merchant, `${kind} ${nowMs}`, network, () => {
    const work = workOf(config, network, nowMs);
    work.outbox({ kind, nowMs });
    return outcomeOf(work);
  });
}

/** A card message has come to the end of its leg. */
export function cardMessage(
  config: CardConfig,
  network: CardNetwork,
  leg: CardLeg,
  bytes: Uint8Array,
  nowMs: number,
): CardStep {
  const name = latin1(bytes);
  if (leg === "switch>acquirer") {
    return remembered(network.merchant, `received ${nowMs} ${name}`, network, () => {
      const work = workOf(config, network, nowMs);
      work.outbox({ kind: "received", bytes, nowMs });
      return outcomeOf(work);
    });
  }
  if (leg === "switch>issuer") {
    const nowS = Math.floor(nowMs / 1000);
    return remembered(network.issuer, `${nowS} ${name}`, network, () =>
      atIssuer(config, network.issuer, bytes, nowS),
    );
  }
  const link = leg === "acquirer>switch" ? ACQUIRER : ISSUER;
  return atSwitch(config, network, { kind: "received", link, bytes });
}

function atSwitch(config: CardConfig, network: CardNetwork, event: SwitchEvent): CardStep {
  const name = event.kind === "received" ? latin1(event.bytes) : "";
  return remembered(network.switch, `${event.kind} ${event.link} ${name}`, network, () => {
    const { connected, counters } = network.switch;
    const state = { connected: { ...connected }, counters: { ...counters } };
    const posts = stepSwitch(config.switch, state, event).map(({ link, bytes }) => {
      const leg: CardLeg = link === ISSUER ? "switch>issuer" : "switch>acquirer";
      return { leg, bytes };
    });
    return { ...NOTHING, change: { switch: state }, posts };
  });
}

/** What a step changes and sends, whatever the other parties' states are. */
interface Outcome extends Omit<CardStep, "network"> {
  readonly change: Partial<CardNetwork>;
}

function workOf({ outbox, merchantAgentId }: CardConfig, { merchant }: CardNetwork, nowMs: number) {
  return new MerchantWork(outbox, merchantAgentId, merchant, nowMs);
}

function outcomeOf(work: MerchantWork): Outcome {
  const { host, sent, commands, posted } = work;
  const posts = sent.map((bytes) => ({ leg: "acquirer>switch" as const, bytes }));
  return { ...NOTHING, change: { merchant: host }, posts, commands, posted };
}

const NOTHING = { posts: [], commands: [], posted: [], conflicts: [] } as const;

function atIssuer(
  config: CardConfig,
  { books, counters }: IssuerState,
  bytes: Uint8Array,
  nowS: number,
): Outcome {
  const state: IssuerState = {
    books: {
      accounts: { ...books.accounts },
      transactions: { ...books.transactions },
      mandateHashById: { ...books.mandateHashById },
      voidedMandates: { ...books.voidedMandates },
    },
    counters: { ...counters },
  };
  const sent = stepIssuer(config.issuer, state, { kind: "received", link: "switch", bytes, nowS });
  const posts = sent.map((effect) => ({ leg: "issuer>switch" as const, bytes: effect.bytes }));
  const conflicts = posts.flatMap((post) => conflictOf(config, post.bytes));
  return { ...NOTHING, change: { issuer: state }, posts, conflicts };
}

/** An answer that says the opposite of what was asked for. */
function conflictOf({ issuer }: CardConfig, bytes: Uint8Array): string[] {
  const answer = decodeMessage(bytes, issuer.links.switch!);
  if (typeof answer === "string" || answer.type === "0110") return [];
  const posting = parsePosting(fromFieldText(answer.fields[Field.signedObject] ?? "") ?? NO_BYTES);
  const state = posting?.content.state;
  if (answer.type === "0230" && state !== undefined && state !== "posted") {
    return [`a card is to be posted that is ${state}`];
  }
  return answer.type !== "0230" && state === "posted"
    ? ["a card is to be voided that is posted"]
    : [];
}

const NO_BYTES = new Uint8Array();

/** Steps kept; all are forgotten when there are more. */
const KEPT_LIMIT = 20_000;
let kept = new WeakMap<object, Map<string, Outcome>>();
let keptCount = 0;

/** What `make` gives for one party's state and an event under this name; made once. */
function remembered(
  state: object,
  name: string,
  network: CardNetwork,
  make: () => Outcome,
): CardStep {
  let outcomes = kept.get(state);
  if (outcomes === undefined) {
    if (keptCount >= KEPT_LIMIT) {
      kept = new WeakMap();
      keptCount = 0;
    }
    outcomes = new Map();
    kept.set(state, outcomes);
  }
  let outcome = outcomes.get(name);
  if (outcome === undefined) {
    outcome = make();
    outcomes.set(name, outcome);
    keptCount += 1;
  }
  const { change, ...rest } = outcome;
  return { network: { ...network, ...change }, ...rest };
}
