// SPDX-License-Identifier: Apache-2.0
// Both ends of the link over a line that drops, flips, repeats, delays, cuts and invents bytes:
// every message arrives once and in order, or the link says that it was down. Seeds replay.
import { describe, expect, test } from "vitest";
import { hostEndDeadlineMs } from "../../host/link/hostEnd.ts";
import { LinkError, MESSAGE_LIMIT, TRANSMISSIONS_LIMIT } from "../../host/link/protocol.ts";
import { INFORMATION, NoisyLine, QUIET, seededRandom } from "./noisyLine.ts";

/** A body that tells its number and length, so that no part can come from another message. */
function bodyOf(number: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (number * 31 + index * 7 + length) & 0xff);
}

interface Seen {
  up: number;
  down: string[];
  atBoard: { channel: number; id: number; body: Uint8Array }[];
  atHost: { channel: number; id: number; body: Uint8Array }[];
  failed: Map<number, boolean>;
  errors: { channel: number; id: number; code: number }[];
}

/** Listens at both ends; the board answers each request with its own bytes. */
function watch(line: NoisyLine): Seen {
  const seen: Seen = { up: 0, down: [], atBoard: [], atHost: [], failed: new Map(), errors: [] };
  line.onHost = (effect) => {
    if (effect.type === "up") seen.up += 1;
    else if (effect.type === "down") seen.down.push(effect.reason);
    else if (effect.type === "message") seen.atHost.push(effect);
    else if (effect.type === "failed") seen.failed.set(effect.id, effect.mayHaveArrived);
    else if (effect.type === "error") seen.errors.push(effect);
  };
  line.onBoard = (effect) => {
    if (effect.type !== "message") return;
    seen.atBoard.push(effect);
    const { channel, id, body } = effect;
    line.boardEvent({ type: "send", channel, id, body });
  };
  return seen;
}

describe("a line with noise", () => {
  const noises = [
    { drop: 0.1, flip: 0, repeat: 0, garbage: 0, delayMs: 5 },
    { drop: 0, flip: 0.15, repeat: 0, garbage: 0.1, delayMs: 2 },
    { drop: 0, flip: 0, repeat: 0.4, garbage: 0.3, delayMs: 60 },
    { drop: 0.15, flip: 0.1, repeat: 0.2, garbage: 0.2, delayMs: 20 },
    { drop: 0.5, flip: 0.2, repeat: 0.3, garbage: 0.3, delayMs: 40 },
  ];
  test.each(noises)("%o: once and in order, or down", (noise) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seededRandom(seed * 977);
      const line = new NoisyLine(seed, noise);
      const seen = watch(line);
      const sent = new Map<number, Uint8Array>();
      line.boardEvent({ type: "start" });
      line.hostEvent({ type: "open" });
      for (let id = 1; id <= 20; id += 1) {
        const length = random() < 0.3 ? Math.floor(random() * 2000) : Math.floor(random() * 60);
        const body = bodyOf(id, length);
        sent.set(id, body);
        line.hostEvent({ type: "send", channel: 2 + (id % 2), id, body });
        line.run(random() * 300);
      }
      line.noise = QUIET;
      line.run(60_000);
      for (const channel of [2, 3]) {
        const ids = seen.atBoard.filter((message) => message.channel === channel);
        const order = ids.map(({ id }) => id);
        expect(order, `seed ${seed}`).toEqual([...new Set(order)].sort((a, b) => a - b));
      }
      for (const { id, body } of seen.atBoard) expect(body, `seed ${seed}`).toEqual(sent.get(id));
      for (const { id, body } of seen.atHost) expect(body, `seed ${seed}`).toEqual(sent.get(id));
      const arrived = new Set(seen.atBoard.map(({ id }) => id));
      for (let id = 1; id <= 20; id += 1) {
        const mayHaveArrived = seen.failed.get(id);
        if (mayHaveArrived === undefined) expect(arrived.has(id), `seed ${seed}, ${id}`).toBe(true);
        if (mayHaveArrived === false) expect(arrived.has(id), `seed ${seed}, ${id}`).toBe(false);
      }
      if (seen.failed.size > 0) expect(seen.down.length, `seed ${seed}`).toBeGreaterThan(0);
      const answered = seen.atHost.map(({ id }) => id);
      expect(new Set(answered).size, `seed ${seed}`).toBe(answered.length);
      if (seen.down.length === 0) expect(answered.length, `seed ${seed}`).toBe(20);
    }
  });

  test("reboots in the middle of traffic never deliver twice", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const line = new NoisyLine(seed, noises[3]!);
      const seen = watch(line);
      const random = seededRandom(seed);
      line.hostEvent({ type: "open" });
      for (let id = 1; id <= 30; id += 1) {
        line.hostEvent({ type: "send", channel: 2, id, body: bodyOf(id, id * 20) });
        line.run(random() * 200);
        if (random() < 0.15) line.reboot();
      }
      line.noise = QUIET;
      line.run(60_000);
      const order = seen.atBoard.map(({ id }) => id);
      expect(order, `seed ${seed}`).toEqual([...new Set(order)].sort((a, b) => a - b));
      for (const [id, mayHaveArrived] of seen.failed) {
        if (!mayHaveArrived) expect(order, `seed ${seed}`).not.toContain(id);
      }
      line.hostEvent({ type: "send", channel: 3, id: 99, body: bodyOf(99, 3) });
      line.run(10_000);
      expect(seen.atHost.at(-1), `seed ${seed}`).toMatchObject({ id: 99, body: bodyOf(99, 3) });
    }
  });
});

