// SPDX-License-Identifier: Apache-2.0
// Whole economies: every host, link, socket and network of Fig. 5 is real, and so are their marks.
import { runAction } from "../../../host/economy/actions.ts";
import { audit } from "../../../host/economy/audit.ts";
import type { EconomyAction, TradeAction } from "../../../host/economy/economyActions.ts";
import { type Economy, parseEconomy } from "../../../host/economy/economyFile.ts";
import { openWorld, type World } from "../../../host/economy/world.ts";
import { memoryWorld } from "../../../host/economy/worldSettings.ts";
import { card } from "../../support/story.ts";
import type { Kind, Recorder, Scenario } from "../recorder.ts";

const ADA = "4000000000000001";
const BO = "4000000000000002";
const BLOCKED = "4000000000000003";

/** A bank, a merchant with these devices and this account, two persons with cards. */
function economy(devices: number[], balance: number): Economy {
  return {
    units: ["USD"],
    banks: [{ name: "Bank", issues: ["USD"], accounts: [{ owner: "Shop", unit: "USD", balance }] }],
    cardIssuers: [
      {
        name: "Cards",
        cards: [card(ADA, "Ada"), card(BO, "Bo"), card(BLOCKED, "Ada", { blocked: true })],
      },
    ],
    merchants: [
      {
        name: "Shop",
        bank: "Bank",
        devices: devices.map((USD) => ({ USD })),
        offers: [
          { direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 100 },
          { direction: "sell", unit: "USD", accountUnit: "USD", feeMinor: 100 },
        ],
      },
    ],
    people: [{ name: "Ada" }, { name: "Bo" }],
    actions: [],
  };
}

/** Images of a device, by the name that an economy gives it. */
function kindsOf(device: string): [agent: Kind, module: Kind] {
  if (/generator/i.test(device)) return ["authority-agent", "generator-module"];
  if (/teller/i.test(device)) return ["authority-agent", "teller-module"];
  if (/^Shop/.test(device)) return ["merchant-agent", "transaction-module"];
  const isPerson = /^(Ada|Bo)$/.test(device);
  return [isPerson ? "customer-agent" : "authority-agent", "transaction-module"];
}

/** Opens a traced economy, hands the world over, and audits it at the end. */
async function inTracedWorld(
  recorder: Recorder,
  file: Economy,
  work: (world: World) => Promise<void>,
): Promise<void> {
  // One merchant's host serves all its devices; persons' hosts are told apart by their cards.
  recorder.rename("merchant's host", "Shop host");
  const world = await openWorld(
    parseEconomy(JSON.stringify(file), "conformance"),
    memoryWorld("conformance", { isTraced: true, observerFor: recorder.observer(kindsOf) }),
  );
  try {
    await work(world);
    const { ok, problems } = await audit(world);
    if (!ok) throw new Error(`The audit: ${problems.join("; ")}`);
  } finally {
    await world.close();
  }
}

/** Runs actions one after the other; each must end as said. */
async function run(world: World, actions: [EconomyAction, "ok" | "refused"][]): Promise<void> {
  for (const [action, ending] of actions) {
    const result = await runAction(world, action);
    if (result.outcome !== ending) throw new Error(JSON.stringify([action, result]));
  }
}

const trade = (kind: "buy" | "sell", amount: number, number = ADA, who = "Ada"): TradeAction => ({
  do: kind,
  who,
  amount,
  unit: "USD",
  card: number,
});

export const economyScenarios: Scenario[] = [
  {
    name: "an economy: bought, passed on, sold; blocked cards",
    run: (recorder) =>
      inTracedWorld(recorder, economy([20_000], 0), (world) =>
        run(world, [
          [trade("buy", 5_000), "ok"],
          [{ do: "pay", from: "Ada", to: "Bo", amount: 2_000, unit: "USD" }, "ok"],
          [trade("sell", 1_000), "ok"],
          [trade("buy", 5_000, BLOCKED), "refused"],
          [trade("sell", 500, BLOCKED), "refused"],
        ]),
      ),
  },
  {
    name: "an economy: a merchant short of money is paid by its other device, and then by its bank",
    run: (recorder) =>
      inTracedWorld(recorder, economy([1_000, 3_000], 40_000), (world) =>
        run(world, [
          [trade("buy", 3_500), "ok"],
          [trade("buy", 20_000), "ok"],
        ]),
      ),
  },
  {
    name: "an economy: a merchant short of money whom nobody helps",
    run: (recorder) =>
      inTracedWorld(recorder, economy([100, 9_900], 0), async (world) => {
        const outcomes = await Promise.all([
          runAction(world, trade("buy", 6_000)),
          runAction(world, trade("buy", 6_000, BO, "Bo")),
        ]);
        const states = outcomes.map(({ outcome }) => outcome).sort();
        if (states.join() !== "ok,refused") throw new Error(`They ended ${states.join()}.`);
      }),
  },
];
