// SPDX-License-Identifier: Apache-2.0
// Establish Session between two images and against a second implementation in TypeScript (Figs. 8
// and 14; docs/protocol.md section 2): both ends agree on keys and ids, and nobody else gets in.
import { describe, expect, test } from "vitest";
import { signList } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, Role } from "../../host/trust/certificates.ts";
import { bodiesTo, PEER, toHost } from "../../host/torture/bareModule.ts";
import {
  Event,
  eventsOf,
  honestWire,
  type PairOptions,
  SessionPair,
} from "../support/sessionPair.ts";
import { TwinParty, TwinSession } from "../support/sessionTwin.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const MINUTE_MS = 60_000;
const kinds = [
  ["agents", false],
  ["money modules", true],
] as const;

/** What came of a session's start: reasons heard by each side, and whether anyone was open. */
function outcome(pair: SessionPair) {
  const reasonOf = (heard: unknown[][]) => eventsOf(heard, Event.CLOSED)[0]?.[2];
  return {
    a: reasonOf(pair.heardA),
    b: reasonOf(pair.heardB),
    isOpen: eventsOf([...pair.heardA, ...pair.heardB], Event.OPENED).length > 0,
  };
}

function outcomeOf(options: PairOptions) {
  const pair = new SessionPair(options);
  pair.start();
  return outcome(pair);
}

