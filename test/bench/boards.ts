// SPDX-License-Identifier: Apache-2.0
// What the firmware costs on an emulated Cortex-M33 (npm run bench:boards): exact counts of
// instructions, bytes on the line, flash and RAM; with the project's goals beside them. It ends
// with code 1 where a limit is passed.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { BOARD } from "../boards/emulated.ts";
import { Calls, INSTRUCTIONS_PER_TICK } from "../boards/counts.ts";
import { BoardWorld, type Party } from "../boards/world.ts";
import { filled } from "../../host/torture/agentWorld.ts";

/** Monocypher's C by the same gcc with -O2 on the same emulated core; the goal is 1.5 times it. */
const MONOCYPHER = {
  x25519: 1_190_000,
  ed25519Sign: 660_000,
  ed25519Verify: 1_630_000,
  aead1k: 39_000,
  sha512_1k: 112_000,
};
const GOAL_FACTOR = 1.5;

/** Limits of a board with an agent and a module (issue of the boards): passing one is a failure. */
const PAIR_FLASH_LIMIT = 512 * 1024;
const PAIR_RAM_LIMIT = 192 * 1024;
/** More than this over the goal is a failure; what lies within it is told. */
const TOLERANCE = 1.02;

const AGENTS = ["customer-agent", "merchant-agent", "authority-agent"];
const MODULES = ["transaction-module", "teller-module", "generator-module"];

type PrimitiveName =
  | keyof typeof MONOCYPHER
  | "sha256_1k"
  | "x25519PublicKey"
  /** Multiples of the base point, computed once after each start. */
  | "baseTables";

function primitives(): Record<PrimitiveName, { instructions: number }> {
  const calls = new Calls();
  const text = filled(0x33, 1024);
  const seed = filled(5, 32);
  const key = ed25519.getPublicKey(seed);
  const none = filled(0, 8);
  const message = filled(0x6d, 100);
  const signature = ed25519.sign(message, seed);
  const sign = () => calls.add("ed25519Sign", { room: 64 }, message, 100, seed, key, none, 0);
  const verify = () => calls.add("ed25519Verify", signature, message, 100, key, none, 0);
  sign();
  verify();
  calls.add("x25519", { room: 32 }, filled(9, 32), x25519.getPublicKey(seed));
  sign();
  verify();
  calls.add("sealBox", seed, filled(1, 12), none, 0, text, 1024, { room: 1040 });
  calls.add("sha512", text, 1024, { room: 64 });
  calls.add("sha256", text, 1024, { room: 32 });
  calls.add("x25519PublicKey", { room: 32 }, seed);
  const counted = calls.run();
  if (counted[4]!.value !== 1) throw new Error("The board refused a good signature.");
  const at = (index: number) => ({ instructions: counted[index]!.instructions });
  const firstUses = at(0).instructions + at(1).instructions;
  return {
    x25519: at(2),
    ed25519Sign: at(3),
    ed25519Verify: at(4),
    aead1k: at(5),
    sha512_1k: at(6),
    sha256_1k: at(7),
    x25519PublicKey: at(8),
    baseTables: { instructions: firstUses - at(3).instructions - at(4).instructions },
  };
}

interface ProgramSize {
  wasmBytes: number;
  flashBytes: number;
  ramBytes: number;
}

/** Flash and RAM of a board with these images, runtime and board code included. */
function sizeOf(images: { agent?: string; module?: string }): ProgramSize {
  const words = Object.entries(images).flatMap(([slot, image]) => [`--${slot}`, image]);
  const script = ["scripts/boards.mjs", BOARD, "--sizes", "--quiet", ...words];
  const printed = execFileSync(process.execPath, script, { encoding: "utf8" });
  const sizes = JSON.parse(printed) as Omit<ProgramSize, "wasmBytes">;
  const wasmBytes = Object.values(images)
    .map((image) => statSync(`build/firmware/${image}.wasm`).size)
    .reduce((sum, size) => sum + size, 0);
  return { wasmBytes, ...sizes };
}

/** Instructions that agent and module were at work since the board was switched on. */
function workOf({ directory }: Party): [agent: number, module: number] {
  const bytes = readFileSync(join(directory, "work"));
  const instructions = (at: number) =>
    Math.round(Number(bytes.readBigUInt64LE(at)) * INSTRUCTIONS_PER_TICK);
  return [instructions(0), instructions(8)];
}

