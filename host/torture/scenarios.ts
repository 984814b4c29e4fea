// SPDX-License-Identifier: Apache-2.0
// What devices do while faults are made: each kind of transaction of the patent between the release
// images, on a world that was funded cleanly before. Figs. 7-14 and 20-21 for purchase, sale and
// payment; docs/protocol.md section 4 for the flows with a bank.
import { type Device, filled } from "./agentWorld.ts";
import {
  merchantComponents,
  acquire,
  PurchaseWorld,
  signOffer,
  WILLING_BANK,
  willingCustomer,
} from "./purchaseWorld.ts";
import { newBankHost } from "./bankHost.ts";
import { customerAccount, EarlyBank } from "./bankParties.ts";
import { newCardNetwork } from "./cardNetwork.ts";
import { cardParties, FIRST_TRACE } from "./cardParties.ts";
import { FaultWorld, type StartCommand } from "./faultWorld.ts";

const UNIT = "USD";
const PRICE_MINOR = 2_000;
/** The same at 9 EUR for 10 USD, with and less the fee of 1 % and 0.25 (`OFFER_TERMS`). */
const CHARGED_MINOR = 1_843;
const CREDITED_MINOR = 1_757;
const DAY_MS = 86_400_000;
const ACCOUNT = customerAccount(UNIT);

/** Minor units by unit of money. */
export type Sums = Readonly<Record<string, number>>;

export interface Scenario {
  readonly name: string;
  readonly world: FaultWorld;
  /** The device whose host orders, and the one at the other end. */
  readonly first: Device;
  readonly second: Device;
  /** The half that takes the order. */
  readonly half: "agent" | "module";
  /** What the customer's account with the bank gains by one committed order, in minor units. */
  readonly accountGainMinor: number;
  /** What the first device gains by one committed order. */
  readonly gainMinor: Sums;
  /** True where a committed order posts a card and leaves a receipt. */
  readonly hasCard: boolean;
  /** What the card's account gains by one committed order, in its own minor units. */
  readonly cardGainMinor: number;
  /** True where the first device's Ticket Holder is full: a receipt takes another's place. */
  readonly isHolderFull: boolean;
  /** Does what must be done before an order can be given. */
  prepare(): void;
  /** Gives the order under an id made of `number`; the world carries it on. */
  order(number: number): void;
}

/** Ids that no command of the world's making has. */
export const commandOf = (number: number) => filled(60 + number);

interface Stage {
  world: PurchaseWorld;
  friend: Device;
  teller: Device;
  generator: Device;
  /** It issued all money of this world, and its books say so. */
  bank: EarlyBank;
}

/** A customer, a friend, a merchant and a teller, all with money; the bank can issue more. */
export function fundedWorld(seed = 1): Stage {
  const world = new PurchaseWorld(false, seed === 1 ? "" : ` ${seed}`);
  const bank = new EarlyBank();
  const friend = world.add("customer", "D");
  world.fund(world.merchant, 400_000, UNIT, bank);
  const teller = world.devices.find(({ name }) => name === "T")!;
  const generator = world.devices.find(({ name }) => name === "G")!;
  world.connect(teller, generator);
  world.tell(teller, "module", [81, filled(103), 2, 300_000, UNIT, null]);
  world.customer.host = willingCustomer(100_000);
  world.order(1, signOffer(world, world.merchant, 1));
  world.pass(60_000);
  world.customer.host = willingCustomer(PRICE_MINOR);
  // A copy of this world has no books: where the bank is to have some, it is started over it.
  teller.host = WILLING_BANK.hostOf(teller, "teller");
  return { world, friend, teller, generator, bank };
}

function put(
  { bank, teller, generator }: Stage,
  first: Device,
  second: Device,
  world: PurchaseWorld,
  starts: ReadonlyMap<Device, readonly StartCommand[]>,
): FaultWorld {
  const faults = new FaultWorld(world.clock, [first, second], starts);
  faults.connect(first, second);
  for (const device of faults.devices) device.heard.length = 0;
  faults.elsewhereMinor = heldElsewhere(world, faults);
  const config = bank.configOf(teller, generator, world.agency);
  faults.startBank(config, newBankHost(bank.ledger));
  return faults;
}

