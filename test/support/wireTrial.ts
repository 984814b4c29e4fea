// SPDX-License-Identifier: Apache-2.0
// Faults made in a transaction between two real devices, and what must hold after any of them:
// nothing panicked, no money was made or lost, both sides tell the same end, nothing stays in doubt
// once the two have met again, and the same transaction then succeeds.
import { decodeCbor } from "../../host/trust/cbor.ts";
import { type Device, hex } from "../../host/torture/agentWorld.ts";
import { payloadOf } from "../../host/torture/purchaseWorld.ts";
import { Random } from "../../host/torture/random.ts";
import {
  CUT,
  cutLine,
  DEAF_HOST,
  HOST_LIES,
  type NamedFault,
  once,
  PEER_FAULTS,
  WIRE_FAULTS,
} from "../../host/torture/wireFaults.ts";
import type { Letter, Wire, Wires } from "../../host/torture/wires.ts";
import { COMMITTED, type Scenario, UNIT } from "./wireScenarios.ts";

/** Longer than all time-outs of a transaction together. */
const SETTLE_MS = 300_000;
/** Long enough for letters that come behind all time-outs. */
const LATE_MS = 500_000;

/** How many times the committed sample of faults is tried; 12 is all of them and takes minutes. */
export const FAULT_WIDTH = Number(process.env.FLORIN_FAULT_WIDTH ?? 1);

export interface Try {
  at: number;
  letter: string;
  fault: string;
}

/** Money of a device by the module's own word: [spendable, in doubt, refresh] summed. */
function money(wires: Wires, device: Device): { sum: number; inDoubt: number } {
  if (device.module === null) return { sum: 0, inDoubt: 0 };
  const answer = wires.ask(device, "module", [80]).find(([number]) => number === 80);
  const rows = (answer?.[1] ?? []) as [string, number, number, number][];
  const row = rows.find(([unit]) => unit === UNIT) ?? [UNIT, 0, 0, 0];
  return { sum: row[1] + row[3], inDoubt: row[2] };
}

/** The last state that a device told of each payment. */
function payments(device: Device): Map<string, number> {
  const states = new Map<string, number>();
  const payIds = new Map<string, string>();
  const put = (id: unknown, payId: unknown, state: unknown) => {
    // A module's own command names no payment once it has aborted.
    if (payId instanceof Uint8Array) payIds.set(hex(id as Uint8Array), hex(payId));
    const name = payIds.get(hex(id as Uint8Array));
    if (name !== undefined) states.set(name, state as number);
  };
  for (const message of device.heard) {
    if (message[0] === 29) put(message[1], message[6], message[2]);
    if (message[0] === 49) put(message[1], message[5], message[2]);
    if (message[0] === 64) put(message[1], message[4], message[2]);
    if (message[0] === 84) put(message[1], message[1], message[2]);
  }
  return states;
}

/** A scenario that has run once cleanly, so that there are old letters, and was then recorded. */
export class Trial {
  readonly scenario: Scenario;
  /** The world before each letter of the recorded run. */
  private readonly forks: ReturnType<Wires["snapshot"]>[] = [];
  private readonly letters: { wire: Wire; text: string; letter: Letter }[] = [];
  private readonly before: { total: number; first: number };
  /** What both sides told of payments that ended before: nothing may change it. */
  private readonly old: [Map<string, number>, Map<string, number>];

  constructor(make: () => Scenario) {
    this.scenario = make();
    const { wires, first } = this.scenario;
    this.scenario.order(1);
    wires.pass(SETTLE_MS);
    if (!this.scenario.isCommitted(1)) throw new Error(`The clean ${this.scenario.name} failed.`);
    this.before = { total: this.total().sum, first: money(wires, first).sum };
    this.old = this.ends();
    this.record();
  }

  /** Letters of the recorded run. */
  get count(): number {
    return this.letters.length;
  }

  wireOf(at: number): Wire {
    return this.letters[at]!.wire;
  }

