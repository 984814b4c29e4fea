// SPDX-License-Identifier: Apache-2.0
// The message manager (Fig. 3; Figs. 15-17): what goes where, and what is dropped.
import { describe, expect, test } from "vitest";
import {
  type MessageManager,
  type MessageManagerEffect,
  messageManagerStep,
  newMessageManager,
} from "../../host/device/messageManager.ts";
import { sessionTagOf } from "../../host/device/sessionTag.ts";
import type { ConnectionId, Target } from "../../host/device/types.ts";
import { Channel, type ModuleChannel, Port } from "../../host/link/protocol.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";

const tag = (number: number): Uint8Array => new Uint8Array(8).fill(number);
const peerBody = (number: number): Uint8Array => encodeCbor([1, tag(number), Uint8Array.of(9)]);
const withPort = (port: number, body: Uint8Array): Uint8Array => Uint8Array.of(port, ...body);

/** A manager of a device with both halves and connections 1 to `connections`. */
function managerWith(connections: number): MessageManager {
  const state = newMessageManager();
  messageManagerStep(state, { type: "linkUp", halves: ["agent", "module"] });
  for (let connection = 1; connection <= connections; connection += 1) {
    messageManagerStep(state, { type: "peerConnected", connection });
  }
  return state;
}

function request(
  state: MessageManager,
  target: Target,
  id: number,
  options: { isCommand?: boolean; connection?: ConnectionId } = {},
): MessageManagerEffect[] {
  return messageManagerStep(state, {
    type: "fromApplication",
    target,
    id,
    body: Uint8Array.of(1),
    isCommand: options.isCommand ?? true,
    connection: options.connection ?? null,
  });
}

const fromBoard = (
  state: MessageManager,
  channel: number,
  id: number,
  port: number,
  body: Uint8Array,
): MessageManagerEffect[] =>
  messageManagerStep(state, { type: "fromBoard", channel, id, body: withPort(port, body) });

const fromPeer = (
  state: MessageManager,
  connection: ConnectionId,
  body: Uint8Array,
  channel: ModuleChannel = Channel.AGENT,
): MessageManagerEffect[] =>
  messageManagerStep(state, { type: "fromPeer", connection, channel, body });

