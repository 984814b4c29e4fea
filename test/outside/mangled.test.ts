// SPDX-License-Identifier: Apache-2.0
// A proxy that mangles WebSocket and card network traffic costs nobody anything (docs/faults.md,
// "From outside").
import { afterAll, expect, it } from "vitest";
import { mangledRounds, throughProxy } from "./mangled.ts";
import { DEEDS, type ManglingProxy, openManglingProxy } from "./manglingProxy.ts";
import { ORDERS, Town } from "./town.ts";

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
  // Ada may have nothing by now: any of her orders may have failed.
  for (const { command, options } of ORDERS.slice(0, 2)) {
    expect(await town.carryOut(command, options)).toMatchObject({ outcome: "ok" });
  }
}, 1_800_000);
