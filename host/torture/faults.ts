// SPDX-License-Identifier: Apache-2.0
// The faults that the explorer makes at an event of a run, each under a short name that is part of
// the point's id: power cut around a flash operation, a message spoilt, a device or host switched
// off, a line broken, clocks, a full flash, and hosts of the card network (docs/faults.md).
import type { PowerDecision } from "../simulator/types.ts";
import type { Half } from "./agentWorld.ts";
import type { FaultWorld } from "./faultWorld.ts";
import type { Random } from "./random.ts";
import { type NamedFault, PEER_FAULTS, WIRE_FAULTS } from "./wireFaults.ts";
import { halvesOf, type Letter } from "./wires.ts";

/** What is out of order is back before the others' time-outs, or long behind them. */
const BACK_MS = { soon: 1_000, late: 400_000 } as const;
type Back = keyof typeof BACK_MS;

const CLOCK_JUMPS_MS = { forward: 3_600_000, backward: -3_600_000, days: 3_456_000_000 } as const;

/** One event of the recorded run: a letter to carry or a tick, and what it wrote. */
export interface RunEvent {
  letter: Letter | null;
  /**
   * Names of the modules, such as "C.agent", in the order of their flash and counter operations.
   */
  operations: string[];
}

const keep = () => "keep" as const;

const slug = (name: string) => name.replaceAll(" ", "-");

/** Faults of the wire by name; on a peer wire those of a stranger between the hosts as well. */
function letterFaults(letter: Letter): readonly NamedFault[] {
  if (letter.wire === "peer") return PEER_FAULTS;
  // What a host says to its own device is carried by the link, which drops what is damaged.
  // Nor has the card network any other protection than the code of each message.
  return letter.wire === "own" || letter.wire === "cards" ? WIRE_FAULTS : WIRE_FAULTS.slice(0, 5);
}

/** Names of all single faults at an event. */
export function faultNames(event: RunEvent, world: FaultWorld): string[] {
  const { devices, cards } = world;
  const names: string[] = [];
  for (const index of event.operations.keys()) {
    for (const moment of ["before", "torn", "after"]) {
      for (const back of Object.keys(BACK_MS)) names.push(`flash.${index}.${moment}.${back}`);
    }
  }
  if (event.letter !== null) {
    for (const { name } of letterFaults(event.letter)) names.push(`message.${slug(name)}`);
  }
  for (const device of devices) {
    const { name } = device;
    for (const half of halvesOf(device)) names.push(`full.${name}.${half}`);
    for (const back of Object.keys(BACK_MS)) {
      names.push(`power.${name}.${back}`, `host.${name}.${back}`, `both.${name}.${back}`);
    }
    for (const way of Object.keys(CLOCK_JUMPS_MS)) names.push(`clock.${name}.${way}`);
    names.push(`clock.${name}.unknown`, `random.${name}.dead`);
  }
  for (const back of Object.keys(BACK_MS)) names.push(`line.${back}`, `blackout.${back}`);
  if (event.letter !== null && world.isForBank(event.letter)) {
    for (const back of Object.keys(BACK_MS)) {
      names.push(`bank.unwritten.${back}`, `bank.written.${back}`);
    }
  }
  if (cards === null) return names;
  names.push("cards.down");
  if (event.letter?.leg === "switch>acquirer") {
    for (const back of Object.keys(BACK_MS)) names.push(`clearing.${back}`);
  }
  const isForIssuer = event.letter?.leg === "switch>issuer";
  for (const back of Object.keys(BACK_MS)) {
    names.push(`switch.${back}`, `issuer.${back}`);
    if (isForIssuer) names.push(`issuer.unwritten.${back}`, `issuer.written.${back}`);
  }
  return names;
}

/** Whether a fault that waits for an operation or a message has met one yet. */
export type IsMet = () => boolean;
const atOnce: IsMet = () => true;

