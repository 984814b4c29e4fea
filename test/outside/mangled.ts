// SPDX-License-Identifier: Apache-2.0
// Orders while a proxy mangles everything between the hosts of a running economy, WebSockets and
// the card network alike; then the network heals, and without anybody's doing the audit must hold.
import { pathToFileURL } from "node:url";
import { projectFile } from "../../host/projectFile.ts";
import { Random } from "../../host/torture/random.ts";
import type { ManglingProxy } from "./manglingProxy.ts";
import { ORDERS, type Town } from "./town.ts";

export interface MangledCounts {
  orders: number;
  /** Orders that were carried out all the same. */
  carriedOut: number;
  problems: string[];
}

/**
 * Gives orders, each under mangling of another density, and audits when the network is well again.
 */
export async function mangledRounds(
  town: Town,
  proxy: ManglingProxy,
  seed: number,
  isOver: (rounds: number) => boolean,
  tell: (line: string) => void = () => undefined,
): Promise<MangledCounts> {
  const random = new Random(seed);
  const counts: MangledCounts = { orders: 0, carriedOut: 0, problems: [] };
  for (let round = 0; !isOver(round); round += 1) {
    const order = ORDERS[round < ORDERS.length ? round : random.below(ORDERS.length)]!;
    proxy.oneIn = 4 + random.below(40);
    const { oneIn } = proxy;
    counts.orders += 1;
    const outcome = await town.ask(order.command, order.options).then(
      () => "carried out",
      (error: unknown) => String(error),
    );
    if (outcome === "carried out") counts.carriedOut += 1;
    proxy.oneIn = 0;
    const what = `round ${round}: ${order.command}, one piece in ${oneIn}`;
    const report = await town.settledAudit();
    counts.problems.push(...report.problems.map((problem) => `${what}: ${problem}`));
    tell(`${what}: ${outcome}${report.ok ? "" : `: ${report.problems.join("; ")}`}`);
  }
  return counts;
}

/** Options for node that lead all connections of a process through a proxy. */
export function throughProxy(port: number): string[] {
  process.env.FLORIN_PROXY_PORT = String(port);
  return ["--import", pathToFileURL(projectFile("test/outside/throughProxy.mjs")).href];
}
