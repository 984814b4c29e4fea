// SPDX-License-Identifier: Apache-2.0
// The card issuer behind a switch, over TCP: every response code, hold, post, void, and messages
// that come late, twice, out of order, altered or from the wrong hand (protocol rules 6).
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeMessage } from "../../host/network/authorization/codec.ts";
import { cardAcceptorId } from "../../host/network/authorization/issuerRequest.ts";
import { responseCodeMeaning } from "../../host/network/authorization/responseCodes.ts";
import {
  acquirerKey,
  CREDIT_CARD,
  CREDIT_CREDENTIAL,
  card,
  HOLD_S,
  hashOf,
  hold,
  MERCHANT,
  mandate,
  NOW_S,
  STRANGER,
  settle,
  signedIn,
  strangerSeed,
  World,
} from "./authorization-world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.close());

const code = (answer: { fields: Record<number, string> }) => answer.fields[39];
const creditCard = { cardNumber: CREDIT_CARD, merchantAgentId: MERCHANT };

describe("a hold", () => {
  it("of a purchase takes from what is available, not from the balance", async () => {
    const order = mandate();
    const request = hold(order);
    const answer = await world.ask(request);
    expect(code(answer)).toBe("00");
    const mandateHash = hashOf(order);
    const untilS = NOW_S + HOLD_S;
    expect(signedIn(answer)).toEqual({ mandateHash, approved: true, code: "00", untilS });
    for (const field of [3, 4, 7, 11, 32, 37, 41, 42, 49]) {
      expect(answer.fields[field]).toBe(request.fields[field]);
    }
    expect(answer.fields[38]).toBe(mandateHash.slice(0, 6).toUpperCase());
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 1000 });
  });

  it("of a sale does not let the customer spend it yet", async () => {
    world.change({ balanceMinor: 0 });
    const sale = mandate({ direction: "sell", accountAmountMinor: 5000 });
    expect(code(await world.ask(hold(sale)))).toBe("00");
    expect(world.account()).toMatchObject({ balanceMinor: 0, heldCreditMinor: 5000 });
    expect(code(await world.ask(hold(mandate())))).toBe("51");
    expect(code(await world.ask(settle(sale, "post")))).toBe("00");
    expect(world.account()).toMatchObject({ balanceMinor: 5000, heldCreditMinor: 0 });
    expect(code(await world.ask(hold(mandate())))).toBe("00");
  });

  it("counts earlier holds against the balance", async () => {
    expect(code(await world.ask(hold(mandate({ accountAmountMinor: 60_000 }))))).toBe("00");
    expect(code(await world.ask(hold(mandate({ accountAmountMinor: 40_001 }))))).toBe("51");
    expect(code(await world.ask(hold(mandate({ accountAmountMinor: 40_000 }))))).toBe("00");
  });

  it("of a credit card goes up to the credit limit", async () => {
    const order = (accountAmountMinor: number) =>
      mandate({ credentialId: CREDIT_CREDENTIAL, accountAmountMinor });
    expect(code(await world.ask(hold(order(50_001), { card: creditCard })))).toBe("61");
    const whole = order(50_000);
    expect(code(await world.ask(hold(whole, { card: creditCard })))).toBe("00");
    await world.ask(settle(whole, "post", { card: creditCard }));
    expect(world.account(CREDIT_CARD).balanceMinor).toBe(-50_000);
    expect(code(await world.ask(hold(order(1), { card: creditCard })))).toBe("61");
  });
});

