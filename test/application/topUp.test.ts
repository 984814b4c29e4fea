// SPDX-License-Identifier: Apache-2.0
// A merchant's search for money (Fig. 7, 730-748), event by event: who is asked, in which order,
// and what follows when a source fails, is silent, or is wanted twice.
import { beforeEach, describe, expect, it } from "vitest";
import {
  newTopUp,
  stepTopUp,
  TOP_UP_PATIENCE_MS,
  type TopUp,
  type TopUpEffect,
  type TopUpEvent,
} from "../../host/application/topUp.ts";

const UNIT = "USD";
const PAID = "aa";
let state: TopUp;
let nowMs: number;

beforeEach(() => {
  state = newTopUp();
  nowMs = 1_000;
});

const tell = (event: TopUpEvent) => stepTopUp(state, event, nowMs);
const short = (device: number, missingMinor: number, tag = `customer of ${device}`) =>
  tell({ type: "short", shortage: { device, tag, missingMinor, unit: UNIT } });
/** The devices answer with what they can give, by their number. */
const polled = (funds: Record<number, number>) =>
  tell({
    type: "polled",
    turn: state.turn,
    devices: Object.entries(funds).map(([device, freeMinor]) => ({
      device: Number(device),
      freeMinor,
    })),
  });
const looked = (balances: Record<string, number>) =>
  tell({
    type: "looked",
    turn: state.turn,
    accounts: Object.entries(balances).map(([bank, balanceMinor]) => ({
      bank,
      account: "Shop:USD",
      balanceMinor,
    })),
  });
const moved = (isMoved = true, payId: string | null = null) =>
  tell({ type: "moved", turn: state.turn, isMoved, payId });

/** What is ordered, as "device 2: 500"; other effects by their type. */
const told = (effects: readonly TopUpEffect[]) =>
  effects.map((effect) => {
    if (effect.type === "answer") return `answer ${effect.tag}: ${effect.isAvailable}`;
    if (effect.type !== "order") return effect.type;
    const { source, device, amountMinor } = effect.order;
    const from = source.type === "device" ? `device ${source.device}` : source.bank;
    return `${from} to ${device}: ${amountMinor}`;
  });

