// SPDX-License-Identifier: Apache-2.0
// Runs a scenario once, copies the world before each event, and goes on from each copy with one
// fault or two: every point has an id that names it, and repeats exactly. A point costs the rest of
// the transaction and its healing, not the building of the world.
import type { Host } from "./agentWorld.ts";
import type { CommitState } from "./commitMachine.ts";
import { CommitReplay } from "./commitReplay.ts";
import { endFaults, faultNames, type IsMet, makeFault, type RunEvent } from "./faults.ts";
import type { FaultWorldSnapshot } from "./faultWorld.ts";
import { commitDeed, hostileNames, isHostile } from "./hostile.ts";
import { type FundsByDevice, fundsOfAll, judgeDeed } from "./hostileVerdict.ts";
import { InputError } from "./inputError.ts";
import { idOfPoint, numberOfPoint, parsePoint, type Point, type Second } from "./pointId.ts";
import { Random } from "./random.ts";
import { reopen } from "./reopening.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { type Count, count, heal, judge, tryOnceMore, type Verdict } from "./verdict.ts";
import { spread, strideOf } from "./spread.ts";
import { type Trace, watched } from "./watched.ts";
import { halvesOf } from "./wires.ts";

/** Behind all time-outs of a transaction. */
const RUN_MS = 300_000;
/** So long goes the run of a pair: what comes back late comes back in it, and goes on. */
const PAIR_RUN_MS = 400_000 + RUN_MS;
const CLEAN_ORDER = 1;
const ORDER = 2;
const NEXT_ORDER = 3;
/** Of so many points one orders once more afterwards. */
const ONCE_MORE_EVERY = 16;
/** A second fault comes at most so many events behind the first. */
const PAIR_DISTANCE = 40;

export interface PointResult extends Verdict {
  id: string;
  /** Point of all points of the scenario. */
  number: number;
  /** Whether the second fault of a pair was met: the flash operation came, or the message. */
  isSecondMade: boolean;
}

interface Fork {
  event: RunEvent;
  world: FaultWorldSnapshot;
  commit: CommitState;
}

/** A single fault, and in how many pairs' turn it is the first of one. */
export interface PairTurn {
  first: string;
  round: number;
}

export class Explorer {
  readonly scenario: Scenario;
  readonly seed: number;
  private readonly forks: Fork[] = [];
  private readonly before: Count;
  /** Holds every run against the model beside the code (docs/model). */
  private readonly replay: CommitReplay;
  private readonly fundsBefore: FundsByDevice;
  /** By id of a single fault: how many events its run still has behind it. */
  private readonly lengths = new Map<string, number>();
  /** By event: all second faults behind it. */
  private readonly seconds = new Map<number, Second[]>();
  /** All names of faults at any event. */
  private names: ReadonlySet<string> | null = null;
  /** The honest hosts, which a deed may put others in the place of. */
  private readonly hosts: readonly Host[];