  /** Makes one fault at letter `at`; what is wrong afterwards, in words. */
  attempt(at: number, fault: NamedFault, seed: number): string[] {
    const { wires } = this.scenario;
    const label = `letter ${at} (${this.letters[at]!.text}) ${fault.name}, seed ${seed}`;
    wires.restore(this.forks[at]!);
    wires.fault = fault === CUT ? cutLine : once(fault, new Random(seed));
    try {
      wires.pass(SETTLE_MS);
      wires.fault = (letter) => [letter];
      const isCommitted = this.scenario.isCommitted(2);
      this.results[isCommitted ? 1 : 0]!++;
      const { wire, letter } = this.letters[at]!;
      const complaints = this.judge();
      if (!isCommitted && wire === "peer" && fault.isHarmless?.(letter)) {
        complaints.push("prevents the transaction");
      }
      return complaints.map((complaint) => `${label}: ${complaint}`);
    } catch (error) {
      return [`${label}: ${(error as Error).message}`];
    }
  }

  /** Faults at every letter of these wires with this probability, all through a run. */
  storm(onWires: readonly Wire[], probability: number, seed: number): string[] {
    const { wires } = this.scenario;
    const label = `storm ${onWires.join("+")} p ${probability}, seed ${seed}`;
    wires.restore(this.forks[0]!);
    const random = new Random(seed);
    const made: string[] = [];
    // Half of the storms end in silence.
    const cutAt = random.chance(0.5) ? wires.log.length + random.below(this.count) : Infinity;
    wires.fault = (letter) => {
      if (wires.log.length > cutAt && letter.wire === "peer") return [];
      if (!onWires.includes(letter.wire) || !random.chance(probability)) return [letter];
      const fault = random.pick(faultsOn(letter.wire));
      made.push(`${wires.log.length} ${fault.name}`);
      return fault.act(letter, wires, random);
    };
    try {
      wires.pass(SETTLE_MS);
      wires.fault = (letter) => [letter];
      this.results[this.scenario.isCommitted(2) ? 1 : 0]!++;
      return this.judge().map((complaint) => `${label}: ${complaint}; ${made.join(", ")}`);
    } catch (error) {
      return [`${label}: ${(error as Error).message} ${made.join(", ")}`];
    }
  }

  /** Runs with a fault that aborted, and that committed nevertheless. */
  readonly results: [number, number] = [0, 0];
  /** False where a host may lie about amounts and ids: orders are then what it made of them. */
  isHonest = true;
  /** True where the messages by which the halves of a device agree on a key may be lost. */
  losesKeys = false;

  private record(): void {
    const { wires } = this.scenario;
    wires.fault = (letter) => {
      this.letters.push({ wire: letter.wire, text: textOf(letter), letter });
      return [letter];
    };
    wires.onNext = (letter) => letter !== null && this.forks.push(wires.snapshot());
    this.scenario.order(2);
    wires.pass(SETTLE_MS);
    wires.onNext = null;
    if (!this.scenario.isCommitted(2)) throw new Error("The recorded run failed.");
  }

  private judge(): string[] {
    const { wires, first, second } = this.scenario;
    const wrong: string[] = [];
    wires.pass(LATE_MS);
    const mayFailOnce = this.scenario.mayFailOnce || this.losesKeys;
    if (!this.tryAgain(3) && !(mayFailOnce && this.tryAgain(4))) {
      wrong.push("the next one fails");
      for (const device of wires.devices) wires.reboot(device);
      if (second.told(40).length === 0) second.host([40], "agent");
      wires.tell(second, "agent", [40, true]);
      wires.pass(SETTLE_MS);
      if (!this.tryAgain(5)) wrong.push("the next one fails after a boot as well");
    }
    const { sum, inDoubt } = this.total();
    if (inDoubt > 0) wrong.push("money stays in doubt");
    if (sum !== this.before.total) wrong.push(`money in all: ${sum}, was ${this.before.total}`);
    wrong.push(...this.compareEnds(money(wires, first).sum - this.before.first));
    return wrong;
  }

  /** Money of all devices. */
  private total(): { sum: number; inDoubt: number } {
    const { wires } = this.scenario;
    const all = wires.devices.map((device) => money(wires, device));
    return {
      sum: all.reduce((sum, one) => sum + one.sum, 0),
      inDoubt: all.reduce((sum, one) => sum + one.inDoubt, 0),
    };
  }

  /** What the devices at either end told of each payment. */
  private ends(): [Map<string, number>, Map<string, number>] {
    const { wires, second } = this.scenario;
    const others = wires.devices.filter((device) => device !== second);
    return [new Map(others.flatMap((device) => [...payments(device)])), payments(second)];
  }

  private tryAgain(number: number): boolean {
    const { wires } = this.scenario;
    this.scenario.order(number);
    wires.pass(SETTLE_MS);
    return this.scenario.isCommitted(number);
  }

