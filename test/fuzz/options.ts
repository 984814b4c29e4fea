// SPDX-License-Identifier: Apache-2.0
// The fuzzer's command line, and the file of a finding that it repeats: what is wrong with them is
// said in one sentence.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Finding } from "./engine.ts";
import { GROUPS } from "./targets.ts";

const USAGE = "npm run fuzz -- [--minutes N] [--seed N] [--target NAME] [--json] | --replay FILE";

/** The command line, or the file that it names, is wrong; nothing was begun. */
export class UsageError extends Error {}

export interface FuzzOptions {
  minutes: number;
  seed: number;
  /** What the names of targets begin with; null for all. */
  target: string | null;
  /** File of a finding to repeat; null for a campaign. */
  replay: string | null;
  isJson: boolean;
}

/** @throws {UsageError} for what is no option or no value of it */
export function optionsOf(words: string[]): FuzzOptions {
  const { minutes, seed, target = null, replay = null, json } = parsed(words);
  return {
    ...{ target, replay, isJson: json },
    minutes: numberOf("minutes", minutes),
    seed: numberOf("seed", seed),
  };
}

function parsed(words: string[]) {
  try {
    return parseArgs({
      args: words,
      options: {
        minutes: { type: "string", default: "1" },
        seed: { type: "string", default: "1" },
        target: { type: "string" },
        replay: { type: "string" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(". ")[0]}; use ${USAGE}`);
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new UsageError(`--${name} is ${text}; give a number above 0.`);
}

/** Reads a finding. @throws {UsageError} if the file is none, or names no target */
export function findingOf(file: string): Finding {
  let finding: Partial<Finding> | null = null;
  try {
    finding = JSON.parse(readFileSync(file, "utf8")) as Partial<Finding> | null;
  } catch {
    // Said below: the file is not there, cannot be read, or holds something else.
  }
  const { target, seed, input } = finding ?? {};
  const isTarget = typeof target === "string" && GROUPS.some(({ name }) => target.startsWith(name));
  if (!isTarget || typeof seed !== "number" || typeof input !== "object") {
    throw new UsageError(`${file} is no finding; name a file that npm run fuzz has written.`);
  }
  return finding as Finding;
}
