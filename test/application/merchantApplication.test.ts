// SPDX-License-Identifier: Apache-2.0
// The merchant's application carries signed objects between its agent and the card network, once.
import { beforeEach, describe, expect, it } from "vitest";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import {
  type MerchantApplication,
  newMerchantApplication,
  promisedMinor,
  stepMerchant,
} from "../../host/application/merchantApplication.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { signObject } from "../../host/trust/cose.ts";

const tag = new Uint8Array(8).fill(1);
const tagHex = "01".repeat(8);
const transactionId = new Uint8Array(16).fill(2);
const transactionHex = "02".repeat(16);
let state: MerchantApplication;

beforeEach(() => {
  state = newMerchantApplication();
});

function tell(number: number, ...fields: unknown[]) {
  const body = parseHostBody(hostBody(number, ...fields));
  if (body === undefined) throw new Error("not a HOST body");
  return stepMerchant(state, { type: "agent", body });
}

function commands(effects: ReturnType<typeof tell>) {
  return effects.flatMap((effect) =>
    effect.type === "command" ? [parseHostBody(effect.body)] : [],
  );
}

describe("the merchant's application", () => {
  it("seeks money for its agent, and answers once", () => {
    const short = { type: "short", tag: tagHex, missingMinor: 500, unit: "USD" };
    expect(tell(HostMessage.FUNDS_SHORT, tag, 500, "USD")).toEqual([short]);
    const answered = { type: "funds-answered" as const, tag: tagHex, isAvailable: true };
    const [answer] = commands(stepMerchant(state, answered));
    expect(answer).toEqual({ number: HostMessage.FUNDS_ANSWER, fields: [tag, true] });
    expect(stepMerchant(state, answered)).toEqual([]);
  });

  it("gives no answer about money to a customer who has left", () => {
    tell(HostMessage.FUNDS_SHORT, tag, 500, "USD");
    tell(HostMessage.SERVED, tag, 1, 18, null, null, null);
    const answered = { type: "funds-answered" as const, tag: tagHex, isAvailable: true };
    expect(stepMerchant(state, answered)).toEqual([]);
  });

  it("tells of money that came without a ticket once it is there", () => {
    const payId = new Uint8Array(16).fill(9);
    const rest = [0, payId, 500, "USD", tag] as const;
    expect(tell(HostMessage.RECEIVED, tag, 3, ...rest)).toEqual([]);
    const received = [{ type: "received", payId: "09".repeat(16) }];
    expect(tell(HostMessage.RECEIVED, tag, 2, ...rest)).toEqual(received);
  });

  it("counts what mandates promise until their customers are served; a sale promises none", () => {
    const authorize = (tagByte: number, direction: number, money: number) => {
      const mandate = [transactionId, direction, transactionId, 1, "EUR", 0, money, "USD"];
      const payload = encodeCbor([...mandate, transactionId, 0, 1, transactionId]);
      const signed = signObject("florin/mandate", payload, new Uint8Array(32));
      const bytes = new Uint8Array(8).fill(tagByte);
      tell(HostMessage.AUTHORIZE, bytes, decodeCbor(signed), [2], transactionId);
      return bytes;
    };
    const first = authorize(1, 1, 300);
    authorize(1, 1, 300);
    authorize(2, 1, 50);
    authorize(3, 2, 7_000);
    expect([promisedMinor(state, "USD"), promisedMinor(state, "EUR")]).toEqual([350, 0]);
    tell(HostMessage.SERVED, first, 2, 0, transactionId, null, null);
    expect(promisedMinor(state, "USD")).toBe(50);
  });

  it("asks for a hold and gives the agent the first answer only", () => {
    const [hold] = tell(HostMessage.AUTHORIZE, tag, [1], [2], transactionId);
    expect(hold).toEqual({
      type: "hold",
      tag: tagHex,
      mandate: encodeCbor([1]),
      card: encodeCbor([2]),
      credential: transactionId,
    });
    const answered = { type: "hold-answered" as const, tag: tagHex, approval: [3], code: "00" };
    const [answer] = commands(stepMerchant(state, answered));
    expect(answer).toEqual({ number: HostMessage.AUTHORIZATION, fields: [tag, [3], "00"] });
    expect(stepMerchant(state, answered)).toEqual([]);
  });

  it("gives the agent nothing for a hold that was not asked for", () => {
    const event = { type: "hold-answered" as const, tag: tagHex, approval: [3], code: "00" };
    expect(stepMerchant(state, event)).toEqual([]);
  });

  it("settles as often as the agent asks, and tells it the issuer's word", () => {
    for (let time = 0; time < 2; time += 1) {
      const [effect] = tell(HostMessage.COMPLETE, transactionId, [4], [5]);
      expect(effect).toMatchObject({ type: "settle", transactionId: transactionHex });
    }
    const settled = { type: "settled" as const, transactionId: transactionHex, posting: [6] };
    const [answer] = commands(stepMerchant(state, settled));
    expect(answer).toEqual({ number: HostMessage.COMPLETED, fields: [transactionId, [6]] });
    expect(stepMerchant(state, settled)).toEqual([]);
  });

  it("logs how each customer was served", () => {
    tell(HostMessage.SERVED, tag, 4, 0, null, null, null);
    expect(state.log).toEqual([]);
    tell(HostMessage.SERVED, tag, 1, 29, transactionId, null, null);
    expect(state.log).toEqual([
      {
        state: "aborted",
        reason: "there is not enough electronic money for this amount",
        transactionId: transactionHex,
        payId: null,
        ticket: null,
      },
    ]);
  });
});