/** What is held by modules that no fault is made around. */
function heldElsewhere({ devices }: PurchaseWorld, faults: FaultWorld): Sums {
  const sums: Record<string, number> = {};
  for (const device of devices) {
    if (device.module === null || faults.devices.includes(device)) continue;
    for (const [unit, spendable, , refresh] of device.module.ask(80)[1] as Balance[]) {
      sums[unit] = (sums[unit] ?? 0) + spendable + refresh;
    }
  }
  return sums;
}

/** Unit, and what is spendable, in doubt, to refresh and promised of it. */
type Balance = [string, number, number, number, number];

/** Tickets that an agent holds at most (docs/protocol.md section 8). */
const TICKETS_MAX = 32;

/** Buys until the customer's Ticket Holder and log are full. */
function fillHolder({ world }: Stage): void {
  for (let held = 0; held < TICKETS_MAX; held += 1) {
    world.order(1, signOffer(world, world.merchant, 1));
    world.pass(10_000);
  }
}

/** A purchase or sale of 20.00 with a card. */
function trade(direction: 1 | 2, seed: number, isHolderFull = false): Scenario {
  const made = fundedWorld(seed);
  const { customer, merchant } = made.world;
  if (isHolderFull) fillHolder(made);
  const serve: StartCommand = { half: "agent", command: [40, true] };
  // As a merchant's host does that finds its device anew (host/application/merchant.ts).
  const obligations: StartCommand = { half: "agent", command: [56] };
  const { config, accounts } = cardParties(customer.agent, merchant.agent);
  const world = put(
    made,
    customer,
    merchant,
    made.world,
    new Map([[merchant, [serve, obligations]]]),
  );
  world.startCards(merchant, config, newCardNetwork(accounts, FIRST_TRACE));
  let offer: unknown;
  return {
    name: isHolderFull ? "full-holder" : direction === 1 ? "purchase" : "sale",
    isHolderFull,
    world,
    first: customer,
    second: merchant,
    half: "agent",
    accountGainMinor: 0,
    gainMinor: { [UNIT]: direction === 1 ? PRICE_MINOR : -PRICE_MINOR },
    hasCard: true,
    cardGainMinor: direction === 1 ? -CHARGED_MINOR : CREDITED_MINOR,
    prepare() {
      const terms = [direction, "USD", "EUR", 25, 100, 9, 10, 100, 100_000];
      const expires = Math.floor(world.clock.epochMs() / 1000) + 599;
      const heard = world.ask(merchant, "agent", [55, ...terms, expires, "ws://127.0.0.1:1"]);
      offer = heard.find(([number]) => number === 55)?.[1];
    },
    order(number) {
      const line = world.lineBetween(customer, merchant);
      world.tell(customer, "agent", [20, commandOf(number), offer], line);
    },
  };
}

/** An order between two people that needs nothing before it. */
function between(
  name: string,
  made: Stage,
  second: Device,
  command: (id: Uint8Array) => unknown[],
  gainMinor: Sums,
): Scenario {
  const first = made.world.customer;
  const world = put(made, first, second, made.world, new Map());
  const order = (number: number) =>
    world.tell(first, "agent", command(commandOf(number)), world.lineBetween(first, second));
  const half = "agent";
  return {
    name,
    world,
    first,
    second,
    half,
    accountGainMinor: 0,
    gainMinor,
    hasCard: false,
    cardGainMinor: 0,
    isHolderFull: false,
    ...{ order },
    prepare() {},
  };
}

function payment(seed: number): Scenario {
  const made = fundedWorld(seed);
  const command = (id: Uint8Array) => [60, id, 700, UNIT];
  return between("payment", made, made.friend, command, { [UNIT]: -700 });
}

