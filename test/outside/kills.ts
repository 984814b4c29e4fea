// SPDX-License-Identifier: Apache-2.0
// The host is killed (SIGKILL) at random moments: while the economy is built, while it starts, and
// in the middle of orders. After each kill it is started again, and the audit must hold.
import { Random } from "../../host/torture/random.ts";
import { type Town, ORDERS, pause } from "./town.ts";

/** An order of this town is over within so long where nothing disturbs it. */
const ORDER_MS = 260;
/** Building and starting take longer than this. */
const START_MS = 2_500;

export interface KillCounts {
  kills: number;
  /** Orders that were not answered because of it. */
  ordersCut: number;
  /** Kills while the economy was built or started. */
  startsCut: number;
  problems: string[];
}

/**
 * Kills and restarts a new town.
 * @param isOver asked after each round with the number of rounds and what came of them
 */
export async function killRounds(
  town: Town,
  seed: number,
  isOver: (rounds: number, counts: KillCounts) => boolean,
  tell: (line: string) => void = () => undefined,
): Promise<KillCounts> {
  const random = new Random(seed);
  const counts: KillCounts = { kills: 0, ordersCut: 0, startsCut: 0, problems: [] };
  const cutStart = async (): Promise<void> => {
    town.spawn();
    await pause(random.below(START_MS));
    await town.stop("SIGKILL");
    counts.kills += 1;
    counts.startsCut += 1;
  };
  await cutStart();
  await town.start();
  for (let round = 0; !isOver(round, counts); round += 1) {
    const order = ORDERS[round < ORDERS.length ? round : random.below(ORDERS.length)]!;
    const afterMs = random.below(ORDER_MS);
    let isAnswered = false;
    const hear = () => {
      isAnswered = true;
    };
    const asked = town.ask(order.command, order.options).then(hear, hear);
    await pause(afterMs);
    if (!isAnswered) counts.ordersCut += 1;
    await town.stop("SIGKILL");
    counts.kills += 1;
    await asked;
    if (random.below(4) === 0) await cutStart();
    await town.start();
    const report = await town.settledAudit();
    const what = `round ${round}: ${order.command} killed after ${afterMs} ms`;
    counts.problems.push(...report.problems.map((problem) => `${what}: ${problem}`));
    tell(`${what}${report.ok ? "" : `: ${report.problems.join("; ")}`}`);
  }
  return counts;
}
