// SPDX-License-Identifier: Apache-2.0
// Runs inputs of one target after the other, from a seed: keeps those that did something new, and
// collects findings, each with all that repeats it.
import { Random } from "../../host/torture/random.ts";
import type { Input, Target } from "./target.ts";

/** Inputs kept of one target; an old one gives way. */
const KEPT_LIMIT = 2_000;
/** Findings of one target that are told; they are often the same one. */
const FINDINGS_LIMIT = 20;

/** An input on which something did not hold, as a file has it. */
export interface Finding {
  target: string;
  /** From which the target itself was made. */
  seed: number;
  /** Running number of the input. */
  number: number;
  reason: string;
  input: Input;
}

export class Engine {
  readonly target: Target;
  readonly findings: Finding[] = [];
  runs = 0;
  /** Different behaviours seen. */
  behaviours = 0;
  private readonly seed: number;
  private readonly random: Random;
  private readonly seen = new Set<string>();
  private readonly kept: Input[] = [];
  private readonly reasons = new Set<string>();

  constructor(target: Target, seed: number) {
    this.target = target;
    this.seed = seed;
    this.random = new Random(
      seed * 6151 + [...target.name].reduce((sum, one) => sum * 31 + one.charCodeAt(0), 7),
    );
  }

  /** Makes and runs one input; `before` is told of it, so that one that never ends is known. */
  step(before: (finding: Finding) => void = () => {}): void {
    const { target, seed } = this;
    const input = target.next(this.random, this.kept);
    const finding = {
      target: target.name,
      seed,
      number: this.runs,
      reason: "It does not end.",
      input,
    };
    before(finding);
    this.runs += 1;
    try {
      const did = target.run(input);
      if (this.seen.has(did)) return;
      this.seen.add(did);
      this.behaviours += 1;
      if (this.kept.length < KEPT_LIMIT) this.kept.push(input);
      else this.kept[this.random.below(KEPT_LIMIT)] = input;
    } catch (error) {
      const reason = (error as Error).message;
      // One finding for each sentence: numbers in it aside, it is one defect.
      const kind = reason.replace(/\d+/g, "#");
      if (this.reasons.has(kind) || this.findings.length >= FINDINGS_LIMIT) return;
      this.reasons.add(kind);
      this.findings.push({ ...finding, reason });
    }
  }
}
