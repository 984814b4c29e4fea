// SPDX-License-Identifier: Apache-2.0
// Compiles the boards' C link for this machine, with the sanitizers, and runs transcripts on it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import type { Input, Step, Transcript } from "../link/transcript.ts";

const LINK = "boards/runtime/link";
const PROGRAM = "build/boards/linkEnd";

/** The warnings that hand-written C is free of (scripts/boards.mjs compiles with the same). */
const FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"];

/** Compiles the program; throws with the compiler's words. */
export function buildLinkEnd(): void {
  mkdirSync("build/boards", { recursive: true });
  const sources = readdirSync(LINK).filter((name) => name.endsWith(".c"));
  execFileSync("cc", [
    ...FLAGS,
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    `-I${LINK}`,
    "test/boards/linkEnd.c",
    ...sources.map((name) => `${LINK}/${name}`),
    "-o",
    PROGRAM,
  ]);
}

function lineOf(input: Input): string {
  if ("start" in input) return `start ${input.atMs}`;
  if ("time" in input) return `time ${input.atMs}`;
  if ("bytes" in input) return `bytes ${input.atMs} ${input.bytes}`;
  const { channel, id, body } = input.send;
  return `send ${input.atMs} ${channel} ${id} ${body}`;
}

/** What the C link does with a transcript's inputs. */
export function runLinkEnd(board: Transcript["board"], inputs: Input[]): Step[] {
  const words = [Number(board.isSimulated), board.bootCounter, board.messageLimit, board.boardName];
  const modules = board.modules.flatMap((module) => [
    module.channel,
    module.starts,
    module.imageVersion,
    module.imageName,
    module.imageHash,
  ]);
  const { stdout, stderr, status } = spawnSync(PROGRAM, [...words, ...modules].map(String), {
    input: inputs.map((input) => `${lineOf(input)}\n`).join(""),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`linkEnd ended with ${status}: ${stderr}`);
  const steps: Step[] = [];
  let step: Step = { input: inputs[0]!, writes: "", requests: [] };
  for (const line of stdout.split("\n").filter((text) => text !== "")) {
    const [word, ...values] = line.split(" ");
    if (word === "write") step.writes += values[0];
    else if (word === "request") {
      const [channel, id, body] = values;
      step.requests.push({ channel: Number(channel), id: Number(id), body: body ?? "" });
    } else {
      steps.push(step);
      step = { input: inputs[steps.length]!, writes: "", requests: [] };
    }
  }
  return steps;
}
