// SPDX-License-Identifier: Apache-2.0
// Economy files that somebody made to do harm, or by mistake: each is refused before anything is
// built, in one sentence with its line, in which nothing of the file reaches a terminal unseen.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EconomyFileError, parseEconomy } from "../../host/economy/economyFile.ts";

const example = readFileSync("examples/economy.json", "utf8");

/** The message that a file is refused with; fails when it is taken, or in any other way. */
function refusal(text: string, place = "the file"): string {
  try {
    parseEconomy(text, "town.json");
  } catch (error) {
    expect(error).toBeInstanceOf(EconomyFileError);
    return (error as Error).message;
  }
  throw new Error(`${place} was taken`);
}

/** The example with its first `from` replaced. */
function changed(from: string, to: string): string {
  expect(example).toContain(from);
  return example.replace(from, () => to);
}

/** Every value of the example of which `is` is true, changed to `value`, each in its own file. */
function eachChanged(is: (value: unknown) => boolean, value: unknown): [string, string][] {
  const files: [string, string][] = [];
  const economy = JSON.parse(example) as Record<string, unknown>;
  const visit = (node: Record<string, unknown>, path: string) => {
    for (const key of Object.keys(node)) {
      const before = node[key];
      if (is(before)) {
        node[key] = value;
        files.push([`${path}.${key}`, JSON.stringify(economy)]);
        node[key] = before;
      }
      if (typeof before === "object" && before !== null) {
        visit(before as Record<string, unknown>, `${path}.${key}`);
      }
    }
  };
  visit(economy, "");
  return files;
}

const isNumber = (value: unknown) => typeof value === "number";
const isText = (value: unknown) => typeof value === "string";
const isList = (value: unknown) => Array.isArray(value);
/** Places that may hold any text. */
const FREE = /\.(comment|\$schema)$/;

describe("every number of an economy", () => {
  test.each<[string, unknown]>([
    ["below zero", -1],
    ["with a fraction", 2.5],
    ["beyond what is exact", 2 ** 53],
    ["as text", "25000"],
    ["as null", null],
    ["as a list", [25000]],
    ["as true", true],
  ])("%s is refused", (_how, value) => {
    const files = eachChanged(isNumber, value);
    expect(files.length).toBeGreaterThan(20);
    for (const [place, text] of files) {
      expect(refusal(text, place), place).toMatch(/^economy file town.json, line 1: \S+ must be /);
    }
  });

  test("beyond all numbers is refused", () => {
    expect(refusal(changed('"amount": 25000', '"amount": 1e400'))).toContain("must be integer");
    expect(refusal(changed('"amount": 25000', '"amount": NaN'))).toContain("this is not JSON");
  });
});

describe("every text of an economy", () => {
  test.each<[string, unknown]>([
    ["as a number", 7],
    ["as null", null],
    ["as an object", {}],
    ["empty", ""],
    ["of a million characters", "x".repeat(1_000_000)],
    ["that clears a terminal", "\u001b[2J"],
    ["of many lines", "a\nb"],
    ["written backwards", "\u202eonurB"],
    ["of half a character", "\ud800"],
    ["of 40 characters in 80 bytes", "é".repeat(40)],
  ])("%s is refused", (_how, value) => {
    const files = eachChanged(isText, value).filter(([place]) => !FREE.test(place));
    expect(files.length).toBeGreaterThan(60);
    for (const [place, text] of files) {
      const message = refusal(text, place);
      expect(message, place).toMatch(/^economy file town.json, line 1: [^\p{C}]+$/u);
      expect(message.length, place).toBeLessThan(400);
    }
  });
});

describe("every list of an economy", () => {
  test.each<[string, unknown]>([
    ["as an object", {}],
    ["as text", "USD"],
    ["of lists", [[]]],
    ["of nulls", [null]],
  ])("%s is refused", (_how, value) => {
    for (const [place, text] of eachChanged(isList, value)) {
      expect(refusal(text, place), place).toContain("line 1: ");
    }
  });
});

describe("what means two things", () => {
  test.each<[string, string, string, string]>([
    ["a key twice", '"people":', '"people": [], "people":', '"people" is here twice'],
    ["a name twice", '"name": "Bruno"', '"name": "ALICE"', '"ALICE" is taken in people already'],
    ["a name of wide letters", '"name": "Bruno"', '"name": "Ａlice"', "is taken in people already"],
    ["a name with a space", '"name": "Bruno"', '"name": "Bruno "', "begins or ends with a space"],
    ["a key of JavaScript's own", '"people":', '"__proto__": {}, "people":', "is no key"],
    ["a unit twice", '"units": ["USD"', '"units": ["USD", "USD"', "must NOT have duplicate items"],
  ])("%s is refused", (_what, from, to, problem) => {
    expect(refusal(changed(from, to))).toContain(problem);
  });

  test("a whole economy under __proto__ is none", () => {
    expect(refusal(`{"__proto__": ${example}}`)).toContain("__proto__ is no key");
  });
});

describe("what is no JSON", () => {
  test.each([
    ["a list that is never closed", "[".repeat(500_000)],
    ["objects without end", '{"a":'.repeat(500_000)],
    ["nothing", ""],
    ["half an economy", example.slice(0, example.length >> 1)],
    ["more than an economy", `${example}{}`],
    ["a comment", `// an economy\n${example}`],
    ["a number", "5"],
    ["bytes of a program", "\u007fELF\u0002\u0001\u0000"],
  ])("%s is refused with its line", (_what, text) => {
    expect(refusal(text)).toMatch(/^economy file town.json, line \d+: [^\p{C}]+$/u);
  });

  test("brackets within text are text", () => {
    const text = changed("{", `{"comment": "${'[{\\"'.repeat(50)}",`);
    expect(() => parseEconomy(text, "town.json")).not.toThrow();
  });
});
