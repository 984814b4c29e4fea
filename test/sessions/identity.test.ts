// SPDX-License-Identifier: Apache-2.0
// The commands that every image answers (docs/protocol.cddl section 8, 1 to 9): a module's life
// from blank to certified, what it refuses to become, lists and time from its own agency alone.
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import { signList, signTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, encodeChain, Role, signCertificate } from "../../host/trust/certificates.ts";
import { parseSigned, signObject, verifySigned } from "../../host/trust/cose.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { BareModule, HOST } from "../../host/torture/bareModule.ts";
import { Random } from "../../host/torture/random.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const IMAGE = "session-probe-agent";
const NONCE = new Uint8Array(32).fill(9);

function blank(): BareModule {
  const module = new BareModule(IMAGE, new VirtualClock(START_SECONDS * 1000), "one");
  module.command(10, Role.CUSTOMER);
  return module;
}

function keyed() {
  const module = blank();
  const [, signing, sealing] = module.ask(2) as [number, Uint8Array, Uint8Array];
  return { module, keys: { signing, sealing } };
}

function certified() {
  const agency = new TestAgency();
  const module = blank();
  const chain = agency.certify(module, "member", Role.CUSTOMER);
  return { module, agency, chain };
}

/** Ids that sort as their numbers do. */
const numbered = (number: number) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, number * 7 + 3);
  return bytes;
};

describe("life", () => {
  test("goes from blank over keyed to certified, and lasts over a reboot", () => {
    const module = blank();
    const boots = module.ask(1)[6] as number;
    const identify = (life: number, name: unknown, device: unknown) => [
      1,
      "session-probe",
      life,
      name,
      device,
      Role.CUSTOMER,
      boots,
      START_SECONDS * 1000,
    ];
    expect(module.ask(1)).toEqual(identify(0, null, null));
    const keys = module.ask(2);
    expect(module.ask(1)).toEqual(identify(1, null, null));
    new TestAgency().certify(module, "member", Role.CUSTOMER);
    expect(module.ask(1)).toEqual(identify(2, id("member"), id("device-r")));
    module.reboot();
    expect(module.ask(1)[2]).toBe(2);
    expect(module.ask(1)[6]).toBe(boots + 1);
    expect(module.ask(2)).toEqual(keys);
  });

  test("makes keys once", () => {
    const { module, keys } = keyed();
    expect(module.ask(2)).toEqual([2, keys.signing, keys.sealing]);
    module.reboot();
    expect(module.ask(2)).toEqual([2, keys.signing, keys.sealing]);
  });

  test("proves possession of both keys", () => {
    const { module, keys } = keyed();
    const seal = (info: string) =>
      sealToKey(keys.sealing, info, new Uint8Array(0), NONCE, new Uint8Array(32).fill(8));
    const [, proof] = module.ask(3, seal("florin/possession"));
    const object = parseSigned(encodeCbor(proof))!;
    expect(verifySigned(object, "florin/possession", keys.signing)).toBe(true);
    expect(decodeCbor(object.payload)).toEqual([NONCE, keys.signing, keys.sealing]);
    expect(module.ask(3, seal("florin/session"))).toEqual([0, 3, 16]);
    expect(blank().ask(3, seal("florin/possession"))).toEqual([0, 3, 16]);
  });

  test("without random numbers has no keys", () => {
    const module = blank();
    module.isRandomDead = true;
    expect(module.ask(2)).toEqual([0, 2, 8]);
    expect(module.ask(1)[2]).toBe(0);
  });

  test("without a certificate begins no session and no pairing", () => {
    const { module } = keyed();
    expect(module.ask(11, null)).toEqual([0, 11, 4]);
    expect(module.ask(5)).toEqual([0, 5, 4]);
  });
});

