// SPDX-License-Identifier: Apache-2.0
// A module's way to a bank by a network server (Fig. 14, steps 1466-1478): the real images with the
// server between them, and hosts that forge, repeat, lose and change what they carry.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { describe, expect, test } from "vitest";
import { grantAccess } from "../../host/network/agency/networkAccess.ts";
import { ACCESS_SECONDS } from "../../host/network/networkServer/networkServer.ts";
import { onStep } from "../../host/patent/step.ts";
import { signStatement } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { Role, verifyChain } from "../../host/trust/certificates.ts";
import { BareModule } from "../../host/torture/bareModule.ts";
import { kindOf, NetworkWorld } from "../support/networkWorld.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const HELLO = 1;
const NETWORK_HELLO = 13;
/** The teller has no money: what it answers when all of the way was good. */
const NO_MONEY = [1, 29];
const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);

/** The numbers marked by a run, of those from 1464 to 1480. */
const inFigure = (steps: readonly number[]) =>
  steps.filter((number) => number >= 1464 && number <= 1480);

describe("a module that is signed on", () => {
  test("begins by the server, which opens its certificate and forwards it to the teller", () => {
    const world = new NetworkWorld();
    const marks: string[] = [];
    const stop = onStep((who, number) => marks.push(`${who} ${number}`));
    world.signOn();
    world.connect();
    world.withdraw();
    stop();
    expect(world.outcome).toEqual(NO_MONEY);
    expect(kindOf(world.left[0])).toBe(NETWORK_HELLO);
    expect(world.reachedTeller.map(kindOf).slice(0, 2)).toEqual([HELLO, 3]);
    expect(inFigure(world.customer.steps)).toEqual([1464, 1466, 1468, 1470]);
    expect(inFigure(world.teller.steps)).toEqual([1480]);
    expect(marks).toEqual(["network server 1472", "network server 1474", "network server 1478"]);
  });

  test("tells the server nothing but what a straight hello says, and the line nothing at all", () => {
    const world = new NetworkWorld();
    world.signOn();
    world.connect();
    world.withdraw();
    const [, tag, m1] = decodeCbor(world.reachedTeller[0]!) as Uint8Array[];
    expect((decodeCbor(m1!) as unknown[])[0]).toBe(1);
    expect(encodeCbor((decodeCbor(m1!) as unknown[])[2])).toEqual(world.chain);
    const [, sealedTag, , box] = decodeCbor(world.left[0]!) as Uint8Array[];
    expect(sealedTag).toEqual(tag);
    const clear = Buffer.from(box!).toString("hex");
    expect(clear).not.toContain(Buffer.from(id("CUSTO-C")).toString("hex"));
  });

  test("goes straight again after it left, after a boot, and when its access has expired", () => {
    const straight = (change: (world: NetworkWorld) => void) => {
      const world = new NetworkWorld();
      world.signOn();
      change(world);
      world.connect();
      world.withdraw();
      expect(inFigure(world.customer.steps)).toEqual([1464, 1466, 1476]);
      return world.left.map(kindOf)[0];
    };
    expect(straight((world) => expect(world.customer.ask(11)).toEqual([11]))).toBe(HELLO);
    expect(straight((world) => world.customer.reboot())).toBe(HELLO);
    expect(straight((world) => world.clock.advance(ACCESS_SECONDS * 1000))).toBe(HELLO);
  });

  test("one second before its access expires it still begins by the server", () => {
    const world = new NetworkWorld();
    world.signOn();
    world.clock.advance((ACCESS_SECONDS - 1) * 1000);
    world.connect();
    world.withdraw();
    expect(kindOf(world.left[0])).toBe(NETWORK_HELLO);
    expect(world.outcome).toEqual(NO_MONEY);
  });

  test("repeats a lost beginning under a new counter, by time-out", () => {
    const world = new NetworkWorld();
    world.signOn();
    world.connect();
    let lost = 0;
    world.toServer = (body) => (kindOf(body) === NETWORK_HELLO && lost++ < 2 ? [] : [body]);
    world.withdraw();
    expect(world.outcome).toEqual([4, 0]);
    world.pass(11_000);
    expect(world.outcome).toEqual(NO_MONEY);
    const counters = world.left
      .filter((body) => kindOf(body) === NETWORK_HELLO)
      .map((body) => (decodeCbor(body) as number[])[2]!);
    expect(counters).toHaveLength(3);
    expect(new Set(counters).size).toBe(3);
  });

  test("a host hands one box over twice: no counter serves twice, not even after a boot", () => {
    const world = new NetworkWorld();
    const box = world.accessBox();
    const counters: number[] = [];
    world.toServer = () => [];
    for (let round = 0; round < 4; round++) {
      world.customer.ask(10, box);
      world.connect();
      world.withdraw();
      counters.push((decodeCbor(world.left.at(-1)!) as number[])[2]!);
      world.left.length = 0;
      if (round % 2 === 1) world.customer.reboot();
      else world.pass(25_000);
    }
    expect(counters.every((counter) => counter > 2 ** 20)).toBe(true);
    expect(counters).toEqual([...counters].sort((a, b) => a - b));
    expect(new Set(counters).size).toBe(4);
  });
});

