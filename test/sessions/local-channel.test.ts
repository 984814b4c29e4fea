// SPDX-License-Identifier: Apache-2.0
// Pairing, the local key and the key of a payment between an agent and its own money module
// (docs/protocol.md section 2; Figs. 13, 16, 17), with a host that carries and may do what it
// likes.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { BareModule, bodiesTo, OWN, type Sent } from "../../host/torture/bareModule.ts";
import { LocalEvent, ProbeDevice } from "../support/probeDevice.ts";
import { eventsOf } from "../support/sessionPair.ts";
import { TwinParty, TwinSession } from "../support/sessionTwin.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const payId = new Uint8Array(16).fill(1);
const transactionId = new Uint8Array(16).fill(2);
const exporter = new Uint8Array(32).fill(3);
const mixed = new Uint8Array(32).fill(4);
const ascii = (text: string) => new TextEncoder().encode(text);

function newDevice(change = {}) {
  const clock = new VirtualClock(START_SECONDS * 1000);
  return new ProbeDevice(new TestAgency(), clock, "A", [Role.CUSTOMER, Role.TRANSACTION], change);
}

function pairedDevice() {
  const device = newDevice();
  device.pair();
  return device;
}

const lifeOf = (module: { ask(...items: unknown[]): unknown[] }) => module.ask(1)[2];
const localOf = (heard: unknown[][]) => eventsOf(heard, LocalEvent.LOCAL).map(([, type]) => type);

describe("pairing", () => {
  test("makes both halves paired, with a local key, and says so to the host", () => {
    const device = pairedDevice();
    expect(eventsOf(device.heardByAgent, 5)).toEqual([[5]]);
    expect([lifeOf(device.agent), lifeOf(device.module)]).toEqual([3, 3]);
    expect(eventsOf(device.heardByAgent, LocalEvent.READY)).toHaveLength(1);
    expect(eventsOf(device.heardByModule, LocalEvent.READY)).toHaveLength(1);
    device.commandAgent(20, 7, ascii("funds?"));
    device.commandModule(20, 8, ascii("10.00"));
    expect(localOf(device.heardByModule)).toEqual([7]);
    expect(localOf(device.heardByAgent)).toEqual([8]);
  });

  test("is refused where the certificates name two devices", () => {
    const device = newDevice({ device: id("another") });
    device.pair();
    expect(device.heardByAgent.at(-1)).toEqual([0, 5, 15]);
    expect(lifeOf(device.agent)).toBe(2);
    expect(lifeOf(device.module)).toBe(2);
  });

  test("is a command of certified agents", () => {
    const device = newDevice();
    expect(device.module.ask(5)).toEqual([0, 5, 15]);
  });

  test("fails with a time-out where the module is silent", () => {
    const device = newDevice();
    device.wire = () => null;
    device.pair();
    device.agent.clock.advance(5_000);
    for (let round = 0; round < 4; round++) {
      device.carry(device.agent.tick(), true);
      device.agent.clock.advance(5_000);
    }
    expect(device.heardByAgent).toEqual([[0, 5, 17]]);
  });

  test("done again makes a new secret, and works", () => {
    const device = pairedDevice();
    const old = device.ownLog.length;
    device.commandAgent(20, 7, ascii("x"));
    const recorded = device.ownLog.at(-1)!.body;
    device.pair();
    expect(device.ownLog.length).toBeGreaterThan(old + 5);
    device.carry(device.module.deliver(OWN, recorded), false);
    device.commandAgent(20, 9, ascii("y"));
    expect(localOf(device.heardByModule)).toEqual([7, 9]);
  });
});

