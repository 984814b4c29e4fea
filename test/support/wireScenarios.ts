// SPDX-License-Identifier: Apache-2.0
// Transactions between two real devices for faults to be made in (wireTrial.ts). They are not those
// of host/torture: these run on bare wires under hosts that lie about everything, and there are some
// that the explorer does not have, a credential, two customers at once, a payment right after a boot.
import { fundedWorld } from "../../host/torture/scenarios.ts";
import { type Device, filled, hex } from "../../host/torture/agentWorld.ts";
import { acquire, cardComponents, merchantComponents } from "../../host/torture/purchaseWorld.ts";
import { Wires } from "../../host/torture/wires.ts";

export const COMMITTED = 2;
export const UNIT = "USD";

/** What a fault is tried in. */
export interface Scenario {
  readonly name: string;
  readonly wires: Wires;
  /** The device whose host orders, and the one at the other end. */
  readonly first: Device;
  readonly second: Device;
  /** Orders the transaction under a command id made of `number`. */
  order(number: number): void;
  /** What `first` loses (negative) or gains by one committed order; 0 for a credential. */
  readonly gainMinor: number;
  /** Whether the next order may be the one that finds the halves without a common key. */
  readonly mayFailOnce: boolean;
  /** Whether the order under `number` was carried out, as `first` tells. */
  isCommitted(number: number): boolean;
}

/** The world of all scenarios, with an authority that issues what it is asked for. */
function worldOfAll() {
  const { world, friend, teller } = fundedWorld();
  world.authority.host = (message) => {
    if (message[0] !== 71) return [];
    return [[72, message[1], message[3] === 1 ? cardComponents() : merchantComponents()]];
  };
  return { world, friend, teller };
}

/** A purchase of 20.00 with a card. */
export function purchase(): Scenario {
  const { world } = worldOfAll();
  const { customer, merchant } = world;
  const wires = new Wires(world.clock, [customer, merchant]);
  const line = wires.connect(customer, merchant);
  return scenario("purchase", wires, customer, merchant, 2_000, (command) =>
    wires.tell(customer, "agent", [20, command, offerNow(wires, merchant)], line),
  );
}

/** A payment of 7.00 to another person. */
export function payment(): Scenario {
  const { world, friend } = worldOfAll();
  const wires = new Wires(world.clock, [world.customer, friend]);
  const line = wires.connect(world.customer, friend);
  return scenario("payment", wires, world.customer, friend, -700, (command) =>
    wires.tell(world.customer, "agent", [60, command, 700, UNIT], line),
  );
}

/**
 * Two customers who buy from one merchant at the same time. Its money module makes one payment at a
 * time, so it is enough that one of them is served.
 */
export function purchases(): Scenario {
  const { world } = worldOfAll();
  const { customer, merchant } = world;
  const other = world.add("customer", "E");
  acquire(world, other, world.authority, 1, cardComponents());
  other.host = customer.host;
  const wires = new Wires(world.clock, [customer, other, merchant]);
  const lines = [wires.connect(customer, merchant), wires.connect(other, merchant)] as const;
  const made = scenario("purchases", wires, customer, merchant, 2_000, (command) => {
    const offer = offerNow(wires, merchant);
    wires.tell(customer, "agent", [20, command, offer], lines[0]);
    wires.tell(other, "agent", [20, command, offer], lines[1]);
  });
  const isCommitted = (number: number) =>
    made.isCommitted(number) || isCommittedAt(other, commandOf(number));
  return { ...made, isCommitted };
}

/** An offer that the merchant signs now: earlier ones expire while time-outs pass. */
function offerNow(wires: Wires, merchant: Device): Uint8Array {
  const terms = ["USD", "EUR", 25, 100, 9, 10, 100, 100000];
  const expires = Math.floor(wires.clock.epochMs() / 1000) + 599;
  const [answer] = wires
    .ask(merchant, "agent", [55, 1, ...terms, expires, "ws://127.0.0.1:1"])
    .filter(([number]) => number === 55);
  return answer?.[1] as Uint8Array;
}

/** The same where the payer's device has just been switched on. */
export function paymentAfterBoot(): Scenario {
  const { world, friend } = worldOfAll();
  const wires = new Wires(world.clock, [world.customer, friend]);
  const line = wires.connect(world.customer, friend);
  return scenario(
    "payment after a boot",
    wires,
    world.customer,
    friend,
    -700,
    (command, number) => {
      if (number <= 2) {
        wires.reboot(world.customer);
        wires.run();
      }
      wires.tell(world.customer, "agent", [60, command, 700, UNIT], line);
    },
  );
}

/** A withdrawal of 9.00 from a teller in stock. */
export function withdrawal(): Scenario {
  const { world, teller } = worldOfAll();
  const wires = new Wires(world.clock, [world.customer, teller]);
  const line = wires.connect(world.customer, teller);
  return scenario("withdrawal", wires, world.customer, teller, 900, (command) =>
    wires.tell(world.customer, "module", [81, command, 1, 900, UNIT, "12345678"], line),
  );
}

/** A card credential from an authority. */
export function credential(): Scenario {
  const { world, friend } = worldOfAll();
  const wires = new Wires(world.clock, [friend, world.authority]);
  const line = wires.connect(friend, world.authority);
  return scenario("credential", wires, friend, world.authority, 0, (command) =>
    wires.tell(friend, "agent", [70, command, 1], line),
  );
}

/** Ids that no command of the world's making has. */
const commandOf = (number: number) => filled(20 + number);

function scenario(
  name: string,
  wires: Wires,
  first: Device,
  second: Device,
  gainMinor: number,
  order: (command: Uint8Array, number: number) => void,
): Scenario {
  return {
    name,
    wires,
    first,
    second,
    gainMinor,
    mayFailOnce: name === "payment after a boot",
    order: (number) => order(commandOf(number), number),
    isCommitted: (number) => isCommittedAt(first, commandOf(number)),
  };
}

function isCommittedAt(device: Device, command: Uint8Array): boolean {
  const told = device.told(29).filter(([, id]) => hex(id as Uint8Array) === hex(command));
  return told.at(-1)?.[2] === COMMITTED;
}
