// SPDX-License-Identifier: Apache-2.0
// Power cuts in the middle of transactions: the emulator of either board is killed, at chosen
// messages and at random moments, and switched on again. No unit is lost or made, and both sides
// come to agree.
import { expect } from "vitest";
import { filled } from "../../host/torture/agentWorld.ts";
import { Random } from "../../host/torture/random.ts";
import type { Meeting } from "./meeting.ts";
import { COMMITTED, type Party, PATIENCE_MS, until } from "./party.ts";

/** Random kills of each kind of transaction, and what chooses them. */
export const KILLS = Number(process.env.FLORIN_KILLS ?? 10);
const SEED = Number(process.env.FLORIN_SEED ?? 5);
export const KILL_TIMEOUT_MS = PATIENCE_MS;

/** A world in which orders are given, killed and counted. */
export class Bench<World extends Meeting> {
  readonly world: World;
  committed = 0;
  /** Messages that each board says in an order that nothing disturbs, and how long it takes. */
  said: [number, number] = [0, 0];
  durationMs = 0;
  private orders = 0;
  private readonly start: [number, number];

  constructor(world: World, start: [number, number]) {
    this.world = world;
    this.start = start;
  }

  /** Learns how an undisturbed order goes. */
  async measure(): Promise<void> {
    const { parties } = this.world;
    const said = (party: Party) => party.tap.messages.filter(({ toBoard }) => !toBoard).length;
    const before = parties.map(said);
    const startMs = performance.now();
    await this.attempt(async () => {
      await this.world.settle();
      // It ended when the lines fell silent, half a second and more before this was seen.
      this.durationMs = performance.now() - startMs - 500;
      this.said = parties.map((party, index) => said(party) - before[index]!) as [number, number];
    });
    expect(this.committed).toBe(1);
  }

  /** Kills a party's emulator when its board has said so many messages of an order. */
  killAt(victim: Party, message: number): Promise<void> {
    return this.attempt(async () => {
      let count = 0;
      let isCut = false;
      victim.tap.watch = ({ toBoard }) => {
        if (!toBoard) count += 1;
        if (count < message) return;
        victim.tap.watch = () => {};
        void this.world.cut(victim).then(() => {
          isCut = true;
        });
      };
      try {
        await until(`message ${message} of an order`, () => isCut);
      } finally {
        victim.tap.watch = () => {};
      }
      await this.world.restore(victim);
    });
  }

  /** Kills a party's emulator after a time, or both. */
  killAfter(victims: Party[], delayMs: number): Promise<void> {
    return this.attempt(async () => {
      await new Promise((wake) => setTimeout(wake, delayMs));
      await Promise.all(victims.map((victim) => this.world.cut(victim)));
      for (const victim of victims) await this.world.restore(victim);
    });
  }

  /** Gives an order, lets `happen` happen, lets the devices meet, counts, and boots both anew. */
  private async attempt(happen: () => Promise<void>): Promise<void> {
    const { world } = this;
    this.orders += 1;
    const command = filled(20 + this.orders);
    await world.prepare();
    const happened = happen();
    world.order(command);
    await happened;
    const { isCommitted, money } = await world.rest(command);
    if (isCommitted) this.committed += 1;
    const gained = this.committed * world.gainMinor;
    expect(money).toEqual([this.start[0] + gained, this.start[1] - gained]);
    // Who survived may still wait for who was killed, and has no room for the next order till then.
    await world.restart();
  }
}

/** Moments through the whole of an order, before the first message's effect and behind the last. */
function moments(said: number): number[] {
  return [1, Math.ceil(said / 4), Math.ceil(said / 2), Math.ceil((3 * said) / 4), said - 1];
}

/** Kills either board at messages all through an order, each time another order. */
export async function killEverywhere(bench: Bench<Meeting>): Promise<void> {
  for (const [index, party] of bench.world.parties.entries()) {
    for (const message of moments(bench.said[index]!)) await bench.killAt(party, message);
  }
}

/**
 * Kills one board or both, KILLS times, at seeded moments before, in and behind an order. How long
 * an order takes is the machine's affair, so moments follow what came of the last: earlier ones
 * behind a commit, later ones behind none. Ends when kills have fallen on both sides of the commit.
 */
export async function killAtRandom(bench: Bench<Meeting>): Promise<void> {
  const random = new Random(SEED);
  const { parties } = bench.world;
  const from = bench.committed;
  const isOneSided = (kills: number) => [0, kills].includes(bench.committed - from);
  let windowMs = 1.2 * bench.durationMs;
  for (let kill = 0; kill < KILLS || isOneSided(kill); kill += 1) {
    const before = bench.committed;
    const victims = random.chance(0.1) ? parties : [random.pick(parties)];
    await bench.killAfter(victims, random.below(Math.ceil(windowMs)));
    windowMs *= bench.committed > before ? 0.8 : 1.25;
  }
}

/** The devices still work. */
export async function carryOutOnceMore({ world }: Bench<Meeting>): Promise<void> {
  const last = filled(1);
  await world.prepare();
  await world.carryOut(last);
  expect(world.first.stateOf(last)).toBe(COMMITTED);
}
