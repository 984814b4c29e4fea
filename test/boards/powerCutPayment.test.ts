// SPDX-License-Identifier: Apache-2.0
// Boards killed in the middle of payments: the money is always where both sides say it is.
import { afterAll, beforeAll, test } from "vitest";
import {
  Bench,
  carryOutOnceMore,
  KILL_TIMEOUT_MS,
  KILLS,
  killAtRandom,
  killEverywhere,
} from "./kills.ts";
import { FUNDS_MINOR, PaymentWorld } from "./world.ts";

let bench: Bench<PaymentWorld>;
beforeAll(async () => {
  const world = await PaymentWorld.make({ isEmulated: true });
  bench = new Bench(world, [FUNDS_MINOR, 0]);
  await bench.measure();
});
afterAll(() => bench.world.close());

test("either board killed at messages all through it", { timeout: 10 * KILL_TIMEOUT_MS }, () =>
  killEverywhere(bench),
);

test(`${KILLS} kills at random moments`, { timeout: 3 * KILLS * KILL_TIMEOUT_MS }, () =>
  killAtRandom(bench),
);

test("the devices still work", () => carryOutOnceMore(bench));
