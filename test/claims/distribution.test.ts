// SPDX-License-Identifier: Apache-2.0
// Claims 16 to 23: two transaction devices and the networks of Fig. 5, in an economy whose hosts,
// links, sockets and books are real. The customer's bank issues cards and no electronic money.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import type { TradeAction } from "../../host/economy/economyActions.ts";
import { type Economy, parseEconomy } from "../../host/economy/economyFile.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";
import { Channel, Port } from "../../host/link/protocol.ts";
import { onStep } from "../../host/patent/step.ts";
import { card, heldBy, tills } from "../support/story.ts";
import { expectInOrder } from "./tracedTrade.ts";

const DEBIT = "4000000000000001";
const CREDIT = "4000000000000002";
const BLOCKED = "4000000000000003";
/** Minor units. */
const STOCK = 8_000;
const ACCOUNT = 50_000;

const ECONOMY: Economy = {
  units: ["USD"],
  banks: [
    {
      name: "Merchant's Bank",
      issues: ["USD"],
      accounts: [{ owner: "Shop", unit: "USD", balance: ACCOUNT }],
    },
  ],
  cardIssuers: [
    {
      name: "Customer's Bank",
      cards: [
        card(DEBIT, "Ada"),
        card(CREDIT, "Ada", { kind: "credit", balance: 0, limit: 90_000 }),
        card(BLOCKED, "Ada", { blocked: true }),
      ],
    },
  ],
  merchants: [
    {
      name: "Shop",
      bank: "Merchant's Bank",
      devices: [{ USD: STOCK }],
      offers: [
        { direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 50 },
        { direction: "sell", unit: "USD", accountUnit: "USD", feeMinor: 50 },
      ],
    },
  ],
  people: [{ name: "Ada" }],
  actions: [],
};

/** What happened in one trade: who marked which step, and what devices said to one another. */
interface Story {
  marks: [who: string, step: number][];
  spoken: Buffer[];
}

let world: World;
let story: Story = { marks: [], spoken: [] };
let stop: () => void;

beforeAll(async () => {
  stop = onStep((who, step) => story.marks.push([who, step]));
  const observerFor = (name: string) => ({
    step: (channel: number, step: number) => {
      story.marks.push([`${name} ${channel === Channel.AGENT ? "agent" : "module"}`, step]);
    },
    message: ({ port, body }: { port: number; body: Uint8Array }) => {
      if (port === Port.PEER) story.spoken.push(Buffer.from(body));
    },
  });
  const file = parseEconomy(JSON.stringify(ECONOMY), "claims");
  world = await openWorld(file, memoryWorld("claims", { isTraced: true, observerFor }));
});

afterAll(async () => {
  stop();
  await world.close();
});

/** Trades at the shop and keeps what happened meanwhile. */
async function trade(kind: "buy" | "sell", amount: number, number = DEBIT) {
  story = { marks: [], spoken: [] };
  const before = { till: (await tills(world, "Shop", "USD"))[0]!, purse: await purse() };
  const action: TradeAction = { do: kind, who: "Ada", amount, unit: "USD", card: number };
  const outcome = await runAction(world, action);
  await world.settled();
  const gained = (await purse()) - before.purse;
  const given = before.till - (await tills(world, "Shop", "USD"))[0]!;
  const receipts = await world.people[0]!.wallet.receipts();
  return { outcome, gained, given, receipt: receipts.at(-1), ...story };
}

async function purse(): Promise<number> {
  return (await heldBy(world, "Ada")).USD ?? 0;
}

/** Balance of the merchant's account at its bank, minor units. */
async function shopAccount(): Promise<number> {
  const account = await world.base.ledger.account("Merchant's Bank", "Shop:USD");
  return account?.balanceMinor ?? 0;
}

/** What the card network keeps of the transactions of one card. */
async function cardRows(number: string): Promise<Record<string, unknown>[]> {
  const rows = await world.base.database.query("SELECT * FROM card_transactions");
  return (rows as Record<string, unknown>[]).filter((row) => row.card_number === number);
}

/** The receipt's way in the session, and the authorization behind it. */
const AGREED: [string, number][] = [
  ["Ada agent", 374],
  ["Ada agent", 718],
  ["Ada agent", 762],
  ["Shop agent", 768],
  ["Shop agent", 772],
  ["Ada agent", 774],
  ["Ada agent", 790],
];
const BOUGHT: [string, number][] = [
  ["Shop agent", 810],
  ["card network", 811],
  ["Shop agent", 815],
  ["Shop agent", 817],
  ["Shop module", 1574],
  ["Ada module", 1576],
];
const SOLD: [string, number][] = [
  ["Shop agent", 796],
  ["card network", 798],
  ["Shop agent", 802],
  ["Shop agent", 806],
  ["Ada agent", 808],
  ["Ada module", 1574],
  ["Shop module", 1576],
];

/** Trades with the debit and with the credit card; each receipt names its card's ticket. */
async function tradeWithEachCard(direction: "buy" | "sell"): Promise<void> {
  for (const [number, kind] of [
    [DEBIT, "debit"],
    [CREDIT, "credit"],
  ] as const) {
    const cards = await world.people[0]!.wallet.cards();
    const used = cards.find(({ account }) => account === number);
    expect(used).toMatchObject({ type: "card", kind, account: number });
    const { outcome, receipt } = await trade(direction, 300, number);
    expect(outcome.outcome).toBe("ok");
    expect(receipt?.credential).toBe(used?.identifier.ticketId);
    expect(receipt?.account).toBe(`************${number.slice(-4)}`);
  }
}

