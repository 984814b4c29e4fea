// SPDX-License-Identifier: Apache-2.0
// The network server of Fig. 14 (steps 1472-1478; docs/protocol.cddl section 3, network-hello) as
// an event machine: it lets modules sign on, opens their first message under the key shared with
// each of them, forwards it to the destination, and then passes what both sides seal for each
// other. It sees certificates and who talks to whom, and nothing of what they say.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { step } from "../../patent/step.ts";
import { decodeCbor, encodeCbor } from "../../trust/cbor.ts";
import { isBytes, isId, isWhole } from "../../trust/shapes.ts";
import { NETWORK_PURPOSE } from "../agency/networkAccess.ts";

/** How long a module's access lasts after its sign-on. */
export const ACCESS_SECONDS = 24 * 3600;
/** Bytes of K and V, drawn for each sign-on. */
export const ACCESS_RANDOM_BYTES = 48;
/** Bodies kept for a destination that is not reached yet. */
const WAITING_LIMIT = 16;
const WHO = "network server";

/** Reasons of docs/protocol.cddl section 9 with which a session is denied. */
const Reason = {
  WRONG_STATE: 2,
  CERTIFICATE_EXPIRED: 11,
  WRONG_VERIFICATION: 13,
  BOX_INVALID: 16,
  CONNECTION_LOST: 49,
} as const;

/** First element of a peer-body. */
const Kind = { HELLO: 1, DENIED: 5, STATEMENT: 6, NETWORK_HELLO: 13 } as const;

/** Sign-ons kept of one module that nothing was opened with yet. */
const UNPROVEN_LIMIT = 4;

/** What this server shares with a module. */
interface Access {
  readonly key: Uint8Array;
  readonly verification: Uint8Array;
  readonly expires: number;
  /** Of the last message that it opened; 0 while the module has not shown that it has the key. */
  counter: number;
}

/** A module on its way to one destination. */
interface Link {
  readonly destination: string;
  /** Id in hexadecimal digits; a claim of the host, which the module's key proves or does not. */
  readonly module: string;
  state: "opening" | "open" | "unreachable";
  /** Bodies for the destination until it is reached. */
  readonly waiting: Uint8Array[];
}

/** All that the server knows. Plain data, secrets included. */
export interface NetworkServerState {
  readonly name: string;
  /**
   * By the module's id in hexadecimal digits. Anyone may ask for an access in a module's name, but
   * only the module can read it: an access ends others of the same module once it was used.
   */
  readonly accesses: Map<string, Access[]>;
  /** Sign-ons that wait for the security server, by connection. */
  readonly signOns: Map<number, Access>;
  /** By connection. */
  readonly links: Map<number, Link>;
}

export type NetworkEvent =
  /** A module's host asks for access; `random`: ACCESS_RANDOM_BYTES fresh bytes. */
  | { type: "sign-on"; connection: number; chain: Uint8Array; random: Uint8Array }
  /** The security server's answer; `module`: id of the module it checked. */
  | { type: "granted"; connection: number; module: Uint8Array; box: Uint8Array }
  | { type: "refused"; connection: number; reason: number }
  /** A module's host names the destination of this connection. */
  | { type: "connected"; connection: number; module: string; destination: string }
  /** The destination was reached, or cannot be. */
  | { type: "reached" | "unreachable"; connection: number }
  /** One body, from the module's side or from the destination's. */
  | { type: "body"; connection: number; from: "module" | "destination"; body: Uint8Array }
  /** One of both sides is gone. */
  | { type: "closed"; connection: number };

export type NetworkEffect =
  /** Ask the security server to sign and seal this for the module. */
  | {
      type: "grant";
      connection: number;
      network: string;
      chain: Uint8Array;
      key: Uint8Array;
      verification: Uint8Array;
      expires: number;
    }
  /** Tell the module's host how its sign-on ended. */
  | { type: "signed-on"; connection: number; box: Uint8Array }
  | { type: "sign-on-refused"; connection: number; reason: number }
  /** Reach a destination for this connection. */
  | { type: "reach"; connection: number; destination: string }
  | { type: "send"; connection: number; to: "module" | "destination"; body: Uint8Array }
  /** Close both sides. */
  | { type: "close"; connection: number };

