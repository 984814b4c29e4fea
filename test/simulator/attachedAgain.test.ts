// SPDX-License-Identifier: Apache-2.0
// A board that another host had: what agent and module said to each other while that host did not
// carry it is said anew when it is needed, and the first payment goes through (protocol rule 2).
import { describe, expect, test } from "vitest";
import { askBoard } from "../../host/device/boardRequests.ts";
import { systemClock } from "../../host/link/clock.ts";
import { LinkClient } from "../../host/link/linkClient.ts";
import { Channel } from "../../host/link/protocol.ts";
import type { SimulatedBoard } from "../../host/simulator/board.ts";
import { BoardRequest } from "../../host/simulator/management.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { TestAgency } from "../../host/torture/testAgency.ts";
import { simulatedTwin } from "../boards/emulated.ts";
import { ABORTED, COMMITTED, connect, isFinal, Party, until } from "../boards/party.ts";
import { fund, member } from "../boards/world.ts";

const PERSON = { agent: "customer-agent", module: "transaction-module" } as const;
const PAID_MINOR = 1_250;
const PAY = 60;
const on = (simulated: SimulatedBoard) => ({ emulator: null, simulated });

/** A host that talks with the board alone, restarts some of its modules, and goes. */
async function lookAndRestart(board: SimulatedBoard, ...channels: number[]): Promise<void> {
  const link = new LinkClient({ transport: board.connect(), clock: systemClock });
  await link.open();
  for (const channel of channels) {
    await askBoard(link, systemClock, Uint8Array.of(BoardRequest.RESTART, channel));
  }
  link.close();
}

async function pay(payer: Party, number: number): Promise<number> {
  const command = filled(number);
  payer.tell("agent", PAY, command, PAID_MINOR, "EUR");
  await until("the payment's outcome", () => isFinal(payer.stateOf(command)));
  return payer.stateOf(command);
}

/** Two persons who have paid once, and a host of each that is gone. */
async function boardsThatPaid(): Promise<[SimulatedBoard, SimulatedBoard]> {
  const agency = new TestAgency();
  const boards: [SimulatedBoard, SimulatedBoard] = [
    simulatedTwin(PERSON, "payer"),
    simulatedTwin(PERSON, "payee"),
  ];
  const payer = await member("payer", PERSON, "P", agency, on(boards[0]));
  const payee = await member("payee", PERSON, "Q", agency, on(boards[1]));
  await fund(payer, agency, "EUR");
  connect(payer, payee);
  expect(await pay(payer, 21)).toBe(COMMITTED);
  await until("the payee's money", async () => (await payee.balance())[0] === PAID_MINOR);
  for (const party of [payer, payee]) party.device.close();
  return boards;
}

async function openBoth(boards: [SimulatedBoard, SimulatedBoard]): Promise<[Party, Party]> {
  const payer = await Party.open("payer", PERSON, on(boards[0]));
  const payee = await Party.open("payee", PERSON, on(boards[1]));
  connect(payer, payee);
  return [payer, payee];
}

describe("behind another host under which both halves were started", () => {
  test.each([
    ["payer's", [0]],
    ["payee's", [1]],
    ["payer's and the payee's", [0, 1]],
  ])("the %s board makes the first payment", async (_, which) => {
    const boards = await boardsThatPaid();
    for (const [index, board] of boards.entries()) {
      await lookAndRestart(
        board,
        ...(which.includes(index) ? [Channel.AGENT, Channel.MODULE] : []),
      );
    }
    const [payer, payee] = await openBoth(boards);
    expect(await pay(payer, 31)).toBe(COMMITTED);
    await until("the payee's money", async () => (await payee.balance())[0] === 2 * PAID_MINOR);
    await Promise.all([payer.close(), payee.close()]);
  });
});

describe("behind another host under which the module alone was started", () => {
  test.each([
    ["payer's", 0],
    ["payee's", 1],
  ])("the order of the %s agent tells it, and the next payment is made", async (_, index) => {
    const boards = await boardsThatPaid();
    await lookAndRestart(boards[index]!, Channel.MODULE);
    await lookAndRestart(boards[1 - index]!);
    const [payer, payee] = await openBoth(boards);
    expect(await pay(payer, 31)).toBe(ABORTED);
    expect(await pay(payer, 32)).toBe(COMMITTED);
    await until("the payee's money", async () => (await payee.balance())[0] === 2 * PAID_MINOR);
    await Promise.all([payer.close(), payee.close()]);
  });
});
