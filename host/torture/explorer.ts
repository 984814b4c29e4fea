// SPDX-License-Identifier: Apache-2.0
// Runs a scenario once, copies the world before each event, and goes on from each copy with one
// fault or two: every point has an id that names it, and repeats exactly. A point costs the rest of
// the transaction and its healing, not the building of the world.
import type { CommitState } from "./commitMachine.ts";
import { CommitReplay } from "./commitReplay.ts";
import { endFaults, faultNames, makeFault, type RunEvent } from "./faults.ts";
import type { FaultWorldSnapshot } from "./faultWorld.ts";
import { commitDeed, hostileNames, isHostile } from "./hostile.ts";
import { type FundsByDevice, fundsOfAll, judgeDeed } from "./hostileVerdict.ts";
import { Random } from "./random.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { type Count, count, heal, judge, tryOnceMore, type Verdict } from "./verdict.ts";
import { halvesOf, type Letter } from "./wires.ts";

/** Behind all time-outs of a transaction. */
const RUN_MS = 300_000;
const CLEAN_ORDER = 1;
const ORDER = 2;
const NEXT_ORDER = 3;
/** Of so many points one boots all devices afterwards and orders once more. */
const ONCE_MORE_EVERY = 16;
/** A second fault comes at most so many events behind the first. */
const PAIR_DISTANCE = 40;

export interface PointResult extends Verdict {
  id: string;
  /** Point of all points of the scenario. */
  number: number;
}

/** A place in a run and what happens there. */
interface Point {
  event: number;
  fault: string;
  /** The second fault of a pair, so many events later. */
  second: { distance: number; fault: string } | null;
}

interface Fork {
  event: RunEvent;
  world: FaultWorldSnapshot;
  commit: CommitState;
}

/** Told of each letter of a replay, in order, with the virtual time. */
export type Trace = (line: string) => void;

export class Explorer {
  readonly scenario: Scenario;
  readonly seed: number;
  private readonly forks: Fork[] = [];
  private readonly before: Count;
  /** Holds every run against the model beside the code (docs/model). */
  private readonly replay: CommitReplay;
  private readonly fundsBefore: FundsByDevice;

  /** Builds the world and records one clean run. @throws {Error} if the clean run fails */
  constructor(name: string, seed: number) {
    const make = SCENARIOS[name];
    if (make === undefined) {
      throw new Error(`There is no scenario ${name}: ${Object.keys(SCENARIOS).join(", ")}.`);
    }
    this.seed = seed;
    const { world, replay } = CommitReplay.watch(() => make(seed));
    this.scenario = world;
    this.replay = replay;
    // One run before the recorded one, so that there are old messages.
    this.run(CLEAN_ORDER);
    this.before = count(this.scenario);
    this.fundsBefore = fundsOfAll(this.scenario);
    this.record();
  }

  /** Ids of all single faults, in the order of the run. */
  singles(): string[] {
    const { world } = this.scenario;
    return this.forks.flatMap(({ event }, index) =>
      faultNames(event, world).map((fault) => this.idOf({ event: index, fault, second: null })),
    );
  }

  /**
   * Ids of all pairs, each once, the seed's order: in each round every single fault is the first of
   * one pair, with another second one in each round. Any part of the order is spread evenly over
   * the run and over both faults, so that a limit makes a fair sample.
   */
  *pairs(): Generator<string> {
    const { world } = this.scenario;
    const places = this.forks.flatMap(({ event }, index) =>
      faultNames(event, world).map((fault) => ({ event: index, fault })),
    );
    const seconds = this.forks.map((_, event) => this.secondsBehind(event));
    const longest = Math.max(...seconds.map((all) => all.length));
    const random = new Random(this.seed * 7919);
    const starts = places.map(() => random.next());
    for (let round = 0; round < longest; round += 1) {
      for (const index of spread(places.length)) {
        const { event, fault } = places[index]!;
        const all = seconds[event]!;
        if (round >= all.length) continue;
        const second = all[(starts[index]! + round * strideOf(all.length)) % all.length]!;
        yield this.idOf({ event, fault, second });
      }
    }
  }

  /** All second faults behind an event. */
  private secondsBehind(event: number): NonNullable<Point["second"]>[] {
    const { world } = this.scenario;
    const last = this.forks.length - 1;
    return Array.from({ length: PAIR_DISTANCE }, (_, index) => index + 1).flatMap((distance) => {
      // A run with a fault may be longer than the recorded one, whose last event stands for more.
      const later = this.forks[Math.min(event + distance, last)]!;
      return faultNames(later.event, world).map((fault) => ({ distance, fault }));
    });
  }

  /** Ids of all hostile deeds, in the order of the run. */
  hostiles(): string[] {
    return this.forks.flatMap(({ event }, index) =>
      hostileNames(event, index, this.scenario).map((fault) =>
        this.idOf({ event: index, fault, second: null }),
      ),
    );
  }

  /** Makes the fault or faults of a point and judges the world afterwards. */
  attempt(id: string, trace: Trace | null = null): PointResult {
    const point = parsePoint(id);
    const number = numberOf(id);
    try {
      if (isHostile(point.fault)) return { ...this.attemptDeed(point, number, trace), id, number };
      this.play(point, number, trace);
      heal(this.scenario, ORDER);
      const verdict = judge(this.scenario, this.before, ORDER);
      if (number % ONCE_MORE_EVERY === 0) {
        this.scenario.world.fullFlash.end();
        verdict.complaints.push(...tryOnceMore(this.scenario, NEXT_ORDER));
      }
      verdict.complaints.push(...this.replay.complaints());
      return { ...verdict, id, number };
    } catch (error) {
      const complaints = [(error as Error).message];
      const nothing = { lostMinor: 0, madeMinor: 0, inDoubtMinor: 0, isCommitted: false, wear: 0 };
      return { ...nothing, complaints, id, number };
    } finally {
      this.scenario.world.onNext = null;
    }
  }

