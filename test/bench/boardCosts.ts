// SPDX-License-Identifier: Apache-2.0
// What is counted on the emulated board for npm run bench:boards: instructions of the cryptography
// and of whole transactions, bytes on the line and in flash, stack, flash and RAM of programs. All
// counts are exact: the emulator gives each instruction the same time (-icount).
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { Channel } from "../../host/link/protocol.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { TestAgency } from "../../host/torture/testAgency.ts";
import { Role } from "../../host/trust/certificates.ts";
import { Calls, INSTRUCTIONS_PER_TICK } from "../boards/counts.ts";
import { BOARD } from "../boards/emulated.ts";
import type { Meeting } from "../boards/meeting.ts";
import { ABORTED, connect, Party, until } from "../boards/party.ts";
import { PaymentWorld, PurchaseWorld } from "../boards/world.ts";

/** 128 ns of the board's time for each instruction. */
const COUNTED = { isEmulated: true, words: ["-icount", "shift=7"] };

/** Instructions of one operation; bytes count for `aeadPerByte`. */
export function primitives() {
  const calls = new Calls();
  const text = filled(0x33, 2048);
  const seed = filled(5, 32);
  const key = ed25519.getPublicKey(seed);
  const none = filled(0, 8);
  const message = filled(0x6d, 100);
  const signature = ed25519.sign(message, seed);
  const sign = () => calls.add("ed25519Sign", { room: 64 }, message, 100, seed, key, none, 0);
  const verify = () => calls.add("ed25519Verify", signature, message, 100, key, none, 0);
  const seal = (length: number) =>
    calls.add("sealBox", seed, filled(1, 12), none, 0, text, length, { room: length + 16 });
  sign();
  verify();
  calls.add("x25519", { room: 32 }, filled(9, 32), x25519.getPublicKey(seed));
  sign();
  verify();
  seal(1024);
  seal(2048);
  calls.add("sha512", text, 1024, { room: 64 });
  calls.add("sha256", text, 1024, { room: 32 });
  calls.add("x25519PublicKey", { room: 32 }, seed);
  const counted = calls.run();
  if (counted[4]!.value !== 1) throw new Error("The board refused a good signature.");
  const count = (index: number) => counted[index]!.instructions;
  const of = (instructions: number) => ({ instructions });
  return {
    x25519: of(count(2)),
    ed25519Sign: of(count(3)),
    ed25519Verify: of(count(4)),
    aead1k: of(count(5)),
    sha512_1k: of(count(7)),
    sha256_1k: of(count(8)),
    aeadPerByte: of((count(6) - count(5)) / 1024),
    x25519PublicKey: of(count(9)),
    /** Multiples of the base point, computed once after each start. */
    baseTables: of(count(0) + count(1) - count(3) - count(4)),
  };
}

export interface ProgramSize {
  flashBytes: number;
  ramBytes: number;
}

/** Flash and RAM of a board's program with these images, or with none. */
export function sizeOf(images: { agent?: string; module?: string }): ProgramSize {
  const slots = Object.entries(images).flatMap(([slot, image]) => [`--${slot}`, image]);
  const words = slots.length > 0 ? slots : ["--runtime"];
  const script = ["scripts/boards.mjs", BOARD, "--sizes", "--quiet", ...words];
  return JSON.parse(execFileSync(process.execPath, script, { encoding: "utf8" }));
}

/** Bytes of an image's WebAssembly. */
export function wasmBytes(image: string): number {
  return statSync(`build/firmware/${image}.wasm`).size;
}

/** Pages of linear memory of an image that was built into a slot, by what wasm2c asks for it. */
export function memoryPages(slot: "agent" | "module", image: string): number {
  const text = readFileSync(`build/boards/${BOARD}/${slot}-${image}/${slot}.c`, "utf8");
  const asked = /wasm_rt_allocate_memory\([^,]+, (\d+), (\d+)\)/.exec(text);
  if (asked === null) throw new Error(`What wasm2c made of ${image} asks for no memory.`);
  return Number(asked[2]);
}

