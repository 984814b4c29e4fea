// SPDX-License-Identifier: Apache-2.0
// What anybody can hand to a device by its host, changed in every small way by somebody without its
// signer's secrets: the list of bad ids, signed time, the own chain, a peer's chain, an offer, an
// approval, a posting. The firmware gets each by its real way, refuses it for its reason, and keeps
// nothing of it: what is in flash is what was there before.
import { serialize } from "node:v8";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { signList, signTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { verifyOffer } from "../../host/trust/merchantOffer.ts";
import type { ModuleSnapshot } from "../../host/simulator/simulatedModule.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { ABORTED, AbortWorld, COMMITTED } from "../support/abortWorld.ts";
import { postingOf, willingMerchant } from "../../host/torture/purchaseWorld.ts";
import { BareModule, bodiesTo, HOST, PEER, toHost } from "../../host/torture/bareModule.ts";
import { Label, TwinParty } from "../support/sessionTwin.ts";
import { type Tampered, tamperedWith } from "../support/tamper.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const MALFORMED = 1;
const ALREADY_DONE = 5;
const CERTIFICATE_INVALID = 10;
const CERTIFICATE_EXPIRED = 11;
const WRONG_ROLE = 15;
const OFFER_WRONG = 24;
const APPROVAL_INVALID = 28;

const agency = new TestAgency();
const clock = new VirtualClock(START_SECONDS * 1000);

/** A certified image, or one that has made its keys and waits for its chain. */
function moduleOf(image: string, name: string, role: Role, isCertified = true): BareModule {
  const module = new BareModule(image, clock, name);
  if (isCertified) agency.certify(module, name, role);
  return module;
}

/** Whether what is durable, flash and counter, is the same: serialized, since that is quick. */
const isSameState = (a: ModuleSnapshot, b: ModuleSnapshot) =>
  a.counter === b.counter && serialize(a.flash).equals(serialize(b.flash));

/** A command whose one field is `item` as it is, well-formed or not. */
const commandWith = (command: number, item: Uint8Array, ...more: unknown[]) =>
  concatBytes(
    Uint8Array.of(0x82 + more.length, command),
    item,
    ...more.map((one) => encodeCbor(one)),
  );

/** Where the reason is none of `reasons`, or something was kept; each as one line. */
function wrongs(
  module: BareModule,
  command: number,
  all: Tampered[],
  reasons: number[],
  ...more: unknown[]
): string[] {
  const before = module.snapshot();
  return all.flatMap(({ what, bytes }) => {
    module.restore(before);
    const sent = module.deliver(HOST, commandWith(command, bytes, ...more));
    const [answer] = toHost(sent);
    const [failed, , reason] = answer ?? [];
    if (failed !== 0 || !reasons.includes(reason as number)) return [`${what}: ${String(answer)}`];
    return isSameState(module.snapshot(), before) ? [] : [`${what}: something is kept`];
  });
}

describe.each([
  ["transaction-module", Role.TRANSACTION, agency.moduleServer],
  ["customer-agent", Role.CUSTOMER, agency.agentServer],
] as const)("%s", (image, role, server) => {
  test("takes no list that is not as its server signed it", () => {
    const module = moduleOf(image, "LISTS-L", role);
    const [first] = signList(server, 1, START_SECONDS, [id("BAD-1")]);
    const [second] = signList(server, 2, START_SECONDS, [id("BAD-1"), id("BAD-2")]);
    expect(module.ask(6, decodeCbor(first!))).toEqual([6, 1]);
    const all = tamperedWith(second!);
    expect(all.length).toBeGreaterThan(100);
    const reasons = [MALFORMED, ALREADY_DONE, CERTIFICATE_INVALID, CERTIFICATE_EXPIRED];
    expect(wrongs(module, 6, all, reasons).join("\n")).toBe("");
    expect(module.ask(6, decodeCbor(second!))).toEqual([6, 2]);
  });

  test("takes no list of another agency's server, or of the other root's", () => {
    const module = moduleOf(image, "LISTS-O", role);
    const stranger = new TestAgency(100);
    const others = [
      role === Role.CUSTOMER ? agency.moduleServer : agency.agentServer,
      role === Role.CUSTOMER ? stranger.agentServer : stranger.moduleServer,
    ];
    for (const other of others) {
      const [part] = signList(other, 9, START_SECONDS, [id("BAD-1")]);
      expect(module.ask(6, decodeCbor(part!))).toEqual([0, 6, CERTIFICATE_INVALID]);
      const time = signTime(other, START_SECONDS + 5);
      expect(module.ask(7, decodeCbor(time))).toEqual([0, 7, CERTIFICATE_INVALID]);
    }
  });

  test("takes no signed time that is not as its server signed it", () => {
    const module = moduleOf(image, "TIMES-T", role);
    const time = signTime(server, START_SECONDS + 50_000);
    const reasons = [MALFORMED, CERTIFICATE_INVALID, CERTIFICATE_EXPIRED];
    expect(wrongs(module, 7, tamperedWith(time), reasons).join("\n")).toBe("");
    expect(module.ask(7, decodeCbor(time))).toEqual([7]);
  });

  test("takes no object of one kind for another", () => {
    const module = moduleOf(image, "KINDS-K", role);
    const [list] = signList(server, 1, START_SECONDS, []);
    const time = signTime(server, START_SECONDS + 5);
    expect(module.ask(6, decodeCbor(time))).toEqual([0, 6, MALFORMED]);
    expect(module.ask(7, decodeCbor(list!))).toEqual([0, 7, MALFORMED]);
  });

  test("takes no chain that is not as its server certified it", () => {
    const module = moduleOf(image, "CHAIN-C", role, false);
    const [, signing, sealing] = module.ask(2) as [number, Uint8Array, Uint8Array];
    const chain = agency.chain(agency.claims("CHAIN-C", role, { signing, sealing }));
    const { agentRoot, moduleRoot } = agency;
    const roots = [
      [agentRoot.id, agentRoot.key],
      [moduleRoot.id, moduleRoot.key],
    ];
    const reasons = [MALFORMED, CERTIFICATE_INVALID, CERTIFICATE_EXPIRED, WRONG_ROLE];
    expect(wrongs(module, 4, tamperedWith(chain), reasons, ...roots).join("\n")).toBe("");
    expect(agency.install(module, chain)).toEqual([4]);
  });
});

describe("a peer's chain in M1", () => {
  test("is as its server certified it, or the session is denied", () => {
    const agent = moduleOf("customer-agent", "agent-C", Role.CUSTOMER);
    const peer = new TwinParty(agency, "PEER-P", Role.CUSTOMER);
    const before = agent.snapshot();
    const tag = new Uint8Array(8).fill(5);
    const helloWith = (chain: Uint8Array) => {
      const m1 = concatBytes(
        Uint8Array.of(0x84, 1, Label.agent),
        chain,
        encodeCbor(new Uint8Array(32).fill(9)),
      );
      return encodeCbor([1, tag, m1]);
    };
    const answers = (chain: Uint8Array) => {
      agent.restore(before);
      return bodiesTo(PEER, agent.deliver(PEER, helloWith(chain))).map(
        (body) => decodeCbor(body) as unknown[],
      );
    };
    expect(answers(peer.chain)[0]?.[0]).toBe(2);
    const reasons = [MALFORMED, CERTIFICATE_INVALID, CERTIFICATE_EXPIRED];
    const wrong = tamperedWith(peer.chain).flatMap(({ what, bytes }) => {
      const [kind, , reason] = answers(bytes)[0] ?? [];
      const isDenied = kind === 5 && reasons.includes(reason as number);
      if (!isDenied) return [`${what}: ${String(kind)} ${String(reason)}`];
      return isSameState(agent.snapshot(), before) ? [] : [`${what}: something is kept`];
    });
    expect(wrong.join("\n")).toBe("");
  });
});

describe("between customer and merchant", () => {
  const world = new AbortWorld();
  const { customer, merchant } = world;

  /** [state, reason] of customer and merchant after the customer ordered with this offer. */
  function orderedWith(offer: Uint8Array) {
    const sent = world.tell(customer, "agent", [20, world.newCommand(), offer]);
    return sent.some(([number]) => number === 0) ? ["refused"] : customer.last(29)?.slice(2, 4);
  }

  test("an offer is what the merchant signed, or the order ends before anything is asked", () => {
    world.reset();
    world.connect(customer, merchant);
    const offer = world.offer(2);
    const fork = world.snapshot();
    const held = () => JSON.stringify([customer.agent.ask(8, 1, 0), customer.module?.ask(80)]);
    const before = held();
    const wrong = tamperedWith(offer).flatMap(({ what, bytes }) => {
      // The session proves whose key signed; the chain beside the offer is for those who shop.
      if (what.startsWith("/1")) return [];
      world.restore(fork);
      const ended = orderedWith(bytes);
      const asked = customer.told(21).length + merchant.told(45).length;
      if (held() !== before) return [`${what}: changed something`];
      const isRight = ended?.[0] === "refused" || String(ended) === `${ABORTED},${OFFER_WRONG}`;
      return isRight && asked === 0 ? [] : [`${what}: ${String(ended)}`];
    });
    expect(wrong.join("\n")).toBe("");
  });

  test("an offer, its chain included, is what shoppers verify", () => {
    world.reset();
    const offer = world.offer(2);
    const root = world.agency.agentRoot;
    const now = world.nowSeconds();
    expect(verifyOffer(offer, root, now).ok).toBe(true);
    const taken = tamperedWith(offer).filter(({ bytes }) => verifyOffer(bytes, root, now).ok);
    expect(taken.map(({ what }) => what)).toEqual([]);
    expect(verifyOffer(offer, root, now + 700).ok).toBe(false);
    expect(verifyOffer(offer, new TestAgency(100).agentRoot, now).ok).toBe(false);
  });

  test("an approval is what the issuer signed, or both sides abort and the hold is voided", () => {
    const wrong: string[] = [];
    world.reset();
    let all: Tampered[] = [];
    merchant.host = willingMerchant({
      45: ([, , mandate]) => {
        all = tamperedWith(encodeCbor(world.approval(mandate)));
        return [];
      },
    });
    world.flows.sale.order();
    const fork = world.snapshot();
    const [, tag] = merchant.last(45) as [number, unknown];
    expect(all.length).toBeGreaterThan(30);
    for (const { what, bytes } of all) {
      world.restore(fork);
      world.makeWilling();
      const command = concatBytes(
        Uint8Array.of(0x84, 0x18, 46),
        encodeCbor(tag),
        bytes,
        encodeCbor("00"),
      );
      const told = world.deliver(merchant, command);
      // A command that is no command leaves the question open; the rest ends the sale at once.
      const isNoCommand = told.some(([number, , reason]) => number === 0 && reason === MALFORMED);
      const ends = world.flows.sale.told();
      const isRight =
        String(ends) === `${ABORTED},${APPROVAL_INVALID},${ABORTED},${APPROVAL_INVALID}`;
      if (!isNoCommand && !isRight) wrong.push(`${what}: ${String(ends)}`);
      if (ends[0]?.[0] === COMMITTED) wrong.push(`${what}: committed`);
    }
    expect(wrong.join("\n")).toBe("");
  });

  test("a posting is what the issuer signed, or the obligation stays", () => {
    world.reset();
    let completion: unknown;
    let transaction: unknown;
    merchant.host = willingMerchant({
      45: ([, tag, mandate]) => [[46, tag, world.approval(mandate), "00"]],
      47: (message) => {
        [, transaction, completion] = message;
        return [];
      },
    });
    world.flows.purchase.order();
    world.finish();
    expect(world.flows.purchase.told()[0]).toEqual([COMMITTED, 0]);
    const posting = encodeCbor(postingOf(completion));
    const fork = world.snapshot();
    const wrong = tamperedWith(posting).flatMap(({ what, bytes }) => {
      world.restore(fork);
      merchant.host = () => [];
      const command = concatBytes(Uint8Array.of(0x83, 0x18, 48), encodeCbor(transaction), bytes);
      const told = world.deliver(merchant, command).filter(([number]) => number !== 47);
      const [failed, , reason] = told[0] ?? [];
      const isRefused = failed === 0 && [MALFORMED, APPROVAL_INVALID].includes(reason as number);
      const open = merchant.agent.ask(56)[1];
      return isRefused && open === 1 ? [] : [`${what}: ${String(told[0])}, ${String(open)} open`];
    });
    expect(wrong.join("\n")).toBe("");
    world.restore(fork);
    merchant.host = () => [];
    expect(world.tell(merchant, "agent", [48, transaction, decodeCbor(posting)])[0]).toEqual([48]);
    expect(merchant.agent.ask(56)[1]).toBe(0);
  });
});