interface Side {
  agentInstructions: number;
  moduleInstructions: number;
  linkBytes: number;
}

/** A payment of one note, from the opening of the session to the last acknowledgement. */
async function payment(): Promise<{ payer: Side; payee: Side }> {
  // 128 ns for each instruction: the counts do not depend on this machine.
  const world = await BoardWorld.make(true, ["-icount", "shift=7"]);
  try {
    await world.settle();
    const parties = [world.payer, world.payee];
    const bytesOf = ({ tap }: Party) => tap.bytes.toBoard + tap.bytes.fromBoard;
    const before = parties.map((party) => ({ work: workOf(party), bytes: bytesOf(party) }));
    await world.pay(filled(21), 1_250);
    await world.settle();
    const [payer, payee] = parties.map((party, index): Side => {
      const [agent, module] = workOf(party);
      return {
        agentInstructions: agent - before[index]!.work[0],
        moduleInstructions: module - before[index]!.work[1],
        linkBytes: bytesOf(party) - before[index]!.bytes,
      };
    });
    return { payer: payer!, payee: payee! };
  } finally {
    await world.close();
  }
}

const thousands = (value: number): string => value.toLocaleString("en-US");

async function main(): Promise<void> {
  const costs = primitives();
  const images: Record<string, ProgramSize> = {};
  for (const agent of AGENTS) images[agent] = sizeOf({ agent });
  for (const module of MODULES) images[module] = sizeOf({ module });
  const pair = sizeOf({ agent: AGENTS[0]!, module: MODULES[0]! });
  images[`${AGENTS[0]}+${MODULES[0]}`] = pair;
  const sides = await payment();
  const slowest = Math.max(...Object.values(sides).map((side) => side.moduleInstructions));
  const linkBytes = Math.max(...Object.values(sides).map((side) => side.linkBytes));
  const result = {
    primitives: costs,
    payment: { instructions: slowest, linkBytes, flashBytes: pair.flashBytes, ...sides },
    images,
  };
  const failures: string[] = [];
  for (const [name, anchor] of Object.entries(MONOCYPHER)) {
    const { instructions } = costs[name as PrimitiveName];
    if (instructions > anchor * GOAL_FACTOR * TOLERANCE) failures.push(`${name} misses its goal`);
  }
  if (pair.flashBytes > PAIR_FLASH_LIMIT) failures.push("agent and module need too much flash");
  if (pair.ramBytes > PAIR_RAM_LIMIT) failures.push("agent and module need too much RAM");
  if (argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
  for (const failure of failures) process.stderr.write(`FAILED: ${failure}\n`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function print(result: {
  primitives: Record<string, { instructions: number }>;
  payment: { payer: Side; payee: Side };
  images: Record<string, ProgramSize>;
}): void {
  const lines = [`Instructions on ${BOARD}, exact counts; Monocypher in C beside them`];
  for (const [name, { instructions }] of Object.entries(result.primitives)) {
    const anchor = (MONOCYPHER as Record<string, number>)[name];
    const beside = anchor
      ? `${thousands(anchor)}  ${(instructions / anchor).toFixed(2)} times`
      : "";
    lines.push(`  ${name.padEnd(16)} ${thousands(instructions).padStart(12)}  ${beside}`.trimEnd());
  }
  lines.push("", "A payment of one note (session, offer, verification, commit)");
  for (const who of ["payer", "payee"] as const) {
    const side = result.payment[who];
    lines.push(
      `  ${who}: agent ${thousands(side.agentInstructions)}, module ` +
        `${thousands(side.moduleInstructions)} instructions; ${thousands(side.linkBytes)} bytes ` +
        "on the line of both",
    );
  }
  lines.push(
    "",
    "Bytes of images, and of the whole program with each: flash, RAM with 10 KiB stack",
  );
  for (const [name, { wasmBytes, flashBytes, ramBytes }] of Object.entries(result.images)) {
    const cells = [wasmBytes, flashBytes, ramBytes].map((value) => thousands(value).padStart(9));
    lines.push(`  ${name.padEnd(34)} ${cells.join(" ")}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

await main();
