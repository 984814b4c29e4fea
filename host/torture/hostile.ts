// SPDX-License-Identifier: Apache-2.0
// What a hostile owner does at an event of a run: flash copied back, a random source that stays
// dead, a device gone for good, an opened module that is set back whole or says nothing more to
// others, a merchant's host that lies. What must hold then is docs/protocol.md rule 8 (hostileVerdict.ts), not that all goes well.
import type { FlashSnapshot } from "../simulator/virtualFlash.ts";
import { type Device, filled, type Half, type Host } from "./agentWorld.ts";
import { approvalOf } from "./purchaseWorld.ts";
import type { RunEvent } from "./faults.ts";
import type { FaultWorld, FaultWorldSnapshot } from "./faultWorld.ts";
import type { Random } from "./random.ts";
import type { Scenario } from "./scenarios.ts";
import { HOST_LIES, once, WIRE_FAULTS } from "./wireFaults.ts";
import { halvesOf, type Letter, type Part } from "./wires.ts";

/** A copy of flash is taken around a power cut and put back so long after it. */
const COPIED_FOR_MS = 30_000;
const BACK_MS = 1_000;
/** Behind all time-outs of a transaction. */
const RUN_MS = 300_000;

/** Lies of a host to its own device, besides the faults that any wire has. */
const LIES = HOST_LIES.slice(WIRE_FAULTS.length);
const slug = (name: string) => name.replaceAll(" ", "-");

/** What was done to whom, as far as the verdict depends on it. */
export interface Deed {
  suspect: Device;
  /** The half that has an old flash image and must refuse to open; null for none. */
  locked: Half | null;
  /** The suspect never comes back, or may refuse to open: others may stay in doubt with it. */
  isGone: boolean;
  /** The suspect's own word counts for nothing: its state was set back whole. */
  isOpened: boolean;
  /** Its host withholds what it owes the card network: a hold may stay. */
  isWithholding: boolean;
  /** Its host changed an order: what was traded is another amount. */
  isOrderChanged: boolean;
  /** Puts the same fault on again, where healing would take it away. */
  persist: () => void;
}

/** How a merchant's host lies about cards, by name. */
const LIARS: Readonly<Record<string, (honest: Host) => Host>> = {
  /** The network refuses, and the host signs an approval itself. */
  forges: (honest) => (message, half) =>
    message[0] === 45
      ? [[46, message[1], approvalOf(message[2], true, "00", filled(9, 32)), "00"]]
      : honest(message, half),
  /** The network refuses, and the host calls the refusal an approval. */
  refuses: (honest) => (message, half) =>
    message[0] === 45
      ? [[46, message[1], approvalOf(message[2], false, "05"), "00"]]
      : honest(message, half),
  withholds: (honest) => (message, half) => (message[0] === 47 ? [] : honest(message, half)),
};

/** Each answer of the network comes behind the next one, and again behind that. */
function reordering(): (commands: unknown[][]) => unknown[][] {
  let kept: unknown[][] = [];
  return (commands) => {
    // Most of what an agent says is answered by nothing, behind which nothing comes.
    if (commands.length === 0) return [];
    const given = [...commands, ...kept];
    kept = commands;
    return given;
  };
}

const KINDS = ["copied", "rollback", "dead", "gone", "silent", "fork", "lie", "liar"];

/** Whether a fault of this name is a hostile deed. */
export const isHostile = (name: string) => KINDS.includes(name.split(".")[0]!);

/** Names of all hostile faults at an event. */
export function hostileNames(event: RunEvent, index: number, scenario: Scenario): string[] {
  const { devices } = scenario.world;
  const names = [...event.operations.keys()].map((operation) => `copied.${operation}`);
  for (const device of devices) {
    const { name } = device;
    for (const half of index > 0 ? halvesOf(device) : []) {
      names.push(`rollback.${name}.${half}.first`, `rollback.${name}.${half}.middle`);
    }
    names.push(`dead.${name}`, `gone.${name}`, `silent.${name}`, `fork.${name}`);
  }
  if (event.letter?.wire === "command") names.push(...LIES.map(({ name }) => `lie.${slug(name)}`));
  if (index === 0 && scenario.hasCard) {
    names.push(
      ...[...Object.keys(LIARS), "reorders"].map((name) => `liar.${scenario.second.name}.${name}`),
    );
  }
  return names;
}

/** A place in a recorded run, and what is done there. */
export interface DeedPlace {
  scenario: Scenario;
  event: RunEvent;
  index: number;
  name: string;
  random: Random;
  /** The world before an event of the recorded run. */
  past(event: number): FaultWorldSnapshot;
  orderAgain(): void;
}