describe("a quiet line", () => {
  function open(): { line: NoisyLine; seen: Seen } {
    const line = new NoisyLine(1, QUIET);
    const seen = watch(line);
    line.hostEvent({ type: "open" });
    line.run(1);
    return { line, seen };
  }

  test("the longest message goes through both ways, one byte more fails at once", () => {
    const { line, seen } = open();
    const body = bodyOf(5, MESSAGE_LIMIT);
    line.hostEvent({ type: "send", channel: 3, id: 5, body });
    line.hostEvent({ type: "send", channel: 3, id: 6, body: bodyOf(6, MESSAGE_LIMIT + 1) });
    line.run(1);
    expect(seen.atHost).toEqual([{ type: "message", channel: 3, id: 5, body }]);
    expect(seen.failed).toEqual(new Map([[6, false]]));
    expect(line.host.statistics.retransmissions).toBe(0);
  });

  test("an empty message is a message", () => {
    const { line, seen } = open();
    line.hostEvent({ type: "send", channel: 1, id: 5, body: new Uint8Array(0) });
    line.run(1);
    expect(seen.atHost).toMatchObject([{ id: 5, body: new Uint8Array(0) }]);
  });

  test("a silent board is given up after its transmissions, and sought again", () => {
    const { line, seen } = open();
    line.noise = { ...QUIET, drop: 1 };
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 3) });
    line.hostEvent({ type: "send", channel: 2, id: 8, body: bodyOf(8, 3) });
    line.run(20_000);
    expect(seen.down).toEqual(["the board does not acknowledge"]);
    expect(seen.failed).toEqual(
      new Map([
        [7, true],
        [8, false],
      ]),
    );
    expect(line.host.statistics.retransmissions).toBe(TRANSMISSIONS_LIMIT - 1);
    line.noise = QUIET;
    line.run(2_000);
    expect(seen.up).toBe(2);
  });

  test("a message half sent fails as certainly not arrived", () => {
    const { line, seen } = open();
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 1000) });
    line.noise = { ...QUIET, drop: 1 };
    line.run(20_000);
    expect(seen.failed).toEqual(new Map([[7, false]]));
    expect(seen.atBoard).toEqual([]);
  });

  test("a sign of work keeps a slow board from being given up", () => {
    const { line, seen } = open();
    line.onBoard = () => {};
    line.noise = { ...QUIET, drop: 1 };
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 3) });
    for (let step = 0; step < 100; step += 1) {
      line.noise = { ...QUIET, drop: 1 };
      line.run(100);
      line.noise = QUIET;
      line.boardEvent({ type: "keepalive", channel: 2, id: 7, reason: 1 });
      line.noise = { ...QUIET, drop: 1 };
      line.run(0);
    }
    expect(seen.down).toEqual([]);
    line.noise = QUIET;
    line.run(2_000);
    expect(seen.failed.size).toBe(0);
  });

  test("a board that was switched on again is noticed at its first word", () => {
    const { line, seen } = open();
    line.reboot();
    line.run(1);
    expect(seen.down).toEqual(["the board was switched on"]);
    expect(seen.up).toBe(2);
    expect(line.host.board!.bootCounter).toBe(2);
  });

  test("a board that was switched on unheard answers the next request with its state", () => {
    const { line, seen } = open();
    line.noise = { ...QUIET, drop: 1 };
    line.reboot();
    line.run(1);
    line.noise = QUIET;
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 3) });
    line.run(1);
    expect(seen.down).toEqual(["the board was restarted"]);
    expect(seen.up).toBe(2);
  });

  test("what modules say unasked before the link is up is not lost; old answers are", () => {
    const line = new NoisyLine(1, QUIET);
    const seen = watch(line);
    line.boardEvent({ type: "start" });
    line.boardEvent({ type: "send", channel: 2, id: 0, body: bodyOf(1, 4) });
    line.boardEvent({ type: "send", channel: 2, id: 44, body: bodyOf(2, 4) });
    line.hostEvent({ type: "open" });
    line.run(1_000);
    expect(seen.atHost).toMatchObject([{ channel: 2, id: 0, body: bodyOf(1, 4) }]);
  });

  test("a board that gives the link up says so, and its next words arrive", () => {
    const { line, seen } = open();
    line.noise = { ...QUIET, drop: 1 };
    line.boardEvent({ type: "send", channel: 2, id: 0, body: bodyOf(1, 4) });
    line.boardEvent({ type: "send", channel: 2, id: 0, body: bodyOf(2, 4) });
    line.run(5_000);
    line.noise = QUIET;
    line.run(5_000);
    expect(seen.down).toEqual(["the board gave the link up"]);
    expect(seen.atHost.map(({ body }) => body)).toEqual([bodyOf(2, 4)]);
  });

  test("a repeated SYNC does not disturb what the board has begun to say", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const line = new NoisyLine(seed, { ...QUIET, delayMs: 30 });
      const seen = watch(line);
      for (let number = 0; number < 5; number += 1) {
        line.boardEvent({ type: "send", channel: 2, id: 0, body: bodyOf(number, 300) });
      }
      line.hostEvent({ type: "open" });
      line.run(60_000);
      const bodies = seen.atHost.map(({ body }) => body);
      expect(bodies, `seed ${seed}`).toEqual([0, 1, 2, 3, 4].map((n) => bodyOf(n, 300)));
      expect(seen.down).toEqual([]);
    }
  });

  test("an unknown channel of the board is answered with an error, not with silence", () => {
    const { line, seen } = open();
    line.board.channels = line.board.channels.filter(({ channel }) => channel !== 3);
    line.hostEvent({ type: "send", channel: 3, id: 7, body: bodyOf(7, 3) });
    line.run(1);
    expect(seen.errors).toMatchObject([{ channel: 3, id: 7, code: LinkError.NO_CHANNEL }]);
    expect(hostEndDeadlineMs(line.host)).toBeNull();
  });

  test("a board with less room refuses in the place of an answer", () => {
    const { line, seen } = open();
    line.board.information = { ...INFORMATION, messageLimit: 500 };
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 2000) });
    line.hostEvent({ type: "send", channel: 2, id: 8, body: bodyOf(8, 20) });
    line.run(1);
    expect(seen.errors).toMatchObject([{ channel: 2, id: 7, code: LinkError.TOO_LONG }]);
    expect(seen.atHost).toMatchObject([{ id: 8 }]);
  });

  test("a cancelled request does not arrive, and the next one does", () => {
    const { line, seen } = open();
    line.hostEvent({ type: "send", channel: 2, id: 7, body: bodyOf(7, 1000) });
    line.hostEvent({ type: "send", channel: 2, id: 8, body: bodyOf(8, 10) });
    line.hostEvent({ type: "send", channel: 2, id: 9, body: bodyOf(9, 10) });
    line.hostEvent({ type: "cancel", channel: 2, id: 7 });
    line.hostEvent({ type: "cancel", channel: 2, id: 8 });
    line.run(1);
    expect(seen.atBoard.map(({ id }) => id)).toEqual([9]);
    expect(seen.failed).toEqual(
      new Map([
        [7, false],
        [8, false],
      ]),
    );
  });
});