describe("a top-up", () => {
  it("asks the other devices first, and the smallest that has all pays", () => {
    expect(told(short(0, 500))).toEqual(["poll"]);
    expect(told(polled({ 1: 900, 2: 500, 3: 499 }))).toEqual(["device 2 to 0: 500", "timer"]);
    expect(told(moved())).toEqual(["answer customer of 0: true"]);
  });

  it("takes from several devices, the richest first, where none has all", () => {
    short(0, 500);
    expect(told(polled({ 1: 100, 2: 300, 3: 250 }))).toEqual(["device 2 to 0: 300", "timer"]);
    expect(told(moved())).toEqual(["device 3 to 0: 200", "timer"]);
    expect(told(moved())).toEqual(["answer customer of 0: true"]);
  });

  it("draws from the account with the most where the devices do not have it", () => {
    short(0, 500);
    expect(told(polled({ 1: 100 }))).toEqual(["look"]);
    expect(told(looked({ Near: 600, Far: 700 }))).toEqual(["Far to 0: 500", "timer"]);
    expect(told(moved())).toEqual(["answer customer of 0: true"]);
  });

  it("adds devices and account up where it must", () => {
    short(0, 500);
    polled({ 1: 100, 2: 50 });
    expect(told(looked({ Near: 360 }))).toEqual(["device 1 to 0: 100", "timer"]);
    expect(told(moved())).toEqual(["device 2 to 0: 40", "timer"]);
    expect(told(moved())).toEqual(["Near to 0: 360", "timer"]);
  });

  it("moves nothing when all together do not have it", () => {
    short(0, 500);
    polled({ 1: 100 });
    expect(told(looked({ Near: 399 }))).toEqual(["answer customer of 0: false"]);
    short(0, 500);
    polled({});
    expect(told(looked({}))).toEqual(["answer customer of 0: false"]);
  });

  it("asks others when a device fails, for what is still missing", () => {
    short(0, 500);
    polled({ 1: 300, 2: 200 });
    expect(told(moved())).toEqual(["device 2 to 0: 200", "timer"]);
    expect(told(moved(false))).toEqual(["poll"]);
    // Device 2 says again that it has money; it is not asked twice.
    expect(told(polled({ 1: 0, 2: 200 }))).toEqual(["look"]);
    expect(told(looked({ Near: 1_000 }))).toEqual(["Near to 0: 200", "timer"]);
    expect(told(moved(false))).toEqual(["poll"]);
    polled({ 2: 200 });
    expect(told(looked({ Near: 1_000 }))).toEqual(["answer customer of 0: false"]);
  });

  it("takes a device that says nothing for one that failed, and its late word for nothing", () => {
    short(0, 500);
    polled({ 1: 500, 2: 600 });
    const { turn } = state;
    expect(told(tell({ type: "timer", turn }))).toEqual(["poll"]);
    expect(told(polled({ 1: 500, 2: 600 }))).toEqual(["device 2 to 0: 500", "timer"]);
    expect(tell({ type: "moved", turn, isMoved: true, payId: null })).toEqual([]);
    expect(told(moved())).toEqual(["answer customer of 0: true"]);
  });

  it("waits until the money is there: the payer is done before the payee", () => {
    short(0, 500);
    polled({ 1: 500 });
    expect(told(moved(true, PAID))).toEqual(["timer"]);
    expect(tell({ type: "arrived", device: 0, payId: "other" })).toEqual([]);
    const arrived = tell({ type: "arrived", device: 0, payId: PAID });
    expect(told(arrived)).toEqual(["answer customer of 0: true"]);
  });

  it("knows money that came before its payer said so", () => {
    short(0, 500);
    polled({ 1: 500 });
    expect(tell({ type: "arrived", device: 0, payId: PAID })).toEqual([]);
    expect(told(moved(true, PAID))).toEqual(["answer customer of 0: true"]);
  });

  it("gives up on money in doubt; it is the device's when it comes", () => {
    short(0, 500);
    polled({ 1: 500 });
    moved(true, PAID);
    const late = tell({ type: "timer", turn: state.turn });
    expect(told(late)).toEqual(["answer customer of 0: false"]);
    expect(tell({ type: "arrived", device: 0, payId: PAID })).toEqual([]);
  });

  it("two devices lend the same money: who is short does not pay for others", () => {
    expect(told(short(0, 500))).toEqual(["poll"]);
    expect(short(1, 700)).toEqual([]);
    expect(told(polled({ 1: 550, 2: 600 }))).toEqual(["device 2 to 0: 500", "timer"]);
    expect(told(moved())).toEqual(["answer customer of 0: true", "poll"]);
    expect(told(polled({ 0: 400, 2: 100 }))).toEqual(["look"]);
    expect(told(looked({ Near: 700 }))).toEqual(["Near to 1: 700", "timer"]);
  });

  it("begins nothing more for a customer who has left", () => {
    short(0, 500, "first");
    short(1, 100, "second");
    tell({ type: "gone", tag: "second" });
    polled({ 2: 300, 3: 300 });
    tell({ type: "gone", tag: "first" });
    expect(told(moved())).toEqual(["answer first: false"]);
  });

  it("ends while the customer still waits", () => {
    short(0, 500);
    nowMs += TOP_UP_PATIENCE_MS;
    expect(told(polled({ 1: 500 }))).toEqual(["answer customer of 0: false"]);
    short(0, 500);
    polled({ 1: 500 });
    nowMs += TOP_UP_PATIENCE_MS;
    expect(told(moved(false))).toEqual(["answer customer of 0: false"]);
    expect(TOP_UP_PATIENCE_MS).toBeLessThan(60_000);
  });
});
