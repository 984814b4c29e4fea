// SPDX-License-Identifier: Apache-2.0
// Two persons pay before and after all their images were replaced by newer ones over the link:
// money, certificates and pairing stay (protocol rule 7).
import { expect, test } from "vitest";
import { loadSignedImage } from "../../host/device/boardRequests.ts";
import { systemClock } from "../../host/link/clock.ts";
import { LinkClient } from "../../host/link/linkClient.ts";
import { Channel } from "../../host/link/protocol.ts";
import { firmwareImage } from "../../host/economy/partyDevice.ts";
import type { SimulatedBoard } from "../../host/simulator/board.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { TestAgency } from "../../host/torture/testAgency.ts";
import { signImage } from "../../host/trust/imageRelease.ts";
import { buildRelease, DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
import { simulatedTwin } from "../boards/emulated.ts";
import { COMMITTED, connect, isFinal, Party, until } from "../boards/party.ts";
import { FUNDS_MINOR, fund, member } from "../boards/world.ts";

const PERSON = { agent: "customer-agent", module: "transaction-module" } as const;
const PAID_MINOR = 1_250;
const PAY = 60;
const ATTEMPTS_LIMIT = 4;

/** Pays under the first of these command ids that succeeds. */
async function pay(payer: Party, payee: Party, firstCommand: number): Promise<void> {
  connect(payer, payee);
  for (let attempt = 0; attempt < ATTEMPTS_LIMIT; attempt += 1) {
    const command = filled(firstCommand + attempt);
    payer.tell("agent", PAY, command, PAID_MINOR, "EUR");
    await until("the payment's outcome", () => isFinal(payer.stateOf(command)));
    if (payer.stateOf(command) === COMMITTED) return;
  }
  throw new Error("No payment succeeded.");
}

/** Loads the next version of both images: other bytes, with an empty custom section behind. */
async function update(board: SimulatedBoard): Promise<void> {
  const link = new LinkClient({ transport: board.connect(), clock: systemClock });
  await link.open();
  const { version, minimumVersion } = buildRelease();
  for (const [channel, name] of [
    [Channel.AGENT, PERSON.agent],
    [Channel.MODULE, PERSON.module],
  ] as const) {
    const bytes = Uint8Array.of(...firmwareImage(name, false).bytes, 0, 2, 1, 0x76);
    const about = { name, version: version + 1, minimumVersion };
    await loadSignedImage(link, systemClock, channel, signImage(about, bytes, DEVELOPMENT_SEED));
  }
  link.close();
}

test("a purse pays before and after an update of its images", async () => {
  const agency = new TestAgency();
  const boards = [simulatedTwin(PERSON, "payer"), simulatedTwin(PERSON, "payee")] as const;
  const optionsOf = (simulated: SimulatedBoard) => ({ emulator: null, simulated });
  const payer = await member("payer", PERSON, "P", agency, optionsOf(boards[0]));
  const payee = await member("payee", PERSON, "Q", agency, optionsOf(boards[1]));
  await fund(payer, agency, "EUR");
  await pay(payer, payee, 21);
  await until("the payee's money", async () => (await payee.balance())[0] === PAID_MINOR);
  for (const party of [payer, payee]) party.device.close();
  for (const board of boards) await update(board);

  const [after, other] = [
    await Party.open("payer", PERSON, optionsOf(boards[0])),
    await Party.open("payee", PERSON, optionsOf(boards[1])),
  ];
  const { version } = buildRelease();
  for (const { imageVersion } of after.device.board.modules) expect(imageVersion).toBe(version + 1);
  expect(await after.balance()).toEqual([FUNDS_MINOR - PAID_MINOR, 0]);
  await pay(after, other, 31);
  await until("the payee's money", async () => (await other.balance())[0] === 2 * PAID_MINOR);
  expect(await after.balance()).toEqual([FUNDS_MINOR - 2 * PAID_MINOR, 0]);
  await Promise.all([after.close(), other.close()]);
});
