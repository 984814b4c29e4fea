// SPDX-License-Identifier: Apache-2.0
// Economy files: whatever is in one, it is taken or refused in the one way that readers are told
// of.
import { readFileSync } from "node:fs";
import { EconomyFileError, parseEconomy } from "../../host/economy/economyFile.ts";
import { projectFile } from "../../host/projectFile.ts";
import type { Random } from "../../host/torture/random.ts";
import { bytesTarget } from "./bytesTarget.ts";
import { bytesMutated } from "./mutation.ts";
import type { Target } from "./target.ts";

const VALUES = [
  "-1",
  "0",
  "1e400",
  "9007199254740992",
  "null",
  "[]",
  "{}",
  '""',
  '"\\u0000"',
  "true",
];

/** One word of a file becomes another of it, or a value that seldom fits. */
function textMutated(bytes: Uint8Array, _others: unknown, random: Random): Uint8Array {
  if (random.chance(0.3)) return bytesMutated(bytes, random);
  const words = new TextDecoder().decode(bytes).split(/("(?:[^"\\]|\\.)*"|-?\d+|[[\]{},:])/);
  for (let more = 1 + random.below(3); more > 0; more -= 1) {
    const at = random.below(words.length);
    const way = random.below(4);
    if (way === 0) words[at] = random.pick(VALUES);
    else if (way === 1) words[at] = random.pick(words);
    else if (way === 2) words.splice(at, 1);
    else words.splice(at, 0, ...words.slice(at, at + 1 + random.below(6)));
  }
  return new TextEncoder().encode(words.join(""));
}

export function economyTarget(): Target {
  const example = new Uint8Array(readFileSync(projectFile("examples/economy.json")));
  return bytesTarget({
    name: "host/economy",
    seeds: [example],
    mutate: textMutated,
    check(bytes) {
      try {
        parseEconomy(new TextDecoder().decode(bytes), "fuzzed.json");
        return "taken";
      } catch (error) {
        if (error instanceof EconomyFileError)
          return error.message.replace(/[^a-z ]+/gi, " ").slice(0, 60);
        throw error;
      }
    },
  });
}