describe("installing a chain", () => {
  const attempts: [string, Partial<Claims>, number][] = [
    ["of another role", { role: Role.MERCHANT }, 15],
    ["for another signing key", { signingKey: ed25519.getPublicKey(NONCE) }, 10],
    ["for another sealing key", { sealingKey: new Uint8Array(32).fill(9) }, 10],
    ["that has expired", { expires: START_SECONDS }, 11],
    ["of another issuer", { issuer: id("OTHER") }, 10],
  ];
  test.each(attempts)("refuses one %s", (_name, change, reason) => {
    const { module, keys } = keyed();
    const agency = new TestAgency();
    const claims = { ...agency.claims("member", Role.CUSTOMER, keys), ...change };
    expect(agency.install(module, agency.chain(claims))).toEqual([0, 4, reason]);
    expect(module.ask(1)[2]).toBe(1);
  });

  test("refuses claims that do not belong to the role, and wrong depth", () => {
    const { module, keys } = keyed();
    const agency = new TestAgency();
    const good = agency.claims("member", Role.CUSTOMER, keys);
    const { seed, certificate } = agency.agentServer;
    const holder = signCertificate(good, seed, certificate.reference);
    // The host's own signer refuses such claims, so they are signed by hand.
    const withClaim = (key: number, value: unknown) => {
      const map = decodeCbor(parseSigned(holder)!.payload) as Map<number, unknown>;
      map.set(key, value);
      return signObject("florin/certificate", encodeCbor(map), seed, certificate.reference);
    };
    const server = certificate.bytes;
    expect(agency.install(module, encodeChain(withClaim(-5, "Bank"), server))).toEqual([0, 4, 1]);
    expect(agency.install(module, encodeChain(withClaim(-7, 1), server))).toEqual([0, 4, 1]);
    expect(agency.install(module, encodeChain(withClaim(-8, 1), server))).toEqual([0, 4, 1]);
    expect(agency.install(module, encodeChain(server, server))).toEqual([0, 4, 15]);
    expect(agency.install(module, encodeChain(holder, holder))).toEqual([0, 4, 10]);
    expect(agency.install(module, encodeChain(holder, server))[0]).toBe(4);
  });

  test("refuses every bit flip in the chain", () => {
    const { module, keys } = keyed();
    const agency = new TestAgency();
    const chain = agency.chain(agency.claims("member", Role.CUSTOMER, keys));
    const { agentRoot, moduleRoot } = agency;
    const roots = [
      [agentRoot.id, agentRoot.key],
      [moduleRoot.id, moduleRoot.key],
    ].map((root) => [...encodeCbor(root)]);
    const random = new Random(3);
    for (let place = 0; place < chain.length; place++) {
      const changed = chain.slice();
      changed[place]! ^= 1 << random.below(8);
      // [ 4, chain, root, root ], spelled out: a changed chain need not be CBOR.
      const command = Uint8Array.from([0x84, 4, ...changed, ...roots[0]!, ...roots[1]!]);
      const answer = decodeCbor(module.deliver(HOST, command)[0]!.body) as unknown[];
      expect(answer[0]).toBe(0);
    }
    expect(module.ask(1)[2]).toBe(1);
  });

  test("renews only what keeps id, device, role and roots", () => {
    const { module, agency } = certified();
    const [, signing, sealing] = module.ask(2) as [number, Uint8Array, Uint8Array];
    const good = agency.claims("member", Role.CUSTOMER, { signing, sealing });
    const renewed = agency.chain({ ...good, expires: good.expires + 1000 });
    expect(agency.install(module, agency.chain({ ...good, subject: id("other") }))[2]).toBe(10);
    expect(agency.install(module, agency.chain({ ...good, device: id("other") }))[2]).toBe(10);
    const other = new TestAgency(50);
    expect(other.install(module, other.chain(good))).toEqual([0, 4, 10]);
    expect(agency.install(module, renewed)).toEqual([4]);
    expect(module.ask(8, 3, 0)).toEqual([8, 3, null, renewed]);
  });
});