describe("the local key", () => {
  test("is new from each boot of either half, and old records open no more", () => {
    const device = pairedDevice();
    for (const reboot of [() => device.rebootAgent(), () => device.rebootModule()]) {
      device.commandAgent(20, 7, ascii("order"));
      const order = device.ownLog.at(-1)!.body;
      device.heardByModule.length = 0;
      reboot();
      expect(eventsOf(device.heardByModule, LocalEvent.READY)).toHaveLength(1);
      device.carry(device.module.deliver(OWN, order), false);
      expect(localOf(device.heardByModule)).toEqual([]);
      device.commandAgent(20, 8, ascii("new order"));
      expect(localOf(device.heardByModule)).toEqual([8]);
    }
  });

  test("is there after both boot at once, in whatever order their first words come", () => {
    for (const moduleFirst of [true, false]) {
      const device = pairedDevice();
      const agentSent = device.agent.reboot();
      const moduleSent = device.module.reboot();
      const steps = [() => device.carry(agentSent, true), () => device.carry(moduleSent, false)];
      for (const step of moduleFirst ? steps.reverse() : steps) step();
      device.heardByModule.length = 0;
      device.commandAgent(20, 8, ascii("order"));
      expect(localOf(device.heardByModule)).toEqual([8]);
    }
  });

  test("is renewed after a replayed nonce or answer", () => {
    const device = pairedDevice();
    const nonce = device.ownLog.find(({ body }) => body[1] === 8)!.body;
    const answer = device.ownLog.find(({ body }) => body[1] === 9)!.body;
    const order = () => {
      device.heardByModule.length = 0;
      device.commandAgent(20, 7, ascii("order"));
      return localOf(device.heardByModule);
    };
    device.carry(device.agent.deliver(OWN, answer), true);
    expect(order()).toEqual([7]);
    device.carry(device.module.deliver(OWN, nonce), false);
    expect(order()).toEqual([7]);
    // The host hides the answer: the next order is lost, and by it the module knows.
    device.wire = (body) => (body[1] === 9 ? null : body);
    device.carry(device.module.deliver(OWN, nonce), false);
    device.wire = (body) => body;
    expect(order()).toEqual([]);
    expect(order()).toEqual([7]);
  });

  test("is renewed by the first record after the module's nonce was changed on its way", () => {
    const device = pairedDevice();
    device.wire = (body) => {
      if (body[1] !== 9) return body;
      device.wire = (next) => next;
      return body.map((byte, index) => (index === body.length - 1 ? byte ^ 1 : byte));
    };
    device.commandAgent(25);
    for (const orders of [1, 2]) device.commandAgent(20, 7, ascii(`order ${orders}`));
    expect(localOf(device.heardByModule)).toEqual([7]);
  });

  test("is agreed on when an order comes to a module whose question at its boot was lost", () => {
    const device = pairedDevice();
    device.commandAgent(20, 7, ascii("order"));
    device.wire = (body) => (body[1] === 7 ? null : body);
    device.rebootModule();
    device.wire = (body) => body;
    device.heardByModule.length = 0;
    device.commandAgent(20, 7, ascii("lost"));
    expect(localOf(device.heardByModule)).toEqual([]);
    expect(eventsOf(device.heardByAgent, LocalEvent.READY)).toHaveLength(2);
    device.commandAgent(20, 8, ascii("order"));
    expect(localOf(device.heardByModule)).toEqual([8]);
  });

  test("takes each record once, and none that was changed", () => {
    const device = pairedDevice();
    device.commandAgent(20, 6, ascii("order"));
    device.wire = () => null;
    device.commandAgent(20, 7, ascii("order"));
    device.wire = (body) => body;
    const order = device.ownLog.at(-1)!.body;
    for (let place = 0; place < order.length; place++) {
      const changed = order.slice();
      changed[place]! ^= 4;
      device.carry(device.module.deliver(OWN, changed), false);
    }
    expect(localOf(device.heardByModule)).toEqual([6]);
    device.carry(device.module.deliver(OWN, order), false);
    device.carry(device.module.deliver(OWN, order), false);
    expect(localOf(device.heardByModule)).toEqual([6, 7]);
    // Nor is it taken by the half that sent it.
    device.carry(device.agent.deliver(OWN, order), true);
    expect(localOf(device.heardByAgent)).toEqual([]);
  });
});

