// SPDX-License-Identifier: Apache-2.0
// The customer's application answers its agent from the owner's order, and nothing else.
import { beforeEach, describe, expect, it } from "vitest";
import {
  newPurchase,
  type PurchaseApplication,
  purchaseOrder,
  stepPurchase,
} from "../../host/application/customerApplication.ts";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { assembleSigned } from "../../host/trust/cose.ts";

const commandId = new Uint8Array(16).fill(7);
const otherId = new Uint8Array(16).fill(8);
const credential = new Uint8Array(16).fill(9);
let state: PurchaseApplication;

beforeEach(() => {
  state = newPurchase({
    commandId,
    amountMinor: 2500,
    unit: "USD",
    offer: Uint8Array.of(1, 2, 3),
    merchantName: "Corner Exchange",
    credential,
  });
});

/** What the application does when the agent says this. */
function tell(number: number, ...fields: unknown[]) {
  const body = parseHostBody(hostBody(number, ...fields));
  if (body === undefined) throw new Error("not a HOST body");
  return stepPurchase(state, { type: "agent", body });
}

/** The command among the effects, decoded. */
function commandIn(effects: ReturnType<typeof tell>) {
  const effect = effects.find(({ type }) => type === "command");
  return effect?.type === "command" ? parseHostBody(effect.body) : undefined;
}

function receiptTicket(): Uint8Array {
  const id = new Uint8Array(8);
  const identifier = ["Corner Exchange", 1, id, 2, 3, new Uint8Array(16)];
  const ids = [new Uint8Array(16), id, id, new Uint8Array(32)];
  const amounts = ["USD", 2663, "USD", 2500, 163, 1_780_000_000];
  const components = [
    "Meridian Cards",
    "************7899",
    1,
    ...amounts,
    ...ids,
    1,
    1,
    credential,
  ];
  const payload = encodeCbor([identifier, components]);
  const signed = assembleSigned(payload, new Uint8Array(64));
  // A ticket is [ signed object, chain, history, signatures ]; the first stands in it as an item.
  return encodeCbor([decodeCbor(signed), [], [], []]);
}

describe("the customer's application", () => {
  it("orders the purchase with the chosen offer", () => {
    const body = parseHostBody(purchaseOrder(state));
    expect(body).toEqual({
      number: HostMessage.BUY,
      fields: [commandId, Uint8Array.of(1, 2, 3)],
    });
  });

  it("confirms a merchant only under the name in the offer", () => {
    const id = new Uint8Array(8);
    const yes = commandIn(tell(HostMessage.MERCHANT, commandId, "Corner Exchange", id));
    expect(yes?.fields).toEqual([commandId, true]);
    const no = commandIn(tell(HostMessage.MERCHANT, commandId, "Corner Exchamge", id));
    expect(no?.fields).toEqual([commandId, false]);
  });

  it("gives amount and unit of the order", () => {
    const body = commandIn(tell(HostMessage.ASK_AMOUNT, commandId));
    expect(body).toEqual({ number: HostMessage.AMOUNT, fields: [commandId, 2500, "USD"] });
  });

  it("picks the card of the order, or none where the agent does not list it", () => {
    const held = commandIn(tell(HostMessage.ASK_CREDENTIAL, commandId, [credential]));
    expect(held?.fields).toEqual([commandId, credential]);
    const missing = commandIn(tell(HostMessage.ASK_CREDENTIAL, commandId, [otherId]));
    expect(missing?.fields).toEqual([commandId, null]);
  });

  it("asks the owner about the receipt and passes the answer on", () => {
    const [effect] = tell(HostMessage.RECEIPT, commandId, receiptTicket());
    expect(effect).toMatchObject({
      type: "ask-owner",
      receipt: { authorizedMinor: 2663, moneyMinor: 2500, feeMinor: 163 },
    });
    const answer = commandIn(stepPurchase(state, { type: "owner", isConfirmed: false }));
    expect(answer).toEqual({ number: HostMessage.CONFIRM_RECEIPT, fields: [commandId, false] });
  });

  it("refuses a receipt that it cannot show", () => {
    const answer = commandIn(tell(HostMessage.RECEIPT, commandId, Uint8Array.of(1)));
    expect(answer?.fields).toEqual([commandId, false]);
  });

  it("ends once, with the reason in words", () => {
    expect(tell(HostMessage.FINISHED, commandId, 4, 0, null, null, null, null)).toEqual([]);
    const [effect] = tell(HostMessage.FINISHED, commandId, 1, 26, "51", null, null, null);
    expect(effect).toMatchObject({
      type: "finished",
      result: { state: "aborted", reason: "the card was refused", responseCode: "51" },
    });
    expect(tell(HostMessage.ASK_AMOUNT, commandId)).toEqual([]);
  });

  it("does not answer for another command", () => {
    expect(tell(HostMessage.ASK_AMOUNT, otherId)).toEqual([]);
  });
});
