// SPDX-License-Identifier: Apache-2.0
// Outbox, switch and issuer as pure event machines on a bad network, from one seed: whatever is
// lost, doubled, delayed or altered, each order ends once, and everybody was told the same.
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../host/network/authorization/codec.ts";
import {
  type IssuerState,
  newIssuerState,
  stepIssuer,
} from "../../host/network/authorization/issuerMachine.ts";
import { authenticate } from "../../host/network/authorization/messageAuthentication.ts";
import type { IsoMessage } from "../../host/network/authorization/messages.ts";
import {
  newOutboxState,
  type OutboxConfig,
  type OutboxEffect,
  type OutboxEvent,
  outboxDeadlineMs,
  stepOutbox,
} from "../../host/network/authorization/outbox.ts";
import {
  parseApproval,
  parsePosting,
  signCompletion,
  signMandate,
} from "../../host/network/authorization/signedObjects.ts";
import { newSwitchState, stepSwitch } from "../../host/network/authorization/switch.ts";
import {
  accounts,
  acquirerKey,
  card,
  customerSeed,
  DEBIT_CARD,
  HOLD_S,
  hashOf,
  hold,
  identity,
  issuerConfig,
  issuerKey,
  mandate,
  merchantSeed,
  NOW_MS,
  NOW_S,
  settle,
  switchConfig,
} from "./authorization-world.ts";

const outboxConfig: OutboxConfig = {
  ...identity,
  linkKey: acquirerKey,
  firstRetryMs: 1000,
  longestRetryMs: 8000,
  holdPatienceMs: 30_000,
};

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Sends every message of the card network through hands that mishandle it. */
class BadNetwork {
  readonly issuer = newIssuerState(accounts());
  readonly relay = newSwitchState();
  readonly outbox = newOutboxState(1);
  readonly told: Exclude<OutboxEffect, { kind: "send" }>[] = [];
  nowMs = NOW_MS;
  healthy = false;
  private readonly random: (below: number) => number;
  private wires: { to: string; from: string; bytes: Uint8Array }[] = [];

  constructor(seed: number) {
    this.random = randomFrom(seed);
    stepSwitch(switchConfig, this.relay, { kind: "connected", link: "bank" });
  }

  give(event: OutboxEvent): void {
    for (const effect of stepOutbox(outboxConfig, this.outbox, event)) {
      if (effect.kind === "send") this.post("switch", "shop", effect.bytes);
      else this.told.push(effect);
    }
  }

  /** Lets time pass until the next repetition, and delivers what the network still has. */
  pass(): void {
    for (let step = 0; step < 20 && this.wires.length > 0; step++) this.deliver();
    const deadlineMs = outboxDeadlineMs(this.outbox);
    this.nowMs = Math.max(this.nowMs + 100, deadlineMs ?? 0);
    this.give({ kind: "tick", nowMs: this.nowMs });
  }

  private post(to: string, from: string, bytes: Uint8Array): void {
    const fate = this.healthy ? 9 : this.random(10);
    if (fate < 2) return;
    const sent = Uint8Array.from(bytes);
    if (fate === 2) sent[this.random(sent.length)]! ^= 1 << this.random(8);
    this.wires.push({ to, from, bytes: sent });
    if (fate < 5) this.wires.push({ to, from, bytes: Uint8Array.from(sent) });
  }

  private deliver(): void {
    const place = this.healthy ? 0 : this.random(this.wires.length);
    const [wire] = this.wires.splice(place, 1);
    if (wire === undefined) return;
    const { to, from, bytes } = wire;
    if (to === "outbox") {
      this.give({ kind: "received", bytes, nowMs: this.nowMs });
    } else if (to === "switch") {
      const effects = stepSwitch(switchConfig, this.relay, { kind: "received", link: from, bytes });
      for (const effect of effects) {
        this.post(effect.link === "bank" ? "issuer" : "outbox", "switch", effect.bytes);
      }
    } else {
      const nowS = Math.floor(this.nowMs / 1000);
      const event = { kind: "received" as const, link: "switch", bytes, nowS };
      for (const effect of stepIssuer(issuerConfig, this.issuer, event)) {
        this.post("switch", "bank", effect.bytes);
      }
    }
  }
}