/** Makes the fault of this name at the moment before the next event of the world. */
export function makeFault(world: FaultWorld, name: string, random: Random): IsMet {
  const [kind, what, detail, last] = name.split(".") as [string, string, string, string];
  if (kind === "flash") {
    return cutAtOperation(world, Number(what), detail, BACK_MS[last as Back], random);
  }
  if (kind === "message") return spoilNextLetter(world, what, random);
  if (kind === "line") breakLine(world, BACK_MS[what as Back]);
  else if (kind === "blackout") {
    for (const device of world.devices) {
      world.losePower(device, BACK_MS[what as Back]);
      world.loseHost(device, BACK_MS[what as Back]);
    }
  } else if (kind === "bank") {
    if (what !== "unwritten" && what !== "written") throw new Error(`There is no fault ${name}.`);
    world.bankDeath = { moment: what, backMs: BACK_MS[detail as Back] };
    return () => world.bankDeath === null;
  } else if (kind === "clearing") {
    world.clearingDeathMs = BACK_MS[what as Back];
    return () => world.clearingDeathMs === null;
  } else if (kind === "cards") world.cutCards(true);
  else if (kind === "switch") world.loseCardHost("switch", BACK_MS[what as Back]);
  else if (kind === "issuer") {
    if (what === "unwritten" || what === "written") {
      world.issuerDeath = { moment: what, backMs: BACK_MS[detail as Back] };
      return () => world.issuerDeath === null;
    } else world.loseCardHost("issuer", BACK_MS[what as Back]);
  } else {
    const device = world.devices.find((one) => one.name === what);
    if (device === undefined) throw new Error(`There is no device ${what} in this scenario.`);
    const modules = halvesOf(device).map((half) => device.half(half));
    if (kind === "full") world.fullFlash.begin(device.half(detail as Half));
    else if (kind === "random") for (const module of modules) module.isRandomDead = true;
    else if (detail === "unknown") for (const module of modules) module.isClockKnown = false;
    else if (kind === "clock") {
      const skewMs = CLOCK_JUMPS_MS[detail as keyof typeof CLOCK_JUMPS_MS];
      for (const module of modules) module.clockSkewMs = skewMs;
    } else {
      if (kind !== "host") world.losePower(device, BACK_MS[detail as Back]);
      if (kind !== "power") world.loseHost(device, BACK_MS[detail as Back]);
    }
  }
  return atOnce;
}

/**
 * Puts everything right that a fault may have left wrong; what comes back by itself does later. A
 * full flash stays full: what has begun must end in the room that was promised to it.
 */
export function endFaults(world: FaultWorld): void {
  world.fault = (letter) => [letter];
  for (const { module } of world.parts) {
    module.power = keep;
    module.clockSkewMs = 0;
    module.isClockKnown = true;
    module.isRandomDead = false;
  }
  world.cutCards(false);
  world.issuerDeath = null;
  world.bankDeath = null;
  world.clearingDeathMs = null;
  world.passAnswers = (commands) => commands;
}

function cutAtOperation(
  world: FaultWorld,
  index: number,
  moment: string,
  backMs: number,
  random: Random,
): IsMet {
  let operations = 0;
  world.powerBackMs = backMs;
  const decide = (): PowerDecision => {
    if (operations++ !== index) return "keep";
    if (moment === "torn") return { tear: () => random.next() };
    return moment === "before" ? "cut-before" : "cut-after";
  };
  for (const { module } of world.parts) module.power = decide;
  return () => operations > index;
}

/** The next letter that this fault is possible on; others pass. */
function spoilNextLetter(world: FaultWorld, name: string, random: Random): IsMet {
  const fault = PEER_FAULTS.find((one) => slug(one.name) === name);
  if (fault === undefined) throw new Error(`There is no fault of messages named ${name}.`);
  let isDone = false;
  world.fault = (letter) => {
    if (isDone || !letterFaults(letter).includes(fault)) return [letter];
    isDone = true;
    return fault.act(letter, world, random);
  };
  return () => isDone;
}

function breakLine(world: FaultWorld, backMs: number): void {
  const [a, b] = world.devices;
  world.loseLine(a!, b!, backMs);
}
