// SPDX-License-Identifier: Apache-2.0
// npm run bench:boards: what the firmware costs on an emulated Cortex-M33, as exact counts, with
// the project's goals beside them. It ends with code 1 where a goal or a limit is missed.
//
//   npm run bench:boards [-- --json]
import { argv } from "node:process";
import { BOARD } from "../boards/emulated.ts";
import {
  type DeviceCost,
  memoryPages,
  payment,
  type ProgramSize,
  primitives,
  purchase,
  sizeOf,
  type TransactionCost,
  wasmBytes,
} from "./boardCosts.ts";

/** Monocypher's C by the same gcc with -O2 on the same emulated core. */
const MONOCYPHER: Record<string, number> = {
  x25519: 1_190_000,
  ed25519Sign: 660_000,
  ed25519Verify: 1_630_000,
  aead1k: 39_000,
  sha512_1k: 112_000,
};

/** Instructions of a primitive, of the slower module in a payment, of any half in a purchase. */
const PRIMITIVE_GOALS: Record<string, number> = {
  x25519: 1_800_000,
  ed25519Sign: 1_000_000,
  ed25519Verify: 2_500_000,
  aead1k: 1.5 * 39_000,
  sha512_1k: 1.5 * 112_000,
};
const PAYMENT_GOAL = 35_000_000;
const PURCHASE_GOAL = 70_000_000;
const MODULE_LINK_GOAL = 6 * 1024;
const AGENT_LINK_GOAL = 12 * 1024;

/** Limits of a board with an agent and a module. */
const PAIR_FLASH_LIMIT = 512 * 1024;
const PAIR_RAM_LIMIT = 192 * 1024;
const PAGES_LIMIT = 1;

const IMAGES = [
  ["agent", "customer-agent"],
  ["agent", "merchant-agent"],
  ["agent", "authority-agent"],
  ["module", "transaction-module"],
  ["module", "teller-module"],
  ["module", "generator-module"],
] as const;
const PAIR = { agent: "customer-agent", module: "transaction-module" };

const halves = ({ first, second }: TransactionCost) =>
  [
    ["first agent", first.agent],
    ["first module", first.module],
    ["second agent", second.agent],
    ["second module", second.module],
  ] as const;

/**
 * The numbers that the project speaks of: of the slower half, the fuller line, the fuller flash.
 */
function summary(cost: TransactionCost, isOnlyModules: boolean) {
  const all = halves(cost).map(([, half]) => half);
  const modules = [cost.first.module, cost.second.module];
  const most = (values: number[]) => Math.max(...values);
  const line = ({ agent, module }: DeviceCost) => agent.linkBytes + module.linkBytes;
  return {
    instructions: most((isOnlyModules ? modules : all).map((half) => half.instructions)),
    linkBytes: most([line(cost.first), line(cost.second)]),
    flashBytes: most(all.map((half) => half.flashBytes)),
    agentLinkBytes: most([cost.first.agent.linkBytes, cost.second.agent.linkBytes]),
    moduleLinkBytes: most(modules.map((half) => half.linkBytes)),
  };
}

/** Of each image what it adds to a board; the runtime and board's own code stand apart. */
function sizes() {
  const runtime = sizeOf({});
  const images: Record<string, ProgramSize & { wasmBytes: number }> = {};
  for (const [slot, image] of IMAGES) {
    const { flashBytes, ramBytes } = sizeOf({ [slot]: image });
    images[image] = {
      wasmBytes: wasmBytes(image),
      flashBytes: flashBytes - runtime.flashBytes,
      ramBytes: ramBytes - runtime.ramBytes,
    };
  }
  return { images, runtime, pair: sizeOf(PAIR) };
}

interface Result extends ReturnType<typeof sizes> {
  primitives: ReturnType<typeof primitives>;
  payment: TransactionCost & ReturnType<typeof summary>;
  session: DeviceCost;
  purchase: TransactionCost & ReturnType<typeof summary>;
  stackBytes: number;
}

