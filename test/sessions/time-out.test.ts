// SPDX-License-Identifier: Apache-2.0
// Time-out and query (paragraphs 75-76; docs/protocol.md section 2): 5 s to a reply, 3 queries,
// `proceeding` for 60 s at most, a lost message or reply sent again, each message seen once.
import { describe, expect, test } from "vitest";
import { Event, eventsOf, SessionPair, type Wire } from "../support/sessionPair.ts";

const TIME_OUT = 17;
const QUERY = 2;
const PROCEEDING = 3;
const NEVER_GOT = 4;
const nothing: Wire = () => null;
const received = (heard: unknown[][]) => eventsOf(heard, Event.RECEIVED).map((event) => event[2]);
/** How many records of one type were on the wire. */
const records = (pair: SessionPair, type: number) =>
  pair.wireLog.filter((body) => body[0] === 0x85 && typeOf(body) === type).length;

/** The type, in clear, of a record with counter and type below 24. */
function typeOf(body: Uint8Array): number {
  return body[12]!;
}

function open(isModules = false) {
  const pair = new SessionPair({ isModules });
  const tag = pair.start();
  pair.say(true, tag, 10, "open");
  pair.say(false, tag, 10, "open too");
  pair.heardA.length = 0;
  pair.heardB.length = 0;
  pair.wireLog.length = 0;
  return { pair, tag };
}

describe.each([
  ["agents", false],
  ["money modules", true],
] as const)("between %s", (_name, isModules) => {
  test("a reply in time stops the timer", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true);
    pair.pass(4_900);
    pair.say(false, tag, 12, "answer");
    pair.pass(60_000);
    expect(records(pair, QUERY)).toBe(0);
    expect(pair.state(true, tag)![0]).toBe(5);
  });

  test("a lost message is sent again after the query, and heard once", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true, nothing);
    pair.pass(5_000);
    expect(records(pair, QUERY)).toBe(1);
    expect(records(pair, NEVER_GOT)).toBe(1);
    expect(received(pair.heardB)).toEqual([11]);
    pair.say(false, tag, 12, "answer");
    pair.pass(60_000);
    expect(received(pair.heardA)).toEqual([12]);
    expect(received(pair.heardB)).toEqual([11]);
  });

  test("a lost reply is sent again after the query, and heard once", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true);
    pair.say(false, tag, 12, "answer", false, nothing);
    expect(received(pair.heardA)).toEqual([]);
    pair.pass(5_000);
    expect(received(pair.heardA)).toEqual([12]);
    expect(received(pair.heardB)).toEqual([11]);
    pair.pass(60_000);
    expect(received(pair.heardA)).toEqual([12]);
  });

  test("no answer to three queries ends the session, told to both owners", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true, nothing);
    pair.pass(19_999, nothing);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([]);
    pair.pass(2);
    expect(records(pair, QUERY)).toBe(3);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([[Event.CLOSED, tag, TIME_OUT]]);
    // The end is told in an abort (390, 1746), which the peer heard once the line was back.
    expect(pair.heardB).toEqual([[Event.CLOSED, tag, TIME_OUT]]);
    expect(pair.a.deadlineMs).toBeNull();
    expect(pair.state(true, tag)).toBeNull();
  });

  test("`proceeding` sets the timer anew, but for a minute in all", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true);
    pair.pass(59_000);
    expect(records(pair, QUERY)).toBe(11);
    expect(records(pair, PROCEEDING)).toBe(11);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([]);
    pair.pass(2_000);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([[Event.CLOSED, tag, TIME_OUT]]);
  });

  test("a late reply within that minute still counts", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "question", true);
    pair.pass(50_000);
    pair.say(false, tag, 12, "answer");
    expect(received(pair.heardA)).toEqual([12]);
    pair.pass(30_000);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([]);
  });

  test("a lost first record after the handshake is queried as any other", () => {
    const pair = new SessionPair({ isModules });
    const tag = pair.start();
    pair.say(true, tag, 11, "question", true, nothing);
    pair.pass(5_000);
    expect(received(pair.heardB)).toEqual([11]);
    expect(eventsOf(pair.heardB, Event.OPENED)).toHaveLength(1);
  });

  test("a message too long to keep is not repeated unless its owner makes it again", () => {
    const { pair, tag } = open(isModules);
    pair.say(true, tag, 11, "x".repeat(3000), true, nothing);
    pair.pass(30_000);
    expect(received(pair.heardB)).toEqual([]);
    // Queries are answered, so it ends by the limit on the whole wait.
    pair.pass(40_000);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([[Event.CLOSED, tag, TIME_OUT]]);
  });

  test("a body of nearly 6,400 bytes is carried", () => {
    const { pair, tag } = open(isModules);
    // The limit of assembly/session/buffers.ts, less what the probe puts around it for its host.
    pair.say(true, tag, 11, "y".repeat(6_370));
    expect(received(pair.heardB)).toEqual([11]);
  });

  test("two silent ends give the session up after two minutes", () => {
    const { pair, tag } = open(isModules);
    pair.pass(119_999);
    expect(pair.state(true, tag)![0]).toBe(5);
    pair.pass(2);
    expect(pair.state(true, tag)).toBeNull();
    expect(pair.state(false, tag)).toBeNull();
    expect(pair.a.deadlineMs).toBeNull();
    expect(pair.b.deadlineMs).toBeNull();
  });

  test("a board without a clock counts the waits it was asked for", () => {
    const pair = new SessionPair({ isModules });
    pair.a.isClockKnown = false;
    const tag = pair.start(nothing);
    pair.pass(25_000, nothing);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([[Event.CLOSED, tag, TIME_OUT]]);
  });
});

test("records between two agents that carry modules' messages are neither kept nor awaited", () => {
  const { pair, tag } = open(false);
  pair.say(true, tag, 11, "question", true, nothing);
  pair.say(true, tag, 20, "module message");
  pair.say(false, tag, 20, "module message");
  pair.pass(5_000);
  expect(received(pair.heardB)).toEqual([20, 11]);
  expect(received(pair.heardA)).toEqual([20]);
});
