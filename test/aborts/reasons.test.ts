// SPDX-License-Identifier: Apache-2.0
// Hosts are told why (238, 390): the numbers of docs/protocol.cddl section 9, those that firmware
// gives and the sentences of the host are one list, without a gap and without a leftover.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { reasonSentence } from "../../host/application/reasons.ts";

const root = new URL("../../", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Number → words of section 9, whose lines begin with `;` and hold up to three entries. */
function documented(): Map<number, string> {
  const section = text("docs/protocol.cddl").split("9. reasons")[1]?.split("; ---")[0] ?? "";
  const words = section.replaceAll(/^[^;]*$|^;/gm, " ").replaceAll(/\s+/g, " ");
  const entries = words.matchAll(/(\d+) ([a-z][^0-9]*)/g);
  return new Map([...entries].map(([, number, meaning]) => [Number(number), meaning!.trim()]));
}

/** Name → number, as firmware declares them. */
function declared(): Map<string, number> {
  const source = text("assembly/trust/reasons.ts");
  const entries = source.matchAll(/export const ([A-Z_]+): i32 = (\d+);/g);
  return new Map([...entries].map(([, name, number]) => [name!, Number(number)]));
}

/** All firmware but the declarations and the images that only tests run. */
function firmware(): string {
  const files = readdirSync(new URL("assembly", root), { recursive: true, encoding: "utf8" });
  const others = files.filter((file) => file.endsWith(".ts") && file !== "trust/reasons.ts");
  return others.map((file) => text(`assembly/${file}`)).join("\n");
}

describe("reasons", () => {
  const known = documented();
  const numbers = [...known.keys()].sort((a, b) => a - b);

  test("run from 0 without a gap, and firmware declares exactly those documented", () => {
    expect(numbers.length).toBeGreaterThan(50);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect([...declared().values()].sort((a, b) => a - b)).toEqual(numbers);
  });

  test("each is given somewhere in the firmware", () => {
    const source = firmware();
    const unused = [...declared().keys()].filter((name) => !source.includes(`Reason.${name}`));
    expect(unused).toEqual([]);
  });

  test("each has one sentence of its own, and none says that it is unknown", () => {
    const sentences = numbers.map((number) => reasonSentence(number));
    expect(new Set(sentences).size).toBe(numbers.length);
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^[a-z].*[^.]$/);
      expect(sentence).not.toMatch(/gave reason|\. /);
    }
  });

  test("the first that has none is told as such", () => {
    expect(reasonSentence(numbers.length)).toContain("does not know");
    expect(reasonSentence(-1)).toContain("does not know");
  });
});