describe.each(kinds)("a session between %s", (_name, isModules) => {
  test("opens at both ends with one exporter and one set of ids", () => {
    const pair = new SessionPair({ isModules });
    const tag = pair.start();
    expect(eventsOf(pair.heardA, Event.OPENED)).toHaveLength(1);
    expect(eventsOf(pair.heardB, Event.OPENED)).toHaveLength(0);
    pair.say(true, tag, 10, "hello");
    expect(eventsOf(pair.heardB, Event.OPENED)).toHaveLength(1);
    expect(eventsOf(pair.heardB, Event.RECEIVED)).toEqual([
      [Event.RECEIVED, tag, 10, encodeCbor(new TextEncoder().encode("hello"))],
    ]);
    const [, exporterA, peerOfA, , transactionA, payA] = pair.state(true, tag)!;
    const [, exporterB, peerOfB, , transactionB, payB] = pair.state(false, tag)!;
    expect(exporterA).toEqual(exporterB);
    expect(transactionA).toEqual(transactionB);
    expect(payA).toEqual(payB);
    expect(payA).not.toEqual(transactionA);
    expect(peerOfA).toEqual(id("party-B"));
    expect(peerOfB).toEqual(id("party-A"));
  });

  test("carries messages both ways, each once and in order", () => {
    const pair = new SessionPair({ isModules });
    const tag = pair.start();
    for (let round = 0; round < 5; round++) {
      pair.say(true, tag, 10 + round, `to B ${round}`);
      pair.say(false, tag, 50 + round, `to A ${round}`);
    }
    const types = (heard: unknown[][]) => eventsOf(heard, Event.RECEIVED).map(([, , type]) => type);
    expect(types(pair.heardB)).toEqual([10, 11, 12, 13, 14]);
    expect(types(pair.heardA)).toEqual([50, 51, 52, 53, 54]);
  });

  test("shows neither certificates of the answerer nor content on the wire", () => {
    const pair = new SessionPair({ isModules });
    const tag = pair.start();
    pair.say(true, tag, 10, "a very secret message");
    const wire = Buffer.concat(pair.wireLog);
    expect(wire.includes("a very secret message")).toBe(false);
    expect(wire.includes(Buffer.from(id("party-B")))).toBe(false);
    expect(wire.includes(Buffer.from(pair.state(true, tag)![1] as Uint8Array))).toBe(false);
  });

  test.each([
    ["expired", { expires: START_SECONDS - 1 }, 11],
    ["not yet valid", { issued: START_SECONDS + 3600 }, 10],
    ["of a server nobody knows", { issuer: id("NOBODY") }, 10],
  ] as [string, Partial<Claims>, number][])(
    "refuses a certificate that is %s",
    (_n, change, reason) => {
      // A module takes such a chain for itself only before its date, so a twin shows it.
      const pair = new SessionPair({ isModules });
      const role = isModules ? Role.TELLER : Role.MERCHANT;
      const party = new TwinParty(pair.agency, "party-C", role, change);
      const twin = new TwinSession(
        party,
        isModules ? "bare" : "agent",
        id("tag"),
        START_SECONDS * 1000,
      );
      expect(bodiesTo(PEER, pair.a.deliver(PEER, twin.hello()))).toEqual([
        encodeCbor([5, id("tag"), reason]),
      ]);
      // The same certificate as the answerer's.
      const tag = pair.start(() => null);
      const answering = new TwinSession(
        party,
        isModules ? "bare" : "agent",
        tag,
        START_SECONDS * 1000,
      );
      const sent = pair.a.deliver(PEER, answering.answer(pair.wireLog[0]!));
      expect(bodiesTo(PEER, sent)).toEqual([encodeCbor([5, tag, reason])]);
      expect(toHost(sent)).toEqual([[Event.CLOSED, tag, reason]]);
    },
  );

  test("refuses a member of another agency", () => {
    const other = new TestAgency(100);
    expect(outcomeOf({ isModules, agencyB: other })).toEqual({
      a: 10,
      b: undefined,
      isOpen: false,
    });
  });

  test("refuses whom the list names, member or server, on either side", () => {
    for (const listed of ["party-A", "party-B", isModules ? "M-SERVER" : "A-SERVER"]) {
      for (const isA of [true, false]) {
        const pair = new SessionPair({ isModules });
        const { agentServer, moduleServer } = pair.agency;
        const parts = signList(isModules ? moduleServer : agentServer, 1, START_SECONDS, [
          id(listed),
        ]);
        const module = isA ? pair.a : pair.b;
        expect(module.ask(6, decodeCbor(parts[0]!))).toEqual([6, 1]);
        pair.start();
        // Nobody looks himself up.
        const isSelf = listed === (isA ? "party-A" : "party-B");
        expect(outcome(pair).isOpen).toBe(isSelf);
        if (!isSelf) expect(outcome(pair).a).toBe(12);
      }
    }
  });

  test("refuses its own reflection", () => {
    const pair = new SessionPair({ isModules });
    pair.start(() => null);
    const hello = pair.wireLog[0]!;
    // To the very end that sent it: the tag is known there, and its session is the initiator's.
    expect(pair.a.deliver(PEER, hello)).toEqual([]);
    // Under another tag: a peer with one's own id.
    const [, , m1] = decodeCbor(hello) as [number, Uint8Array, Uint8Array];
    const sent = pair.a.deliver(PEER, encodeCbor([1, id("other"), m1]));
    expect(bodiesTo(PEER, sent)).toEqual([encodeCbor([5, id("other"), 10])]);
  });

  test("is refused by the owner's own judgement", () => {
    for (const isA of [true, false]) {
      const pair = new SessionPair({ isModules });
      (isA ? pair.a : pair.b).command(15, 15);
      pair.start();
      expect(outcome(pair)).toEqual({ a: 15, b: isA ? 15 : undefined, isOpen: false });
    }
  });

  test("ends where random numbers are not to be had", () => {
    const pair = new SessionPair({ isModules });
    pair.a.isRandomDead = true;
    expect(pair.a.ask(11, null)).toEqual([0, 11, 8]);
    pair.a.isRandomDead = false;
    pair.b.isRandomDead = true;
    pair.start();
    expect(outcome(pair)).toEqual({ a: 8, b: undefined, isOpen: false });
  });

  test("is refused under another version or label", () => {
    const pair = new SessionPair({ isModules });
    const role = isModules ? Role.TELLER : Role.MERCHANT;
    const party = new TwinParty(pair.agency, "party-C", role);
    const denial = (twin: TwinSession) => bodiesTo(PEER, pair.a.deliver(PEER, twin.hello()));
    const newer = new TwinSession(party, isModules ? "bare" : "agent", id("t1"), 0);
    newer.version = 2;
    expect(denial(newer)).toEqual([encodeCbor([5, id("t1"), 9])]);
    for (const label of ["agent", "module", "pair", "bare"] as const) {
      if (label === (isModules ? "bare" : "agent")) continue;
      expect(denial(new TwinSession(party, label, id("t2"), 0))).toEqual([
        encodeCbor([5, id("t2"), 1]),
      ]);
    }
  });
});