describe("a network that loses, doubles, delays and alters", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("ends every order once, seed %d", (seed) => {
    const network = new BadNetwork(seed);
    const random = randomFrom(seed + 1000);
    const wanted = new Map<string, "post" | "void">();
    const orders = Array.from({ length: 8 }, () => {
      const direction = random(2) === 0 ? "buy" : "sell";
      const accountAmountMinor = 1 + random(20_000);
      return mandate({ direction, accountAmountMinor, notAfterS: NOW_S + 3600 });
    });
    const complete = (hash: string, outcome: "post" | "void") => {
      wanted.set(hash, outcome);
      const completion = signCompletion({ mandateHash: hash, outcome }, merchantSeed);
      network.give({ kind: "settle", completion, card, nowMs: network.nowMs });
    };
    for (const order of orders) {
      const signed = signMandate(order, customerSeed);
      network.give({ kind: "hold", mandate: signed, card, nowMs: network.nowMs });
    }
    let heard = 0;
    for (let round = 0; round < 400; round++) {
      network.healthy = round > 60;
      network.pass();
      // The merchant's agent: approved is posted or voided, anything unsigned is voided.
      for (const told of network.told.slice(heard)) {
        if (told.kind !== "authorized") continue;
        const approval = told.approval && parseApproval(told.approval)?.content;
        if (approval === null) complete(told.mandateHash, "void");
        else if (approval?.approved) {
          complete(told.mandateHash, random(3) === 0 ? "void" : "post");
        }
      }
      heard = network.told.length;
    }
    const { books } = network.issuer;
    let balanceMinor = 100_000;
    for (const order of orders) {
      const hash = hashOf(order);
      const outcome = wanted.get(hash);
      const settled = network.told.filter(
        (told) => told.kind === "settled" && told.mandateHash === hash,
      );
      const state = books.transactions[hash]?.state;
      if (outcome === undefined) {
        expect([settled.length, state]).toEqual([0, "refused"]);
        continue;
      }
      expect(settled.length).toBe(1);
      const posting = parsePosting((settled[0] as { posting: Uint8Array }).posting)!.content;
      if (outcome === "post") expect(posting.state).toBe("posted");
      else expect(posting.state).not.toBe("posted");
      if (outcome === "post") {
        const sign = order.direction === "buy" ? -1 : 1;
        balanceMinor += sign * order.accountAmountMinor;
      }
    }
    expect(wanted.size).toBeGreaterThan(0);
    const account = books.accounts[DEBIT_CARD];
    expect(account).toMatchObject({ balanceMinor, heldDebitMinor: 0, heldCreditMinor: 0 });
    expect(network.outbox.errands).toEqual({});
    expect(network.relay.counters.authentication).toBeGreaterThan(0);
  });

  it("replays exactly from a copy of its state", () => {
    const state = newIssuerState(accounts());
    const order = mandate();
    const received = (message: IsoMessage) => {
      const bytes = encodeMessage(message, issuerKey);
      return { kind: "received" as const, link: "switch", bytes, nowS: NOW_S };
    };
    stepIssuer(issuerConfig, state, received(hold(order)));
    const copy = structuredClone(state);
    const event = received(settle(order, "post"));
    expect(stepIssuer(issuerConfig, copy, event)).toEqual(stepIssuer(issuerConfig, state, event));
    expect(copy).toEqual(state);
  });
});

it("releases lapsed holds at a tick, and only those, and only once", () => {
  const state = newIssuerState(accounts());
  const say = (message: IsoMessage, nowS: number) => {
    const bytes = encodeMessage(message, issuerKey);
    stepIssuer(issuerConfig, state, { kind: "received", link: "switch", bytes, nowS });
  };
  const tick = (nowS: number) => {
    stepIssuer(issuerConfig, state, { kind: "tick", nowS });
    return state.books.accounts[DEBIT_CARD]!.heldDebitMinor;
  };
  const posted = mandate({ accountAmountMinor: 500 });
  say(hold(mandate()), NOW_S);
  say(hold(posted), NOW_S);
  say(settle(posted, "post"), NOW_S);
  say(hold(mandate({ accountAmountMinor: 70 })), NOW_S + 1);
  expect(tick(NOW_S + HOLD_S)).toBe(1070);
  expect(tick(NOW_S + HOLD_S + 1)).toBe(70);
  expect(tick(NOW_S + HOLD_S + 1)).toBe(70);
  expect(tick(NOW_S + HOLD_S + 2)).toBe(0);
  const account = state.books.accounts[DEBIT_CARD];
  expect(account).toMatchObject({ balanceMinor: 99_500, heldCreditMinor: 0 });
});

