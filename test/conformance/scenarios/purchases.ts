// SPDX-License-Identifier: Apache-2.0
// Purchase and sale of electronic money (Figs. 7 and 10) between real agents and modules, and each
// way in which they are refused.
import { filled } from "../../../host/torture/agentWorld.ts";
import {
  acquire,
  approvalOf,
  cardComponents,
  merchantComponents,
  PurchaseWorld,
  signOffer,
  willingCustomer,
  willingMerchant,
} from "../../../host/torture/purchaseWorld.ts";
import { saleToLiar } from "../../support/rogueAgents.ts";
import { START_SECONDS } from "../../../host/torture/testAgency.ts";
import type { Scenario } from "../recorder.ts";

const BUY = 1;
const SELL = 2;
const ABORTED = 1;
const COMMITTED = 2;
const UNFUNDED = 0;

type Change = Parameters<typeof willingCustomer>[2];

/** A purchase or sale of 20.00 that must end as said on both sides. */
function trade(
  direction: 1 | 2,
  ending: number,
  {
    customer,
    merchant,
    funds = 5000,
    prepare,
  }: {
    customer?: Change;
    merchant?: Change;
    funds?: number;
    prepare?: (world: PurchaseWorld) => void;
  } = {},
): PurchaseWorld {
  const world = new PurchaseWorld();
  const payer = direction === BUY ? world.merchant : world.customer;
  if (funds > 0) world.fund(payer, funds);
  world.customer.host = willingCustomer(2000, "USD", customer ?? {});
  world.merchant.host = willingMerchant(merchant ?? {});
  prepare?.(world);
  world.order(direction);
  world.pass(90_000);
  const ended = [world.customer.last(29)?.[2], world.merchant.last(49)?.[2]];
  if (ended[0] !== ending || (ended[1] ?? ending) !== ending) {
    throw new Error(`The trade ended ${ended.join(" and ")}, not ${ending}.`);
  }
  return world;
}

const refusedCard: Change = {
  45: ([, tag, mandate]) => [[46, tag, approvalOf(mandate, false, "51"), "51"]],
};

export const purchaseScenarios: Scenario[] = [
  { name: "a purchase", run: () => void trade(BUY, COMMITTED) },
  { name: "a sale", run: () => void trade(SELL, COMMITTED) },
  {
    name: "a purchase whose card is refused",
    run: () => void trade(BUY, ABORTED, { merchant: refusedCard }),
  },
  {
    name: "a sale whose card is refused",
    run: () => void trade(SELL, ABORTED, { merchant: refusedCard }),
  },
  {
    name: "a sale whose receipt the owner refuses",
    run: () =>
      void trade(SELL, ABORTED, { customer: { 27: ([, command]) => [[28, command, false]] } }),
  },
  {
    name: "a merchant whose name the owner refuses",
    run: () =>
      void trade(SELL, ABORTED, { customer: { 21: ([, command]) => [[22, command, false]] } }),
  },
  {
    name: "a sale by a customer without enough money",
    run: () => void trade(SELL, ABORTED, { funds: UNFUNDED }),
  },
  {
    name: "a purchase from a merchant without money or help",
    run: () => void trade(BUY, ABORTED, { funds: UNFUNDED }),
  },
  {
    name: "a purchase whose merchant is topped up by another of its devices",
    run: () => {
      let tag: unknown;
      const merchant: Change = {
        43: (message) => {
          tag = message[1];
          return [];
        },
      };
      const world = new PurchaseWorld();
      const sibling = world.add("merchant", "N");
      acquire(world, sibling, world.authority, 2, merchantComponents());
      world.fund(sibling, 5000);
      world.connect(sibling, world.merchant);
      world.customer.host = willingCustomer(2000);
      world.merchant.host = willingMerchant(merchant);
      world.order(BUY);
      world.tell(sibling, "agent", [60, filled(77), 2000, "USD"]);
      world.tell(world.merchant, "agent", [44, tag, true]);
      if (world.customer.last(29)?.[2] !== COMMITTED) throw new Error("The top-up did not help.");
    },
  },
  {
    name: "a receipt that is not the offer's arithmetic",
    run: () => {
      const { finished } = saleToLiar({ components: { 4: 1756 } });
      if (finished?.[3] !== 23) throw new Error("The receipt was taken.");
    },
  },
  {
    name: "a merchant credential that is another's",
    run: () => {
      const { finished } = saleToLiar({ credential: { holder: filled(9, 8) } });
      if (finished?.[3] !== 22) throw new Error("The credential was taken.");
    },
  },
  {
    name: "a card that expired since the session began",
    run: () => {
      const world = new PurchaseWorld();
      const brief = cardComponents("GBP", { 3: START_SECONDS + 30 });
      acquire(world, world.customer, world.authority, 1, brief, filled(99));
      world.connect(world.customer, world.merchant);
      const offer = signOffer(world, world.merchant, SELL, { accountUnit: "GBP" });
      world.customer.host = willingCustomer(2000, "USD", {
        25: ([, command, cards]) => {
          world.clock.advance(40000);
          return [[26, command, (cards as Uint8Array[])[0]]];
        },
      });
      world.order(SELL, offer);
      if (world.customer.last(29)?.[3] !== 21) throw new Error("The card was taken.");
    },
  },
];
