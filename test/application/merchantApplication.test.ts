// SPDX-License-Identifier: Apache-2.0
// The merchant's application carries signed objects between its agent and the card network, once.
import { beforeEach, describe, expect, it } from "vitest";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import {
  type MerchantApplication,
  newMerchantApplication,
  stepMerchant,
} from "../../host/application/merchantApplication.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";

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
  it("has no other funds to offer", () => {
    const [answer] = commands(tell(HostMessage.FUNDS_SHORT, tag, 500, "USD"));
    expect(answer).toEqual({ number: HostMessage.FUNDS_ANSWER, fields: [tag, false] });
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