export function startNetworkServer(name: string): NetworkServerState {
  return { name, accesses: new Map(), signOns: new Map(), links: new Map() };
}

/** Takes one event at a time in seconds; changes the state and says what is to be done. */
export function handleNetworkEvent(
  state: NetworkServerState,
  event: NetworkEvent,
  nowSeconds: number,
): NetworkEffect[] {
  forgetExpired(state, nowSeconds);
  const { connection } = event;
  switch (event.type) {
    case "sign-on":
      return signOn(state, event, nowSeconds);
    case "granted":
      return granted(state, event);
    case "refused":
      state.signOns.delete(connection);
      return [{ type: "sign-on-refused", connection, reason: event.reason }];
    case "connected": {
      const { module, destination } = event;
      state.links.set(connection, { destination, module, state: "opening", waiting: [] });
      return [{ type: "reach", connection, destination }];
    }
    case "reached":
      return reached(state, connection);
    case "unreachable":
      return unreachable(state, connection);
    case "body":
      return event.from === "module"
        ? fromModule(state, connection, event.body)
        : fromDestination(state, connection, event.body);
    case "closed":
      state.signOns.delete(connection);
      return state.links.delete(connection) ? [{ type: "close", connection }] : [];
  }
}

/** K and V live as long as the access; nobody can be asked for them later. */
function forgetExpired({ accesses }: NetworkServerState, nowSeconds: number): void {
  for (const [module, all] of accesses) {
    const valid = all.filter(({ expires }) => nowSeconds < expires);
    if (valid.length > 0) accesses.set(module, valid);
    else accesses.delete(module);
  }
}

function signOn(
  state: NetworkServerState,
  { connection, chain, random }: Extract<NetworkEvent, { type: "sign-on" }>,
  nowSeconds: number,
): NetworkEffect[] {
  const key = random.slice(0, 32);
  const verification = random.slice(32, ACCESS_RANDOM_BYTES);
  const expires = nowSeconds + ACCESS_SECONDS;
  state.signOns.set(connection, { key, verification, expires, counter: 0 });
  return [{ type: "grant", connection, network: state.name, chain, key, verification, expires }];
}

function granted(
  { signOns, accesses }: NetworkServerState,
  { connection, module, box }: Extract<NetworkEvent, { type: "granted" }>,
): NetworkEffect[] {
  const access = signOns.get(connection);
  signOns.delete(connection);
  if (access === undefined) return [];
  const known = accesses.get(bytesToHex(module)) ?? [];
  const proven = known.filter(({ counter }) => counter > 0);
  const others = known.filter(({ counter }) => counter === 0).slice(1 - UNPROVEN_LIMIT);
  accesses.set(bytesToHex(module), [...proven, ...others, access]);
  return [{ type: "signed-on", connection, box }];
}

function reached({ links }: NetworkServerState, connection: number): NetworkEffect[] {
  const link = links.get(connection);
  if (link === undefined) return [{ type: "close", connection }];
  link.state = "open";
  return link.waiting
    .splice(0)
    .map((body) => ({ type: "send", connection, to: "destination", body }));
}

function unreachable({ links }: NetworkServerState, connection: number): NetworkEffect[] {
  const link = links.get(connection);
  if (link === undefined) return [];
  link.state = "unreachable";
  return link.waiting.splice(0).flatMap((body) => {
    const [kind, tag] = decodeCbor(body) as unknown[];
    return kind === Kind.HELLO ? deny(connection, tag, Reason.CONNECTION_LOST) : [];
  });
}