async function measure(): Promise<Result> {
  const { session, ...paid } = await payment();
  const bought = await purchase();
  return {
    primitives: primitives(),
    payment: { ...summary(paid, true), ...paid },
    purchase: { ...summary(bought, false), ...bought },
    session,
    stackBytes: Math.max(paid.stackBytes, bought.stackBytes),
    ...sizes(),
  };
}

/** What is missed, in words. */
function misses(result: Result): string[] {
  const found: string[] = [];
  const check = (what: string, value: number, limit: number): void => {
    if (value > limit) found.push(`${what}: ${number(value)}, not ${number(limit)}`);
  };
  for (const [name, goal] of Object.entries(PRIMITIVE_GOALS)) {
    check(name, result.primitives[name as keyof Result["primitives"]].instructions, goal);
  }
  check("instructions of a payment", result.payment.instructions, PAYMENT_GOAL);
  check("instructions of a purchase", result.purchase.instructions, PURCHASE_GOAL);
  check("the module's line in a payment", result.payment.moduleLinkBytes, MODULE_LINK_GOAL);
  check("the agent's line in a payment", result.payment.agentLinkBytes, AGENT_LINK_GOAL);
  check("flash of agent and module", result.pair.flashBytes, PAIR_FLASH_LIMIT);
  check("RAM of agent and module", result.pair.ramBytes, PAIR_RAM_LIMIT);
  for (const [slot, image] of IMAGES) {
    check(`pages of memory of ${image}`, memoryPages(slot, image), PAGES_LIMIT);
  }
  return found;
}

const number = (value: number): string => value.toLocaleString("en-US");
const cell = (value: number, width = 13): string => number(value).padStart(width);

function transactionLines(title: string, cost: TransactionCost): string[] {
  const rows = halves(cost).map(([name, { instructions, linkBytes, flashBytes }]) => {
    return `  ${name.padEnd(16)} ${cell(instructions)} ${cell(linkBytes)} ${cell(flashBytes)}`;
  });
  return ["", title.padEnd(20) + " instructions    link bytes   flash bytes", ...rows];
}

function print(result: Result): void {
  const lines = [`Instructions on ${BOARD}, exact; Monocypher in C beside them`];
  for (const [name, { instructions }] of Object.entries(result.primitives)) {
    const anchor = MONOCYPHER[name];
    const times = anchor ? `${cell(anchor)} ${(instructions / anchor).toFixed(2)} times` : "";
    lines.push(`  ${name.padEnd(16)} ${cell(instructions)} ${times}`.trimEnd());
  }
  const { agent, module } = result.session;
  lines.push("", "A session in which one thing is refused");
  lines.push(`  agent            ${cell(agent.instructions)} ${cell(agent.linkBytes)} link bytes`);
  lines.push(
    `  module           ${cell(module.instructions)} ${cell(module.linkBytes)} link bytes`,
  );
  lines.push(...transactionLines("A payment, 3 hops", result.payment));
  lines.push(...transactionLines("A purchase", result.purchase));
  lines.push("", `Peak of stack: ${number(result.stackBytes)} bytes of 10,240`, "");
  lines.push("Bytes                               WebAssembly        flash          RAM");
  for (const [name, size] of Object.entries(result.images)) {
    const { flashBytes, ramBytes } = size;
    lines.push(
      `  ${name.padEnd(30)} ${cell(size.wasmBytes)} ${cell(flashBytes)} ${cell(ramBytes)}`,
    );
  }
  const programs = { "runtime and board": result.runtime, "customer's pair, all": result.pair };
  for (const [name, { flashBytes, ramBytes }] of Object.entries(programs)) {
    lines.push(`  ${name.padEnd(44)} ${cell(flashBytes)} ${cell(ramBytes)}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

const result = await measure();
if (argv.includes("--json")) process.stdout.write(`${JSON.stringify(result)}\n`);
else print(result);
const missed = misses(result);
for (const what of missed) process.stderr.write(`MISSED: ${what}\n`);
process.exitCode = missed.length > 0 ? 1 : 0;