describe("commands", () => {
  test("the first HOST message with the id and half is the answer, the next an event", () => {
    const state = managerWith(0);
    expect(request(state, "module", 5)).toEqual([
      { type: "toBoard", channel: 3, id: 5, body: Uint8Array.of(Port.HOST, 1) },
    ]);
    const body = Uint8Array.of(7);
    const event = (target: Target) => [{ type: "event", event: { type: "message", target, body } }];
    expect(fromBoard(state, 2, 5, Port.HOST, body)).toEqual(event("agent"));
    expect(fromBoard(state, 3, 6, Port.HOST, body)).toEqual(event("module"));
    expect(fromBoard(state, 3, 5, Port.HOST, body)).toEqual([{ type: "answer", id: 5, body }]);
    expect(fromBoard(state, 3, 5, Port.HOST, body)).toEqual(event("module"));
  });

  test("what is sent without waiting has no answer, only events", () => {
    const state = managerWith(0);
    request(state, "agent", 5, { isCommand: false });
    const effects = fromBoard(state, 2, 5, Port.HOST, Uint8Array.of(7));
    expect(effects).toMatchObject([{ type: "event", event: { type: "message" } }]);
  });

  test("an answer keeps its id on its way through both halves", () => {
    const state = managerWith(0);
    request(state, "agent", 5);
    expect(fromBoard(state, 2, 5, Port.OWN, Uint8Array.of(8))).toEqual([
      { type: "toBoard", channel: 3, id: 5, body: Uint8Array.of(Port.OWN, 8) },
    ]);
    expect(fromBoard(state, 3, 5, Port.OWN, Uint8Array.of(9))).toEqual([
      { type: "toBoard", channel: 2, id: 5, body: Uint8Array.of(Port.OWN, 9) },
    ]);
    const effects = fromBoard(state, 2, 5, Port.HOST, Uint8Array.of(7));
    expect(effects).toMatchObject([{ type: "answer", id: 5 }]);
  });

  test("a failed image fails its half's commands, a lost link all; others wait on", () => {
    const state = managerWith(0);
    request(state, "agent", 1);
    request(state, "module", 2);
    request(state, "agent", 3);
    const restarted = { type: "restarted", channel: 2, isStopped: false } as const;
    const effects = messageManagerStep(state, restarted);
    expect(effects).toMatchObject([
      { type: "commandFailed", id: 1, mayHaveRun: true },
      { type: "commandFailed", id: 3, mayHaveRun: true },
      { type: "event", event: { type: "restarted", target: "agent", isStopped: false } },
    ]);
    const down = messageManagerStep(state, { type: "linkDown", reason: "cut" });
    expect(down).toMatchObject([{ type: "commandFailed", id: 2, reason: "cut", mayHaveRun: true }]);
  });

  test("a refusal fails the command it names; on the way between halves it is told", () => {
    const state = managerWith(0);
    request(state, "agent", 1);
    const failed = { type: "failed", id: 1, reason: "full", mayHaveArrived: false } as const;
    expect(messageManagerStep(state, { ...failed, channel: 3 })).toMatchObject([
      { type: "event", event: { type: "unsent", target: "module" } },
    ]);
    expect(messageManagerStep(state, { ...failed, channel: 2 })).toEqual([
      { type: "commandFailed", id: 1, reason: "full", mayHaveRun: false },
    ]);
  });

  test("a half that the board does not have refuses at once", () => {
    const state = newMessageManager();
    messageManagerStep(state, { type: "linkUp", halves: ["module"] });
    expect(request(state, "agent", 1)).toMatchObject([
      { type: "commandFailed", id: 1, mayHaveRun: false },
    ]);
    expect(fromBoard(state, 3, 0, Port.OWN, Uint8Array.of(1))).toEqual([]);
    expect(state.statistics.droppedUnroutable).toBe(1);
  });
});

describe("peers", () => {
  test("a session's bodies go to the connection where its tag was first seen, and to no other", () => {
    const state = managerWith(2);
    expect(fromPeer(state, 2, peerBody(1))).toEqual([
      { type: "toBoard", channel: 2, id: 0, body: withPort(Port.PEER, peerBody(1)) },
    ]);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(1))).toEqual([
      { type: "toPeer", connection: 2, channel: 2, body: peerBody(1) },
    ]);
    expect(fromPeer(state, 1, peerBody(1))).toEqual([]);
    expect(state.statistics.droppedForeignTag).toBe(1);
    // Agents' and modules' sessions are different ones, whatever their tags.
    expect(fromPeer(state, 1, peerBody(1), Channel.MODULE)).toHaveLength(1);
  });

  test("a new session goes where its request said, or over the only connection, or nowhere", () => {
    const state = managerWith(2);
    request(state, "agent", 5, { connection: 1, isCommand: false });
    expect(fromBoard(state, 2, 5, Port.PEER, peerBody(1))).toMatchObject([{ connection: 1 }]);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(1))).toMatchObject([{ connection: 1 }]);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(2))).toEqual([]);
    expect(state.statistics.droppedNoConnection).toBe(1);
    messageManagerStep(state, { type: "peerClosed", connection: 1, reason: "closed" });
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(2))).toMatchObject([{ connection: 2 }]);
    request(state, "agent", 6, { connection: 1, isCommand: false });
    expect(fromBoard(state, 2, 6, Port.PEER, peerBody(3))).toEqual([]);
  });

  test("a lost connection names its sessions, which may go on over another one", () => {
    const state = managerWith(2);
    fromPeer(state, 1, peerBody(1));
    fromPeer(state, 1, peerBody(2), Channel.MODULE);
    fromPeer(state, 2, peerBody(3));
    const closed = { type: "peerClosed", connection: 1, reason: "gone" } as const;
    expect(messageManagerStep(state, closed)).toEqual([
      {
        type: "event",
        event: {
          type: "peerLost",
          connection: 1,
          reason: "gone",
          sessionTags: ["01".repeat(8), "02".repeat(8)],
        },
      },
    ]);
    expect(messageManagerStep(state, closed)).toEqual([]);
    expect(fromPeer(state, 2, peerBody(1))).toHaveLength(1);
    expect(fromPeer(state, 1, peerBody(4))).toEqual([]);
  });

  test("a peer that begins sessions without end only loses its own oldest", () => {
    const state = managerWith(2);
    fromPeer(state, 2, peerBody(255));
    for (let number = 0; number < 100; number += 1) fromPeer(state, 1, peerBody(number));
    expect(state.sessions.size).toBe(65);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(255))).toMatchObject([{ connection: 2 }]);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(99))).toMatchObject([{ connection: 1 }]);
    expect(fromBoard(state, 2, 0, Port.PEER, peerBody(3))).toEqual([]);
  });

  test("bodies without a session tag are dropped and counted, both ways", () => {
    const state = managerWith(1);
    for (const body of [[], [1], [1, new Uint8Array(7)], [new Uint8Array(8), 1], "text"]) {
      expect(sessionTagOf(encodeCbor(body))).toBeNull();
      expect(fromPeer(state, 1, encodeCbor(body))).toEqual([]);
    }
    expect(sessionTagOf(new Uint8Array(0))).toBeNull();
    expect(sessionTagOf(peerBody(1).slice(0, 10))).toBeNull();
    expect(fromBoard(state, 2, 0, Port.PEER, Uint8Array.of(1, 2))).toEqual([]);
    expect(state.statistics.droppedUnreadable).toBe(6);
  });

  test("the state is plain data: a copy goes on as the original does", () => {
    const state = managerWith(2);
    fromPeer(state, 1, peerBody(1));
    request(state, "agent", 5);
    const copy = structuredClone(state);
    expect(fromBoard(copy, 2, 5, Port.HOST, Uint8Array.of(7))).toEqual(
      fromBoard(state, 2, 5, Port.HOST, Uint8Array.of(7)),
    );
    expect(copy).toEqual(state);
  });
});

