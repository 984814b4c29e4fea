// SPDX-License-Identifier: Apache-2.0
// Orders to pay and to request, and the owner's word on what peers ask, against a device that says
// what the test tells it to say.
import { describe, expect, it } from "vitest";
import type { CommandDevice } from "../../host/application/commandRunner.ts";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import {
  type AskedPayment,
  answerAsked,
  type NewAmount,
  orderPayment,
} from "../../host/application/personPayments.ts";
import type { DeviceEvent } from "../../host/device/types.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";

const tag = new Uint8Array(8).fill(1);
const peer = new Uint8Array(8).fill(2);

/** A device that only passes messages: `says` comes from its agent, `heard` went to it. */
function fakeDevice() {
  const listeners = new Set<(event: DeviceEvent) => void>();
  const heard: unknown[][] = [];
  const device: CommandDevice = {
    command: () => Promise.reject(new Error("Nobody commands here.")),
    send: (_target, body) => {
      const parsed = parseHostBody(body);
      if (parsed !== undefined) heard.push([parsed.number, ...parsed.fields]);
    },
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const says = (number: number, ...fields: unknown[]) => {
    const body = hostBody(number, ...fields);
    for (const listener of listeners) listener({ type: "message", target: "agent", body });
  };
  return { device, heard, says };
}

describe("an order to pay", () => {
  async function order(newAmount?: NewAmount) {
    const { device, heard, says } = fakeDevice();
    const clock = new VirtualClock(0);
    const result = orderPayment({ device, clock, connection: 1, newAmount }, (id) =>
      hostBody(HostMessage.PAY, id, 700, "USD"),
    );
    const commandId = heard[0]?.[1];
    says(HostMessage.ASK_AMOUNT, commandId, 30);
    await new Promise((resolve) => setTimeout(resolve));
    says(HostMessage.FINISHED, commandId, 1, 30, null, null, null, null);
    return { answer: heard[1]?.slice(2), result: await result };
  }

  it("offers the other amount that the owner names, who is told why", async () => {
    let told = "";
    const { answer, result } = await order((why) => {
      told = why;
      return Promise.resolve({ amountMinor: 600, unit: "USD" });
    });
    expect(told).toBe("the two sides expected different amounts");
    expect(answer).toEqual([600, "USD"]);
    expect(result).toMatchObject({ state: "aborted", reasonNumber: 30 });
  });

  it("has no other amount where the owner names none, or cannot", async () => {
    expect((await order()).answer).toEqual([null, null]);
    const failing = () => Promise.reject(new Error("The terminal is gone."));
    expect((await order(failing)).answer).toEqual([null, null]);
  });
});

describe("what a peer asks for", () => {
  async function ask(decide: (asked: AskedPayment) => Promise<boolean>, gets: unknown[]) {
    const { device, heard, says } = fakeDevice();
    const stop = answerAsked(device, decide);
    says(HostMessage.ASKED, tag, peer, 700, "USD", ...gets);
    await new Promise((resolve) => setTimeout(resolve));
    stop();
    says(HostMessage.ASKED, tag, peer, 700, "USD", ...gets);
    return heard;
  }

  it("is shown to the owner, whose word goes to the agent, once", async () => {
    const asked: AskedPayment[] = [];
    const heard = await ask(
      (one) => {
        asked.push(one);
        return Promise.resolve(true);
      },
      [900, "EUR"],
    );
    const gets = { amountMinor: 900, unit: "EUR" };
    expect(asked).toEqual([
      { peer: "02".repeat(8), pays: { amountMinor: 700, unit: "USD" }, gets },
    ]);
    expect(heard).toEqual([[HostMessage.ANSWERED, tag, true]]);
  });

  it("is refused where no word can be had", async () => {
    const heard = await ask(
      (one) => Promise.reject(new Error(`Nobody is there for ${String(one.gets)}.`)),
      [null, null],
    );
    expect(heard).toEqual([[HostMessage.ANSWERED, tag, false]]);
  });
});
