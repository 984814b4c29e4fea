// SPDX-License-Identifier: Apache-2.0
// What worlds of killable hosts have in common: the life that one of them lives through in virtual
// time, the burial of what was killed in it, and a database in memory that all lives share.
import { afterAll, beforeAll, vi } from "vitest";
import { type Database, openDatabase } from "../../../host/network/store/database.ts";
import { migrate } from "../../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../../host/network/store/schema.ts";
import { type HostProcess, type Knife, rest } from "./process.ts";

/** Until everything that was begun has ended, however late it started again. */
const LIFE_MS = 1_200_000;
/** Longer than any pause between repetitions. */
const QUIET_MS = 120_000;

/** How somebody is killed. */
export interface Death {
  /** The line at which a host is killed. */
  readonly cutAt?: number;
  /** A transaction of the database is one line. */
  readonly isCoarse?: boolean;
  /** All hosts are one process, as in `florin up`, and die together. */
  readonly isOneProcess?: boolean;
  /** How long what was killed stays away. */
  readonly awayMs?: number;
}

export interface Host {
  readonly process: HostProcess;
  /** Takes timers and lines from a host that is dead already. */
  end(): void;
}

/**
 * Lets a world live, one timer after the other.
 * @param step done whenever all wait: buries, and lets the next thing happen
 * @returns true where nobody repeated anything any more in the end
 */
export async function liveThrough(knife: Knife, step: () => void): Promise<boolean> {
  let isOver = false;
  let reached = 0;
  setTimeout(() => {
    reached = knife.reached;
  }, LIFE_MS - QUIET_MS);
  setTimeout(() => {
    isOver = true;
  }, LIFE_MS);
  while (!isOver) {
    await rest(knife);
    step();
  }
  await rest(knife);
  return knife.reached === reached;
}

/** Ends what was killed, and starts it again when its time has come. */
export function bury<Name>(
  knife: Knife,
  hosts: Map<Name, Host>,
  death: Death,
  start: (name: Name) => Promise<void>,
  buried: (name: Name, process: HostProcess) => void = () => undefined,
): void {
  const { killed } = knife;
  if (killed === undefined) return;
  knife.killed = undefined;
  const dead = [...hosts].filter(
    ([, { process }]) => process === killed || death.isOneProcess === true,
  );
  for (const [name, { process, end }] of dead) {
    process.isAlive = false;
    hosts.delete(name);
    end();
    buried(name, process);
  }
  setTimeout(async () => {
    for (const [name] of dead) await start(name);
  }, death.awayMs ?? 0);
}

/**
 * A database in memory for the tests of a file, which run many lives each.
 * @param toFake the clocks that stand still until a life moves them
 */
export function useBooks(toFake: ("setTimeout" | "clearTimeout" | "Date")[]): () => Database {
  // A slow machine needs its time.
  vi.setConfig({ testTimeout: 600_000 });
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase("memory:");
    await migrate(database, MIGRATIONS);
    if (toFake.length > 0) vi.useFakeTimers({ toFake });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await database.close();
  });
  return () => database;
}
