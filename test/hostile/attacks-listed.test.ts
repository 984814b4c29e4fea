// SPDX-License-Identifier: Apache-2.0
// docs/protocol.md names in brackets the attack or accident that each rule closes: each of them is
// the beginning of a test's title somewhere in the tests.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * A title's words up to its first colon or comma: the attack, and behind it what happens. A title is
 * what stands first behind test(, it( or describe(, or behind the table of one of them.
 */
const TITLE = /(?:\b(?:test|it|describe)|\))\(\s*["'`]([A-Za-z][^\n]*?)[:,]/g;
/** So that no title covers an attack by a word or two that they share. */
const WORDS_MIN = 4;

/** Every text in brackets that is no link; several ways in one bracket are parted by semicolons. */
function attacks(page: string): string[] {
  const brackets = page.replaceAll(/\s+/g, " ").matchAll(/\[([^\]]+)\](?!\()/g);
  return [...brackets]
    .flatMap(([, text]) => text!.split("; "))
    .filter((text) => /[a-z] /.test(text));
}

/** What the titles of all tests begin with, as they stand in the sources. */
function titles(): string[] {
  const files = readdirSync("test", { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(`test/${file}`, "utf8").matchAll(TITLE)])
    .map(([, title]) => title!)
    .filter((title) => title.split(" ").length >= WORDS_MIN);
}

test("each attack that docs/protocol.md names is the name of a test", () => {
  const named = attacks(readFileSync("docs/protocol.md", "utf8"));
  expect(named.length).toBeGreaterThan(15);
  const all = titles();
  const missing = named.filter((attack) => !all.some((title) => attack.startsWith(title)));
  expect(missing).toEqual([]);
});