  /** Does a hostile deed, heals what can be, and judges by rule 8. */
  private attemptDeed({ event, fault }: Point, number: number, trace: Trace | null): Verdict {
    const { scenario, forks } = this;
    const { world } = scenario;
    const fork = this.goTo(event);
    world.onNext = (letter) => trace?.(textOf(world.clock.nowMs(), letter));
    trace?.(`-- ${fault}`);
    const deed = commitDeed({
      scenario,
      event: fork.event,
      index: event,
      name: fault,
      random: new Random(number + this.seed),
      past: (at) => forks[at]!.world,
      orderAgain: () => scenario.order(NEXT_ORDER),
    });
    heal(scenario, ORDER, deed.persist);
    return judgeDeed(scenario, deed, this.fundsBefore, this.before.posted);
  }

  /** Puts the world back to the moment before an event of the recorded run. */
  private goTo(event: number): Fork {
    const fork = this.forks[event];
    if (fork === undefined) throw new Error(`The run has no event ${event}.`);
    endFaults(this.scenario.world);
    this.scenario.world.fullFlash.end();
    this.scenario.world.restore(fork.world);
    this.replay.restore(fork.commit);
    return fork;
  }

  private play(point: Point, number: number, trace: Trace | null): void {
    const { world } = this.scenario;
    this.goTo(point.event);
    const random = new Random(number + this.seed);
    let events = -1;
    // A run that ended early meets no second fault: healing is not to be disturbed.
    let isRunning = true;
    world.onNext = (letter) => {
      events += 1;
      trace?.(textOf(world.clock.nowMs(), letter));
      const { second } = point;
      if (!isRunning || events !== second?.distance) return;
      trace?.(`-- ${second.fault}`);
      makeFault(world, second.fault, random);
    };
    trace?.(`-- ${point.fault}`);
    makeFault(world, point.fault, random);
    world.pass(RUN_MS);
    isRunning = false;
  }

  private run(order: number): void {
    const { scenario } = this;
    scenario.prepare();
    scenario.order(order);
    scenario.world.pass(RUN_MS);
    heal(scenario, order);
  }

  private record(): void {
    const { world, prepare } = this.scenario;
    prepare();
    world.onNext = (letter) => {
      const event = { letter, operations: [] };
      this.forks.push({ event, world: world.snapshot(), commit: this.replay.snapshot() });
    };
    for (const device of world.devices) {
      for (const half of halvesOf(device)) {
        device.half(half).power = () => {
          this.forks.at(-1)?.event.operations.push(`${device.name}.${half}`);
          return "keep";
        };
      }
    }
    this.scenario.order(ORDER);
    world.pass(RUN_MS);
    world.onNext = null;
    heal(this.scenario, ORDER);
    const { isCommitted, complaints } = judge(this.scenario, this.before, ORDER);
    complaints.push(...this.replay.complaints());
    if (!isCommitted || complaints.length > 0) {
      const why = complaints.join(", ") || "it is not committed";
      throw new Error(`The clean ${this.scenario.name} fails: ${why}.`);
    }
  }

  private idOf({ event, fault, second }: Point): string {
    const end = second === null ? "" : `+${second.distance}/${second.fault}`;
    return `${this.scenario.name}:${this.seed}:${event}/${fault}${end}`;
  }
}

/** A step near the golden section of `length` that reaches all numbers below it. */
function strideOf(length: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.round(length * 0.618));
  while (divides(length, stride) !== 1) stride += 1;
  return stride;
}

/** All numbers below `length`, those that follow one another far apart. */
function* spread(length: number): Generator<number> {
  const stride = strideOf(length);
  for (let index = 0; index < length; index += 1) yield (index * stride) % length;
}

/** Scenario and seed of a point's id. @throws {Error} if it is none */
export function worldOfPoint(id: string): { scenario: string; seed: number } {
  const [scenario, seed] = id.split(":");
  parsePoint(id);
  return { scenario: scenario!, seed: Number(seed) };
}

function parsePoint(id: string): Point {
  const match = /^[a-z-]+:\d+:(\d+)\/([^+]+)(?:\+(\d+)\/(.+))?$/.exec(id);
  if (match === null) {
    throw new Error(`${id} is no id of a point, such as purchase:1:12/power.C.soon.`);
  }
  const [, event, fault, distance, later] = match;
  const second = later === undefined ? null : { distance: Number(distance), fault: later };
  return { event: Number(event), fault: fault!, second };
}

/** A number that follows from the id alone, so that a replay draws the same random bits. */
function numberOf(id: string): number {
  let hash = 0x811c9dc5;
  for (const code of Buffer.from(id)) hash = Math.imul(hash ^ code, 0x01000193) >>> 0;
  return hash;
}

function textOf(nowMs: number, letter: Letter | null): string {
  const time = (nowMs / 1000).toFixed(3);
  if (letter === null) return `${time} a tick`;
  const { wire, from, to, half, leg, body } = letter;
  if (leg !== undefined) return `${time} ${wire} ${leg} ${body.length} bytes`;
  return `${time} ${wire} ${from.name} to ${to.name}.${half} ${body.length} bytes`;
}
