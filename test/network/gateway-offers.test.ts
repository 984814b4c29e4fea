// SPDX-License-Identifier: Apache-2.0
// The gateway lists what verifies, once per merchant, direction and units; customers verify again.
import { bytesToHex } from "@noble/hashes/utils.js";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  type GatewayState,
  handleGatewayEvent,
  newGateway,
} from "../../host/network/gateway/gateway.ts";
import { GatewayClient } from "../../host/network/gateway/gatewayClient.ts";
import { type GatewayServer, serveGateway } from "../../host/network/gateway/gatewayServer.ts";
import { encodeAnswer, encodeRequest, parseAnswer } from "../../host/network/gateway/messages.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { type OfferTerms, verifyOffer } from "../../host/trust/merchantOffer.ts";
import { agentRoot, NOW, newMerchant } from "./gateway-merchant.ts";

const merchant = newMerchant("Corner Shop");
const other = newMerchant("Other Shop");

function ask(state: GatewayState, bytes: Uint8Array, now = NOW) {
  const effects = handleGatewayEvent(state, { type: "message", connection: 1, bytes }, now);
  expect(effects).toHaveLength(1);
  const effect = effects[0]!;
  return effect.type === "close" ? undefined : parseAnswer(effect.bytes);
}

function publish(state: GatewayState, offer: Uint8Array, now = NOW): string {
  const answer = ask(state, encodeRequest({ type: "publish", request: 5, offer }), now);
  expect(answer).toMatchObject({ type: "published", request: 5 });
  return answer?.type === "published" ? answer.result : "";
}

/** Names and fees of what a query gives. */
function listed(state: GatewayState, direction: "buy" | "sell", moneyUnit = "EUR", now = NOW) {
  const query = encodeRequest({ type: "query", request: 6, direction, moneyUnit, after: "" });
  const answer = ask(state, query, now);
  if (answer?.type !== "offers") throw new Error("The gateway gave no list.");
  return answer.offers.map((bytes) => {
    const result = verifyOffer(bytes, agentRoot, now);
    return result.ok ? [result.offer.terms.name, result.offer.terms.feeMinor] : result.reason;
  });
}

describe("the gateway", () => {
  it("lists offers by direction and unit", () => {
    const state = newGateway(agentRoot);
    for (const offer of [
      merchant.offer(),
      merchant.offer({ direction: "sell", feeMinor: 1 }),
      merchant.offer({ moneyUnit: "USD", feeMinor: 2 }),
      other.offer({ feeMinor: 3 }),
    ]) {
      expect(publish(state, offer)).toBe("accepted");
    }
    expect(listed(state, "buy").sort()).toEqual([
      ["Corner Shop", 50],
      ["Other Shop", 3],
    ]);
    expect(listed(state, "sell")).toEqual([["Corner Shop", 1]]);
    expect(listed(state, "buy", "USD")).toEqual([["Corner Shop", 2]]);
    expect(listed(state, "buy", "JPY")).toEqual([]);
  });

  it("has one offer for each merchant, direction and pair of units: the newest", () => {
    const state = newGateway(agentRoot);
    publish(state, merchant.offer({ issued: NOW, feeMinor: 1 }));
    expect(publish(state, merchant.offer({ issued: NOW + 2, feeMinor: 2 }))).toBe("accepted");
    expect(publish(state, merchant.offer({ issued: NOW + 1, feeMinor: 3 }))).toBe("superseded");
    expect(publish(state, merchant.offer({ accountUnit: "USD", feeMinor: 4 }))).toBe("accepted");
    expect(listed(state, "buy")).toEqual([
      ["Corner Shop", 2],
      ["Corner Shop", 4],
    ]);
  });

  it("forgets an offer when it expires, and those of merchants that become untrusted", () => {
    const state = newGateway(agentRoot);
    publish(state, merchant.offer());
    publish(state, other.offer({ expires: NOW + 900 }));
    expect(listed(state, "buy", "EUR", NOW + 599)).toHaveLength(2);
    expect(listed(state, "buy", "EUR", NOW + 600)).toEqual([["Other Shop", 50]]);
    handleGatewayEvent(state, { type: "list", untrusted: [bytesToHex(other.id)] }, NOW + 600);
    expect(listed(state, "buy", "EUR", NOW + 600)).toEqual([]);
    expect(publish(state, other.offer({ expires: NOW + 900 }), NOW + 600)).toBe("untrusted");
  });

  it("limits what one merchant can have listed", () => {
    const state = newGateway(agentRoot);
    const unit = (index: number) => `A${String.fromCharCode(65 + index / 26, 65 + (index % 26))}`;
    const results = Array.from({ length: 33 }, (_, index) =>
      publish(state, merchant.offer({ moneyUnit: unit(index) })),
    );
    expect(results.filter((result) => result === "accepted")).toHaveLength(32);
    expect(results[32]).toBe("full");
    expect(publish(state, merchant.offer({ moneyUnit: unit(0), feeMinor: 9 }))).toBe("accepted");
    expect(publish(state, other.offer())).toBe("accepted");
  });

  it.each<[string, string, () => Uint8Array]>([
    ["expired", "expired", () => merchant.offer({ expires: NOW })],
    [
      "issued in the future",
      "expired",
      () => merchant.offer({ issued: NOW + 601, expires: NOW + 900 }),
    ],
    ["signed by another key", "signature", () => merchant.offer({}, undefined, new Uint8Array(32))],
    ["signed for another purpose", "signature", () => merchant.offer({}, "florin/mandate")],
    ["in another merchant's name", "certificate", () => merchant.offer({ merchant: other.id })],
    ["from a customer", "certificate", () => newMerchant("Customer", Role.CUSTOMER).offer()],
    ["without bytes", "malformed", () => new Uint8Array()],
    ["too long", "malformed", () => new Uint8Array(3000)],
  ])("does not list an offer that is %s", (_what, reason, offer) => {
    const state = newGateway(agentRoot);
    expect(publish(state, offer())).toBe(reason);
    expect(state.listings).toEqual({});
  });

  it.each<[string, Partial<OfferTerms>]>([
    ["a rate of nothing", { rateDenominator: 0 }],
    ["a rate beyond the limit", { rateNumerator: 1_000_000_001 }],
    ["a fee beyond the whole", { feeBasisPoints: 10_001 }],
    ["a unit in small letters", { moneyUnit: "eur" }],
    ["an endpoint beyond the limit", { endpoint: "x".repeat(129) }],
    ["no name", { name: "" }],
  ])("does not list an offer with %s", (_what, change) => {
    expect(publish(newGateway(agentRoot), merchant.offer(change))).toBe("malformed");
  });

  it("lists no offer with any byte changed", () => {
    const state = newGateway(agentRoot);
    const offer = merchant.offer();
    for (let index = 0; index < offer.length; index += 1) {
      const changed = Uint8Array.from(offer);
      changed[index]! ^= 1;
      expect(publish(state, changed)).not.toBe("accepted");
    }
  });

  it("ends a connection that speaks something else", () => {
    const state = newGateway(agentRoot);
    for (const item of [
      [],
      [3, 1],
      [1, 1],
      [1, -1, new Uint8Array()],
      [2, 1, 3, "EUR", ""],
      [2, 1, 1, "EUR"],
      "text",
    ]) {
      expect(ask(state, encodeCbor(item))).toBeUndefined();
    }
  });
});