describe("roles", () => {
  test("two transaction modules have no session without their agents", () => {
    const { a, isOpen } = outcomeOf({ isModules: true, roleB: Role.TRANSACTION });
    expect({ a, isOpen }).toEqual({ a: 15, isOpen: false });
  });

  test("agents and modules hang under different roots", () => {
    const pair = new SessionPair();
    const party = new TwinParty(pair.agency, "party-C", Role.TELLER);
    const twin = new TwinSession(party, "agent", id("tag"), 0);
    expect(bodiesTo(PEER, pair.a.deliver(PEER, twin.hello()))).toEqual([
      encodeCbor([5, id("tag"), 10]),
    ]);
  });
});

describe("clocks", () => {
  test.each([
    [9.9, true],
    [-9.9, true],
    [10.1, false],
    [-10.1, false],
  ])("of two modules may differ by ten minutes: %d minutes", (minutes, isGood) => {
    for (const asInitiator of [true, false]) {
      const pair = new SessionPair({ isModules: true });
      const party = new TwinParty(pair.agency, "party-C", Role.TELLER);
      const timeMs = START_SECONDS * 1000 + minutes * MINUTE_MS;
      const result = meet(pair, party, "bare", asInitiator, timeMs);
      expect(result.isOpen).toBe(isGood);
      if (!isGood) expect(result.reason).toBe(14);
    }
  });

  test("of two agents are only recorded", () => {
    const pair = new SessionPair();
    const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
    const timeMs = START_SECONDS * 1000 + 500 * MINUTE_MS;
    const { isOpen, twin } = meet(pair, party, "agent", false, timeMs);
    expect(isOpen).toBe(true);
    expect(pair.state(true, twin.tag)![3]).toBe(timeMs);
  });

  test("that are not known are told as 0 and not compared", () => {
    const pair = new SessionPair({ isModules: true });
    pair.a.isClockKnown = false;
    const party = new TwinParty(pair.agency, "party-C", Role.TELLER);
    // The certificate's date stands in: it raised the floor when it was installed.
    const { isOpen, twin } = meet(pair, party, "bare", false, START_SECONDS * 1000);
    expect(isOpen).toBe(true);
    expect(twin.peerTimeMs).toBe(0);
  });
});

/** A session of module A with a twin; `isTwinB`: the module begins. */
function meet(
  pair: SessionPair,
  party: TwinParty,
  label: "agent" | "bare",
  isTwinA: boolean,
  timeMs: number,
  change: (twin: TwinSession) => void = () => {},
) {
  const tag = isTwinA ? id("twin-tag") : pair.start(() => null);
  const twin = new TwinSession(party, label, tag, timeMs);
  change(twin);
  const heard: unknown[][] = [];
  const deliver = (body: Uint8Array) => {
    const sent = pair.a.deliver(PEER, body);
    heard.push(...toHost(sent));
    return bodiesTo(PEER, sent)[0];
  };
  if (isTwinA) {
    const answer = deliver(twin.hello());
    const acknowledgement = answer && deliver(twin.finish(answer));
    const isKeyed = acknowledgement?.[1] === 4;
    if (isKeyed) deliver(twin.record(10, "first"));
  } else {
    const finish = deliver(twin.answer(pair.wireLog.at(-1)!));
    if (finish?.[1] === 3) deliver(twin.acknowledge(finish));
  }
  return {
    twin,
    isOpen: eventsOf(heard, Event.OPENED).length === 1,
    reason: eventsOf(heard, Event.CLOSED)[0]?.[2],
    heard,
  };
}