describe("the network server", () => {
  /** A world whose customer has sent its network-hello, which did not reach the server yet. */
  function sent() {
    const world = new NetworkWorld();
    world.signOn();
    world.connect();
    world.toServer = () => [];
    world.withdraw();
    world.toServer = (body) => [body];
    return { world, hello: world.left[0]! };
  }

  test("denies a beginning with any part changed, and the module says why", () => {
    const { world, hello } = sent();
    const before = world.customer.snapshot();
    for (let index = 13; index < hello.length; index += 7) {
      world.customer.restore(before);
      world.heard.length = 0;
      const changed = hello.slice();
      changed[index] = changed[index]! ^ 1;
      world.deliver(changed);
      expect(world.reachedTeller, `byte ${index}`).toEqual([]);
      // A counter or tag that no longer decodes is nobody's; all others are told.
      if (index > 24) expect(world.outcome, `byte ${index}`).toEqual([1, 16]);
    }
  });

  test("drops a beginning that comes again, and the session goes on", () => {
    const { world, hello } = sent();
    world.toServer = (body) => [body, body];
    world.deliver(hello);
    world.deliver(hello);
    expect(world.reachedTeller.filter((body) => kindOf(body) === HELLO)).toHaveLength(1);
    expect(world.outcome).toEqual(NO_MONEY);
  });

  test("denies who never signed on, another module's key, and an access that ended", () => {
    const other = sent();
    other.world.handle({ type: "closed", connection: 1 });
    other.world.connect("Bank of Tests", "ffffffffffffffff");
    other.world.deliver(other.hello);
    expect(other.world.outcome).toEqual([1, 11]);

    const confused = sent();
    const second = new BareModule("transaction-module", confused.world.clock, "second");
    const chain = confused.world.agency.certify(second, "CUSTO-D", Role.TRANSACTION);
    second.ask(10, confused.world.accessBox(chain));
    confused.world.handle({ type: "closed", connection: 1 });
    confused.world.connect("Bank of Tests", Buffer.from(id("CUSTO-D")).toString("hex"));
    confused.world.deliver(confused.hello);
    expect(confused.world.outcome).toEqual([1, 16]);

    const late = sent();
    late.world.clock.advance(ACCESS_SECONDS * 1000);
    late.world.deliver(late.hello);
    expect(late.world.reachedTeller).toEqual([]);
    expect(late.world.server.accesses.size).toBe(0);
  });

  test("denies a wrong verification number under the right key", () => {
    const { world, hello } = sent();
    const [, tag] = decodeCbor(hello) as Uint8Array[];
    const [access] = world.server.accesses.get("435553544f2d4300")!;
    const counter = 2 ** 40;
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
    const place = encodeCbor([1, "florin/network", tag, counter]);
    const plain = encodeCbor([filled(7, 16), [1, 4, [], filled(1)]]);
    const box = chacha20poly1305(access!.key, nonce, place).encrypt(plain);
    world.deliver(encodeCbor([NETWORK_HELLO, tag, counter, box]));
    expect(world.outcome).toEqual([1, 13]);
    expect(world.reachedTeller).toEqual([]);
  });

  test("denies a destination that it does not reach, and a module that is not signed on", () => {
    const lost = new NetworkWorld();
    lost.signOn();
    lost.isReachable = false;
    lost.connect("Nobody");
    lost.withdraw();
    expect(lost.outcome).toEqual([1, 49]);
    const straight = new NetworkWorld();
    straight.connect();
    straight.withdraw();
    expect(straight.outcome).toEqual([1, 2]);
    expect(straight.reachedTeller).toEqual([]);
  });

  test("keeps what comes before its destination is reached, in order, and no more than a few", () => {
    const { world, hello } = sent();
    world.handle({ type: "closed", connection: 1 });
    const module = "435553544f2d4300";
    world.handle({ type: "connected", connection: 1, module, destination: "Bank of Tests" });
    world.deliver(hello);
    for (let i = 0; i < 30; i++) world.deliver(encodeCbor([6, id("x"), filled(i, 4)]));
    expect(world.reachedTeller).toEqual([]);
    const effects = world.handle({ type: "reached", connection: 1 });
    expect(effects).toHaveLength(16);
    expect(effects.map((effect) => effect.type === "send" && kindOf(effect.body))[0]).toBe(HELLO);
  });

  test("passes nothing that begins a session towards the module, and no noise", () => {
    const world = new NetworkWorld();
    world.connect();
    const bodies = [[1, id("t"), filled(1)], [13, id("t"), 1, filled(1)], ["x"], [], 7, [2.5]];
    for (const item of bodies) {
      for (const from of ["module", "destination"] as const) {
        const body = item === 7 ? filled(0xff, 9) : encodeCbor(item);
        const effects = world.handle({ type: "body", connection: 1, from, body });
        expect(
          effects.filter((effect) => effect.type === "send" && effect.to !== "module"),
        ).toEqual([]);
        if (from === "destination") expect(effects).toEqual([]);
      }
    }
  });

  test("ends both sides when one is gone, and then knows nothing of them", () => {
    const world = new NetworkWorld();
    world.connect();
    expect(world.handle({ type: "closed", connection: 1 })).toEqual([
      { type: "close", connection: 1 },
    ]);
    expect(world.handle({ type: "closed", connection: 1 })).toEqual([]);
    expect(world.server.links.size).toBe(0);
    expect(world.handle({ type: "reached", connection: 1 })).toEqual([
      { type: "close", connection: 1 },
    ]);
  });

  test("a stranger asks for one in the module's name: the module's own access goes on", () => {
    const world = new NetworkWorld();
    world.signOn();
    world.connect();
    world.withdraw();
    for (let i = 0; i < 20; i++) world.accessBox();
    world.heard.length = 0;
    world.withdraw();
    expect(world.outcome).toEqual(NO_MONEY);
    expect(kindOf(world.left.at(-1))).not.toBe(HELLO);
    world.signOn();
    world.withdraw();
    expect(world.outcome).toEqual(NO_MONEY);
    expect(world.server.accesses.get("435553544f2d4300")).toHaveLength(1);
  });
});