describe("a refusal that the issuer signs", () => {
  it.each([
    ["51", () => mandate({ accountAmountMinor: 70_000 }), { balanceMinor: 69_999 }],
    ["54", () => mandate(), { expiry: "2606" }],
    ["57", () => mandate({ accountUnit: "USD" }), {}],
    ["57", () => mandate({ direction: "sell" as const }), { directions: ["buy"] as const }],
    ["61", () => mandate({ accountAmountMinor: 80_001 }), {}],
    ["62", () => mandate(), { standing: "blocked" as const }],
    ["05", () => mandate(), { standing: "closed" as const }],
    ["12", () => mandate({ notAfterS: NOW_S - 1 }), {}],
  ])("%s leaves the account alone and stays so", async (expected, order, change) => {
    world.change(change);
    const before = world.account();
    const signed = order();
    const answer = await world.ask(hold(signed));
    expect(code(answer)).toBe(expected);
    const mandateHash = hashOf(signed);
    const refusal = { mandateHash, approved: false, code: expected, untilS: 0 };
    expect(signedIn(answer)).toEqual(refusal);
    expect(world.account()).toEqual(before);
    // Even when the reason is gone: one order never gets two signed answers.
    world.change({ balanceMinor: 10 ** 9, standing: "open", expiry: "3012" });
    expect(signedIn(await world.ask(hold(signed)))).toEqual(refusal);
    expect(code(await world.ask(settle(signed, "post")))).toBe("21");
    expect(signedIn(await world.ask(settle(signed, "void")))).toEqual({
      mandateHash,
      state: "refused",
    });
    expect(world.account().balanceMinor).toBe(10 ** 9);
  });

  it("61 for a sale that would make the balance larger than an exact number", async () => {
    world.change({ balanceMinor: Number.MAX_SAFE_INTEGER - 1000, heldCreditMinor: 1 });
    const sale = (accountAmountMinor: number) => mandate({ direction: "sell", accountAmountMinor });
    expect(code(await world.ask(hold(sale(1000))))).toBe("61");
    expect(code(await world.ask(hold(sale(999))))).toBe("00");
  });

  it("is given up to the last second and the last month", async () => {
    world.change({ expiry: "2607" });
    expect(code(await world.ask(hold(mandate({ notAfterS: NOW_S }))))).toBe("00");
  });

  it("14 for a card whose account is gone", async () => {
    delete (world.books.accounts as Record<string, unknown>)[card.cardNumber];
    const answer = await world.ask(hold(mandate()));
    expect(code(answer)).toBe("14");
    expect(signedIn(answer)).toMatchObject({ approved: false, code: "14" });
  });
});

describe("a message that disagrees with what was signed", () => {
  it.each([
    ["13", "a smaller amount", { 4: "000000000001" }],
    ["13", "a larger amount", { 4: "000000001001" }],
    ["13", "another currency", { 49: "840" }],
    ["63", "a credit for a purchase", { 3: "200000" }],
    ["63", "another merchant", { 42: cardAcceptorId(STRANGER) }],
    ["14", "another card of the issuer", { 2: CREDIT_CARD }],
    ["54", "another expiry date", { 14: "2811" }],
    ["30", "no object in field 55", { 55: "abc" }],
    ["30", "field 55 in another spelling", { 55: "hEOhASegWQ" }],
  ])("%s: %s; unsigned, and the true one still counts", async (expected, _, fields) => {
    const order = mandate();
    const answer = await world.ask(hold(order, { fields }));
    expect(code(answer)).toBe(expected);
    expect(signedIn(answer)).toBeUndefined();
    expect(world.books.transactions).toEqual({});
    expect(code(await world.ask(hold(order)))).toBe("00");
  });

  it.each([
    ["03", () => mandate({ merchantCredentialId: "99".repeat(16) })],
    ["14", () => mandate({ credentialId: "99".repeat(16) })],
  ])("%s: a credential that nobody knows", async (expected, order) => {
    const answer = await world.ask(hold(order()));
    expect([code(answer), signedIn(answer)]).toEqual([expected, undefined]);
  });

  it("63: a mandate signed by anyone but the receiver of the card credential", async () => {
    const order = mandate();
    const answer = await world.ask(hold(order, { seed: strangerSeed }));
    expect([code(answer), signedIn(answer)]).toEqual(["63", undefined]);
    expect(world.account().heldDebitMinor).toBe(0);
  });

  it("in a settlement: wrong amount, currency, direction or card change nothing", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const before = structuredClone(world.books);
    const wrong = [
      ["13", { 4: "000000000999" }],
      ["13", { 49: "840" }],
      ["63", { 3: "200000" }],
      ["14", { 2: CREDIT_CARD }],
      ["30", { 55: "abc" }],
    ] as const;
    for (const [expected, fields] of wrong) {
      const answer = await world.ask(settle(order, "post", { fields }));
      expect([code(answer), signedIn(answer)]).toEqual([expected, undefined]);
    }
    expect(world.books).toEqual(before);
  });
});

