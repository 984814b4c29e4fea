// SPDX-License-Identifier: Apache-2.0
// The Message Manager of Fig. 3 as an event machine: carries what agent and money module say to the
// owner's applications, to each other (Figs. 15-17) and to other devices, and back. It carries
// ciphertext, decides nothing about money, and is believed by nobody.
import { Channel, type ModuleChannel, Port } from "../link/protocol.ts";
import { step } from "../patent/step.ts";
import { sessionTagOf } from "./sessionTag.ts";
import type { ConnectionId, DeviceEvent, MessageManagerStatistics, Target } from "./types.ts";

/** Sessions remembered per connection; a peer that begins more makes the oldest forgotten. */
const TAGS_PER_CONNECTION_LIMIT = 64;

/** Requests whose choice of connection is remembered for sessions they begin later. */
const ORIGINS_LIMIT = 256;

/** Kinds of bodies (docs/protocol.cddl sections 3 and 5), as far as the figures tell them apart. */
const RECORD = 4;
const LOCAL = 10;
const PAYMENT = 11;
const ROUTED = 12;
const STATEMENT = 6;

/** State of the message manager; plain data. */
export interface MessageManager {
  /** Whose host this is, for traces. */
  owner: string;
  /** Halves that the board has. */
  halves: Target[];
  /** Commands without an answer yet, by request id. */
  pending: Map<number, Target>;
  /** The connection that a request chose for the sessions it begins, by request id. */
  origins: Map<number, ConnectionId>;
  /** Connections to other devices. */
  connections: Set<ConnectionId>;
  /** The connection that takes what is for a device which is not connected; null for none. */
  mail: ConnectionId | null;
  /** The connection of each session, by channel and tag. */
  sessions: Map<string, ConnectionId>;
  statistics: MessageManagerStatistics;
}

export type MessageManagerEvent =
  /** An application's message; with `isCommand` its answer is awaited under `id`. */
  | {
      type: "fromApplication";
      target: Target;
      id: number;
      body: Uint8Array;
      isCommand: boolean;
      connection: ConnectionId | null;
    }
  /** The application waits no longer. */
  | { type: "giveUp"; id: number }
  /** A message of the board, with its port byte. */
  | { type: "fromBoard"; channel: number; id: number; body: Uint8Array }
  /** An image failed; it was started anew unless `isStopped`. */
  | { type: "restarted"; channel: number; isStopped: boolean }
  /** The board refused one message, or the link did not deliver it. */
  | { type: "failed"; channel: number; id: number; reason: string; mayHaveArrived: boolean }
  | { type: "linkUp"; halves: Target[] }
  | { type: "linkDown"; reason: string }
  | { type: "peerConnected"; connection: ConnectionId }
  /** A connection to a mailbox, in place of the one before. */
  | { type: "mailConnected"; connection: ConnectionId }
  | { type: "peerClosed"; connection: ConnectionId; reason: string }
  | { type: "fromPeer"; connection: ConnectionId; channel: ModuleChannel; body: Uint8Array };

export type MessageManagerEffect =
  /** A message for the board, with its port byte. */
  | { type: "toBoard"; channel: ModuleChannel; id: number; body: Uint8Array }
  | { type: "toPeer"; connection: ConnectionId; channel: ModuleChannel; body: Uint8Array }
  | { type: "answer"; id: number; body: Uint8Array }
  | { type: "commandFailed"; id: number; reason: string; mayHaveRun: boolean }
  | { type: "event"; event: DeviceEvent };

export function newMessageManager(owner = "host"): MessageManager {
  return {
    owner,
    halves: [],
    pending: new Map(),
    origins: new Map(),
    connections: new Set(),
    mail: null,
    sessions: new Map(),
    statistics: {
      droppedUnreadable: 0,
      droppedForeignTag: 0,
      droppedNoConnection: 0,
      droppedUnroutable: 0,
    },
  };
}

/** The same state, to be changed apart from this one. */
export function copyMessageManager(state: MessageManager): MessageManager {
  const { owner, halves, pending, origins, connections, mail, sessions, statistics } = state;
  return {
    owner,
    mail,
    halves: [...halves],
    pending: new Map(pending),
    origins: new Map(origins),
    connections: new Set(connections),
    sessions: new Map(sessions),
    statistics: { ...statistics },
  };
}