describe("a module refuses an access", () => {
  /** Signs and seals an access as a test wants it. */
  function accessOf(
    world: NetworkWorld,
    change: { module?: Uint8Array; expires?: number; server?: TestAgency["moduleServer"] } = {},
    payload?: unknown[],
  ): Uint8Array {
    const holder = verifyChain(world.chain, world.agency.moduleRoot, START_SECONDS);
    if (!holder.ok) throw new Error("The module's chain is not valid.");
    const { module = id("CUSTO-C"), expires = START_SECONDS + 60 } = change;
    const access = payload ?? ["Net", filled(1), filled(2, 16), module, expires];
    const server = change.server ?? world.agency.moduleServer;
    const plain = signStatement("florin/network", access, server);
    const key = holder.holder.sealingKey!;
    return sealToKey(key, "florin/network", new Uint8Array(0), plain, filled(99));
  }

  test("takes the good one", () => {
    const world = new NetworkWorld();
    expect(world.customer.ask(10, accessOf(world))).toEqual([10]);
    expect(world.teller.ask(10, accessOf(world))).toEqual([0, 10, 16]);
  });

  test("for another module, expired, or of another form", () => {
    const world = new NetworkWorld();
    const refusal = (box: Uint8Array) => world.customer.ask(10, box)[2];
    expect(refusal(accessOf(world, { module: id("CUSTO-D") }))).toBe(16);
    expect(refusal(accessOf(world, { expires: START_SECONDS }))).toBe(11);
    const good = ["Net", filled(1), filled(2, 16), id("CUSTO-C"), START_SECONDS + 60];
    const forms = [
      good.slice(0, 4),
      [...good, 0],
      ["Net", filled(1, 31), ...good.slice(2)],
      [...good.slice(0, 2), filled(2, 17), ...good.slice(3)],
      ["N".repeat(49), ...good.slice(1)],
      [...good.slice(0, 3), filled(1, 7), good[4]],
      [...good.slice(0, 4), -1],
    ];
    for (const form of forms) expect(refusal(accessOf(world, {}, form))).toBe(1);
  });

  test("by who is no server of money modules under the own root", () => {
    const world = new NetworkWorld();
    const refusal = (server: TestAgency["moduleServer"]) =>
      world.customer.ask(10, accessOf(world, { server }))[2];
    expect(refusal(world.agency.agentServer)).toBe(10);
    expect(refusal(new TestAgency(40).moduleServer)).toBe(10);
    const seed = filled(77);
    expect(refusal({ certificate: world.agency.moduleServer.certificate, seed })).toBe(10);
  });

  test("with any byte changed or cut off, and goes on with the one it has", () => {
    const world = new NetworkWorld();
    world.signOn();
    const box = accessOf(world);
    for (let index = 0; index < box.length; index += 11) {
      const changed = box.slice();
      changed[index] = changed[index]! ^ 4;
      expect(world.customer.ask(10, changed), `byte ${index}`).toEqual([0, 10, 16]);
      expect(world.customer.ask(10, box.slice(0, index)), `cut at ${index}`).toEqual([0, 10, 16]);
    }
    expect(world.customer.ask(10, 5)).toEqual([0, 10, 1]);
    expect(world.customer.ask(11, 5)).toEqual([0, 11, 3]);
    world.connect();
    world.withdraw();
    expect(kindOf(world.left[0])).toBe(NETWORK_HELLO);
    expect(world.outcome).toEqual(NO_MONEY);
  });
});

describe("a security server grants no access", () => {
  const world = new NetworkWorld("agency");
  const request = {
    network: "Net",
    chain: world.chain,
    key: filled(1),
    verification: filled(2, 16),
    expires: START_SECONDS + 60,
  };
  const grant = (change: object, agency = world.agencyState, nowSeconds = START_SECONDS) =>
    grantAccess(agency, { ...request, ...change }, nowSeconds, () => filled(3));

  test("to a listed module, an expired or strange certificate, or an agent", () => {
    expect(grant({}).ok).toBe(true);
    const untrusted = [Buffer.from(id("CUSTO-C")).toString("hex")];
    expect(grant({}, { ...world.agencyState, untrusted })).toEqual({ ok: false, reason: 12 });
    expect(grant({}, world.agencyState, START_SECONDS + 10 ** 9)).toEqual({
      ok: false,
      reason: 11,
    });
    expect(grant({ chain: filled(1) })).toEqual({ ok: false, reason: 10 });
    const keys = { signing: filled(1), sealing: filled(2) };
    const agent = world.agency.chain(world.agency.claims("CUSTO-X", Role.CUSTOMER, keys));
    expect(grant({ chain: agent }).ok).toBe(false);
  });
});