describe("against the implementation in TypeScript", () => {
  test.each([
    ["agent", true],
    ["agent", false],
    ["bare", true],
    ["bare", false],
  ] as const)("label %s, twin begins: %s", (label, isTwinA) => {
    const pair = new SessionPair({ isModules: label === "bare" });
    const role = label === "bare" ? Role.TELLER : Role.MERCHANT;
    const party = new TwinParty(pair.agency, "party-C", role);
    const { twin, isOpen } = meet(pair, party, label, isTwinA, START_SECONDS * 1000);
    expect(isOpen).toBe(true);
    const [, exporter, peer, , transaction, pay] = pair.state(true, twin.tag)!;
    expect(exporter).toEqual(twin.exporter);
    expect(transaction).toEqual(twin.exportedId("transaction", 1));
    expect(pay).toEqual(twin.exportedId("pay", 0x01020304));
    expect(peer).toEqual(party.id);
    expect(twin.peerTimeMs).toBe(START_SECONDS * 1000);
    const [record] = bodiesTo(PEER, pair.a.command(12, twin.tag, 77, Uint8Array.of(1, 2), false));
    expect(twin.open(record!)).toEqual({
      type: 77,
      plain: [2 - Number(!isTwinA), 1, Uint8Array.of(1, 2)],
    });
  });

  test("a verification message that is not returned ends it (310, 332)", () => {
    for (const isTwinA of [true, false]) {
      const pair = new SessionPair();
      const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
      const { isOpen, reason } = meet(pair, party, "agent", isTwinA, 0, (twin) => {
        // What is returned is wrong in one bit.
        Object.defineProperty(twin, "peerVerification", {
          get: () => new Uint8Array(16).fill(1),
          set: () => {},
        });
      });
      expect({ isOpen, reason }).toEqual({ isOpen: false, reason: 13 });
    }
  });

  test("an acknowledgement that A refuses ends B's side too (334)", () => {
    const pair = new SessionPair();
    const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
    const twin = new TwinSession(party, "agent", id("tag"), 0);
    const [answer] = bodiesTo(PEER, pair.a.deliver(PEER, twin.hello()));
    pair.a.deliver(PEER, twin.finish(answer!));
    expect(pair.state(true, id("tag"))![0]).toBe(4);
    const sent = pair.a.deliver(PEER, encodeCbor([5, id("tag"), 13]));
    expect(toHost(sent)).toEqual([[Event.CLOSED, id("tag"), 13]]);
    // Once open, a word in clear ends nothing.
    const tag = pair.start();
    expect(pair.a.deliver(PEER, encodeCbor([5, tag, 13]))).toEqual([]);
    expect(pair.state(true, tag)![0]).toBe(5);
  });

  test("a one-time key of small order ends it", () => {
    for (const isTwinA of [true, false]) {
      const pair = new SessionPair();
      const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
      const zero = (twin: TwinSession) => twin.ephemeral.fill(0);
      const { isOpen, reason } = meet(pair, party, "agent", isTwinA, 0, zero);
      expect({ isOpen, reason }).toEqual({ isOpen: false, reason: 1 });
    }
  });
});

describe("slots", () => {
  test("a third session is denied, and there is room again after the end of one", () => {
    const pair = new SessionPair();
    const [first, second] = [pair.start(), pair.start()];
    pair.say(true, first, 10, "x");
    pair.say(true, second, 10, "x");
    expect(pair.a.ask(11, null)).toEqual([0, 11, 7]);
    const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
    const hello = new TwinSession(party, "agent", id("tag"), 0).hello();
    expect(bodiesTo(PEER, pair.b.deliver(PEER, hello))).toEqual([encodeCbor([5, id("tag"), 7])]);
    pair.carry(pair.a.command(13, first, 19, true), true);
    expect(eventsOf(pair.heardB, Event.CLOSED)).toEqual([[Event.CLOSED, first, 19]]);
    expect(pair.state(false, first)).toBeNull();
    expect(pair.a.ask(11, null)[0]).toBe(11);
    pair.say(true, second, 11, "still here", false, honestWire);
    expect(eventsOf(pair.heardB, Event.RECEIVED).at(-1)![1]).toEqual(second);
  });

  test("an unfinished handshake gives its slot back after the time-out", () => {
    const pair = new SessionPair();
    const party = new TwinParty(pair.agency, "party-C", Role.MERCHANT);
    for (const tag of ["t1", "t2"]) {
      pair.b.deliver(PEER, new TwinSession(party, "agent", id(tag), 0).hello());
    }
    const late = new TwinSession(party, "agent", id("t3"), 0);
    expect(bodiesTo(PEER, pair.b.deliver(PEER, late.hello()))[0]).toEqual(
      encodeCbor([5, id("t3"), 7]),
    );
    pair.pass(21_000);
    expect(bodiesTo(PEER, pair.b.deliver(PEER, late.hello()))[0]![1]).toBe(2);
  });
});
