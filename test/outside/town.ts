// SPDX-License-Identifier: Apache-2.0
// An economy under `florin up`, in a process of its own and a directory of its own, for faults that
// come from outside: it is started, asked, killed and started again like by anybody else.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askRunning, type ControlRequest } from "../../host/cli/control.ts";
import type { AuditReport } from "../../host/economy/report.ts";
import { projectFile } from "../../host/projectFile.ts";

const ECONOMY = projectFile("test/outside/economy.json");
const FLORIN = projectFile("bin/florin.js");

/** How long open payments may take to settle by themselves before an audit counts. */
const SETTLE_PATIENCE_MS = 180_000;
const SETTLE_PAUSE_MS = 500;

export class Town {
  /** State of the economy; removed by `remove`. */
  readonly directory: string;
  private readonly nodeOptions: readonly string[];
  private child: ChildProcess | undefined;
  private closed: Promise<void> = Promise.resolve();
  /** What the process said on stderr since it was last started. */
  private words = "";

  /** @param nodeOptions for the process, such as --import of something that changes its network */
  constructor(nodeOptions: readonly string[] = []) {
    this.directory = join(mkdtempSync(join(tmpdir(), "florin-outside-")), "town");
    this.nodeOptions = nodeOptions;
  }

  get saidSoFar(): string {
    return this.words;
  }

  /** The folder with flash and counters of a device. */
  boardFolder(name: string): string {
    return join(this.directory, "boards", encodeURIComponent(name));
  }

  /** Begins to start the economy, or to build it; `whenRunning` waits for it. */
  spawn(): void {
    const isKnown = existsSync(join(this.directory, "economy.json"));
    const economy = isKnown ? [] : ["--economy", ECONOMY];
    const command = [FLORIN, "up", "--dir", this.directory, "--json", ...economy];
    const child = spawn(process.execPath, [...this.nodeOptions, ...command]);
    this.child = child;
    this.words = "";
    child.stderr.on("data", (chunk) => {
      this.words += chunk;
    });
    this.closed = new Promise((resolve) => child.once("close", () => resolve()));
  }

  /** Resolves when the economy serves orders; rejects when it ends before. */
  whenRunning(): Promise<void> {
    const child = this.child;
    if (child === undefined) return Promise.reject(new Error("the economy was not started"));
    return new Promise((resolve, reject) => {
      let output = "";
      child.stdout?.on("data", (chunk) => {
        output += chunk;
        if (output.includes('"running": true')) resolve();
      });
      child.once("close", () => reject(new Error(`the economy ended: ${this.words}`)));
    });
  }

  async start(): Promise<void> {
    this.spawn();
    await this.whenRunning();
  }

  /** Ends the process by a signal; SIGKILL gives it no moment for anything. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.child?.kill(signal);
    await this.closed;
    this.child = undefined;
  }

  /** @throws {CommandFailure} with what the economy answered */
  ask(command: string, options: ControlRequest["options"] = {}): Promise<unknown> {
    return askRunning(this.directory, { command, options });
  }

  /**
   * Gives an order again until it is carried out, or patience ends: a host may learn only by it that
   * its line is dead.
   */
  async carryOut(command: string, options: ControlRequest["options"]): Promise<unknown> {
    const endMs = performance.now() + SETTLE_PATIENCE_MS;
    for (;;) {
      try {
        return await this.ask(command, options);
      } catch (error) {
        if (performance.now() > endMs) throw error;
        await pause(SETTLE_PAUSE_MS);
      }
    }
  }

  /**
   * Audits until all is settled, or patience ends: nobody does anything for it meanwhile.
   * @returns the last audit
   */
  async settledAudit(isSettled = (report: AuditReport) => report.ok): Promise<AuditReport> {
    const endMs = performance.now() + SETTLE_PATIENCE_MS;
    for (;;) {
      const report = (await this.ask("audit")) as AuditReport;
      if (isSettled(report) || performance.now() > endMs) return report;
      await pause(SETTLE_PAUSE_MS);
    }
  }

  /** Money of a person or of a merchant's device that can be spent, minor units. */
  async spendable(name: string): Promise<number> {
    const { money } = (await this.ask("balance", { as: name })) as {
      money: { spendable: number }[];
    };
    return money[0]?.spendable ?? 0;
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(join(this.directory, ".."), { recursive: true, force: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Every kind of order that moves money, small enough to be repeated for long. */
export const ORDERS: readonly ControlRequest[] = [
  { command: "buy", options: { as: "Ada", amount: 700, unit: "USD" } },
  { command: "pay", options: { as: "Ada", to: "Bo", amount: 300, unit: "USD" } },
  { command: "withdraw", options: { as: "Bo", amount: 400, unit: "USD" } },
  { command: "pay", options: { as: "Bo", to: "Ada", amount: 250, unit: "USD", request: true } },
  { command: "sell", options: { as: "Ada", amount: 200, unit: "USD" } },
  { command: "deposit", options: { as: "Bo", amount: 400, unit: "USD" } },
  { command: "refresh", options: { as: "Ada" } },
];
