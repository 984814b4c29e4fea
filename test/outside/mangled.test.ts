// SPDX-License-Identifier: Apache-2.0
// A proxy that mangles WebSocket and card network traffic costs nobody anything (docs/faults.md,
// "From outside").
import { afterAll, expect, it } from "vitest";
import { mangledRounds, throughProxy } from "./mangled.ts";
import { DEEDS, type ManglingProxy, openManglingProxy } from "./manglingProxy.ts";
import { Town } from "./town.ts";

let proxy: ManglingProxy | undefined;
let town: Town | undefined;
afterAll(async () => {
  await town?.remove();
  await proxy?.close();
});

it("a mangling proxy between all hosts: when it stops, everything is settled by itself", async () => {
  proxy = await openManglingProxy(3);
  town = new Town(throughProxy(proxy.port));
  await town.start();
  const everyDeedDone = () => DEEDS.every((deed) => proxy!.counts[deed] > 0);
  const counts = await mangledRounds(town, proxy, 3, (rounds) => rounds >= 4 && everyDeedDone());
  expect(counts.problems).toEqual([]);
  expect(await town.ask("pay", { as: "Ada", to: "Bo", amount: 5, unit: "USD" })).toMatchObject({
    outcome: "ok",
  });
}, 400_000);
