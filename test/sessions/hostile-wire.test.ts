// SPDX-License-Identifier: Apache-2.0
// What the hosts between two agents or modules may do to a session's messages: nothing comes of it
// but a session that does not open or a message that comes late (docs/protocol.md section 2).
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { bodiesTo, PEER } from "../../host/torture/bareModule.ts";
import { Random } from "../../host/torture/random.ts";
import { Event, eventsOf, SessionPair, type Wire } from "../support/sessionPair.ts";
import { id } from "../../host/torture/testAgency.ts";

/** Messages on the wire until both ends are open: M1 to M4 and A's first record. */
const MESSAGES = 5;

const received = (heard: unknown[][]) => eventsOf(heard, Event.RECEIVED).map((event) => event[2]);
const opened = (pair: SessionPair) =>
  eventsOf([...pair.heardA, ...pair.heardB], Event.OPENED).length;

/** Drops, changes or repeats the message with one index. */
const at =
  (index: number, change: (body: Uint8Array) => Uint8Array | null): Wire =>
  (body, current) =>
    current === index ? change(body) : body;

/** A start and one message, over a wire; what B's owner got. */
function run(pair: SessionPair, wire: Wire): unknown[] {
  const tag = pair.start(wire);
  pair.say(true, tag, 10, "first", false, wire);
  return received(pair.heardB);
}

