// SPDX-License-Identifier: Apache-2.0
// The merchant host's outbox: what it sends and when, and which answers it takes.
import { beforeEach, describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../host/network/authorization/codec.ts";
import { answerTo, type IsoMessage } from "../../host/network/authorization/messages.ts";
import {
  newOutboxState,
  type OutboxConfig,
  type OutboxEffect,
  type OutboxEvent,
  outboxDeadlineMs,
  stepOutbox,
} from "../../host/network/authorization/outbox.ts";
import { retrievalReference } from "../../host/network/authorization/outboxMessages.ts";
import {
  type Mandate,
  signApproval,
  signCompletion,
  signMandate,
  signPosting,
  toFieldText,
} from "../../host/network/authorization/signedObjects.ts";
import {
  acquirerKey,
  approvalSeed,
  card,
  customerSeed,
  hashOf,
  identity,
  issuerKey,
  mandate,
  merchantSeed,
  NOW_MS,
} from "./authorization-world.ts";

const config: OutboxConfig = {
  ...identity,
  linkKey: acquirerKey,
  firstRetryMs: 1000,
  longestRetryMs: 3000,
  holdPatienceMs: 6000,
};

let state = newOutboxState(999_999);
let order: Mandate;
beforeEach(() => {
  state = newOutboxState(999_999);
  order = mandate();
});

const step = (event: OutboxEvent) => stepOutbox(config, state, event);
const tick = (afterMs: number) => step({ kind: "tick", nowMs: NOW_MS + afterMs });
const askHold = (of = order, to = card) =>
  step({ kind: "hold", mandate: signMandate(of, customerSeed), card: to, nowMs: NOW_MS });
const askSettle = (outcome: "post" | "void", afterMs = 0) => {
  const completion = signCompletion({ mandateHash: hashOf(order), outcome }, merchantSeed);
  return step({ kind: "settle", completion, card, nowMs: NOW_MS + afterMs });
};
const hear = (answer: IsoMessage, key = acquirerKey) =>
  step({ kind: "received", bytes: encodeMessage(answer, key), nowMs: NOW_MS + 10 });

function sentIn(effects: readonly OutboxEffect[]): IsoMessage {
  expect(effects.map(({ kind }) => kind)).toEqual(["send"]);
  const message = decodeMessage((effects[0] as { bytes: Uint8Array }).bytes, acquirerKey);
  if (typeof message === "string") throw new Error(`the message has a wrong ${message}`);
  return message;
}

function approved(request: IsoMessage, of = order): IsoMessage {
  const approval = { mandateHash: hashOf(of), approved: true, code: "00", untilS: 9 };
  return answerTo(request, "00", { 55: toFieldText(signApproval(approval, approvalSeed)) });
}

function posted(request: IsoMessage, mandateHash = hashOf(order)): IsoMessage {
  const posting = signPosting({ mandateHash, state: "posted" }, approvalSeed);
  return answerTo(request, "00", { 55: toFieldText(posting) });
}

describe("a hold", () => {
  it("is worded as the standard says", () => {
    // 2026-07-25 17:20:00 UTC is day 206 of the year.
    expect(new Date(NOW_MS).toISOString()).toBe("2026-07-25T17:20:00.000Z");
    const { type, fields } = sentIn(askHold(order, { ...card, cardExpiry: "2812" }));
    expect(type).toBe("0100");
    const { 55: signed, ...plain } = fields;
    expect(plain).toEqual({
      2: "4000001234567899",
      3: "000000",
      4: "000000001000",
      7: "0725172000",
      11: "999999",
      12: "172000",
      13: "0725",
      14: "2812",
      32: "9001",
      37: "620617999999",
      41: "FLORIN01",
      42: "oaGhoaGhoaE    ",
      49: "978",
    });
    expect(signed).toBe(toFieldText(signMandate(order, customerSeed)));
    expect(signed!.length).toBeLessThan(300);
  });

  it("is a credit in a sale, and trace numbers begin again at 1", () => {
    sentIn(askHold());
    const sale = mandate({ direction: "sell", accountUnit: "JPY" });
    const { fields } = sentIn(askHold(sale));
    expect([fields[3], fields[49], fields[11]]).toEqual(["200000", "392", "000001"]);
  });

  it("is repeated at growing pauses, the same, until patience ends", () => {
    const first = sentIn(askHold());
    expect(askHold()).toEqual([]);
    expect(outboxDeadlineMs(state)).toBe(NOW_MS + 1000);
    expect(tick(999)).toEqual([]);
    expect(sentIn(tick(1000))).toEqual(first);
    expect(outboxDeadlineMs(state)).toBe(NOW_MS + 3000);
    expect(sentIn(tick(3000))).toEqual(first);
    expect(outboxDeadlineMs(state)).toBe(NOW_MS + 6000);
    const mandateHash = hashOf(order);
    const silence = { kind: "authorized", mandateHash, code: "91", approval: null };
    expect(tick(6000)).toEqual([silence]);
    expect(outboxDeadlineMs(state)).toBeUndefined();
    // What comes now is too late: the agent was told to void.
    expect(hear(approved(first))).toEqual([]);
    expect(state.counters.route).toBe(1);
  });

  it("is sent again at once when the line is back", () => {
    const first = sentIn(askHold());
    expect(sentIn(step({ kind: "connected", nowMs: NOW_MS + 5 }))).toEqual(first);
  });

  it("hands the signed approval on, once", () => {
    const request = sentIn(askHold());
    const answer = approved(request);
    const [effect] = hear(answer);
    expect(effect).toMatchObject({ kind: "authorized", code: "00", mandateHash: hashOf(order) });
    const { approval } = effect as { approval: Uint8Array };
    expect(toFieldText(approval)).toBe(answer.fields[55]);
    expect(hear(answer)).toEqual([]);
    expect(outboxDeadlineMs(state)).toBeUndefined();
    expect(state.counters).toMatchObject({ accepted: 1, route: 1 });
  });

  it("waits on after 91 and 96, and ends unsigned after other codes", () => {
    const request = sentIn(askHold());
    expect(hear(answerTo(request, "91"))).toEqual([]);
    expect(hear(answerTo(request, "96"))).toEqual([]);
    expect(sentIn(tick(1000))).toEqual(request);
    const mandateHash = hashOf(order);
    const ended = { kind: "authorized", mandateHash, code: "13", approval: null };
    expect(hear(answerTo(request, "13"))).toEqual([ended]);
    expect(outboxDeadlineMs(state)).toBeUndefined();
  });

  it("can be asked for again after the answer, but not while it is being settled", () => {
    const request = sentIn(askHold());
    hear(approved(request));
    expect(sentIn(askHold()).fields[55]).toBe(request.fields[55]);
    askSettle("void");
    expect(askHold()).toMatchObject([{ kind: "authorized", code: "12", approval: null }]);
  });

  it("is not sent for what fits no card message", () => {
    const large = mandate({ accountAmountMinor: 10 ** 12 });
    const unknown = mandate({ accountUnit: "XXX" });
    const wrongCard = { ...card, cardNumber: "40-0000" };
    for (const effects of [askHold(large), askHold(unknown), askHold(order, wrongCard)]) {
      expect(effects).toMatchObject([{ kind: "authorized", code: "30", approval: null }]);
    }
    expect(state.errands).toEqual({});
    const event = { kind: "hold", mandate: new Uint8Array(9), card, nowMs: NOW_MS } as const;
    expect(() => step(event)).toThrow("mandate is malformed");
  });
});

describe("an answer is taken only", () => {
  it.each([
    ["with the trace number asked under", { 11: "000123" }],
    ["with the reference asked under", { 37: "000000000000" }],
  ])("%s", (_, fields) => {
    const request = sentIn(askHold());
    const answer = approved(request);
    expect(hear({ ...answer, fields: { ...answer.fields, ...fields } })).toEqual([]);
    expect(state.counters.route).toBe(1);
    expect(hear(answer)).toHaveLength(1);
  });

  it("of the type that answers what was asked", () => {
    const request = sentIn(askHold());
    const { 4: _, ...fields } = posted({ ...request, type: "0220" }).fields;
    expect(hear({ type: "0230", fields })).toEqual([]);
    expect(state.counters.route).toBe(1);
    expect(state.errands[hashOf(order)]?.waiting?.message).toEqual(request);
  });

  it("under the key of the link, whole, and about this order", () => {
    const request = sentIn(askHold());
    expect(hear(approved(request), issuerKey)).toEqual([]);
    expect(hear(approved(request, mandate()))).toEqual([]);
    const garbled = { ...approved(request) };
    expect(hear({ ...garbled, fields: { ...garbled.fields, 55: "AAAA" } })).toEqual([]);
    expect(hear({ ...garbled, fields: { ...garbled.fields, 55: "A" } })).toEqual([]);
    const bytes = encodeMessage(approved(request), acquirerKey).slice(1);
    expect(step({ kind: "received", bytes, nowMs: NOW_MS })).toEqual([]);
    expect(state.counters).toMatchObject({ authentication: 2, route: 3, accepted: 0 });
    expect(sentIn(tick(1000))).toEqual(request);
  });
});

describe("a settlement", () => {
  it("repeats the reference and terms of the hold, and goes on until the signed posting", () => {
    const request = sentIn(askHold());
    hear(approved(request));
    const post = sentIn(askSettle("post"));
    expect(post.type).toBe("0220");
    expect(post.fields[90]).toBeUndefined();
    for (const field of [2, 3, 4, 32, 37, 42, 49]) {
      expect(post.fields[field]).toBe(request.fields[field]);
    }
    expect(post.fields[11]).not.toBe(request.fields[11]);
    expect(askSettle("post")).toEqual([]);
    const mandateHash = hashOf(order);
    expect(hear(answerTo(post, "91"))).toEqual([{ kind: "delayed", mandateHash, code: "91" }]);
    expect(hear(posted(post, "00".repeat(32)))).toEqual([]);
    for (const afterMs of [1000, 3000, 6000, 9000, 12_000, 1_000_000]) {
      expect(sentIn(tick(afterMs))).toEqual(post);
    }
    expect(hear(posted(post))).toMatchObject([{ kind: "settled", mandateHash, code: "00" }]);
    expect(state.errands).toEqual({});
    expect(hear(posted(post))).toEqual([]);
  });

  it("voids by 0400 with the original data, then by 0420; either answer ends it", () => {
    const request = sentIn(askHold());
    const reversal = sentIn(askSettle("void"));
    expect(reversal.type).toBe("0400");
    const original = "0100" + "999999" + "0725172000" + "00000009001" + "00000000000";
    expect(reversal.fields[90]).toBe(original);
    const advice = sentIn(tick(1000));
    expect(advice).toEqual({ ...reversal, type: "0420" });
    // The answer to the request comes after all: nobody is told, the void goes on.
    expect(hear(approved(request))).toEqual([]);
    const copy = structuredClone(state);
    for (const asked of [reversal, advice]) {
      state = structuredClone(copy);
      expect(hear(posted(asked))).toMatchObject([{ kind: "settled" }]);
    }
  });

  it("works after the host lost everything but the agent's completion", () => {
    const { type, fields } = sentIn(askSettle("void"));
    expect(type).toBe("0400");
    expect([fields[3], fields[4], fields[49], fields[90]]).toEqual([
      undefined,
      undefined,
      undefined,
      "0".repeat(42),
    ]);
  });

  it("refuses a completion that is none", () => {
    const event = { kind: "settle", completion: new Uint8Array(3), card, nowMs: NOW_MS } as const;
    expect(() => step(event)).toThrow("completion is malformed");
  });
});

it("numbers references by year, day and hour", () => {
  expect(retrievalReference(Date.UTC(2027, 0, 1, 0, 0, 0), 7)).toBe("700100000007");
  expect(retrievalReference(Date.UTC(2028, 11, 31, 23, 59, 59), 1)).toBe("836623000001");
});