/** Ten dollars for nine euros, both in one commit. */
function exchange(seed: number): Scenario {
  const made = fundedWorld(seed);
  made.world.fund(made.friend, 100_000, "EUR", made.bank);
  made.friend.host = ([number, tag]) => (number === 65 ? [[66, tag, true]] : []);
  const command = (id: Uint8Array) => [63, id, 1_000, UNIT, 900, "EUR", 1];
  return between("exchange", made, made.friend, command, { [UNIT]: -1_000, EUR: 900 });
}

/** A shop's device pays another of the same owner, as its host orders when funds are short. */
function topUp(seed: number): Scenario {
  const made = fundedWorld(seed);
  const { world: agents } = made;
  const sibling = agents.add("merchant", "N");
  acquire(agents, sibling, agents.authority, 2, merchantComponents());
  const { merchant } = agents;
  const world = put(made, merchant, sibling, agents, new Map());
  return {
    name: "top-up",
    world,
    first: merchant,
    second: sibling,
    half: "agent",
    accountGainMinor: 0,
    gainMinor: { [UNIT]: -5_000 },
    hasCard: false,
    cardGainMinor: 0,
    isHolderFull: false,
    prepare() {},
    order(number) {
      const line = world.lineBetween(merchant, sibling);
      world.tell(merchant, "agent", [60, commandOf(number), 5_000, UNIT], line);
    },
  };
}

/** A request of kind 1, 3 or 5 to a teller. */
function withBank(name: string, kind: 1 | 3 | 5, gainMinor: number, seed: number): Scenario {
  const made = fundedWorld(seed);
  const { world: agents, teller } = made;
  const { customer } = agents;
  if (kind === 5) {
    // Notes that are a quarter old are due; the teller has fresh ones.
    agents.clock.advance(91 * DAY_MS);
    agents.pass(1_000);
    const generator = agents.devices.find((device) => device.name === "G")!;
    agents.connect(teller, generator);
    agents.tell(teller, "module", [81, filled(104), 2, 300_000, UNIT, null]);
  }
  const world = put(made, customer, teller, agents, new Map());
  const account = kind === 5 ? null : ACCOUNT;
  return request(name, world, [customer, teller], [kind, account], gainMinor, -gainMinor);
}

/** The bank has notes made into its teller's stock (2), or sends some of them back (4). */
function nested(name: string, kind: 2 | 4, gainMinor: number, seed: number): Scenario {
  const made = fundedWorld(seed);
  const { teller, generator } = made;
  const world = put(made, teller, generator, made.world, new Map());
  return request(name, world, [teller, generator], [kind, null], gainMinor, 0);
}

/** What a module asks of a teller's or a generator's: a kind of request, and an account or none. */
function request(
  name: string,
  world: FaultWorld,
  [first, second]: readonly [Device, Device],
  [kind, account]: readonly [number, string | null],
  gainMinor: number,
  accountGainMinor: number,
): Scenario {
  return {
    name,
    world,
    first,
    second,
    half: "module",
    accountGainMinor,
    gainMinor: { [UNIT]: gainMinor },
    hasCard: false,
    cardGainMinor: 0,
    isHolderFull: false,
    prepare() {},
    order(number) {
      const line = world.lineBetween(first, second);
      world.tell(first, "module", [81, commandOf(number), kind, 900, UNIT, account], line);
    },
  };
}

/** Makes a world of each kind from a seed. */
export const SCENARIOS: Readonly<Record<string, (seed: number) => Scenario>> = {
  purchase: (seed) => trade(1, seed),
  sale: (seed) => trade(2, seed),
  payment,
  "top-up": topUp,
  withdrawal: (seed) => withBank("withdrawal", 1, 900, seed),
  deposit: (seed) => withBank("deposit", 3, -900, seed),
  refresh: (seed) => withBank("refresh", 5, 0, seed),
  issue: (seed) => nested("issue", 2, 900, seed),
  redemption: (seed) => nested("redemption", 4, -900, seed),
  exchange,
  "full-holder": (seed) => trade(1, seed, true),
};
