// SPDX-License-Identifier: Apache-2.0
// florin device: what it takes, with examples.
import { type Command, Option } from "commander";
import { flashDevice } from "./deviceFlash.ts";
import { writeEvidence } from "./deviceEvidence.ts";
import type { PortOptions } from "./devicePort.ts";
import { deviceLines, deviceReport, listPorts, portLines } from "./deviceReport.ts";
import { logDevice, type RunOptions, runDevice, type WatchOptions } from "./deviceWatch.ts";
import { say, sayJson } from "./output.ts";

const PORTS = `
--port is a serial port (/dev/ttyACM0, COM3), or a board that this computer plays: sim:NAME for a
simulated one, qemu:BOARD for an emulated one (boards/README.md). A board that is played keeps its
secret, flash and counters in a folder of --dir, made if absent.
`;

const EXAMPLES = {
  list: ["florin device list", "florin device list --json"],
  info: [
    "florin device info --port sim:alice",
    "florin device info --port /dev/ttyACM0 --json",
    "florin device info --port qemu:netduinoplus2 --module transaction-module",
  ],
  flash: ["florin device flash --port sim:alice build/firmware/customer-agent.2.florin"],
  evidence: ["florin device evidence --port sim:alice --out alice.json"],
  run: [
    "florin device run --port qemu:mps2-an505",
    "florin device run --port /dev/ttyACM0 --listen 7700",
  ],
  log: ["florin device log --port /dev/ttyACM0", "florin device log --port sim:alice --seconds 10"],
};

const AGENTS = ["customer-agent", "merchant-agent", "authority-agent"];
const MODULES = ["transaction-module", "teller-module", "generator-module"];

/** Adds the group of commands. */
export function addDevice(florin: Command): void {
  const group = florin
    .command("device")
    .description("look at boards, and be the host of one")
    .addHelpText("after", `${PORTS}${examplesText(Object.values(EXAMPLES).flat())}`);
  const add = (name: keyof typeof EXAMPLES, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option("--dir <dir>", "folders of the boards that this computer plays", "./florin-boards")
      .addHelpText("after", examplesText(EXAMPLES[name]));
  const addAtPort = (
    name: "info" | "flash" | "evidence" | "run" | "log",
    description: string,
  ): Command =>
    add(name, description)
      .requiredOption("--port <port>", "sim:NAME, qemu:BOARD or a serial port")
      .addOption(new Option("--agent <image>", "agent of a new played board").choices(AGENTS))
      .addOption(new Option("--module <image>", "module of a new played board").choices(MODULES));
  add("list", "serial ports, emulated boards and boards kept here")
    .option("--json", "print one JSON object")
    .action(async ({ dir, json }: { dir: string; json?: boolean }) => {
      const list = await listPorts(dir);
      if (json) sayJson(list);
      else for (const line of portLines(list)) say(line);
    });
  addAtPort("info", "what a board tells and signs: images, versions, hashes, boot counter, wear")
    .option("--json", "print one JSON object")
    .action(async (options: PortOptions & { json?: boolean }) => {
      const report = await deviceReport(options);
      if (options.json) sayJson(report);
      else for (const line of deviceLines(report)) say(line);
    });
  addAtPort("flash", "load a signed image; the purse stays")
    .argument("<image>", "a signed image, made by scripts/sign-image.mjs")
    .option("--json", "print one JSON object")
    .action(async (path: string, options: PortOptions & { json?: boolean }) => {
      const report = await flashDevice(options, path);
      if (options.json) sayJson(report);
      else for (const line of deviceLines(report)) say(line);
    });
  addAtPort("evidence", "read out what a device can prove, also one that does not open")
    .requiredOption("--out <file>", "file for it, as JSON")
    .action(async (options: PortOptions & { out: string }) => {
      for (const line of await writeEvidence(options, options.out)) say(line);
    });
  addAtPort("run", "keep a board attached, as its host, and print its log")
    .option("--listen <port>", "port on 127.0.0.1 for other devices; any free one if absent")
    .option("--seconds <number>", "stop by itself after so long")
    .option("--json", "print one JSON object for each line")
    .action((options: RunOptions) => runDevice(options));
  addAtPort("log", "print a board's log and how its link and images fare")
    .option("--seconds <number>", "stop by itself after so long")
    .option("--json", "print one JSON object for each line")
    .action((options: WatchOptions) => logDevice(options));
}

function examplesText(examples: string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}\n`).join("")}`;
}