describe("a purchase between two devices", () => {
  test("claim 16: receipt, authorization, money, whatever the customer's bank", async () => {
    const { outcome, gained, given, receipt, marks, spoken } = await trade("buy", 2_000);
    expect(outcome).toMatchObject({ outcome: "ok", authorized: 2_050, received: 2_000 });
    expect([gained, given]).toEqual([2_000, 2_000]);
    expectInOrder(marks, [...AGREED, ...BOUGHT]);
    expect(receipt).toMatchObject({
      direction: "buy",
      moneyMinor: 2_000,
      authorizedMinor: 2_050,
      bank: "Customer's Bank",
      account: "************0001",
    });
    // The customer's bank issues none: only the merchant's has a generator.
    expect(world.banks.map(({ name }) => name)).toEqual(["Merchant's Bank"]);
    // What the devices said to one another is sealed.
    const said = Buffer.concat(spoken);
    expect(said.length).toBeGreaterThan(1_000);
    for (const secret of [DEBIT, "Customer's Bank", "florin/receipt"]) {
      expect(said.includes(secret)).toBe(false);
    }
  });

  test("claim 17: found in a merchant network, it authorizes over the card network", async () => {
    const { marks } = await trade("buy", 100);
    // The customer found the merchant in its network (700), by way of the gateway.
    expectInOrder(marks, [["Ada host", 700], ["Ada host", 702], ["Ada host", 704], ...BOUGHT]);
    const rows = await cardRows(DEBIT);
    expect(rows.map(({ state }) => state)).toEqual(["posted", "posted"]);
    // By the switch to the issuer, which debited the account.
    const [account] = (await world.base.database.query(
      `SELECT * FROM card_accounts WHERE card_number = '${DEBIT}'`,
    )) as Record<string, unknown>[];
    expect(Number(account?.balance_minor)).toBe(100_000 - 2_050 - 150);
  });

  test("without an authorization the second device transfers nothing", async () => {
    const { outcome, gained, given, marks } = await trade("buy", 500, BLOCKED);
    expect(outcome.outcome).toBe("refused");
    expect([gained, given]).toEqual([0, 0]);
    expect(marks.filter(([, step]) => step === 817 || step === 1574)).toEqual([]);
  });

  test("claim 18: the second device draws on a bank that distributes the money", async () => {
    const till = (await tills(world, "Shop", "USD"))[0]!;
    const before = await shopAccount();
    const { outcome, marks } = await trade("buy", till + 1_000);
    expect(outcome).toMatchObject({ outcome: "ok", received: till + 1_000 });
    expectInOrder(marks, [
      ["Shop agent", 728],
      ["merchant's host", 742],
      ["Shop module", 748],
      ["Merchant's Bank teller module", 1574],
      ["Shop module", 1576],
      ["Shop agent", 817],
      ["Ada module", 1576],
    ]);
    // What was missing came from the account, and the card's posting went to it.
    expect(await shopAccount()).toBe(before - 1_000 + till + 1_050);
  });

  test("claim 19: the credential is a debit or credit card's, with the account", async () => {
    await tradeWithEachCard("buy");
  });
});

describe("a sale between two devices", () => {
  test("claim 20: receipt, authorization, money from the first device", async () => {
    const { outcome, gained, given, receipt, marks } = await trade("sell", 1_000);
    expect(outcome).toMatchObject({ outcome: "ok", authorized: 950 });
    expect([gained, given]).toEqual([-1_000, -1_000]);
    expectInOrder(marks, [...AGREED, ...SOLD]);
    expect(receipt).toMatchObject({
      direction: "sell",
      moneyMinor: 1_000,
      authorizedMinor: 950,
      bank: "Customer's Bank",
      account: "************0001",
    });
  });

  test("claim 21: found in a merchant network, it credits over the card network", async () => {
    const before = (await cardRows(DEBIT)).length;
    const { marks } = await trade("sell", 200);
    expectInOrder(marks, [["Ada host", 700], ["Ada host", 702], ["Ada host", 704], ...SOLD]);
    const rows = await cardRows(DEBIT);
    expect(rows.length).toBe(before + 1);
    expect(rows.filter(({ direction }) => direction === "sell").map(({ state }) => state)).toEqual([
      "posted",
      "posted",
    ]);
  });

  test("claim 22: what it bought goes to a bank that distributes electronic money", async () => {
    const before = await shopAccount();
    const bought = (await tills(world, "Shop", "USD"))[0]!;
    expect(bought).toBeGreaterThan(0);
    story = { marks: [], spoken: [] };
    const outcome = await runAction(world, {
      do: "deposit",
      who: "Shop",
      amount: bought,
      unit: "USD",
    });
    expect(outcome.outcome).toBe("ok");
    await world.settled();
    expectInOrder(story.marks, [
      ["Shop module", 1574],
      ["Merchant's Bank teller module", 1576],
      ["Shop module", 1710],
      ["Merchant's Bank teller module", 1718],
    ]);
    expect(await shopAccount()).toBe(before + bought);
  });

  test("claim 23: a sale's credential is a debit or credit card's, with the account", async () => {
    await tradeWithEachCard("sell");
  });
});
