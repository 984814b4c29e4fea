// SPDX-License-Identifier: Apache-2.0
// What stays in a module's memory between events: no secret key at any time, no key of a session
// that is over (design: secrets are wiped after use).
import { x25519 } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import { Role } from "../../host/trust/certificates.ts";
import { RandomGenerator } from "../../host/simulator/randomness.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { BareModule, toHost } from "../../host/torture/bareModule.ts";
import { ProbeDevice } from "../support/probeDevice.ts";
import { SessionPair } from "../support/sessionPair.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const holds = (module: BareModule, secret: Uint8Array) =>
  Buffer.from(module.snapshot().instance!.memory).includes(Buffer.from(secret));

/** Signing seed and sealing secret of a probe, drawn from its seeded source. */
function secretsOf(seed: string, sealing: Uint8Array): [Uint8Array, Uint8Array] {
  const stream = new Uint8Array(64);
  new RandomGenerator({ kind: "seeded", seed }, "module 2").fill(stream);
  const secrets: [Uint8Array, Uint8Array] = [stream.slice(0, 32), stream.slice(32)];
  if (!x25519.getPublicKey(secrets[1]).every((byte, index) => byte === sealing[index])) {
    throw new Error("The probe did not draw its keys first.");
  }
  return secrets;
}

describe("secret keys", () => {
  test("are in memory neither after they were made nor after they were used", () => {
    const module = new BareModule(
      "session-probe-agent",
      new VirtualClock(START_SECONDS * 1000),
      "s",
    );
    module.command(10, Role.CUSTOMER);
    const [, , sealing] = module.ask(2) as [number, Uint8Array, Uint8Array];
    const secrets = secretsOf("s", sealing);
    const check = () => {
      for (const secret of secrets) expect(holds(module, secret)).toBe(false);
    };
    check();
    new TestAgency().certify(module, "member", Role.CUSTOMER);
    check();
    module.reboot();
    check();
    const started = module.command(11, null);
    expect(toHost(started)).toHaveLength(1);
    check();
  });
});

describe("keys of a session", () => {
  test("go with its end", () => {
    const pair = new SessionPair();
    const tag = pair.start();
    pair.say(true, tag, 10, "a message that is kept for repetition");
    const exporter = pair.state(true, tag)![1] as Uint8Array;
    expect(holds(pair.a, exporter)).toBe(true);
    pair.carry(pair.a.command(13, tag, 19, true), true);
    const kept = new TextEncoder().encode("a message that is kept for repetition");
    for (const module of [pair.a, pair.b]) {
      // One more event: what the host was told lies in the outbox until then.
      module.ask(1);
      module.ask(8, 3, 0);
      expect(holds(module, exporter)).toBe(false);
      expect(holds(module, kept)).toBe(false);
    }
  });
});

describe("a payment's terms", () => {
  test("do not stay in the inbox", () => {
    const clock = new VirtualClock(START_SECONDS * 1000);
    const device = new ProbeDevice(new TestAgency(), clock, "A");
    device.pair();
    const text = new TextEncoder().encode("an exporter of an agents' session");
    device.commandAgent(20, 3, text);
    device.module.ask(1);
    device.module.ask(8, 3, 0);
    expect(holds(device.module, text)).toBe(false);
  });
});
