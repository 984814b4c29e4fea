// SPDX-License-Identifier: Apache-2.0
// Offers (par. 50, 77): whatever a customer's host brings, the customer's and the merchant's agents
// honour the signed offer or refuse it with a reason, in purchases and sales alike.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rankOffers } from "../../host/application/shop.ts";
import type { CardCredential } from "../../host/application/tickets.ts";
import { audit } from "../../host/economy/audit.ts";
import { type Economy, parseEconomy } from "../../host/economy/economyFile.ts";
import { publishOffers } from "../../host/economy/offers.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseSigned, signObject } from "../../host/trust/cose.ts";
import {
  type Direction,
  encodeOfferTerms,
  type MerchantOffer,
  OFFER_PURPOSE,
  type OfferTerms,
} from "../../host/trust/merchantOffer.ts";
import { newMerchant } from "../network/gateway-merchant.ts";
import { card, heldBy } from "../support/story.ts";

const NUMBER = "4000000000000001";
const AMOUNT = 1_000;

const offers = (["buy", "sell"] as const).map((direction) => ({
  direction,
  unit: "USD",
  accountUnit: "USD",
  feeMinor: 10,
}));

const ECONOMY: Economy = {
  units: ["USD"],
  banks: [{ name: "Bank", issues: ["USD"], accounts: [] }],
  cardIssuers: [{ name: "Cards", cards: [card(NUMBER, "Ada")] }],
  merchants: [
    { name: "One", bank: "Bank", devices: [{ USD: 9_000 }], offers },
    { name: "Two", bank: "Bank", devices: [{ USD: 9_000 }], offers },
  ],
  people: [{ name: "Ada" }],
  actions: [],
};

let world: World;
let ada: CardCredential;

beforeAll(async () => {
  world = await openWorld(parseEconomy(JSON.stringify(ECONOMY), "shopping"), memoryWorld("11"));
  const [held] = (await world.people[0]?.wallet.cards()) ?? [];
  if (held === undefined) throw new Error("Ada has no card.");
  ada = held;
});

afterAll(() => world.close());

async function offerOf(name: string, direction: Direction): Promise<MerchantOffer> {
  const { gateway, agentRoot, nowSeconds } = world.base;
  const found = await gateway.query(direction, "USD", agentRoot(), nowSeconds());
  const offer = found.find(({ terms }) => terms.name === name);
  if (offer === undefined) throw new Error(`${name} has no offer.`);
  return offer;
}

/** Orders with any bytes as the offer, at a merchant; how it ended. */
async function order(bytes: Uint8Array, merchant: string, amountMinor = AMOUNT) {
  const endpoint = world.merchants.find(({ name }) => name === merchant)?.devices[0]?.party.url;
  const result = await world.people[0]!.wallet.trade({
    amountMinor,
    unit: "USD",
    offer: bytes,
    merchantName: merchant,
    endpoint: endpoint ?? "",
    card: ada,
    confirm: async () => true,
  });
  await world.settled();
  return result;
}

/** The offer with other terms under the old signature. */
function tampered({ bytes, terms }: MerchantOffer, change: Partial<OfferTerms>): Uint8Array {
  const [signed, chain] = decodeCbor(bytes) as [unknown[], unknown];
  const [head, headers, , signature] = signed;
  const payload = encodeOfferTerms({ ...terms, ...change });
  return encodeCbor([[head, headers, payload, signature], chain]);
}

/** The offer signed by nobody's key, under the merchant's own chain. */
function forged({ bytes, terms }: MerchantOffer): Uint8Array {
  const [signed, chain] = decodeCbor(bytes) as [unknown, unknown];
  const keyId = parseSigned(encodeCbor(signed))?.keyId;
  const seed = new Uint8Array(32).fill(9);
  const object = signObject(OFFER_PURPOSE, encodeOfferTerms(terms), seed, keyId);
  return encodeCbor([decodeCbor(object), chain]);
}

const OFFER_WRONG = 24;
const OUTSIDE_LIMITS = 25;

describe.each(["buy", "sell"] as const)("an offer to let customers %s", (direction) => {
  beforeAll(async () => {
    // Ada has something to sell in each case.
    await order((await offerOf("One", "buy")).bytes, "One", 2_000);
  });

  it("is honoured as it was signed", async () => {
    const before = (await heldBy(world, "Ada")).USD ?? 0;
    const result = await order((await offerOf("One", direction)).bytes, "One");
    expect(result).toMatchObject({ state: "committed", reason: "" });
    const sign = direction === "buy" ? 1 : -1;
    expect((await heldBy(world, "Ada")).USD).toBe(before + sign * AMOUNT);
  });

  it.each<[string, number, (offer: MerchantOffer) => Uint8Array, number?]>([
    ["with a lower fee", OFFER_WRONG, (offer) => tampered(offer, { feeMinor: 0 })],
    ["with another rate", OFFER_WRONG, (offer) => tampered(offer, { rateNumerator: 2 })],
    [
      "for longer than it was given",
      OFFER_WRONG,
      (offer) => tampered(offer, { expires: offer.terms.expires + 600 }),
    ],
    [
      "turned round",
      OFFER_WRONG,
      (offer) => tampered(offer, { direction: offer.terms.direction === "buy" ? "sell" : "buy" }),
    ],
    ["signed with another key", OFFER_WRONG, forged],
    ["of an agency that nobody knows", OFFER_WRONG, () => newMerchant("One").offer({ direction })],
    ["cut short", OFFER_WRONG, ({ bytes }) => bytes.slice(0, -1)],
    [
      "beyond its limits",
      OUTSIDE_LIMITS,
      ({ bytes }) => bytes,
      direction === "buy" ? 1_000_000_000 : 1_000_000_000_001,
    ],
  ])("%s is refused", async (_, reasonNumber, change, amountMinor = AMOUNT) => {
    const before = await heldBy(world, "Ada");
    const offer = await offerOf("One", direction);
    const result = await order(change(offer), "One", amountMinor);
    expect(result).toMatchObject({ state: "aborted", reasonNumber });
    expect(await heldBy(world, "Ada")).toEqual(before);
  });

  it("of another merchant is refused", async () => {
    const offer = await offerOf("Two", direction);
    expect(await order(offer.bytes, "One")).toMatchObject({
      state: "aborted",
      reasonNumber: OFFER_WRONG,
    });
  });

  it("is refused after ten minutes, and signed anew it is honoured", async () => {
    const { clock } = world.base.settings as {
      clock: { step(): void };
    } & typeof world.base.settings;
    const old = await offerOf("One", direction);
    for (let minute = 0; minute <= 10; minute += 1) clock.step();
    expect(old.terms.expires - old.terms.issued).toBe(600);
    expect(await order(old.bytes, "One")).toMatchObject({
      state: "aborted",
      reasonNumber: OFFER_WRONG,
    });
    for (const merchant of world.merchants) await publishOffers(world.base, merchant);
    const fresh = await offerOf("One", direction);
    expect(await order(fresh.bytes, "One")).toMatchObject({ state: "committed" });
  });

  it("is chosen by the merchant's id where totals are equal", async () => {
    const both = [await offerOf("Two", direction), await offerOf("One", direction)];
    const wish = { direction, moneyUnit: "USD", accountUnit: "USD", amountMinor: AMOUNT };
    const now = world.base.nowSeconds();
    const [first] = rankOffers(both, wish, now);
    expect(rankOffers(both.reverse(), wish, now)[0]?.offer).toBe(first?.offer);
  });
});

describe("after all of it", () => {
  it("the books agree", async () => {
    expect(await audit(world)).toMatchObject({ ok: true, problems: [] });
  });
});