/** Takes one event; changes `state` and gives what is to be done, in order. */
export function messageManagerStep(
  state: MessageManager,
  event: MessageManagerEvent,
): MessageManagerEffect[] {
  switch (event.type) {
    case "fromApplication":
      return takeApplication(state, event);
    case "giveUp":
      state.pending.delete(event.id);
      return [];
    case "fromBoard":
      return takeBoard(state, event.channel, event.id, event.body);
    case "restarted": {
      const target = targetOf(event.channel);
      if (target === null) return [];
      const effects = failPending(state, "the image failed and was started anew", target);
      const { isStopped } = event;
      return [...effects, { type: "event", event: { type: "restarted", target, isStopped } }];
    }
    case "failed":
      return takeFailure(state, event);
    case "linkUp":
      state.halves = event.halves;
      return [];
    case "linkDown":
      return failPending(state, event.reason);
    case "peerConnected":
      state.connections.add(event.connection);
      return [];
    case "mailConnected":
      state.mail = event.connection;
      return [];
    case "peerClosed":
      return takePeerClosed(state, event.connection, event.reason);
    case "fromPeer":
      return takePeer(state, event.connection, event.channel, event.body);
  }
}

/** The channel of a half. */
export function channelOf(target: Target): ModuleChannel {
  return target === "agent" ? Channel.AGENT : Channel.MODULE;
}

/** The half behind a channel; null for the link's and the board's own. */
export function targetOf(channel: number): Target | null {
  if (channel === Channel.AGENT) return "agent";
  return channel === Channel.MODULE ? "module" : null;
}

function toBoard(
  channel: ModuleChannel,
  id: number,
  port: Port,
  body: Uint8Array,
): MessageManagerEffect {
  const message = new Uint8Array(body.length + 1);
  message[0] = port;
  message.set(body, 1);
  return { type: "toBoard", channel, id, body: message };
}

function takeApplication(
  state: MessageManager,
  event: Extract<MessageManagerEvent, { type: "fromApplication" }>,
): MessageManagerEffect[] {
  const { target, id, isCommand, connection } = event;
  if (isCommand) state.pending.set(id, target);
  if (!state.halves.includes(target)) {
    const reason = `this device has no ${target === "agent" ? "trusted agent" : "money module"}`;
    const channel = channelOf(target);
    return takeFailure(state, { type: "failed", channel, id, reason, mayHaveArrived: false });
  }
  state.origins.delete(id);
  if (connection !== null) {
    state.origins.set(id, connection);
    if (state.origins.size > ORIGINS_LIMIT) state.origins.delete(first(state.origins.keys()));
  }
  return [toBoard(channelOf(target), id, Port.HOST, event.body)];
}

function first<Item>(items: Iterator<Item>): Item {
  return items.next().value as Item;
}

function takeBoard(
  state: MessageManager,
  channel: number,
  id: number,
  message: Uint8Array,
): MessageManagerEffect[] {
  const target = targetOf(channel);
  const body = message.slice(1);
  if (target !== null && message[0] === Port.HOST) {
    if (state.pending.get(id) !== target) {
      return [{ type: "event", event: { type: "message", target, body } }];
    }
    state.pending.delete(id);
    return [{ type: "answer", id, body }];
  }
  if (target !== null && message[0] === Port.OWN) {
    const other: Target = target === "agent" ? "module" : "agent";
    // The id goes with it: what the other half then says still belongs to the owner's request.
    if (state.halves.includes(other)) {
      markOwn(state.owner, target, body);
      return [toBoard(channelOf(other), id, Port.OWN, body)];
    }
  }
  if (target !== null && message[0] === Port.PEER) {
    return sendToPeer(state, channelOf(target), id, body);
  }
  state.statistics.droppedUnroutable += 1;
  return [];
}

/** Element 0 of a body; it stands behind the array's head, in one byte. */
function kindOf(body: Uint8Array): number | undefined {
  return body[1];
}

/** The host's steps between agent and module: Fig. 15 (routed), Figs. 16 and 17 (sealed). */
function markOwn(owner: string, from: Target, body: Uint8Array): void {
  const kind = kindOf(body);
  if (kind === ROUTED) step(owner, from === "module" ? 644 : 652);
  if (kind === LOCAL || kind === PAYMENT) step(owner, from === "module" ? 662 : 672);
}

