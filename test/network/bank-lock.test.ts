// SPDX-License-Identifier: Apache-2.0
// One process owns a data directory: a running one keeps it, a dead one loses it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockDirectory } from "../../host/network/store/lockFile.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "florin-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const lockPath = () => join(directory, "florin.lock");
const ownerOf = () => JSON.parse(readFileSync(lockPath(), "utf8")) as { pid: number };

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

  it("tells when another take-over is under way", () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    writeFileSync(lockPath(), JSON.stringify({ pid, started: "" }));
    writeFileSync(`${lockPath()}.takeover`, "");
    expect(() => lockDirectory(directory)).toThrow("is taking over the data directory");
    expect(readdirSync(directory).sort()).toEqual(["florin.lock", "florin.lock.takeover"]);
  });
});