describe("the end of a hold", () => {
  it("post moves the money once, however often it is sent", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const first = await world.ask(settle(order, "post"));
    expect(code(first)).toBe("00");
    expect(signedIn(first)).toEqual({ mandateHash: hashOf(order), state: "posted" });
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
    const again = await world.ask(settle(order, "post"));
    expect(again.fields[55]).toBe(first.fields[55]);
    expect(code(again)).toBe("00");
    expect(world.account().balanceMinor).toBe(99_000);
  });

  it("void gives it back once; 0420 says the same as 0400", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const first = await world.ask(settle(order, "void"));
    expect(first.type).toBe("0410");
    expect(signedIn(first)).toEqual({ mandateHash: hashOf(order), state: "voided" });
    const advice = await world.ask({ ...settle(order, "void"), type: "0420" });
    expect(advice.type).toBe("0430");
    expect(advice.fields[55]).toBe(first.fields[55]);
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 0 });
  });

  it("a void after the post is refused, and a post after the void", async () => {
    const posted = mandate();
    await world.ask(hold(posted));
    await world.ask(settle(posted, "post"));
    const late = await world.ask(settle(posted, "void"));
    expect(code(late)).toBe("21");
    expect(signedIn(late)).toEqual({ mandateHash: hashOf(posted), state: "posted" });
    const voided = mandate();
    await world.ask(hold(voided));
    await world.ask(settle(voided, "void"));
    const post = await world.ask(settle(voided, "post"));
    expect(code(post)).toBe("21");
    expect(signedIn(post)).toEqual({ mandateHash: hashOf(voided), state: "voided" });
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
  });

  it("a post is accepted after the hold lapsed, and only then the money moves", async () => {
    const order = mandate();
    await world.ask(hold(order));
    world.nowS = NOW_S + HOLD_S;
    await world.issuer.releaseLapsed();
    expect(world.account().heldDebitMinor).toBe(1000);
    world.nowS++;
    await world.issuer.releaseLapsed();
    await world.issuer.releaseLapsed();
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 0 });
    expect(code(await world.ask(settle(order, "post")))).toBe("00");
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
  });

  it("leaves to another issuer's host what is held on that issuer's cards", async () => {
    await world.ask(hold(mandate()));
    world.nowS = NOW_S + HOLD_S + 1;
    world.foreignCard = world.account().cardNumber;
    await world.issuer.releaseLapsed();
    expect(world.account().heldDebitMinor).toBe(1000);
    world.foreignCard = "";
    await world.issuer.releaseLapsed();
    expect(world.account().heldDebitMinor).toBe(0);
  });

  it("a void after the hold lapsed gives nothing back twice", async () => {
    const order = mandate({ direction: "sell" });
    await world.ask(hold(order));
    world.nowS += HOLD_S + 1;
    await world.issuer.releaseLapsed();
    expect(signedIn(await world.ask(settle(order, "void")))).toMatchObject({ state: "voided" });
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 0 });
  });

  it("needs no terms from a merchant's host that lost its notes", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const fields = { 3: undefined, 4: undefined, 49: undefined };
    expect(code(await world.ask(settle(order, "post", { fields })))).toBe("00");
    expect(world.account().balanceMinor).toBe(99_000);
  });

  it("is not for strangers: another merchant, another key, another type of message", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const strangers = { ...card, merchantAgentId: STRANGER };
    const attempts = [
      settle(order, "post", { seed: strangerSeed }),
      settle(order, "void", { seed: strangerSeed }),
      settle(order, "void", { seed: strangerSeed, card: strangers }),
      settle(order, "post", { card: { ...card, merchantAgentId: "77".repeat(8) } }),
      { ...settle(order, "void", { fields: { 90: undefined } }), type: "0220" as const },
    ];
    for (const attempt of attempts) {
      const answer = await world.ask(attempt);
      expect([code(answer), signedIn(answer)]).toEqual(["63", undefined]);
    }
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 1000 });
  });

  it("25 for a post of what was never held", async () => {
    const answer = await world.ask(settle(mandate(), "post"));
    expect([code(answer), signedIn(answer)]).toEqual(["25", undefined]);
  });
});