/** A body of the module: its first message is opened, what follows in the session passes. */
function fromModule(
  state: NetworkServerState,
  connection: number,
  body: Uint8Array,
): NetworkEffect[] {
  const link = state.links.get(connection);
  const item = decodeCbor(body);
  if (link === undefined || !Array.isArray(item)) return [];
  const [kind, tag] = item;
  if (kind === Kind.NETWORK_HELLO) return openHello(state, connection, link, item);
  // Only a module that is signed on begins sessions here.
  if (kind === Kind.HELLO) return deny(connection, tag, Reason.WRONG_STATE);
  return isWhole(kind) && kind <= Kind.STATEMENT ? forward(connection, link, body) : [];
}

function openHello(
  state: NetworkServerState,
  connection: number,
  link: Link,
  [, tag, counter, box]: unknown[],
): NetworkEffect[] {
  if (!isId(tag) || !isWhole(counter) || !(box instanceof Uint8Array)) return [];
  step(WHO, 1472);
  const accesses = state.accesses.get(link.module) ?? [];
  // Never signed on, or the access ended: the module's host can sign it on again.
  if (accesses.length === 0) return deny(connection, tag, Reason.CERTIFICATE_EXPIRED);
  step(WHO, 1474);
  const opened = accesses
    .map((access) => ({ access, plain: decodeCbor(openBox(access.key, tag, counter, box)) }))
    .find(({ plain }) => Array.isArray(plain) && plain.length === 2);
  if (opened === undefined) return deny(connection, tag, Reason.BOX_INVALID);
  const { access, plain } = opened;
  // As with records: what is not newer is a repetition, and dropped.
  if (counter <= access.counter) return [];
  access.counter = counter;
  state.accesses.set(link.module, [access]);
  const [verification, m1] = plain as unknown[];
  if (!isBytes(verification, 16) || !isSame(verification, access.verification)) {
    return deny(connection, tag, Reason.WRONG_VERIFICATION);
  }
  step(WHO, 1478);
  return forward(connection, link, encodeCbor([Kind.HELLO, tag, encodeCbor(m1)]));
}

/** The plain text, or nothing where the box was not sealed under this key for this place. */
function openBox(key: Uint8Array, tag: Uint8Array, counter: number, box: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  const place = encodeCbor([1, NETWORK_PURPOSE, tag, counter]);
  try {
    return chacha20poly1305(key, nonce, place).decrypt(box);
  } catch {
    // The library throws for a short box and a wrong tag alike.
    return new Uint8Array();
  }
}

/** Compares secrets of one length in a time that does not depend on them. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.reduce((difference, byte, index) => difference | (byte ^ (b[index] ?? 0)), 0) === 0;
}

function forward(connection: number, link: Link, body: Uint8Array): NetworkEffect[] {
  if (link.state === "open") return [{ type: "send", connection, to: "destination", body }];
  if (link.state === "opening") {
    if (link.waiting.length < WAITING_LIMIT) link.waiting.push(body);
    return [];
  }
  const [kind, tag] = decodeCbor(body) as unknown[];
  return kind === Kind.HELLO ? deny(connection, tag, Reason.CONNECTION_LOST) : [];
}

/** Destinations answer, they begin nothing here. */
function fromDestination(
  { links }: NetworkServerState,
  connection: number,
  body: Uint8Array,
): NetworkEffect[] {
  const item = decodeCbor(body);
  const kind: unknown = Array.isArray(item) ? item[0] : undefined;
  if (!links.has(connection) || !isWhole(kind)) return [];
  if (kind <= Kind.HELLO || kind > Kind.STATEMENT) return [];
  return [{ type: "send", connection, to: "module", body }];
}

/** Ends a session that is not open yet; its module learns the reason. */
function deny(connection: number, tag: unknown, reason: number): NetworkEffect[] {
  if (!isId(tag)) return [];
  return [{ type: "send", connection, to: "module", body: encodeCbor([Kind.DENIED, tag, reason]) }];
}
