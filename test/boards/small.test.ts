// SPDX-License-Identifier: Apache-2.0
// A board of another family with little memory (netduinoplus2: Cortex-M4, 128 KiB of RAM) carries
// one module: it is certified, withdraws money, loses its power and still has it; what it says is
// what the same module says on the simulator, byte for byte.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Role } from "../../host/trust/certificates.ts";
import { TestAgency } from "../../host/torture/testAgency.ts";
import { Party, until } from "./party.ts";
import { FUNDS_MINOR, fund } from "./world.ts";

const SMALL_BOARD = "netduinoplus2";
const SLOTS = { module: "transaction-module" };

async function withdraw(emulator: string[] | null): Promise<Party> {
  const party = await Party.open("payer", SLOTS, { emulator, board: SMALL_BOARD });
  const agency = new TestAgency();
  await party.certify(agency, "module", "modul-P", Role.TRANSACTION, "device-P");
  await fund(party, agency, "EUR");
  return party;
}

let small: Party;
let simulated: Party;
beforeAll(async () => {
  small = await withdraw([]);
  simulated = await withdraw(null);
});
afterAll(() => Promise.all([small.close(), simulated.close()]));

test("it tells its name and its one module", () => {
  const { boardName, modules } = small.device.board;
  expect(boardName).toBe(SMALL_BOARD);
  expect(modules.map(({ imageName }) => imageName)).toEqual(["transaction-module"]);
});

test("the withdrawal went message for message as on the simulator", () => {
  const said = ({ tap }: Party) =>
    tap.messages.filter(({ toBoard }) => !toBoard).map(({ id, body }) => ({ id, body }));
  expect(said(small).length).toBeGreaterThan(5);
  expect(said(small)).toEqual(said(simulated));
});

test("the money outlasts a loss of power", async () => {
  await small.emulated!.powerOff();
  await small.emulated!.powerOn();
  await until("the board to be back", () => small.device.board.bootCounter === 2);
  expect(await small.balance()).toEqual([FUNDS_MINOR, 0]);
});