describe("statements about payments in doubt", () => {
  const statement = (number: number) => encodeCbor([6, tag(number), Uint8Array.of(9)]);
  const sentOver = (effects: MessageManagerEffect[]) =>
    effects.flatMap((effect) => (effect.type === "toPeer" ? [effect.connection] : []));
  const say = (state: MessageManager, body: Uint8Array) =>
    sentOver(fromBoard(state, Channel.MODULE, 0, Port.PEER, body));
  const MAIL = 9;

  test("go to the mailbox where their peer is not connected, and nothing else does", () => {
    const state = managerWith(2);
    messageManagerStep(state, { type: "mailConnected", connection: MAIL });
    expect(say(state, statement(1))).toEqual([MAIL]);
    expect(say(state, peerBody(2))).toEqual([]);
    fromPeer(state, 1, statement(3), Channel.MODULE);
    expect(say(state, statement(3))).toEqual([1]);
    messageManagerStep(state, { type: "peerClosed", connection: 1, reason: "gone" });
    expect(say(state, statement(3))).toEqual([MAIL]);
  });

  test("a mailbox is no peer: it is not the only connection that new sessions go to", () => {
    const state = managerWith(1);
    messageManagerStep(state, { type: "mailConnected", connection: MAIL });
    expect(say(state, peerBody(2))).toEqual([1]);
    messageManagerStep(state, { type: "peerClosed", connection: 1, reason: "gone" });
    expect(say(state, peerBody(4))).toEqual([]);
  });

  test("the answer to a letter goes back to the mailbox; one that is gone gets nothing", () => {
    const state = managerWith(1);
    messageManagerStep(state, { type: "mailConnected", connection: MAIL });
    expect(fromPeer(state, MAIL, statement(5), Channel.MODULE)).toHaveLength(1);
    expect(say(state, statement(5))).toEqual([MAIL]);
    messageManagerStep(state, { type: "peerClosed", connection: MAIL, reason: "closed" });
    expect(fromPeer(state, MAIL, statement(6), Channel.MODULE)).toEqual([]);
  });
});
