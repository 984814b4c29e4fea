// SPDX-License-Identifier: Apache-2.0
// The network server over real WebSockets: a customer's module signs on, and asks a teller that
// listens elsewhere, by way of the server's URL alone.
import { afterEach, expect, test } from "vitest";
import { connectPeer, listenForPeers } from "../../host/device/communications.ts";
import type { PeerConnection } from "../../host/device/peer.ts";
import { Channel } from "../../host/link/protocol.ts";
import { grantAccess } from "../../host/network/agency/networkAccess.ts";
import { leaveNetwork, signOnToNetwork } from "../../host/network/networkServer/networkClient.ts";
import { parseNetworkPath, pathTo } from "../../host/network/networkServer/networkPaths.ts";
import { serveNetwork } from "../../host/network/networkServer/networkServerHost.ts";
import { systemRandom } from "../../host/trust/random.ts";
import {
  type BareModule,
  bodiesTo,
  HOST,
  PEER,
  type Sent,
  toHost,
} from "../../host/torture/bareModule.ts";
import { kindOf, NetworkWorld } from "../support/networkWorld.ts";
import { id } from "../../host/torture/testAgency.ts";

const HERE = "127.0.0.1";
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A world whose teller listens, and a network server that knows it by the name "bank". */
async function network(untrusted: string[] = []) {
  const world = new NetworkWorld();
  const bank = await listenForPeers({ host: HERE, port: 0 }, (peer) => attach(world.teller, peer));
  const server = await serveNetwork({
    name: "Network of Tests",
    host: HERE,
    port: 0,
    grant: (request) =>
      grantAccess({ ...world.agencyState, untrusted }, request, world.nowSeconds, systemRandom),
    reach: (destination) => {
      if (destination !== "bank") throw new Error(`There is no ${destination}.`);
      return connectPeer(`ws://${HERE}:${bank.port}`);
    },
    nowSeconds: () => world.nowSeconds,
  });
  closers.push(
    () => bank.close(),
    () => server.close(),
  );
  const port = {
    command: async (_half: string, body: Uint8Array) =>
      world.customer.deliver(HOST, body).find((sent) => sent.port === HOST)!.body,
  };
  return { world, server, port };
}

/** Carries between a module and its one connection; the bank grants every hold. */
function attach(module: BareModule, peer: PeerConnection, heard?: (message: unknown[]) => void) {
  const carry = (sent: Sent[]) => {
    for (const body of bodiesTo(PEER, sent)) peer.send(Channel.MODULE, body);
    for (const message of toHost(sent)) {
      if (message[0] === 82) carry(module.command(83, message[2], true));
      heard?.(message);
    }
  };
  peer.onBody((_channel, body) => carry(module.deliver(PEER, body)));
  return carry;
}

/**
 * Asks for money by this URL; state and reason of the last `finished`, and the first body's kind.
 */
async function withdraw(world: NetworkWorld, url: string): Promise<unknown[]> {
  const peer = await connectPeer(url);
  closers.push(() => peer.close());
  return new Promise((resolve) => {
    let first: unknown;
    const carry = attach(world.customer, peer, ([number, , state, reason]) => {
      if (number === 29 && state !== 4) resolve([state, reason, first]);
    });
    const sent = world.customer.command(81, systemRandom(16), 1, 500, "EUR", "12345678");
    first = kindOf(bodiesTo(PEER, sent)[0]);
    carry(sent);
  });
}

test("a module signs on and reaches a teller by the server alone", async () => {
  const { world, server, port } = await network();
  await signOnToNetwork(port, server.signOnUrl);
  // The teller has no money: all of the way was good.
  expect(await withdraw(world, server.urlTo(id("CUSTO-C"), "bank"))).toEqual([1, 29, 13]);
  await leaveNetwork(port);
  expect(await withdraw(world, server.urlTo(id("CUSTO-C"), "bank"))).toEqual([1, 2, 1]);
});

test("a destination that nobody has is told as such", async () => {
  const { world, server, port } = await network();
  await signOnToNetwork(port, server.signOnUrl);
  expect(await withdraw(world, server.urlTo(id("CUSTO-C"), "no bank"))).toEqual([1, 49, 13]);
});

test("a listed module hears why it may not sign on", async () => {
  const { server, port } = await network([Buffer.from(id("CUSTO-C")).toString("hex")]);
  await expect(signOnToNetwork(port, server.signOnUrl)).rejects.toThrow("list");
});

test("other paths are closed, and paths are read as they were written", async () => {
  const { server } = await network();
  const peer = await connectPeer(server.signOnUrl.replace("/sign-on", "/other"));
  await new Promise<void>((resolve) => peer.onClose(() => resolve()));
  const path = pathTo(id("CUSTO-C"), "a/b ü");
  expect(parseNetworkPath(path)).toEqual({
    type: "to",
    module: "435553544f2d4300",
    destination: "a/b ü",
  });
  for (const wrong of [
    "/",
    "/to/435553544f2d4300/",
    "/to/43/x",
    `${path}/y`,
    "/to/435553544f2d4300/%",
  ]) {
    expect(parseNetworkPath(wrong)).toBeUndefined();
  }
});
