// SPDX-License-Identifier: Apache-2.0
// Power cuts in the middle of payments: the emulator of payer or payee is killed at a random moment
// and switched on again. No unit is lost or made, and both sides come to agree.
import { afterAll, beforeAll, expect, test } from "vitest";
import { filled } from "../../host/torture/agentWorld.ts";
import { Random } from "../../host/torture/random.ts";
import { BoardWorld, COMMITTED, FUNDS_MINOR, isFinal, type Party, until } from "./world.ts";

/** Number of a refusal, and further payment-states (docs/protocol.cddl section 8). */
const REFUSED = 0;
const UNKNOWN = 0;
const RUNNING = 4;
const CUTS = Number(process.env.FLORIN_POWER_CUTS ?? 10);
const AMOUNT_MINOR = 100;
/** A payment takes about as long on a quiet machine: cuts fall before, in and after it. */
const PAYMENT_MS = 1_500;

let world: BoardWorld;
beforeAll(async () => {
  world = await BoardWorld.make(true);
});
afterAll(() => world.close());

async function cutAndRestart({ emulated, device }: Party): Promise<void> {
  const before = device.board.bootCounter;
  await emulated!.powerOff();
  await emulated!.powerOn();
  await until("the board to be back", () => device.board.bootCounter === before + 1);
}

/** Lets both modules ask about what is open until nothing is in doubt; [payer's, payee's] money. */
async function settle(): Promise<[number, number]> {
  const { payer, payee } = world;
  let money: [number, number] = [0, 0];
  await until("an end of all doubt", async () => {
    const open = await Promise.all([payer.ask("module", 89), payee.ask("module", 89)]);
    const balances = [await payer.balance(), await payee.balance()];
    money = [balances[0]![0], balances[1]![0]];
    const isOpen = open.some(([, count]) => Number(count) > 0);
    return !isOpen && balances.every(([, inDoubt]) => inDoubt === 0);
  });
  return money;
}

/** The payer's word on a payment; a command that never reached it did nothing. */
async function outcomeOf(command: Uint8Array): Promise<number> {
  const ask = async () => {
    const [number, , state] = await world.payer.ask("agent", 30, command);
    return number === REFUSED ? UNKNOWN : Number(state);
  };
  let state = await ask();
  if (state === RUNNING) {
    // A payer whose counterpart vanished waits for it for a minute: its owner does not.
    await cutAndRestart(world.payer);
    world.connect();
  }
  await until("the outcome", async () => {
    state = await ask();
    return state === UNKNOWN || isFinal(state);
  });
  return state;
}

test(`${CUTS} cuts at random moments`, { timeout: 60_000 * CUTS }, async () => {
  const random = new Random(5);
  let paid = 0;
  let committed = 0;
  for (let index = 0; index < CUTS; index += 1) {
    const command = filled(40 + index);
    const victim = random.chance(0.5) ? world.payer : world.payee;
    world.payer.tell("agent", 60, command, AMOUNT_MINOR, "EUR");
    await new Promise((wake) => setTimeout(wake, random.below(PAYMENT_MS)));
    await cutAndRestart(victim);
    world.connect();
    const money = await settle();
    // What the payer's host is told agrees with where the money is.
    if ((await outcomeOf(command)) === COMMITTED) {
      paid += AMOUNT_MINOR;
      committed += 1;
    }
    expect(money).toEqual([FUNDS_MINOR - paid, paid]);
  }
  // The devices still work, and the cuts did not all fall on one side of the commit.
  const last = filled(39);
  await world.pay(last, AMOUNT_MINOR);
  expect(world.payer.stateOf(last)).toBe(COMMITTED);
  if (CUTS >= 10) {
    expect(committed).toBeGreaterThan(0);
    expect(committed).toBeLessThan(CUTS);
  }
});
