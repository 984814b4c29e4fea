// SPDX-License-Identifier: Apache-2.0
// One process owns a data directory, by a lock file that names it. The lock of a process that is
// gone is taken over; whether it is gone is asked of the system, not of a clock.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_NAME = "florin.lock";

export interface DirectoryLock {
  release(): void;
}

/** Number and start of a process: numbers are used again, also after the machine was restarted. */
interface Owner {
  readonly pid: number;
  readonly started: string;
}

/** When a process started, where the system tells (Linux); otherwise an empty text. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22 is the start; field 2, the name in parentheses, may itself hold spaces.
    return `${boot}/${status.slice(status.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return "";
  }
}

function isRunning({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return startOf(pid) === started;
}

function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, "utf8")) as Partial<Owner>;
    return typeof owner.pid === "number" && typeof owner.started === "string"
      ? { pid: owner.pid, started: owner.started }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Makes `path` with this content, whole or not at all; false when there is one already. */
function createWhole(path: string, draft: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

let drafts = 0;

/**
 * Takes the lock of an existing directory.
 * @throws {Error} when a running process has it
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, LOCK_NAME);
  drafts += 1;
  const draft = `${path}.${process.pid}.${drafts}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, started: startOf(process.pid) }));
  try {
    if (!createWhole(path, draft)) takeOver(path, draft, directory);
  } finally {
    rmSync(draft, { force: true });
  }
  return { release: () => rmSync(path, { force: true }) };
}

/** Replaces a stale lock. Of several processes that try, the one with the second lock may. */
function takeOver(path: string, draft: string, directory: string): void {
  const second = `${path}.takeover`;
  if (!createWhole(second, draft)) {
    throw new Error(
      `Another process is taking over the data directory ${directory}; try again, and if this ` +
        `stays so, remove ${second}.`,
    );
  }
  try {
    const owner = readOwner(path);
    if (owner !== undefined && isRunning(owner)) {
      throw new Error(
        `Process ${owner.pid} uses the data directory ${directory}; stop it first, or choose ` +
          "another directory.",
      );
    }
    renameSync(draft, path);
  } finally {
    rmSync(second, { force: true });
  }
}
