// SPDX-License-Identifier: Apache-2.0
// A modules' session inside an agents' session (Figs. 13, 15, 19): routed until R(2) has passed,
// under key (TA/MM) from then on; bound to the agents' session that it runs in.
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { toHost } from "../../host/torture/bareModule.ts";
import { type ProbeDevice, ProbeWorld } from "../support/probeDevice.ts";
import { Event, eventsOf } from "../support/sessionPair.ts";
import { id } from "../../host/torture/testAgency.ts";

const ROUTED = 12;
const PAYMENT = 11;
const payId = new Uint8Array(16).fill(1);
const transactionId = new Uint8Array(16).fill(2);
const mixed = new Uint8Array(32).fill(4);
const TYPE_R1 = 20;
const TYPE_R2 = 21;

interface Options {
  /** What module B is told instead of the agents' exporter. */
  exporterOfB?: Uint8Array;
}

/** Two devices whose agents have a session, and whose modules were ordered to pay and receive. */
function orderedWorld(options: Options = {}) {
  const world = new ProbeWorld();
  for (const device of [world.a, world.b]) device.pair();
  const agentsTag = toHost(started(world))[0]![1] as Uint8Array;
  world.settle();
  world.a.commandAgent(12, agentsTag, 10, new Uint8Array(1), false);
  world.settle();
  const exporter = world.a.agent.ask(14, agentsTag)[2] as Uint8Array;
  for (const device of [world.a, world.b]) {
    // Agents have key (TA/MM) at once (534, 536); modules get it by R(1) and R(2) (548-556).
    device.commandAgent(16, agentsTag, payId, transactionId, exporter, mixed);
    device.commandAgent(21, agentsTag);
  }
  const exporterB = options.exporterOfB ?? exporter;
  world.a.commandModule(18, agentsTag, payId, transactionId, exporter);
  world.b.commandModule(18, agentsTag, payId, transactionId, exporterB);
  for (const device of [world.a, world.b]) device.ownLog.length = 0;
  world.peerLog.length = 0;
  return { world, agentsTag };
}

function started(world: ProbeWorld) {
  const sent = world.a.agent.command(11, null);
  world.a.carry(sent, true);
  return sent;
}

/** Opens the modules' session and exchanges R(1) and R(2). */
function openModules(world: ProbeWorld): Uint8Array {
  world.a.commandModule(24);
  world.settle();
  const tag = eventsOf(world.a.heardByModule, 24)[0]![1] as Uint8Array;
  world.a.commandModule(12, tag, TYPE_R1, new Uint8Array(32), true);
  world.settle();
  world.b.commandModule(12, tag, TYPE_R2, new Uint8Array(32), false);
  world.settle();
  for (const device of [world.a, world.b]) device.commandModule(19, mixed);
  return tag;
}

const received = (device: ProbeDevice) =>
  eventsOf(device.heardByModule, Event.RECEIVED).map((event) => event[2]);
const kinds = (device: ProbeDevice) => device.ownLog.map(({ body }) => body[1]);

