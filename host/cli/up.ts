// SPDX-License-Identifier: Apache-2.0
// florin up: keeps an economy running with its state on disk, and serves the other commands.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readEconomy } from "../economy/economyFile.ts";
import { publishOffers } from "../economy/offers.ts";
import { releaseLapsedHolds } from "../economy/cards.ts";
import { settleSales } from "../economy/withheldSales.ts";
import { openWorld, type World } from "../economy/world.ts";
import { lastingWorld } from "../economy/worldSettings.ts";
import { lockDirectory } from "../network/store/lockFile.ts";
import { writeWholeFile } from "../wholeFile.ts";
import { serveControl } from "./control.ts";
import { EXAMPLE_ECONOMY } from "./demo.ts";
import { CommandFailure, ExitCode, progress, say, sayJson, warn } from "./output.ts";
import { answerRequest } from "./requests.ts";

export interface UpOptions {
  dir: string;
  economy?: string;
  database?: string;
  gatewayPort?: string;
  json?: boolean;
}

/** Offers are good for ten minutes; they are signed anew well before. */
const UPKEEP_MS = 4 * 60_000;

/** Runs until it is told to stop; gives the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const { dir } = options;
  const kept = join(dir, "economy.json");
  const isKnown = existsSync(kept);
  if (isKnown && options.economy !== undefined) {
    throw new CommandFailure(
      `${dir} holds an economy already; leave out --economy, or name another --dir`,
    );
  }
  const gatewayPort = portOf(options.gatewayPort);
  const file = isKnown ? kept : (options.economy ?? EXAMPLE_ECONOMY);
  const economy = readEconomy(file);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dir);
  try {
    if (!isKnown) writeWholeFile(kept, new Uint8Array(readFileSync(file)), 0o644);
    const watch = { progress, detail: progress, alarm: warn };
    const settings = { ...lastingWorld(dir, options.database, watch), gatewayPort };
    const world = await openWorld(economy, settings);
    try {
      return await serve(world, dir, options.json === true);
    } finally {
      await world.close();
    }
  } finally {
    lock.release();
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new CommandFailure(`--gateway-port takes a number from 1 to 65535, not "${text}"`);
}

async function serve(world: World, dir: string, isJson: boolean): Promise<number> {
  // One order after the other: a wallet's device does one thing at a time anyway.
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  const server = await serveControl(dir, (request) => inTurn(() => answerRequest(world, request)));
  const upkeep = setInterval(() => {
    inTurn(async () => {
      for (const merchant of world.merchants) await publishOffers(world.base, merchant);
    }).catch((error: unknown) => warn(`offers could not be signed anew: ${String(error)}`));
    inTurn(async () => {
      await releaseLapsedHolds(world.cards);
      await settleSales(world);
    }).catch((error: unknown) =>
      warn(`holds and sales that no merchant ends could not be looked at: ${String(error)}`),
    );
  }, UPKEEP_MS);
  const people = world.people.map(({ name }) => name);
  const merchants = world.merchants.map(({ name }) => name);
  const gateway = world.base.gatewayServer.url;
  const closed = world
    .devices()
    .flatMap(({ name, closures }) => (closures.length > 0 ? [name] : []));
  if (isJson) sayJson({ running: true, dir, gateway, people, merchants, closed });
  else {
    say(`The economy in ${dir} is running, its gateway at ${gateway}.`);
    say(`People: ${people.join(", ")}.`);
    if (closed.length > 0) say(`Without these devices, which do not open: ${closed.join(", ")}.`);
    say(`From another terminal: florin wallet balance --as "${people[0] ?? "NAME"}" --dir ${dir}`);
    say("Stop it with Ctrl-C; nothing is lost.");
  }
  await new Promise<void>((stop) => {
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
  progress("stopping");
  clearInterval(upkeep);
  server.close();
  await queue;
  return ExitCode.OK;
}
