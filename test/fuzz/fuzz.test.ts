// SPDX-License-Identifier: Apache-2.0
// The fuzzer's part of every test run: the corpus once more, some inputs from a seed for each
// target, past findings, and that the fuzzer sees what it should. `npm run fuzz` goes on from
// there.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Random } from "../../host/torture/random.ts";
import { allItems, readTree, writeTree } from "./cborTree.ts";
import { Engine, type Finding } from "./engine.ts";
import { bytesMutated, mutated } from "./mutation.ts";
import { ReceiveTarget } from "./receiveTarget.ts";
import type { Input, Target } from "./target.ts";
import { GROUPS } from "./targets.ts";

const CORPUS = new URL("corpus/", import.meta.url);
const SEED = 1;
/** Inputs of one target in each test run; `link/c` starts a program for each. */
const SAMPLE = 60;
const SAMPLE_OF_PROGRAMS = 5;

interface CorpusFile {
  target: string;
  seed: number;
  inputs: { behaviour: string; input: Input }[];
}

const corpus = readdirSync(CORPUS)
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readFileSync(new URL(name, CORPUS), "utf8")) as CorpusFile);

/** What does not hold on these inputs, and on some more from the seed. */
function complaintsOf(target: Target): string[] {
  const complaints: string[] = [];
  const file = corpus.find((one) => one.target === target.name);
  for (const { behaviour, input } of file?.inputs ?? []) {
    try {
      target.run(input);
    } catch (error) {
      complaints.push(`${behaviour}: ${(error as Error).message}`);
    }
  }
  const engine = new Engine(target, SEED);
  const sample = target.name === "link/c" ? SAMPLE_OF_PROGRAMS : SAMPLE;
  while (engine.runs < sample) engine.step();
  return [...complaints, ...engine.findings.map(({ reason }) => reason)];
}

describe("nothing is found by corpus and sample in", () => {
  test.each(GROUPS)("$name", (group) => {
    const targets = group.make(SEED);
    const names = targets.map(({ name }) => name);
    const known = corpus.map(({ target }) => target).filter((name) => name.startsWith(group.name));
    if (!names.includes("link/c")) names.push("link/c");
    expect(known.filter((name) => !names.includes(name))).toEqual([]);
    for (const target of targets)
      expect([target.name, complaintsOf(target)]).toEqual([target.name, []]);
  });
});

describe("found before, and mended:", () => {
  test("an agent told its host an amount that is none, after its opened module", () => {
    const target = new ReceiveTarget("payment", SEED);
    const places = target.placesOf(/^payment 1\/7$|^local 1\/6$/);
    expect(places.length).toBeGreaterThan(0);
    for (const { event, part, plain } of places) {
      const tree = readTree(plain)!;
      tree.items[3]!.value = 2n ** 53n;
      const content = Buffer.from(writeTree(tree)).toString("hex");
      const input = { event, part, type: null, wire: "own", content, isExtra: false };
      expect(() => target.run({ ...input, isWhole: true })).not.toThrow();
    }
  });
});

describe("the fuzzer", () => {
  test("repeats itself from its seed", () => {
    const found = [1, 2].map(() => {
      const target = GROUPS.find(({ name }) => name === "image/")!.make(SEED)[0]!;
      const inputs: string[] = [];
      const engine = new Engine(target, 5);
      while (engine.runs < 40) engine.step(({ input }) => inputs.push(JSON.stringify(input)));
      return inputs;
    });
    expect(found[0]).toEqual(found[1]);
    expect(new Set(found[0]).size).toBeGreaterThan(30);
  });

  test("keeps what it found, once for each reason", () => {
    let runs = 0;
    const target: Target = {
      name: "broken",
      next: (random) => ({ number: random.below(10) }),
      run() {
        if (++runs % 2 === 0) throw new Error(`It fell at step ${runs}.`);
        return String(runs);
      },
    };
    const engine = new Engine(target, 3);
    const begun: Finding[] = [];
    while (engine.runs < 20) engine.step((finding) => begun.push(finding));
    expect(engine.findings).toEqual([{ ...begun[1], reason: "It fell at step 2." }]);
    expect(engine.behaviours).toBe(10);
  });

  test("reads and writes CBOR unchanged, and changes it in every kind", () => {
    const bytes = Uint8Array.from(
      Buffer.from(
        "84a1010243a10127616102f65824830102430405068201021a00010000000000000000000000000000000000000000000000",
        "hex",
      ),
    );
    const random = new Random(1);
    const results = new Set<string>();
    for (const one of [bytes, writeTree(readTree(Uint8Array.of(0x82, 1, 0x43, 0x81, 1, 2))!)]) {
      const tree = readTree(one);
      if (tree !== null) expect(writeTree(tree)).toEqual(one);
      for (let more = 0; more < 300; more += 1) {
        results.add(Buffer.from(mutated(one, [one], random)).toString("hex"));
        results.add(Buffer.from(bytesMutated(one, random)).toString("hex"));
      }
    }
    expect(results.size).toBeGreaterThan(300);
    const nested = readTree(Uint8Array.of(0x81, 0x44, 0x83, 1, 2, 3))!;
    expect(allItems(nested)).toHaveLength(6);
  });

  test("seals a message as it was, and finds every sealed part of a payment", () => {
    const target = new ReceiveTarget("payment", SEED);
    const places = target.placesOf(/./);
    const names = new Set(places.map(({ name }) => name));
    expect([...names]).toEqual(
      expect.arrayContaining([
        "answer",
        "finish",
        "record 1/18",
        "record 2/25",
        "record 2/26",
        "record 2/27",
      ]),
    );
    for (const { isSame } of places) expect(isSame).toBe(true);
  });
});