describe("a modules' session through the agents", () => {
  test("opens by Fig. 15 and goes on by Fig. 19", () => {
    const { world } = orderedWorld();
    const tag = openModules(world);
    expect(received(world.b)).toEqual([TYPE_R1]);
    expect(received(world.a)).toEqual([TYPE_R2]);
    // M1, M3 and R(1) from A; M2, M4 and R(2) from B: six bodies on each local leg, all routed.
    expect(kinds(world.a)).toEqual(new Array(6).fill(ROUTED));
    expect(kinds(world.b)).toEqual(new Array(6).fill(ROUTED));
    for (const device of [world.a, world.b]) device.ownLog.length = 0;
    world.a.commandModule(12, tag, 22, new Uint8Array(10), true);
    world.settle();
    world.b.commandModule(12, tag, 24, new Uint8Array(10), false);
    world.settle();
    expect(received(world.b)).toEqual([TYPE_R1, 22]);
    expect(received(world.a)).toEqual([TYPE_R2, 24]);
    expect(kinds(world.a)).toEqual([PAYMENT, PAYMENT]);
    expect(kinds(world.b)).toEqual([PAYMENT, PAYMENT]);
  });

  test("has one set of ids at both ends, other than the agents'", () => {
    const { world, agentsTag } = orderedWorld();
    const tag = openModules(world);
    const [a, b] = [world.a.module.ask(14, tag), world.b.module.ask(14, tag)];
    expect(a[2]).toEqual(b[2]);
    expect(a[6]).toEqual(b[6]);
    expect(a[2]).not.toEqual(world.a.agent.ask(14, agentsTag)[2]);
    expect([a[7], b[7]]).toEqual([2, 2]);
  });

  test("a host splices in another module: of another agents' session, it does not open", () => {
    const { world } = orderedWorld({ exporterOfB: new Uint8Array(32).fill(9) });
    world.a.commandModule(24);
    world.settle();
    expect(eventsOf(world.a.heardByModule, Event.OPENED)).toEqual([]);
    expect(eventsOf(world.b.heardByModule, Event.OPENED)).toEqual([]);
  });

  test("is not taken from another way than its own", () => {
    const { world, agentsTag } = orderedWorld();
    world.b.wire = (body, toModule) => (toModule ? null : body);
    world.a.commandModule(24);
    world.settle();
    const { body } = world.b.ownLog.find(({ toModule }) => toModule)!;
    const [, , hello] = decodeCbor(body) as [number, unknown, Uint8Array];
    // Straight from the network: a session with label `module` needs the tunnel's exporter.
    const tag = (decodeCbor(hello) as [number, Uint8Array])[1];
    expect(world.b.module.deliver(1, hello).map(({ body: sent }) => sent)).toEqual([
      encodeCbor([5, tag, 1]),
    ]);
    // In the name of an agents' session that the module was not told of.
    expect(world.b.module.deliver(2, encodeCbor([ROUTED, id("other"), hello]))).toEqual([]);
    expect(world.b.module.deliver(2, encodeCbor([ROUTED, agentsTag, hello]))).toHaveLength(1);
  });

  test("hides from both hosts what passes", () => {
    const { world } = orderedWorld();
    const tag = openModules(world);
    const text = new TextEncoder().encode("forty-two dollars and ten cents");
    world.a.commandModule(12, tag, 25, text, false);
    world.settle();
    const bodies = [...world.a.ownLog, ...world.b.ownLog].map(({ body }) => body);
    const everything = Buffer.concat([...bodies, ...world.peerLog]);
    expect(received(world.b)).toContain(25);
    expect(everything.includes(Buffer.from(text))).toBe(false);
    // Between the agents not even the modules' record shows (layer 436 of Fig. 13).
    const record = bodies.at(-1)!;
    expect(Buffer.concat(world.peerLog).includes(Buffer.from(record.slice(20, 60)))).toBe(false);
  });

  test("carries the longest module message through all layers", () => {
    const { world } = orderedWorld();
    const tag = openModules(world);
    world.a.commandModule(12, tag, 25, new Uint8Array(6_390), true);
    world.settle();
    expect(received(world.b)).toContain(25);
    const longest = Math.max(...world.peerLog.map((body) => body.length));
    expect(longest).toBeLessThanOrEqual(8_448);
    expect(longest).toBeGreaterThan(6_390);
  });

  test("asks again for what the agents' line lost", () => {
    const { world } = orderedWorld();
    const tag = openModules(world);
    world.a.wire = () => null;
    world.a.commandModule(12, tag, 22, new Uint8Array(10), true);
    world.a.wire = (body) => body;
    world.clock.advance(5_000);
    world.a.carry(world.a.module.tick(), false);
    world.settle();
    expect(received(world.b)).toEqual([TYPE_R1, 22]);
  });
});
