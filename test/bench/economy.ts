// SPDX-License-Identifier: Apache-2.0
// What a whole purchase and a whole payment cost: time from order to outcome over the real link,
// WebSocket and TCP; bytes on each device's serial link; bytes written to each flash.
import { parseEconomy } from "../../host/economy/economyFile.ts";
import type { CertifiedParty } from "../../host/economy/foundations.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";
import { rankOffers } from "../../host/application/shop.ts";

/** What one kind of transaction cost. Times in milliseconds, bytes per transaction. */
export interface TransactionRow {
  readonly name: string;
  readonly count: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly linkBytes: Readonly<Record<string, number>>;
  readonly flashBytes: Readonly<Record<string, number>>;
}

/** A wallet holds 32 tickets: a card and these receipts. */
const PURCHASES = 25;
const PAYMENTS = 40;
const CARD = "4000001234567899";

const ECONOMY = JSON.stringify({
  units: ["USD"],
  banks: [{ name: "Bank", issues: ["USD"], accounts: [] }],
  cardIssuers: [
    {
      name: "Cards",
      cards: [
        {
          number: CARD,
          holder: "Alice",
          kind: "debit",
          unit: "USD",
          balance: 10_000_000,
          limit: 0,
          expires: "2099-12",
          blocked: false,
        },
      ],
    },
  ],
  merchants: [
    {
      name: "Shop",
      bank: "Bank",
      devices: [{ USD: 5_000_000 }],
      offers: [{ direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 100 }],
    },
  ],
  people: [{ name: "Alice" }, { name: "Bruno" }],
  actions: [],
});

/** Runs purchases and then payments in one economy in memory. */
export async function benchTransactions(): Promise<TransactionRow[]> {
  const world = await openWorld(parseEconomy(ECONOMY, "bench"), memoryWorld(undefined));
  try {
    return [await benchPurchases(world), await benchPayments(world)];
  } finally {
    await world.close();
  }
}

async function benchPurchases(world: World): Promise<TransactionRow> {
  const [alice] = world.people;
  const [shop] = world.merchants;
  if (alice === undefined || shop?.devices[0] === undefined) throw new Error("nobody is there");
  const { wallet } = alice;
  const { gateway, agentRoot, nowSeconds } = world.base;
  const offers = await gateway.query("buy", "USD", agentRoot(), nowSeconds());
  const wish = {
    direction: "buy" as const,
    moneyUnit: "USD",
    accountUnit: "USD",
    amountMinor: 1000,
  };
  const [quote] = rankOffers(offers, wish, nowSeconds());
  const card = (await wallet.cards()).find(({ account }) => account === CARD);
  if (quote === undefined || card === undefined) throw new Error("no offer or no card");
  const order = {
    amountMinor: 1000,
    unit: "USD",
    offer: quote.offer.bytes,
    merchantName: quote.offer.terms.name,
    endpoint: quote.offer.terms.endpoint,
    card,
    confirm: async () => true,
  };
  const devices = { customer: alice.party, merchant: shop.devices[0].party };
  return measure("purchase", PURCHASES, devices, async () => {
    const start = performance.now();
    const result = await wallet.trade(order);
    const ms = performance.now() - start;
    if (result.state !== "committed") throw new Error(`a purchase failed: ${result.reason}`);
    // Card posting and ledger follow the outcome; their bytes belong to the purchase.
    await world.settled();
    return ms;
  });
}

async function benchPayments(world: World): Promise<TransactionRow> {
  const [alice, bruno] = world.people;
  if (alice === undefined || bruno === undefined) throw new Error("nobody is there");
  const devices = { payer: alice.party, payee: bruno.party };
  return measure("payment", PAYMENTS, devices, async () => {
    const start = performance.now();
    const result = await alice.wallet.pay(bruno.party.url, 37, "USD");
    const ms = performance.now() - start;
    if (result.state !== "committed") throw new Error(`a payment failed: ${result.reason}`);
    return ms;
  });
}

async function measure(
  name: string,
  count: number,
  devices: Record<string, CertifiedParty>,
  once: () => Promise<number>,
): Promise<TransactionRow> {
  const reading = () =>
    Object.entries(devices).map(([role, party]) => {
      const { bytesSent, bytesReceived } = party.linkStatistics();
      const flash = party.boardStatistics?.flashBytesWritten ?? 0;
      return { role, link: bytesSent + bytesReceived, flash };
    });
  // The first one warms the engine and is not counted.
  await once();
  const before = reading();
  const times: number[] = [];
  for (let index = 0; index < count; index += 1) times.push(await once());
  const after = reading();
  const perTransaction = (key: "link" | "flash") =>
    Object.fromEntries(
      after.map((last, index) => [
        last.role,
        Math.round((last[key] - (before[index]?.[key] ?? 0)) / count),
      ]),
    );
  times.sort((a, b) => a - b);
  return {
    name,
    count,
    medianMs: times[times.length >> 1] ?? 0,
    p99Ms: times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0,
    linkBytes: perTransaction("link"),
    flashBytes: perTransaction("flash"),
  };
}
