// SPDX-License-Identifier: Apache-2.0
// Whole economies: every host, link, socket and network of Fig. 5 is real, and so are their marks.
import { runAction } from "../../../host/economy/actions.ts";
import { audit } from "../../../host/economy/audit.ts";
import { parseEconomy } from "../../../host/economy/economyFile.ts";
import { openWorld } from "../../../host/economy/world.ts";
import { memoryWorld } from "../../../host/economy/worldSettings.ts";
import type { Kind, Recorder, Scenario } from "../recorder.ts";

const CARD = {
  kind: "debit",
  unit: "USD",
  balance: 100_000,
  limit: 0,
  expires: "2099-12",
  blocked: false,
};

/** One bank, one merchant with two devices, two persons of whom one has a good and a blocked card. */
const ECONOMY = {
  units: ["USD"],
  banks: [
    { name: "Bank", issues: ["USD"], accounts: [{ owner: "Shop", unit: "USD", balance: 70_000 }] },
  ],
  cardIssuers: [
    {
      name: "Cards",
      cards: [
        { ...CARD, number: "4000000000000001", holder: "Ada" },
        { ...CARD, number: "4000000000000002", holder: "Ada", blocked: true },
      ],
    },
  ],
  merchants: [
    {
      name: "Shop",
      bank: "Bank",
      devices: [{ USD: 20_000 }, { USD: 30_000 }],
      offers: [{ direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 100 }],
    },
  ],
  people: [{ name: "Ada" }, { name: "Bo" }],
  actions: [],
};

/** Images of a device, by the name that an economy gives it. */
function kindsOf(device: string): [agent: Kind, module: Kind] {
  const module = /generator/i.test(device)
    ? "generator-module"
    : /teller/i.test(device)
      ? "teller-module"
      : "transaction-module";
  if (/Shop/.test(device)) return ["merchant-agent", module];
  return [/^(Ada|Bo)$/.test(device) ? "customer-agent" : "authority-agent", module];
}

type Action = Parameters<typeof runAction>[1];

/** Runs actions in a fresh economy; each must end as said, and the books must be right. */
async function story(recorder: Recorder, actions: [unknown, "ok" | "refused"][]): Promise<void> {
  const world = await openWorld(
    parseEconomy(JSON.stringify(ECONOMY), "conformance"),
    memoryWorld("conformance", { isTraced: true, observerFor: recorder.observer(kindsOf) }),
  );
  try {
    for (const [action, ending] of actions) {
      const { outcome, reason } = (await runAction(world, action as Action)) as {
        outcome: string;
        reason?: string;
      };
      if (outcome !== ending) throw new Error(`${JSON.stringify(action)}: ${outcome}, ${reason}`);
    }
    const { ok, problems } = await audit(world);
    if (!ok) throw new Error(`The audit: ${problems.join("; ")}`);
  } finally {
    await world.close();
  }
}

export const economyScenarios: Scenario[] = [
  {
    name: "an economy: bought from the cheapest merchant, passed on, a blocked card",
    run: (recorder) =>
      story(recorder, [
        [{ do: "buy", who: "Ada", amount: 5_000, unit: "USD", card: "4000000000000001" }, "ok"],
        [{ do: "pay", from: "Ada", to: "Bo", amount: 2_000, unit: "USD" }, "ok"],
        [
          { do: "buy", who: "Ada", amount: 5_000, unit: "USD", card: "4000000000000002" },
          "refused",
        ],
      ]),
  },
];
