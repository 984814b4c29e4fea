// SPDX-License-Identifier: Apache-2.0
// A line that is interrupted and goes on: messages under way arrive once, and a board that was
// switched off meanwhile is noticed although its word of it was lost.
import { expect, test } from "vitest";
import { LinkClient } from "../../host/link/linkClient.ts";
import { openReplugTransport } from "../../host/link/replugTransport.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { SimulatedBoard } from "../../host/simulator/board.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { AGENT, Echo, echoImage, pack, START_MS } from "../simulator/echoBoard.ts";

/** An echo board whose cable a test pulls out and puts back. */
class Bench {
  readonly clock = new VirtualClock(START_MS);
  readonly board: SimulatedBoard;
  readonly heard: string[] = [];
  readonly boots: number[] = [];
  link!: LinkClient;
  isThere = true;
  private cable: ByteTransport | null = null;

  constructor() {
    this.board = new SimulatedBoard({
      secret: new Uint8Array(32),
      agent: echoImage(),
      random: { kind: "seeded", seed: "replug" },
      clock: this.clock,
    });
    this.board.powerOn();
  }

  async open(): Promise<void> {
    const openCable = async () => {
      if (!this.isThere) throw new Error("no cable");
      this.cable = this.board.connect();
      return this.cable;
    };
    const transport = await openReplugTransport(openCable, this.clock);
    this.link = new LinkClient({ transport, clock: this.clock, nonce: new Uint8Array(8).fill(1) });
    this.link.onMessage((channel, _, body) => {
      this.heard.push(`${channel} ${Buffer.from(body).toString("hex")}`);
    });
    this.link.onBoot((counter) => this.boots.push(counter));
    await this.link.open();
  }

  unplug(): void {
    this.isThere = false;
    this.cable?.close();
  }

  /** Lets time pass in which opening the line, which answers later, can answer. */
  async pass(durationMs: number): Promise<void> {
    for (let passed = 0; passed < durationMs; passed += 50) {
      this.clock.advance(50);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  }

  echo(byte: number): void {
    this.link.send(AGENT, pack([0, Echo.ECHO, byte]));
  }
}

test("what is sent while the cable is out arrives once when it is back", async () => {
  const bench = new Bench();
  await bench.open();
  bench.unplug();
  bench.echo(7);
  await bench.pass(1000);
  expect(bench.heard).toEqual([]);
  bench.isThere = true;
  await bench.pass(2000);
  expect(bench.heard).toEqual(["2 00010000000007"]);
  expect(bench.boots).toEqual([]);
});

test("a board that was switched off while the cable was out is noticed without being asked", async () => {
  const bench = new Bench();
  await bench.open();
  bench.unplug();
  bench.board.powerOff();
  bench.board.powerOn();
  bench.isThere = true;
  await bench.pass(2000);
  expect(bench.boots).toEqual([2]);
  bench.echo(8);
  expect(bench.heard).toEqual(["2 00010000000008"]);
});

test("an idle link that is replugged stays up, and says nothing of its probe", async () => {
  const bench = new Bench();
  await bench.open();
  const events: string[] = [];
  bench.link.onEvent(({ type }) => events.push(type));
  for (let round = 0; round < 3; round += 1) {
    bench.unplug();
    await bench.pass(500);
    bench.isThere = true;
    await bench.pass(500);
  }
  expect(events).toEqual([]);
  expect(bench.heard).toEqual([]);
  bench.echo(9);
  expect(bench.heard).toEqual(["2 00010000000009"]);
});

test("closed, it is not opened again", async () => {
  const bench = new Bench();
  await bench.open();
  bench.unplug();
  bench.link.close();
  bench.isThere = true;
  await bench.pass(1000);
  expect(bench.clock.nextTimerMs()).toBeNull();
});