describe("lists", () => {
  const list = (agency: TestAgency, version: number, count: number) =>
    signList(
      agency.agentServer,
      version,
      START_SECONDS,
      Array.from({ length: count }, (_, index) => numbered(index)),
    ).map((part) => decodeCbor(part));
  const isListed = (module: BareModule, number: number) => module.ask(22, numbered(number))[1];

  test("of 4,320 ids in nine parts replace the old one when all are there, in any order", () => {
    const { module, agency } = certified();
    expect(module.ask(6, list(agency, 1, 3)[0])).toEqual([6, 1]);
    expect([0, 1, 2, 3].map((number) => isListed(module, number))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    const parts = list(agency, 2, 4320);
    for (const index of [3, 0, 8, 5, 1, 1, 4, 7, 6])
      expect(module.ask(6, parts[index])).toEqual([6, 1]);
    expect(isListed(module, 3)).toBe(false);
    module.reboot();
    expect(module.ask(6, parts[2])).toEqual([6, 2]);
    module.reboot();
    for (const number of [0, 1, 479, 480, 481, 2304, 4318, 4319]) {
      expect(isListed(module, number)).toBe(true);
      const between = numbered(number);
      between[7] = 1;
      expect(module.ask(22, between)).toEqual([22, false]);
    }
    expect(isListed(module, 4320)).toBe(false);
    expect(module.ask(6, list(agency, 3, 0)[0])).toEqual([6, 3]);
    expect(isListed(module, 0)).toBe(false);
  });

  test("are replaced by newer ones only", () => {
    const { module, agency } = certified();
    module.ask(6, list(agency, 5, 2)[0]);
    expect(module.ask(6, list(agency, 5, 3)[0])).toEqual([0, 6, 5]);
    expect(module.ask(6, list(agency, 4, 3)[0])).toEqual([0, 6, 5]);
    expect(isListed(module, 1)).toBe(true);
  });

  test("that did not arrive whole give way to newer ones", () => {
    const { module, agency } = certified();
    const six = list(agency, 6, 2000);
    module.ask(6, six[0]);
    expect(module.ask(6, list(agency, 7, 5)[0])).toEqual([6, 7]);
    expect(module.ask(6, six[1])).toEqual([0, 6, 5]);
    expect([4, 5, 1900].map((number) => isListed(module, number))).toEqual([true, false, false]);
  });

  test("of others or changed are refused", () => {
    const { module, agency } = certified();
    const foreign = new TestAgency(20);
    expect(module.ask(6, list(foreign, 1, 2)[0])).toEqual([0, 6, 10]);
    const ofModules = signList(agency.moduleServer, 1, START_SECONDS, [numbered(1)]);
    expect(module.ask(6, decodeCbor(ofModules[0]!))).toEqual([0, 6, 10]);
    const [object, server] = list(agency, 1, 2)[0] as [unknown[], unknown];
    for (let place = 0; place < (object[2] as Uint8Array).length; place++) {
      const payload = (object[2] as Uint8Array).slice();
      payload[place]! ^= 1;
      const answer = module.ask(6, [[object[0], object[1], payload, object[3]], server]);
      expect(answer[0]).toBe(0);
    }
    expect(isListed(module, 0)).toBe(false);
  });

  test("with parts that do not ascend over their borders are refused whole", () => {
    const { module, agency } = certified();
    const { seed, certificate } = agency.agentServer;
    const part = (number: number, ids: Uint8Array[]) => {
      const payload = encodeCbor([1, START_SECONDS, number, 2, ids]);
      return [
        decodeCbor(signObject("florin/list", payload, seed, certificate.reference)),
        decodeCbor(certificate.bytes),
      ];
    };
    module.ask(6, part(0, [numbered(5), numbered(6)]));
    expect(module.ask(6, part(1, [numbered(6), numbered(7)]))).toEqual([0, 6, 1]);
    expect(isListed(module, 5)).toBe(false);
    expect(module.ask(6, part(0, [numbered(6), numbered(5)]))).toEqual([0, 6, 1]);
  });
});

describe("time", () => {
  const time = (agency: TestAgency, seconds: number) =>
    decodeCbor(signTime(agency.agentServer, seconds));

  test("signed by the server raises the floor, never lowers it, and lasts", () => {
    const { module, agency } = certified();
    const later = START_SECONDS + 5000;
    expect(module.ask(7, time(agency, later))).toEqual([7]);
    expect(module.ask(23)).toEqual([23, later, later]);
    expect(module.ask(7, time(agency, later - 1000))).toEqual([7]);
    expect(module.ask(23)).toEqual([23, later, later]);
    module.reboot();
    expect(module.ask(23)).toEqual([23, later, later]);
    module.clock.advance(6_000_000);
    expect(module.ask(23)).toEqual([23, START_SECONDS + 6000, later]);
    module.isClockKnown = false;
    expect(module.ask(23)).toEqual([23, later, later]);
    expect(module.ask(1)[7]).toBe(0);
  });

  test("of others is refused", () => {
    const { module } = certified();
    expect(module.ask(7, time(new TestAgency(20), START_SECONDS + 5000))).toEqual([0, 7, 10]);
    expect(module.ask(23)[1]).toBe(START_SECONDS);
  });
});

describe("commands", () => {
  test("that are malformed or unknown are answered with a reason", () => {
    const { module } = certified();
    const answers: [unknown[], unknown[]][] = [
      [
        [1, 5],
        [0, 1, 1],
      ],
      [[4], [0, 4, 1]],
      [[0], [0, 0, 3]],
      [
        [8, 7, 0],
        [0, 8, 1],
      ],
      [
        [8, 1],
        [0, 8, 1],
      ],
      [[99], [0, 99, 3]],
    ];
    for (const [command, answer] of answers) expect(module.ask(...command)).toEqual(answer);
    for (const body of [Uint8Array.of(0xff), Uint8Array.of(0x81), Uint8Array.of(0x60)]) {
      expect(decodeCbor(module.deliver(HOST, body)[0]!.body)).toEqual([0, 0, 1]);
    }
  });

  test("made of garbage never stop the image", () => {
    const { module } = certified();
    const random = new Random(11);
    for (let round = 0; round < 2000; round++) {
      const items = Array.from({ length: random.below(5) }, () =>
        random.pick<unknown>([random.next(), random.bytes(random.below(80)), null, [[1], "a"], -1]),
      );
      module.deliver(HOST, encodeCbor([1 + random.below(9), ...items]));
      module.deliver(HOST, random.bytes(1 + random.below(60)));
    }
    expect(module.statistics.panics).toBe(0);
    expect(module.ask(1)[2]).toBe(2);
  });

  test("show no secret of the module", () => {
    const { module } = certified();
    expect(module.ask(8, 1, 0)).toEqual([8, 1, null, null]);
    expect(module.ask(9, 0)).toEqual([9, null, null]);
  });
});
