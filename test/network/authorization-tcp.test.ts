// SPDX-License-Identifier: Apache-2.0
// The TCP shells: framing in any pieces, strangers, broken and slow lines, reconnection, and a
// whole purchase and sale by an acquirer against a switch and an issuer.
import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Acquirer } from "../../host/network/authorization/acquirer.ts";
import { encodeMessage } from "../../host/network/authorization/codec.ts";
import { FrameReader, frame } from "../../host/network/authorization/framing.ts";
import { memoryIssuerStore } from "../../host/network/authorization/issuerBooks.ts";
import { IssuerHost } from "../../host/network/authorization/issuerHost.ts";
import {
  parseApproval,
  parsePosting,
  signCompletion,
  signMandate,
} from "../../host/network/authorization/signedObjects.ts";
import { LinkClient } from "../../host/network/authorization/tcpClient.ts";
import {
  acquirerKey,
  card,
  customerSeed,
  hashOf,
  hold,
  identity,
  issuerConfig,
  mandate,
  merchantSeed,
  NOW_S,
  World,
} from "./authorization-world.ts";

describe("framing", () => {
  const messages = [Uint8Array.of(1), new Uint8Array(300).fill(2), new Uint8Array(1500).fill(3)];
  const stream = Buffer.concat(messages.map(frame));

  it("puts two bytes of length first, the most significant one first", () => {
    expect([...frame(new Uint8Array(300)).subarray(0, 3)]).toEqual([1, 44, 0]);
  });

  it.each([1, 2, 3, 7, 299, 4000])("finds the messages in pieces of %d bytes", (size) => {
    const reader = new FrameReader();
    const found: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += size) {
      found.push(...reader.push(stream.subarray(at, at + size)).messages);
    }
    expect(found).toEqual(messages);
  });

  it("gives up on lengths out of range", () => {
    const broken = { messages: [], broken: true };
    expect(new FrameReader().push(Uint8Array.of(0, 0))).toEqual(broken);
    expect(new FrameReader().push(Uint8Array.of(0x05, 0xdd))).toEqual(broken);
    const fits = new FrameReader().push(Uint8Array.of(0x05, 0xdc));
    expect(fits).toEqual({ messages: [], broken: false });
    const after = new FrameReader().push(Uint8Array.of(0, 1, 7, 0, 0));
    expect(after).toEqual({ messages: [Uint8Array.of(7)], broken: true });
  });
});

describe("a network over TCP", () => {
  let world: World;
  const open: { close(): unknown }[] = [];
  beforeEach(async () => {
    world = await World.start();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await world.close();
  });

  function acquirer(port = world.network.port): Acquirer {
    const timing = { firstRetryMs: 20, longestRetryMs: 100, holdPatienceMs: 20_000 };
    const config = { ...identity, linkKey: acquirerKey, ...timing };
    const made = new Acquirer({ config, host: "127.0.0.1", port, firstTrace: 1 });
    open.push(made);
    return made;
  }

  it.each(["buy", "sell"] as const)("carries a whole transaction: %s", async (direction) => {
    const shop = acquirer();
    const order = mandate({ direction });
    const answer = await shop.authorize(signMandate(order, customerSeed), card);
    const mandateHash = hashOf(order);
    expect(answer.code).toBe("00");
    expect(parseApproval(answer.approval!)!.content).toMatchObject({ mandateHash, approved: true });
    const completion = signCompletion({ mandateHash, outcome: "post" }, merchantSeed);
    const settled = await shop.settle(completion, card);
    expect(parsePosting(settled.posting)!.content).toEqual({ mandateHash, state: "posted" });
    expect(world.account().balanceMinor).toBe(direction === "buy" ? 99_000 : 101_000);
  });

  it("tells a refusal and its code", async () => {
    world.change({ standing: "blocked" });
    const answer = await acquirer().authorize(signMandate(mandate(), customerSeed), card);
    expect(answer.code).toBe("62");
    expect(parseApproval(answer.approval!)!.content.approved).toBe(false);
  });

  it("two who ask about one order both get the answer", async () => {
    const shop = acquirer();
    const signed = signMandate(mandate(), customerSeed);
    const [one, two] = await Promise.all([
      shop.authorize(signed, card),
      shop.authorize(signed, card),
    ]);
    expect(one).toEqual(two);
    expect(world.account().heldDebitMinor).toBe(1000);
  });

  it("many at once are held exactly, none twice", async () => {
    const shop = acquirer();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => {
        const order = mandate({ accountAmountMinor: 4000 });
        return shop.authorize(signMandate(order, customerSeed), card);
      }),
    );
    expect(answers.filter(({ code }) => code === "00").length).toBe(25);
    expect(answers.filter(({ code }) => code === "51").length).toBe(5);
    expect(world.account().heldDebitMinor).toBe(100_000);
  });

  it("settles after the issuer was away and came back on its address", async () => {
    const shop = acquirer();
    const order = mandate();
    await shop.authorize(signMandate(order, customerSeed), card);
    const { port } = world.issuer;
    await world.issuer.close();
    const completion = signCompletion(
      { mandateHash: hashOf(order), outcome: "post" },
      merchantSeed,
    );
    const settling = shop.settle(completion, card);
    world.issuer = await IssuerHost.start({
      config: issuerConfig,
      store: memoryIssuerStore(world.books),
      isOwnCard: () => true,
      host: "127.0.0.1",
      port,
      nowS: () => NOW_S,
    });
    expect((await settling).code).toBe("00");
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
  });

  it("ignores strangers, closes broken framing, and serves the others meanwhile", async () => {
    const stranger = connect(world.network.port, "127.0.0.1");
    open.push({ close: () => stranger.destroy() });
    const wrong = encodeMessage(hold(mandate()), new Uint8Array(32).fill(99));
    stranger.write(frame(wrong));
    stranger.write(frame(new Uint8Array(5)));
    const closed = new Promise((resolve) => stranger.on("close", resolve));
    stranger.write(Uint8Array.of(0xff, 0xff));
    await closed;
    expect(world.network.listenerCounters).toEqual({ strangers: 2, broken: 1 });
    expect((await world.ask(hold(mandate()))).fields[39]).toBe("00");
  });

  it("gives answers to every connection of a link: a replayed message diverts none", async () => {
    const overheard = hold(mandate());
    await world.ask(overheard);
    const thief = connect(world.network.port, "127.0.0.1");
    open.push({ close: () => thief.destroy() });
    thief.write(frame(encodeMessage(overheard, acquirerKey)));
    expect((await world.answer()).fields[11]).toBe(overheard.fields[11]);
    const next = hold(mandate());
    expect((await world.ask(next)).fields[11]).toBe(next.fields[11]);
    expect(world.account().heldDebitMinor).toBe(2000);
  });
});

describe("a link client", () => {
  it("dials again when the line breaks or the other side talks nonsense", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      // The first line is cut, the second gets a length out of range, the third a message.
      if (sockets.length === 1) socket.destroy();
      else if (sockets.length === 2) socket.write(Uint8Array.of(0xff, 0xff));
      else socket.write(frame(Uint8Array.of(7)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const history: string[] = [];
    const message = await new Promise<Uint8Array>((resolve) => {
      const client = new LinkClient({
        host: "127.0.0.1",
        port,
        onMessage(bytes) {
          client.close();
          resolve(bytes);
        },
        onConnected: () => history.push("up"),
        onDisconnected: () => history.push("down"),
      });
      expect(client.send(Uint8Array.of(1))).toBe(false);
    });
    expect([...message]).toEqual([7]);
    expect(history).toEqual(["up", "down", "up", "down", "up"]);
    expect(sockets.length).toBe(3);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