describe("the gateway over WebSockets", () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function open(): Promise<{ server: GatewayServer; client: GatewayClient }> {
    const state = newGateway(agentRoot);
    const server = await serveGateway(state, { host: "127.0.0.1", port: 0 }, () => NOW);
    closers.push(() => server.close());
    const client = await GatewayClient.connect(server.url);
    closers.push(() => client.close());
    return { server, client };
  }

  it("takes offers and gives them to customers, until their merchant is untrusted", async () => {
    const { server, client } = await open();
    expect(await client.publish(merchant.offer())).toBe("accepted");
    const [found] = await client.query("buy", "EUR", agentRoot, NOW);
    expect(found?.terms).toEqual(merchant.terms());
    expect(await client.publish(merchant.offer({ expires: NOW }))).toBe("expired");
    server.setUntrusted([bytesToHex(merchant.id)]);
    expect(await client.query("buy", "EUR", agentRoot, NOW)).toEqual([]);
  });

  it("gives a list that is too long for one answer whole, each offer once", async () => {
    const { client } = await open();
    const shops = Array.from({ length: 7 }, (_, index) => newMerchant(`Shop ${index}`));
    const units = Array.from(
      { length: 30 },
      (_, at) => `A${String.fromCharCode(65 + at / 26, 65 + (at % 26))}`,
    );
    for (const shop of shops) {
      for (const accountUnit of units) await client.publish(shop.offer({ accountUnit }));
    }
    const found = await client.query("buy", "EUR", agentRoot, NOW);
    const names = new Set(found.map(({ terms }) => `${terms.name} ${terms.accountUnit}`));
    expect([found.length, names.size]).toEqual([210, 210]);
  }, 30_000);

  it("drops who speaks something else and serves the others on", async () => {
    const { server, client } = await open();
    const rude = new WebSocket(server.url);
    const ended = new Promise<number>((resolve) => rude.on("close", resolve));
    rude.on("open", () => rude.send("hello"));
    expect(await ended).toBe(1002);
    expect(await client.query("buy", "EUR", agentRoot, NOW)).toEqual([]);
  });

  it("is not believed: a false offer in its answer is left out", async () => {
    const liar = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    closers.push(() => liar.close());
    await new Promise((resolve) => liar.once("listening", resolve));
    const offers = [merchant.offer({}, undefined, new Uint8Array(32)), other.offer()];
    liar.on("connection", (socket) =>
      socket.on("message", () =>
        socket.send(encodeAnswer({ type: "offers", request: 1, offers, next: null })),
      ),
    );
    const { port } = liar.address() as { port: number };
    const client = await GatewayClient.connect(`ws://127.0.0.1:${port}`);
    closers.push(() => client.close());
    const found = await client.query("buy", "EUR", agentRoot, NOW);
    expect(found.map(({ terms }) => terms.name)).toEqual(["Other Shop"]);
  });

  it("tells when the gateway is gone", async () => {
    const { server, client } = await open();
    await server.close();
    await expect(client.publish(merchant.offer())).rejects.toThrow("No answer from the gateway");
    await expect(GatewayClient.connect(server.url)).rejects.toThrow("No gateway answers at");
  });
});

it("a gateway whose line broke is called again at the next question", async () => {
  const nowSeconds = () => 1_800_000_000;
  const root = { id: new Uint8Array(8), key: new Uint8Array(32) };
  const address = { host: "127.0.0.1", port: 0 };
  const first = await serveGateway(newGateway(root), address, nowSeconds);
  const client = await GatewayClient.connect(first.url);
  const ask = () => client.query("buy", "USD", root, nowSeconds());
  expect(await ask()).toEqual([]);
  await first.close();
  await expect(ask()).rejects.toThrow();
  const port = Number(new URL(first.url).port);
  const second = await serveGateway(newGateway(root), { ...address, port }, nowSeconds);
  expect(await ask()).toEqual([]);
  client.close();
  await second.close();
});