/** Does the deed of this name at the moment before the next event, and lets the run go on. */
export function commitDeed(place: DeedPlace): Deed {
  const { scenario, event, index, name, random, past, orderAgain } = place;
  const { world } = scenario;
  const [kind, what, detail, when] = name.split(".") as [string, string, string, string];
  if (kind === "copied") return copyAround(world, event, Number(what));
  if (kind === "lie") {
    const lie = LIES.find((one) => slug(one.name) === what);
    if (lie === undefined || event.letter === null) throw new Error(`There is no lie ${what}.`);
    world.fault = once(lie, random);
    world.pass(RUN_MS);
    return deedOf(event.letter.to, { isOrderChanged: true });
  }
  const suspect = world.devices.find((device) => device.name === what);
  if (suspect === undefined) throw new Error(`There is no device ${what} in this scenario.`);
  const parts = world.parts.filter(({ device }) => device === suspect);
  if (kind === "rollback") {
    const part = parts.find(({ half }) => half === detail)!;
    const old = past(when === "first" ? 0 : index >> 1).modules[world.parts.indexOf(part)]!;
    const raises = part.module.snapshot().counter - old.counter;
    pasteFlash(world, part, old.flash);
    world.pass(RUN_MS);
    // The last record of the copy may be ahead of the counter by one (protocol rule 7).
    return deedOf(suspect, { locked: raises > 1n ? part.half : null, isGone: raises > 0n });
  }
  if (kind === "fork") {
    const now = parts.map(({ module }) => module.snapshot());
    world.pass(RUN_MS);
    for (const [at, { module }] of parts.entries()) module.restore(now[at]!);
    world.losePower(suspect, BACK_MS);
    world.pass(RUN_MS);
    orderAgain();
    world.pass(RUN_MS);
    return deedOf(suspect, { isOpened: true, isGone: true });
  }
  if (kind === "liar") return lieAboutCards(world, suspect, detail);
  const persist = () => {
    if (kind === "dead") for (const { module } of parts) module.isRandomDead = true;
    else if (kind === "gone") world.losePower(suspect, Infinity);
    else if (kind === "silent")
      world.fault = (letter) => (isModules(letter, suspect) ? [] : [letter]);
    else throw new Error(`There is no hostile fault ${name}.`);
  };
  persist();
  world.pass(RUN_MS);
  return deedOf(suspect, { isGone: true, persist });
}

/** Whether a letter is what this device's money module says to another, by its agent or without. */
const isModules = ({ wire, from, half }: Letter, device: Device) =>
  from === device && (wire === "own" ? half === "agent" : wire === "peer" && half === "module");

/** A merchant's host lies to its agent or the card network, in one of these ways. */
function lieAboutCards(world: FaultWorld, suspect: Device, how: string): Deed {
  const honest = suspect.host;
  const isWithholding = how === "withholds";
  if (how === "reorders") world.passAnswers = reordering();
  else suspect.host = LIARS[how]!(honest);
  world.pass(RUN_MS);
  // A host that withholds never stops; the others are honest again, or nothing could end.
  if (!isWithholding) suspect.host = honest;
  return deedOf(suspect, { isWithholding });
}

/** A deed of this device that does nothing but `more`. */
export function deedOf(suspect: Device, more: Partial<Deed>): Deed {
  return {
    suspect,
    locked: null,
    isGone: false,
    isOpened: false,
    isWithholding: false,
    isOrderChanged: false,
    persist: () => {},
    ...more,
  };
}

/** Takes the power at an operation, copies the flash, and puts the copy back after a later cut. */
function copyAround(world: FaultWorld, event: RunEvent, operation: number): Deed {
  const [name, half] = event.operations[operation]!.split(".");
  const part = world.parts.find((one) => one.device.name === name && one.half === half)!;
  let copy: FlashSnapshot | null = null;
  let operations = 0;
  world.powerBackMs = BACK_MS;
  for (const { module } of world.parts) {
    module.power = () => {
      if (operations++ !== operation) return "keep";
      copy = part.module.snapshot().flash;
      return "cut-before";
    };
  }
  world.pass(COPIED_FOR_MS);
  for (const { module } of world.parts) module.power = () => "keep";
  if (copy === null) throw new Error(`Operation ${operation} did not come.`);
  pasteFlash(world, part, copy);
  world.pass(RUN_MS);
  return deedOf(part.device, { locked: part.half, isGone: true });
}

/** Switches a device off, puts other content into one flash window, and switches it on. */
function pasteFlash(world: FaultWorld, part: Part, flash: FlashSnapshot): void {
  world.losePower(part.device, BACK_MS);
  part.module.restore({ ...part.module.snapshot(), flash });
}