describe("the key of one payment", () => {
  const tag = id("session");
  const open = (
    device: ProbeDevice,
    change: Partial<{ mixed: Uint8Array; pay: Uint8Array }> = {},
  ) => {
    const terms = [tag, change.pay ?? payId, transactionId, exporter, change.mixed ?? mixed];
    device.commandAgent(16, tag, payId, transactionId, exporter, mixed);
    device.commandModule(16, ...terms);
  };
  const paymentOf = (heard: unknown[][]) => eventsOf(heard, LocalEvent.PAYMENT);

  test("carries messages both ways", () => {
    const device = pairedDevice();
    open(device);
    device.commandModule(17, 1, ascii("amount?"));
    device.commandAgent(17, 2, ascii("500 USD"));
    expect(paymentOf(device.heardByAgent)).toEqual([[105, 1, encodeCbor(ascii("amount?"))]]);
    expect(paymentOf(device.heardByModule)).toEqual([[105, 2, encodeCbor(ascii("500 USD"))]]);
  });

  test("depends on R(1) xor R(2)", () => {
    const device = pairedDevice();
    open(device, { mixed: new Uint8Array(32).fill(5) });
    device.commandModule(17, 1, ascii("amount?"));
    expect(paymentOf(device.heardByAgent)).toEqual([]);
  });

  test("belongs to one pay id", () => {
    const device = pairedDevice();
    open(device, { pay: new Uint8Array(16).fill(9) });
    device.commandModule(17, 1, ascii("amount?"));
    expect(paymentOf(device.heardByAgent)).toEqual([]);
  });

  test("is not there before pairing", () => {
    const device = newDevice();
    open(device);
    device.commandModule(17, 1, ascii("amount?"));
    expect(device.ownLog).toEqual([]);
  });
});

test("the keys are those of docs/protocol.cddl section 5, computed by a module in TypeScript", () => {
  const agency = new TestAgency();
  const clock = new VirtualClock(START_SECONDS * 1000);
  const agent = new BareModule("session-probe-agent", clock, "agent");
  const device = id("device-A");
  agency.certify(agent, "agent-A", Role.CUSTOMER, { device });
  const own = (sent: Sent[]) => bodiesTo(OWN, sent)[0]!;
  const hello = own(agent.command(5));
  const party = new TwinParty(agency, "modul-A", Role.TRANSACTION, { device });
  const [, tag] = decodeCbor(hello) as [number, Uint8Array];
  const twin = new TwinSession(party, "pair", tag, clock.epochMs());
  const finish = own(agent.deliver(OWN, twin.answer(hello)));
  const store = own(agent.deliver(OWN, twin.acknowledge(finish)));
  expect(twin.open(store)).toEqual({ type: 10, plain: [1, 1, []] });
  const [, agentNonce] = decodeCbor(
    own(agent.deliver(OWN, twin.record(11, [], { replyTo: 1 }))),
  ) as [number, Uint8Array];
  const moduleNonce = new Uint8Array(16).fill(5);
  agent.deliver(OWN, encodeCbor([9, agentNonce, moduleNonce]));

  const prk = extract(sha256, twin.exporter, concatBytes(agentNonce, moduleNonce));
  const local = (n: number) =>
    expand(sha256, prk, concatBytes(ascii("florin/local"), Uint8Array.of(n)), 32);
  const open = (key: Uint8Array, layer: number, body: Uint8Array, name: Uint8Array) => {
    const [counter, type, box] = (decodeCbor(body) as unknown[]).slice(-3) as [
      number,
      number,
      Uint8Array,
    ];
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
    const aad = encodeCbor([1, layer, 0, counter, type, name]);
    return decodeCbor(chacha20poly1305(key, nonce, aad).decrypt(box));
  };
  const order = own(agent.command(20, 7, ascii("order")));
  expect(open(local(1), 3, order, new Uint8Array(0))).toEqual(ascii("order"));

  agent.command(16, tag, payId, transactionId, exporter, mixed);
  const info = concatBytes(ascii("florin/payment"), mixed, transactionId, Uint8Array.of(1));
  const key = expand(sha256, extract(sha256, local(3), exporter), info, 32);
  const amount = own(agent.command(17, 2, ascii("500 USD")));
  expect(open(key, 4, amount, payId)).toEqual(ascii("500 USD"));
});