function sessionKey(channel: ModuleChannel, tag: string): string {
  return `${channel}/${tag}`;
}

/** Sends a PEER body over its session's connection. It is never sent to more than one. */
function sendToPeer(
  state: MessageManager,
  channel: ModuleChannel,
  id: number,
  body: Uint8Array,
): MessageManagerEffect[] {
  const tag = sessionTagOf(body);
  if (tag === null) {
    state.statistics.droppedUnreadable += 1;
    return [];
  }
  const key = sessionKey(channel, tag);
  let connection = state.sessions.get(key);
  if (connection === undefined) {
    // A new session: over the connection that the owner's request named, or the only one. A
    // statement about a payment proves itself and need not meet its peer, which this may not be.
    connection = state.origins.get(id);
    const isMail = kindOf(body) === STATEMENT && state.mail !== null;
    if (isMail && (connection === undefined || !state.connections.has(connection))) {
      connection = state.mail ?? undefined;
    } else if (connection === undefined && state.connections.size === 1) {
      connection = first(state.connections.values());
    }
    if (connection === undefined || !isConnected(state, connection)) {
      state.statistics.droppedNoConnection += 1;
      return [];
    }
    bind(state, key, connection);
  }
  if (channel === Channel.AGENT && kindOf(body) === RECORD) step(state.owner, 380);
  return [{ type: "toPeer", connection, channel, body }];
}

function takePeer(
  state: MessageManager,
  connection: ConnectionId,
  channel: ModuleChannel,
  body: Uint8Array,
): MessageManagerEffect[] {
  const target = targetOf(channel);
  const tag = sessionTagOf(body);
  if (tag === null) state.statistics.droppedUnreadable += 1;
  else if (target === null || !state.halves.includes(target) || !isConnected(state, connection))
    state.statistics.droppedUnroutable += 1;
  else {
    const key = sessionKey(channel, tag);
    const bound = state.sessions.get(key);
    if (bound === undefined) bind(state, key, connection);
    // Another's session: a peer can neither speak in it nor draw its answers to itself.
    if (bound === undefined || bound === connection) {
      if (channel === Channel.AGENT && kindOf(body) === RECORD) step(state.owner, 382);
      return [toBoard(channel, 0, Port.PEER, body)];
    }
    state.statistics.droppedForeignTag += 1;
  }
  return [];
}

function isConnected(state: MessageManager, connection: ConnectionId): boolean {
  return state.connections.has(connection) || state.mail === connection;
}

function bind(state: MessageManager, key: string, connection: ConnectionId): void {
  state.sessions.set(key, connection);
  const own = [...state.sessions].filter(([, bound]) => bound === connection);
  if (own.length > TAGS_PER_CONNECTION_LIMIT) state.sessions.delete(own[0]![0]);
}

function takePeerClosed(
  state: MessageManager,
  connection: ConnectionId,
  reason: string,
): MessageManagerEffect[] {
  if (state.mail === connection) state.mail = null;
  else if (!state.connections.delete(connection)) return [];
  const sessionTags: string[] = [];
  for (const [key, bound] of state.sessions) {
    if (bound !== connection) continue;
    state.sessions.delete(key);
    sessionTags.push(key.slice(key.indexOf("/") + 1));
  }
  return [{ type: "event", event: { type: "peerLost", connection, reason, sessionTags } }];
}

/** One message did not go: its command fails, or the applications are told. */
function takeFailure(
  state: MessageManager,
  event: Extract<MessageManagerEvent, { type: "failed" }>,
): MessageManagerEffect[] {
  const { id, reason, mayHaveArrived } = event;
  const target = targetOf(event.channel);
  if (target === null) return [];
  if (state.pending.get(id) === target) {
    state.pending.delete(id);
    return [{ type: "commandFailed", id, reason, mayHaveRun: mayHaveArrived }];
  }
  return [{ type: "event", event: { type: "unsent", target, reason, mayHaveArrived } }];
}

/** Fails all commands, or those of one half: what was sent may have been done. */
function failPending(
  state: MessageManager,
  reason: string,
  only: Target | null = null,
): MessageManagerEffect[] {
  const effects: MessageManagerEffect[] = [];
  for (const [id, target] of state.pending) {
    if (only !== null && target !== only) continue;
    state.pending.delete(id);
    effects.push({ type: "commandFailed", id, reason, mayHaveRun: true });
  }
  return effects;
}