describe("late, repeated and reordered messages", () => {
  it("a repeated request gets the same answer and holds once, under any trace number", async () => {
    const order = mandate();
    const first = await world.ask(hold(order));
    world.nowS += 100;
    const again = await world.ask(hold(order));
    expect(again.fields[55]).toBe(first.fields[55]);
    expect(again.fields[11]).not.toBe(first.fields[11]);
    await world.ask(settle(order, "post"));
    expect((await world.ask(hold(order))).fields[55]).toBe(first.fields[55]);
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
  });

  it("94: other content under the id of a transaction", async () => {
    const order = mandate();
    await world.ask(hold(order));
    const other = { ...order, accountAmountMinor: 2000 };
    const answer = await world.ask(hold(other));
    expect(code(answer)).toBe("94");
    const mandateHash = hashOf(other);
    expect(signedIn(answer)).toEqual({ mandateHash, approved: false, code: "94", untilS: 0 });
    expect(code(await world.ask(settle(other, "post")))).toBe("25");
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 1000 });
  });

  it("a void that overtakes its request kills it", async () => {
    const order = mandate();
    const early = await world.ask(settle(order, "void"));
    expect(code(early)).toBe("00");
    expect(signedIn(early)).toEqual({ mandateHash: hashOf(order), state: "voided" });
    const request = await world.ask(hold(order));
    expect(code(request)).toBe("12");
    expect(signedIn(request)).toMatchObject({ approved: false });
    const post = await world.ask(settle(order, "post"));
    expect(code(post)).toBe("21");
    expect(signedIn(post)).toMatchObject({ state: "voided" });
    expect((await world.ask(settle(order, "void"))).fields[55]).toBe(early.fields[55]);
    expect(world.account()).toMatchObject({ balanceMinor: 100_000, heldDebitMinor: 0 });
  });

  it("a post of what was only voided says so", async () => {
    const order = mandate();
    await world.ask(settle(order, "void"));
    expect(signedIn(await world.ask(settle(order, "post")))).toMatchObject({ state: "voided" });
  });
});

describe("altered bytes", () => {
  it("at every place of every message change no money and get no answer", async () => {
    const order = mandate();
    const messages = [hold(order), settle(order, "void"), settle(order, "post")];
    await world.ask(hold(order));
    let sent = 0;
    for (const message of messages) {
      const bytes = encodeMessage(message, acquirerKey);
      for (let place = 0; place < bytes.length; place++) {
        const altered = Uint8Array.from(bytes);
        altered[place]! ^= 1 << (place & 7);
        world.terminal.send(altered);
        sent++;
      }
    }
    // The answer to this last one is the first that comes.
    const last = settle(order, "post");
    expect((await world.ask(last)).fields[11]).toBe(last.fields[11]);
    expect(world.network.state.counters.authentication).toBe(sent);
    expect(sent).toBeGreaterThan(1000);
    expect(world.account()).toMatchObject({ balanceMinor: 99_000, heldDebitMinor: 0 });
    expect(Object.keys(world.books.transactions)).toEqual([hashOf(order)]);
    expect(world.books.voidedMandates).toEqual({});
  });

  it("96 when the books cannot be written; the same request succeeds later", async () => {
    const order = mandate();
    world.storeFails = true;
    const failed = await world.ask(hold(order));
    expect([code(failed), signedIn(failed)]).toEqual(["96", undefined]);
    world.storeFails = false;
    expect(code(await world.ask(hold(order)))).toBe("00");
    expect(world.account().heldDebitMinor).toBe(1000);
  });
});

it("says what every code means", () => {
  expect(responseCodeMeaning("51")).toBe("insufficient funds");
  expect(responseCodeMeaning("Z9")).toContain("Z9");
});