describe("a host that holds the key and lies", () => {
  const received = (bytes: Uint8Array) =>
    ({ kind: "received", link: "switch", bytes, nowS: NOW_S }) as const;

  /** Steps a copy of `before` once for every byte, one bit of it flipped, the code made good. */
  function forEachFlip(message: IsoMessage, before: IssuerState, check: (s: IssuerState) => void) {
    const bytes = encodeMessage(message, issuerKey);
    for (let place = 0; place < bytes.length - 8; place++) {
      const altered = Uint8Array.from(bytes);
      // The lowest bit turns one digit or letter into another most often.
      altered[place]! ^= place % 4 === 3 ? 2 : 1;
      authenticate(altered, issuerKey);
      const state = structuredClone(before);
      stepIssuer(issuerConfig, state, received(altered));
      check(state);
    }
  }

  it("cannot make a hold of anything but the order that was signed", () => {
    const order = mandate();
    const start = newIssuerState(accounts());
    const honest = structuredClone(start);
    stepIssuer(issuerConfig, honest, received(encodeMessage(hold(order), issuerKey)));
    let harmless = 0;
    forEachFlip(hold(order), start, ({ books }) => {
      if (Object.keys(books.transactions).length === 0) expect(books).toEqual(start.books);
      else expect(books).toEqual(honest.books);
      if (Object.keys(books.transactions).length > 0) harmless++;
    });
    // Some fields (times, trace number, terminal) may differ without changing the order.
    expect(harmless).toBeGreaterThan(20);
  });

  it.each(["post", "void"] as const)("cannot change what a %s does", (outcome) => {
    const order = mandate();
    const start = newIssuerState(accounts());
    stepIssuer(issuerConfig, start, received(encodeMessage(hold(order), issuerKey)));
    const honest = structuredClone(start);
    const message = settle(order, outcome);
    stepIssuer(issuerConfig, honest, received(encodeMessage(message, issuerKey)));
    expect(honest.books).not.toEqual(start.books);
    forEachFlip(message, start, ({ books }) => {
      const touched = books.transactions[hashOf(order)]!.state !== "held";
      expect(books).toEqual(touched ? honest.books : start.books);
    });
  });
});

describe("the switch", () => {
  const shop = (message: IsoMessage, key = acquirerKey) =>
    ({ kind: "received", link: "shop", bytes: encodeMessage(message, key) }) as const;

  it("answers 91 while the issuer is away, 14 for a range of nobody, and signs nothing", () => {
    const state = newSwitchState();
    const codeOf = (message: IsoMessage) => {
      const [effect] = stepSwitch(switchConfig, state, shop(message));
      const answer = decodeMessage(effect!.bytes, acquirerKey) as IsoMessage;
      expect([effect!.link, answer.fields[55]]).toEqual(["shop", undefined]);
      return answer.fields[39];
    };
    expect(codeOf(hold(mandate()))).toBe("91");
    stepSwitch(switchConfig, state, { kind: "connected", link: "bank" });
    expect(codeOf(hold(mandate(), { fields: { 2: "6000001234567899" } }))).toBe("14");
    stepSwitch(switchConfig, state, { kind: "disconnected", link: "bank" });
    expect(codeOf(settle(mandate(), "void"))).toBe("91");
    // An acquirer under another's id.
    expect(codeOf(hold(mandate(), { fields: { 32: "9002" } }))).toBe("63");
  });

  it("routes by the longest range and gives each link its own key", () => {
    const config = {
      ...switchConfig,
      issuers: {
        ...switchConfig.issuers,
        other: { prefixes: ["4000001"], linkKey: new Uint8Array(32).fill(13) },
      },
    };
    const state = newSwitchState();
    stepSwitch(config, state, { kind: "connected", link: "bank" });
    stepSwitch(config, state, { kind: "connected", link: "other" });
    const message = hold(mandate());
    const [effect] = stepSwitch(config, state, shop(message));
    expect(effect!.link).toBe("other");
    expect(decodeMessage(effect!.bytes, config.issuers.other.linkKey)).toEqual(message);
    expect(decodeMessage(effect!.bytes, issuerKey)).toBe("authentication");
  });

  it("drops answers from acquirers, requests from issuers, and answers for nobody", () => {
    const state = newSwitchState();
    const answer: IsoMessage = {
      type: "0230",
      fields: { ...settle(mandate(), "post").fields, 39: "00", 32: "9009" },
    };
    for (const field of [2, 3, 4, 12, 13, 49, 55]) {
      delete (answer.fields as Record<number, string>)[field];
    }
    expect(stepSwitch(switchConfig, state, shop(answer))).toEqual([]);
    const bank = (message: IsoMessage) =>
      ({ kind: "received", link: "bank", bytes: encodeMessage(message, issuerKey) }) as const;
    expect(stepSwitch(switchConfig, state, bank(hold(mandate())))).toEqual([]);
    expect(stepSwitch(switchConfig, state, bank(answer))).toEqual([]);
    expect(state.counters.route).toBe(3);
    const known = { ...answer, fields: { ...answer.fields, 32: identity.acquirerId } };
    expect(stepSwitch(switchConfig, state, bank(known))).toHaveLength(1);
  });
});