describe.each([
  ["agents", false],
  ["money modules", true],
] as const)("between %s", (_name, isModules) => {
  const pair = new SessionPair({ isModules });
  const reset = pair.save();
  run(pair, (body) => body);
  const lengths = pair.wireLog.map((body) => body.length);

  test("every bit flip in every byte of the handshake and of a record", () => {
    const random = new Random(1);
    let untouched = 0;
    for (let index = 0; index < MESSAGES; index++) {
      for (let place = 0; place < lengths[index]!; place++) {
        reset();
        const flipped = (body: Uint8Array) => {
          const copy = body.slice();
          copy[place]! ^= 1 << random.below(8);
          return copy;
        };
        // The changed message is not taken for the real one: nothing that relies on it happens.
        const got = run(pair, at(index, flipped));
        if (got.length > 0) untouched++;
        expect(opened(pair)).toBeLessThanOrEqual(index < 3 ? 0 : 1);
      }
    }
    expect(untouched).toBe(0);
  });

  test("every truncation, and bytes added", () => {
    for (let index = 0; index < MESSAGES; index++) {
      for (let length = 1; length < lengths[index]!; length += 3) {
        reset();
        expect(
          run(
            pair,
            at(index, (body) => body.slice(0, length)),
          ),
        ).toEqual([]);
      }
      reset();
      const longer = (body: Uint8Array) => Uint8Array.from([...body, 0]);
      expect(run(pair, at(index, longer))).toEqual([]);
    }
  });

  test("one lost message of the handshake is repeated after the timer", () => {
    for (let index = 0; index < 4; index++) {
      reset();
      const tag = pair.start(at(index, () => null));
      expect(opened(pair)).toBe(0);
      pair.pass(6_000);
      expect(eventsOf(pair.heardA, Event.OPENED)).toHaveLength(1);
      pair.say(true, tag, 10, "first");
      expect(received(pair.heardB)).toEqual([10]);
    }
  });

  test("a silent peer ends the start after three repetitions", () => {
    reset();
    const tag = pair.start(() => null);
    pair.pass(19_999, () => null);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([]);
    pair.pass(2, () => null);
    expect(eventsOf(pair.heardA, Event.CLOSED)).toEqual([[Event.CLOSED, tag, 17]]);
    expect(pair.wireLog.filter((body) => body[1] === 1)).toHaveLength(4);
    expect(pair.a.deadlineMs).toBeNull();
  });

  test("every message replayed at every later moment changes nothing", () => {
    reset();
    const tag = pair.start();
    const moments: (() => void)[] = [
      () => pair.say(true, tag, 10, "one"),
      () => pair.say(false, tag, 11, "two"),
      () => pair.say(true, tag, 12, "three"),
    ];
    for (const go of moments) {
      go();
      for (const body of [...pair.wireLog]) {
        // Own answers are repeated at most; the owners hear nothing again.
        pair.a.deliver(PEER, body);
        pair.b.deliver(PEER, body);
      }
    }
    expect(received(pair.heardB)).toEqual([10, 12]);
    expect(received(pair.heardA)).toEqual([11]);
    expect(pair.state(true, tag)![0]).toBe(5);
    expect(pair.state(false, tag)![0]).toBe(5);
  });

  test("a whole session replayed to B opens nothing", () => {
    reset();
    const tag = pair.start();
    pair.say(true, tag, 10, "pay");
    const recorded = [...pair.wireLog];
    pair.carry(pair.a.command(13, tag, 19, true), true);
    pair.heardB.length = 0;
    // B is fresh again and draws other random numbers; A's messages come from the recording.
    for (const body of recorded) pair.carry(pair.b.deliver(PEER, body), false, () => null);
    expect(pair.heardB.filter(([number]) => number !== Event.CLOSED)).toEqual([]);
  });

  test("a reordered record is dropped, the newer one counts", () => {
    reset();
    const tag = pair.start();
    const records = ["older", "newer"].map(
      (text, index) =>
        bodiesTo(
          PEER,
          pair.a.command(12, tag, 10 + index, new TextEncoder().encode(text), false),
        )[0]!,
    );
    pair.carry(pair.b.deliver(PEER, records[1]!), false);
    pair.carry(pair.b.deliver(PEER, records[0]!), false);
    expect(received(pair.heardB)).toEqual([11]);
  });

  test("a record under another tag, type or counter does not open", () => {
    reset();
    const [one, two] = [pair.start(), pair.start()];
    for (const tag of [one, two]) pair.say(true, tag, 10, "open");
    const [sent] = bodiesTo(PEER, pair.a.command(12, one, 20, Uint8Array.of(1), false));
    const [kind, tag, counter, type, box] = decodeCbor(sent!) as [
      number,
      unknown,
      number,
      number,
      unknown,
    ];
    for (const changed of [
      [kind, two, counter, type, box],
      [kind, tag, counter + 1, type, box],
      [kind, tag, counter, type + 1, box],
      [kind, id("unknown"), counter, type, box],
    ]) {
      pair.carry(pair.b.deliver(PEER, encodeCbor(changed)), false);
    }
    expect(received(pair.heardB)).toEqual([10, 10]);
    pair.carry(pair.b.deliver(PEER, sent!), false);
    expect(received(pair.heardB)).toEqual([10, 10, 20]);
  });

  test("messages of two handshakes cannot be mixed", () => {
    // Each of M1 to M4 of one start is put in place of the same message of another.
    for (let index = 0; index < 4; index++) {
      reset();
      pair.start((body, current) => (current < index ? body : null));
      const foreign = pair.wireLog[index]!;
      pair.heardA.length = 0;
      pair.heardB.length = 0;
      let own: Uint8Array = new Uint8Array(8);
      let count = 0;
      const wire: Wire = (body) => {
        own = (decodeCbor(body) as [number, Uint8Array])[1];
        if (count++ !== index) return body;
        const items = decodeCbor(foreign) as unknown[];
        items[1] = own;
        return encodeCbor(items);
      };
      const tag = pair.start(wire);
      pair.say(true, tag, 10, "first", false, wire);
      expect(received(pair.heardB)).toEqual([]);
    }
  });

  test("garbage of any kind is survived in every state", () => {
    const random = new Random(7);
    const states: (() => Uint8Array | null)[] = [
      () => null,
      () => pair.start(() => null),
      () => pair.start((body, index) => (index < 2 ? body : null)),
      () => pair.start(),
    ];
    for (const enter of states) {
      reset();
      const tag = enter() ?? id("none");
      for (let round = 0; round < 300; round++) {
        const kind = random.below(8);
        const junk = encodeCbor([
          kind,
          random.chance(0.7) ? tag : random.bytes(random.below(12)),
          ...Array.from({ length: random.below(4) }, () =>
            random.pick<unknown>([random.next(), random.bytes(random.below(200)), null, "x", [1]]),
          ),
        ]);
        for (const module of [pair.a, pair.b]) {
          module.deliver(random.below(4), random.chance(0.3) ? random.bytes(40) : junk);
        }
      }
    }
    expect(pair.a.statistics.panics + pair.b.statistics.panics).toBe(0);
  });
});

test("a module message between agents, which has no number, is taken once and not late", () => {
  const pair = new SessionPair();
  const tag = pair.start();
  pair.say(true, tag, 10, "open");
  const [older, newer] = ["older", "newer"].map(
    (text) =>
      bodiesTo(PEER, pair.a.command(12, tag, 20, new TextEncoder().encode(text), false))[0]!,
  );
  for (const body of [newer, newer, older, newer]) pair.carry(pair.b.deliver(PEER, body!), false);
  expect(received(pair.heardB)).toEqual([10, 20]);
});
