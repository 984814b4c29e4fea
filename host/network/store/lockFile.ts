// SPDX-License-Identifier: Apache-2.0
// One process owns a data directory, by a lock file that names it. The lock of a process that is
// gone is taken over; whether it is gone is asked of the system, not of a clock.
//
// Each lock's content is unique, and who takes it over writes a file that is named after it: its
// heir. Only one process can make that file, and an heir that died has an heir likewise. The last
// of the line is the owner, and moves its file to the head of the line: so a process may be killed
// anywhere, and nothing is left that a person must remove.
import { createHash, randomUUID } from "node:crypto";
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK_NAME = "florin.lock";
/** Takes over so often at most: each time another process was quicker, and ended. */
const ATTEMPTS_LIMIT = 100;

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

/** Whether a process has this number now. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isRunning({ pid, started }: Owner): boolean {
  return isThere(pid) && startOf(pid) === started;
}

/** Who wrote this; nobody, where it cannot be read. */
function ownerIn(content: string): Owner | undefined {
  try {
    const owner = JSON.parse(content) as Partial<Owner>;
    return typeof owner.pid === "number" && typeof owner.started === "string"
      ? { pid: owner.pid, started: owner.started }
      : undefined;
  } catch {
    return undefined;
  }
}

/** A file's content; undefined where there is no such file. */
function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
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

/**
 * Takes the lock of an existing directory.
 * @throws {Error} when a running process has it
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, LOCK_NAME);
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) };
  const draft = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify({ ...owner, id: randomUUID() }));
  try {
    takeLock(path, draft, directory);
  } finally {
    rmSync(draft, { force: true });
  }
  removeRemains(directory);
  return { release: () => rmSync(path, { force: true }) };
}

function takeLock(path: string, draft: string, directory: string): void {
  for (let attempt = 0; attempt < ATTEMPTS_LIMIT; attempt += 1) {
    if (createWhole(path, draft) || takeOver(path, draft, directory)) return;
  }
  throw new Error(`Too many processes want the data directory ${directory}; try again.`);
}

/** Becomes the heir of the last in line; false where the line moved meanwhile. */
function takeOver(path: string, draft: string, directory: string): boolean {
  const head = contentOf(path);
  let last = head;
  let heir = path;
  for (let content = head; content !== undefined; content = contentOf(heir)) {
    last = content;
    heir = heirOf(path, content);
  }
  if (last === undefined) return false;
  const owner = ownerIn(last);
  if (owner !== undefined && isRunning(owner)) {
    throw new Error(
      `Process ${owner.pid} uses the data directory ${directory}; stop it first, or choose ` +
        "another directory.",
    );
  }
  if (!createWhole(heir, draft)) return false;
  // No content comes twice: with the old head still there, nobody was heir of this line before.
  if (contentOf(path) !== head) {
    rmSync(heir, { force: true });
    return false;
  }
  renameSync(heir, path);
  return true;
}

/** The file of whoever takes over the lock with this content. */
function heirOf(path: string, content: string): string {
  return `${path}.after-${createHash("sha256").update(content).digest("hex").slice(0, 32)}`;
}

/** The owner removes what killed processes left: heirs of lines that are over, and drafts. */
function removeRemains(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(`${LOCK_NAME}.`)) continue;
    const [, draftOf] = /^florin\.lock\.(\d+)\./.exec(name) ?? [];
    if (draftOf !== undefined && isThere(Number(draftOf))) continue;
    rmSync(join(directory, name), { force: true });
  }
}