  /** Both sides tell the same of each payment, and it is what the money says. */
  private compareEnds(gained: number): string[] {
    const { gainMinor } = this.scenario;
    if (gainMinor === 0) return [];
    const wrong: string[] = [];
    const [mine, theirs] = this.ends();
    let committed = 0;
    for (const [payId, state] of [...this.old[0], ...this.old[1]]) {
      if ((mine.get(payId) ?? state) !== state) wrong.push("an old payment changed its end");
      if ((theirs.get(payId) ?? state) !== state) wrong.push("an old payment changed its end");
    }
    for (const payId of new Set([...mine.keys(), ...theirs.keys()])) {
      if (this.old[0].has(payId) || this.old[1].has(payId)) continue;
      const states = [mine.get(payId) ?? 1, theirs.get(payId) ?? 1];
      if (states[0] === COMMITTED) committed++;
      if (states[0] !== states[1]) wrong.push(`one payment ended ${states.join(" and ")}`);
    }
    const orders = [2, 3, 4, 5].filter((number) => this.scenario.isCommitted(number)).length;
    if (this.isHonest && committed !== orders)
      wrong.push(`${committed} payments, ${orders} orders`);
    if (this.isHonest && gained !== committed * gainMinor) {
      wrong.push(`${committed} payments moved ${gained}`);
    }
    wrong.push(...this.compareCards(theirs));
    return wrong;
  }

  /** A card is posted for a committed purchase, and never for another. */
  private compareCards(served: Map<string, number>): string[] {
    const wrong: string[] = [];
    const { second } = this.scenario;
    const ends = new Map<string, number>();
    for (const [number, , state, , transaction, payId] of second.heard) {
      if (number !== 49 || !(transaction instanceof Uint8Array)) continue;
      const paid = payId instanceof Uint8Array ? served.get(hex(payId)) : 1;
      ends.set(hex(transaction), paid ?? (state as number));
    }
    for (const [number, transaction, completion] of second.heard) {
      if (number !== 47) continue;
      const [, outcome] = decodeCbor(payloadOf(completion)) as [Uint8Array, number];
      const state = ends.get(hex(transaction as Uint8Array));
      if ((outcome === 1) !== (state === COMMITTED)) {
        wrong.push(
          `a card is ${outcome === 1 ? "posted" : "voided"} where the payment is ${state}`,
        );
      }
    }
    return wrong;
  }
}

function textOf(letter: Letter): string {
  const { wire, from, to, half, body } = letter;
  const [kind, second, , type] = decodeCbor(body) as unknown[];
  const detail =
    wire === "own" || wire === "peer" ? `${kind}/${kind === 10 ? second : type}` : kind;
  return `${wire} ${from.name} to ${to.name} ${half} ${String(detail)}`;
}

/**
 * Tries a sample of the faults that are possible on a wire at each of its letters: all of them for
 * a FAULT_WIDTH of `share` and more.
 */
export function tryFaults(trial: Trial, wire: Wire, share: number): string[] {
  const wrong: string[] = [];
  const step = Math.max(1, Math.floor(share / FAULT_WIDTH));
  const faults = faultsOn(wire);
  for (let at = 0; at < trial.count; at++) {
    if (trial.wireOf(at) !== wire) continue;
    for (const [index, fault] of faults.entries()) {
      // Each letter meets some of the faults, and neighbours meet others; all meet the worst.
      if (fault !== CUT && (at * 7 + index) % step !== 0) continue;
      wrong.push(...trial.attempt(at, fault, at * 100 + index));
    }
  }
  return wrong;
}

/** Storms of three strengths over these wires, from seed 0. */
export function tryStorms(trial: Trial, wires: readonly Wire[], count: number): string[] {
  const wrong: string[] = [];
  for (let seed = 0; seed < count * FAULT_WIDTH; seed++) {
    wrong.push(...trial.storm(wires, [0.03, 0.08, 0.2][seed % 3]!, seed));
  }
  return wrong;
}

/** Faults that are possible on a wire. */
export function faultsOn(wire: Wire): readonly NamedFault[] {
  if (wire === "peer") return [...PEER_FAULTS, CUT];
  if (wire === "own") return WIRE_FAULTS;
  return wire === "command" ? HOST_LIES : DEAF_HOST;
}
