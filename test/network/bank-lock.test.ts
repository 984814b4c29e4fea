// SPDX-License-Identifier: Apache-2.0
// One process owns a data directory: a running one keeps it, a dead one loses it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { lockDirectory } from "../../host/network/store/lockFile.ts";

/** Counts what the lock does with its files; there a process may be killed, or another come in. */
const disk = vi.hoisted(() => ({
  killed: new Error("killed"),
  stepsLeft: Number.POSITIVE_INFINITY,
  interrupt: null as [number, () => void] | null,
}));

vi.mock("node:fs", async (load) => {
  const real = await load<typeof import("node:fs")>();
  const counted =
    <Given extends unknown[], Result>(call: (...given: Given) => Result) =>
    (...given: Given): Result => {
      if (disk.interrupt !== null && disk.interrupt[0]-- === 0) disk.interrupt[1]();
      if (disk.stepsLeft-- <= 0) throw disk.killed;
      return call(...given);
    };
  return {
    ...real,
    linkSync: counted(real.linkSync),
    readdirSync: counted(real.readdirSync),
    readFileSync: counted(real.readFileSync),
    renameSync: counted(real.renameSync),
    rmSync: counted(real.rmSync),
    writeFileSync: counted(real.writeFileSync),
  };
});

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "florin-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const lockPath = () => join(directory, "florin.lock");
const ownerOf = () => JSON.parse(readFileSync(lockPath(), "utf8")) as { pid: number };

/** Where whoever takes over from the owner of this content writes itself down. */
const heirOf = (content: string) =>
  `${lockPath()}.after-${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;

/** Boot of the machine and start of a process, where the system tells (proc(5), field 22). */
function startOf(pid: number): string {
  if (!existsSync("/proc/self/stat")) return "";
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot}/${readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[21]}`;
}

describe("the lock of a data directory", () => {
  it("is had once, and again after its release", () => {
    const lock = lockDirectory(directory);
    expect(ownerOf().pid).toBe(process.pid);
    expect(() => lockDirectory(directory)).toThrow(
      `Process ${process.pid} uses the data directory ${directory}; stop it first`,
    );
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
    lockDirectory(directory).release();
  });

  it("is kept by another process that runs, and taken over when that was killed", async () => {
    const script = "console.log('up'); setInterval(() => undefined, 1000)";
    const other = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      await new Promise((done) => other.stdout.once("data", done));
      writeFileSync(lockPath(), JSON.stringify({ pid: other.pid, started: startOf(other.pid!) }));
      expect(() => lockDirectory(directory)).toThrow(`Process ${other.pid} uses`);
      const ended = new Promise((done) => other.once("exit", done));
      other.kill("SIGKILL");
      await ended;
      const lock = lockDirectory(directory);
      expect(ownerOf().pid).toBe(process.pid);
      lock.release();
    } finally {
      other.kill("SIGKILL");
    }
  }, 30_000);

  it("is taken over when its number belongs to a process that started later", () => {
    writeFileSync(lockPath(), JSON.stringify({ pid: process.pid, started: "earlier" }));
    lockDirectory(directory).release();
  });

  it("is taken over when nothing can be read in it", () => {
    writeFileSync(lockPath(), "");
    lockDirectory(directory).release();
  });

  it("is kept by whoever is just taking it over", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    const gone = JSON.stringify({ pid, started: "" });
    writeFileSync(lockPath(), gone);
    const heir = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
    writeFileSync(heirOf(gone), heir);
    expect(() => lockDirectory(directory)).toThrow(`Process ${process.pid} uses`);
    expect(readFileSync(lockPath(), "utf8")).toBe(gone);
  });
});

describe("a take-over that is killed at any of its steps", () => {
  /** What a killed process leaves: from its last step on, nothing that it calls is done. */
  function killedAfter(steps: number, pid: number): boolean {
    const own = process.pid;
    Object.defineProperty(process, "pid", { value: pid });
    disk.stepsLeft = steps;
    try {
      lockDirectory(directory);
      return disk.stepsLeft < 0;
    } catch (error) {
      if (error !== disk.killed) throw error;
      return true;
    } finally {
      disk.stepsLeft = Number.POSITIVE_INFINITY;
      Object.defineProperty(process, "pid", { value: own });
    }
  }

  /** Numbers of processes that are gone. */
  const gonePids = [0, 1, 2].map(() => spawnSync(process.execPath, ["--version"]).pid);
  const [owner, first, second] = gonePids as [number, number, number];

  it("leaves a lock that the next takes over, and nothing behind it", () => {
    let cuts = 0;
    for (let isKilled = true; isKilled; cuts += 1) {
      writeFileSync(lockPath(), JSON.stringify({ pid: owner, started: "" }));
      isKilled = killedAfter(cuts, first);
      const lock = lockDirectory(directory);
      expect(ownerOf().pid).toBe(process.pid);
      expect(() => lockDirectory(directory)).toThrow(`Process ${process.pid} uses`);
      lock.release();
      expect(readdirSync(directory)).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(8);
  });

  it("likewise where the one who took over from the killed is killed too", () => {
    for (let cut = 0; cut < 10; cut += 1) {
      for (let other = 0; other < 10; other += 1) {
        writeFileSync(lockPath(), JSON.stringify({ pid: owner, started: "" }));
        killedAfter(cut, first);
        killedAfter(other, second);
        const lock = lockDirectory(directory);
        expect(ownerOf().pid).toBe(process.pid);
        lock.release();
        expect(readdirSync(directory)).toEqual([]);
      }
    }
  });

  it.each([false, true])("goes to one of two, wherever the second comes (and goes: %s)", (goes) => {
    let moments = 0;
    for (let isMet = true; isMet; moments += 1) {
      writeFileSync(lockPath(), JSON.stringify({ pid: owner, started: "" }));
      const holders = new Set<string>();
      const attempt = (who: string): void => {
        try {
          const lock = lockDirectory(directory);
          holders.add(who);
          if (who === "first" || !goes) return;
          lock.release();
          holders.delete(who);
        } catch (error) {
          expect((error as Error).message).toContain("uses the data directory");
        }
      };
      isMet = false;
      disk.interrupt = [
        moments,
        () => {
          isMet = true;
          attempt("second");
        },
      ];
      attempt("first");
      disk.interrupt = null;
      expect(holders.size).toBe(1);
      expect(ownerOf().pid).toBe(process.pid);
      // A third finds it taken, and nobody's second file in its way.
      expect(() => lockDirectory(directory)).toThrow("uses the data directory");
      for (const name of readdirSync(directory)) rmSync(join(directory, name));
    }
    expect(moments).toBeGreaterThan(8);
  });
});