  /** Builds the world and records one clean run. @throws {Error} if the clean run fails or none is so called */
  constructor(name: string, seed: number) {
    const make = SCENARIOS[name];
    if (make === undefined) {
      throw new InputError(`There is no scenario ${name}: ${Object.keys(SCENARIOS).join(", ")}.`);
    }
    this.seed = seed;
    const { world, replay } = CommitReplay.watch(() => make(seed));
    this.scenario = world;
    this.replay = replay;
    this.hosts = this.scenario.world.devices.map(({ host }) => host);
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
   * The turns of all pairs, each once, in the seed's order: in each round every single fault is the
   * first of one pair, with another second one in each round. Any part of the order is spread
   * evenly over the run and over both faults, so that a limit makes a fair sample. Rounds go on as
   * long as the longest run has pairs; pairOf tells which turns have one.
   */
  *pairTurns(): Generator<PairTurn> {
    const firsts = this.singles();
    const longest = Math.max(...this.forks.map((_, event) => this.secondsBehind(event).length));
    for (let round = 0; round < longest; round += 1) {
      for (const index of spread(firsts.length)) yield { first: firsts[index]!, round };
    }
  }

  /** Id of the pair of a turn; null where its first fault has no further second one. */
  pairOf({ first, round }: PairTurn): string | null {
    const { event, fault } = parsePoint(first);
    // Where nothing happens any more, the second fault comes when all is at rest.
    const events = Math.max(1, this.eventsBehind(first));
    const all = this.secondsBehind(event).filter(({ distance }) => distance <= events);
    if (round >= all.length) return null;
    const start = new Random(numberOfPoint(first) + this.seed * 7919).next();
    const second = all[(start + round * strideOf(all.length)) % all.length]!;
    return this.idOf({ event, fault, second });
  }

  /** Plays a single fault to learn how many events are left for a second one; once for each. */
  private eventsBehind(first: string): number {
    const known = this.lengths.get(first);
    if (known !== undefined) return known;
    let events = 0;
    try {
      events = this.play(parsePoint(first), first, null, PAIR_RUN_MS).events;
    } catch {
      // What fails alone fails as a single fault; it makes no pairs.
    } finally {
      this.scenario.world.onNext = null;
    }
    this.lengths.set(first, events);
    return events;
  }

  /** All second faults behind an event, however long the run goes on. */
  private secondsBehind(event: number): readonly Second[] {
    const known = this.seconds.get(event);
    if (known !== undefined) return known;
    const { world } = this.scenario;
    const last = this.forks.length - 1;
    const all: Second[] = [];
    for (let distance = 1; distance <= PAIR_DISTANCE; distance += 1) {
      // A run with a fault may be longer than the recorded one, whose last event stands for more.
      const later = this.forks[Math.min(event + distance, last)]!;
      for (const fault of faultNames(later.event, world)) all.push({ distance, fault });
    }
    this.seconds.set(event, all);
    return all;
  }

  /** Ids of all hostile deeds, in the order of the run. */
  hostiles(): string[] {
    return this.forks.flatMap(({ event }, index) =>
      hostileNames(event, index, this.scenario).map((fault) =>
        this.idOf({ event: index, fault, second: null }),
      ),
    );
  }

  /**
   * Makes the fault or faults of a point and judges the world afterwards.
   * @throws {InputError} if the run has no such point
   */
  attempt(id: string, trace: Trace | null = null): PointResult {
    const point = this.checkedPoint(id);
    const number = numberOfPoint(id);
    try {
      if (isHostile(point.fault)) {
        const verdict = this.attemptDeed(point, number, trace);
        return { ...verdict, id, number, isSecondMade: false };
      }
      const runMs = point.second === null ? RUN_MS : PAIR_RUN_MS;
      const { isSecondMade } = this.play(point, id, trace, runMs);
      const open = heal(this.scenario, ORDER);
      const verdict = judge(this.scenario, this.before, ORDER);
      verdict.complaints.push(...open, ...reopen(this.scenario, this.scenario.world.devices));
      if (number % ONCE_MORE_EVERY === 0) {
        this.scenario.world.fullFlash.end();
        verdict.complaints.push(...tryOnceMore(this.scenario, NEXT_ORDER));
      }
      verdict.complaints.push(...this.replay.complaints());
      return { ...verdict, id, number, isSecondMade };
    } catch (error) {
      if (error instanceof InputError) throw error;
      const complaints = [(error as Error).message];
      const nothing = { lostMinor: 0, madeMinor: 0, inDoubtMinor: 0, isCommitted: false, wear: 0 };
      return { ...nothing, complaints, id, number, isSecondMade: false };
    } finally {
      this.scenario.world.onNext = null;
      this.scenario.world.onChanged = null;
    }
  }

  /** The point of an id, whose faults there are: what is misspelt must not seem to be survived. */
  private checkedPoint(id: string): Point {
    const point = parsePoint(id);
    const { event, fault, second } = point;
    const { world, name } = this.scenario;
    const fork = this.forks[event];
    const events = this.forks.length;
    if (fork === undefined) {
      throw new InputError(`The run of ${name} has no event ${event}: name one below ${events}.`);
    }
    const isDeed = isHostile(fault);
    const names = isDeed
      ? hostileNames(fork.event, event, this.scenario)
      : faultNames(fork.event, world);
    if (!names.includes(fault)) {
      throw new InputError(`Event ${event} of ${name} has no fault ${fault}: ${names.join(", ")}.`);
    }
    if (second === null) return point;
    if (isDeed) throw new InputError(`${id} is none: behind a hostile deed comes no second fault.`);
    // In a disturbed run another event is there than in the recorded one.
    this.names ??= new Set(this.forks.flatMap((one) => faultNames(one.event, world)));
    if (!this.names.has(second.fault)) {
      throw new InputError(`No event of ${name} has a fault ${second.fault}.`);
    }
    return point;
  }

  /** Does a hostile deed, heals what can be, and judges by rule 8. */
  private attemptDeed({ event, fault }: Point, number: number, trace: Trace | null): Verdict {
    const { scenario, forks } = this;
    const { world } = scenario;
    const fork = this.goTo(event);
    world.onNext = watched(world, trace);
    trace?.(`-- ${fault}`);
    const deed = commitDeed({
      scenario,
      event: fork.event,
      index: event,
      name: fault,
      random: new Random(number + this.seed),
      past: (at) => forks[at]!.world,
      orderAgain: () => {
        // What the first order needed is out of date by now.
        scenario.prepare();
        scenario.order(NEXT_ORDER);
      },
    });
    const open = heal(scenario, ORDER, deed.persist);
    const verdict = judgeDeed(scenario, deed, this.fundsBefore, this.before.posted);
    const isEndable = !deed.isGone && !deed.isWithholding;
    if (isEndable) verdict.complaints.push(...open);
    const honest = world.devices.filter((device) => device !== deed.suspect);
    verdict.complaints.push(...reopen(scenario, honest));
    return verdict;
  }

  /** Puts the world back to the moment before an event of the recorded run. */
  private goTo(event: number): Fork {
    const fork = this.forks[event]!;
    const { world } = this.scenario;
    endFaults(world);
    world.fullFlash.end();
    for (const [index, device] of world.devices.entries()) device.host = this.hosts[index]!;
    world.restore(fork.world);
    this.replay.restore(fork.commit);
    return fork;
  }

  /** Makes a point's faults in a run of so long; how many events it had, and if both were met. */
  private play(
    { event, fault, second }: Point,
    id: string,
    trace: Trace | null,
    runMs: number,
  ): { events: number; isSecondMade: boolean } {
    const { world } = this.scenario;
    this.goTo(event);
    let events = -1;
    let isMet: IsMet | null = null;
    const makeSecond = () => {
      trace?.(`-- ${second!.fault}`);
      isMet = makeFault(world, second!.fault, new Random(numberOfPoint(id) + this.seed));
    };
    const watch = watched(world, trace);
    world.onNext = (letter) => {
      events += 1;
      watch(letter);
      if (events === second?.distance) makeSecond();
    };
    trace?.(`-- ${fault}`);
    // A pair begins as its first fault alone does, bit by bit: so it is known how long it runs.
    const [first] = id.split("+");
    makeFault(world, fault, new Random(numberOfPoint(first!) + this.seed));
    world.pass(runMs);
    // Healing is not to be disturbed.
    world.onNext = watch;
    if (second !== null && isMet === null) {
      makeSecond();
      world.pass(runMs);
    }
    return { events: Math.max(events, 0), isSecondMade: (isMet as IsMet | null)?.() ?? false };
  }

  private run(order: number): void {
    const { scenario } = this;
    scenario.prepare();
    scenario.order(order);
    scenario.world.pass(RUN_MS);
    const open = heal(scenario, order);
    if (open.length > 0) throw new Error(`The first ${scenario.name} stays open: ${open}.`);
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
    const open = heal(this.scenario, ORDER);
    const { isCommitted, complaints } = judge(this.scenario, this.before, ORDER);
    complaints.push(...open, ...this.replay.complaints());
    if (!isCommitted || complaints.length > 0) {
      const why = complaints.join(", ") || "it is not committed";
      throw new Error(`The clean ${this.scenario.name} fails: ${why}.`);
    }
  }

  private idOf(point: Point): string {
    return idOfPoint(this.scenario.name, this.seed, point);
  }
}