/** What one half of a device did. */
export interface HalfCost {
  instructions: number;
  /** Bytes of its channel on the line, both ways, acknowledgements included. */
  linkBytes: number;
  /** Bytes that it programmed into its flash. */
  flashBytes: number;
}
export interface DeviceCost {
  agent: HalfCost;
  module: HalfCost;
}

/** What a party's board has done since it was switched on, and its peak of stack. */
function workOf(party: Party): DeviceCost & { stackBytes: number } {
  const bytes = readFileSync(join(party.directory, "work"));
  const number = (index: number) => Number(bytes.readBigUInt64LE(8 * index));
  const half = (index: number, channel: number): HalfCost => ({
    instructions: Math.round(number(index) * INSTRUCTIONS_PER_TICK),
    linkBytes: party.tap.bytesOf(channel),
    flashBytes: number(2 + index),
  });
  return {
    agent: half(0, Channel.AGENT),
    module: half(1, Channel.MODULE),
    stackBytes: number(4),
  };
}

function less(after: HalfCost, before: HalfCost): HalfCost {
  return {
    instructions: after.instructions - before.instructions,
    linkBytes: after.linkBytes - before.linkBytes,
    flashBytes: after.flashBytes - before.flashBytes,
  };
}

/** Counts what devices do in `work`. */
async function costs(parties: Party[], quiet: () => Promise<void>, work: () => Promise<void>) {
  await quiet();
  const before = parties.map(workOf);
  await work();
  await quiet();
  return parties.map((party, index): DeviceCost & { stackBytes: number } => {
    const { agent, module, stackBytes } = workOf(party);
    const from = before[index]!;
    return { agent: less(agent, from.agent), module: less(module, from.module), stackBytes };
  });
}

export interface TransactionCost {
  first: DeviceCost;
  second: DeviceCost;
  stackBytes: number;
}

async function transaction(world: Meeting): Promise<TransactionCost> {
  await world.prepare();
  const [first, second] = await costs(
    world.parties,
    () => world.settle(),
    () => world.carryOut(filled(21)),
  );
  return {
    first: first!,
    second: second!,
    stackBytes: Math.max(first!.stackBytes, second!.stackBytes),
  };
}

/**
 * A payment of one note with three hops (generator, teller, payer, payee), from the opening of the
 * session to the last acknowledgement; and what a session alone costs the payer.
 */
export async function payment(): Promise<TransactionCost & { session: DeviceCost }> {
  const world = await PaymentWorld.make(COUNTED);
  try {
    const paid = await transaction(world);
    return { ...paid, session: await session(world.first, () => world.settle()) };
  } finally {
    await world.close();
  }
}

export async function purchase(): Promise<TransactionCost> {
  const world = await PurchaseWorld.make(COUNTED);
  try {
    return await transaction(world);
  } finally {
    await world.close();
  }
}

/**
 * A session of each half in which one thing is asked for, and refused: little more than opening.
 */
async function session(party: Party, quiet: () => Promise<void>): Promise<DeviceCost> {
  const agency = new TestAgency();
  const simulated = { emulator: null };
  const authority = await Party.open("authority", { agent: "authority-agent" }, simulated);
  await authority.certify(agency, "agent", "agent-A", Role.AUTHORITY, "device-A");
  await authority.ask("agent", 40, true);
  authority.host = ([number, tag]) => (number === 71 ? [[72, tag, null]] : []);
  const teller = await Party.open("teller", { module: "teller-module" }, simulated);
  await teller.certify(agency, "module", "modul-T", Role.TELLER, "modul-T");
  teller.host = ([number, , payId]) => (number === 82 ? [[83, payId, false]] : []);
  const counted: DeviceCost[] = [];
  for (const [peer, target, command] of [
    [authority, "agent", [70, filled(50), 1]],
    [teller, "module", [81, filled(51), 1, 100, "EUR", "12345678"]],
  ] as const) {
    party.device.disconnect();
    connect(party, peer);
    const id = command[1] as Uint8Array;
    const [cost] = await costs([party], quiet, async () => {
      party.tell(target, ...command);
      await until("the refusal", () => party.stateOf(id) === ABORTED);
    });
    counted.push(cost!);
  }
  await Promise.all([authority.close(), teller.close()]);
  return { agent: counted[0]!.agent, module: counted[1]!.module };
}
