// SPDX-License-Identifier: Apache-2.0
// A world in which every kind of transaction has been carried out and been refused once, to be
// forked for each way in which one can end early; and what must be afterwards as it was before.
import { itemsOf } from "../../host/torture/items.ts";
import {
  type AgentWorldSnapshot,
  type Device,
  filled,
  hex,
} from "../../host/torture/agentWorld.ts";
import {
  acquire,
  approvalOf,
  merchantComponents,
  type OFFER_TERMS,
  PurchaseWorld,
  signOffer,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";
import { heapInUse } from "./heap.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";

export const COMMITTED = 2;
export const ABORTED = 1;
const UNIT = "USD";
const DAY = 86_400;
/** Longer than all time-outs of a transaction together. */
const SETTLE_MS = 300_000;

/**
 * [state, reason] that a host was told, or null where it was told of no end. A bank's host is told
 * no reason, which is 0 here; a command that was refused at once counts as aborted.
 */
export type Told = [number, number] | null;

/** One kind of transaction between two devices. */
export interface Flow {
  readonly name: string;
  readonly first: Device;
  readonly second: Device;
  /** Whether agents take part; a withdrawal is between two money modules. */
  readonly hasAgents: boolean;
  order(): void;
  /** What the two hosts were told of it at last. */
  told(): [Told, Told];
}

export type FlowName =
  | "purchase"
  | "sale"
  | "payment"
  | "payment to a brief one"
  | "payment from a brief one"
  | "top-up"
  | "request"
  | "exchange"
  | "refresh"
  | "withdrawal"
  | "deposit";

/** What must be the same after an abort, by device and half. */
export type State = Record<string, unknown>;

export class AbortWorld extends PurchaseWorld {
  readonly friend = this.add("customer", "D");
  readonly sibling = this.add("merchant", "N");
  /** A customer whose module is certified for 20 days, and its agent for 30. */
  readonly brief = this.add(
    "customer",
    "E",
    { expires: START_SECONDS + 30 * DAY },
    { expires: START_SECONDS + 20 * DAY },
  );
  readonly teller: Device;
  readonly generator: Device;
  readonly flows: Record<FlowName, Flow>;
  /** What the next orders are about, where it is not the usual amount; 0 for the usual one. */
  amount = 0;
  /** What the other one gives in the next exchanges; 0 for the usual amount. */
  counterAmount = 0;
  /** Terms of the next offers that are not the usual ones. */
  offerChange: Partial<typeof OFFER_TERMS> = {};
  /** PEER bodies that were carried before the last order. */
  carriedBefore = 0;
  private commandCount = 0;
  private readonly begin: AgentWorldSnapshot;

  constructor() {
    super();
    acquire(this, this.sibling, this.authority, 2, merchantComponents("Kiosk"));
    this.fund(this.merchant, 400_000);
    const bank = (name: string) => this.devices.find((device) => device.name === name)!;
    this.teller = bank("T");
    this.generator = bank("G");
    this.connect(this.teller, this.generator);
    this.tell(this.teller, "module", [81, filled(103), 2, 300_000, UNIT, null]);
    // Who exchanges has what the customer has not.
    this.fund(this.friend, 20_000, "EUR");
    this.flows = this.makeFlows();
    this.withdraw(this.sibling, 50_000);
    this.withdraw(this.customer, 20_000);
    this.withdraw(this.brief, 5_000);
    this.makeWilling();
    for (const flow of Object.values(this.flows)) {
      flow.order();
      this.pass(SETTLE_MS);
      if (flow.told()[0]?.[0] !== COMMITTED) throw new Error(`No ${flow.name}: ${flow.told()}.`);
    }
    this.begin = this.snapshot();
  }

  /** Back to the beginning: everybody willing, all wires straight. */
  reset(): void {
    this.restore(this.begin);
    this.makeWilling();
  }

  /** Hosts, wires, clocks and connections as they should be. */
  makeWilling(): void {
    this.wire = (body) => body;
    for (const device of this.devices) {
      device.isJoined = true;
      for (const half of [device.agent, device.module]) {
        if (half === null) continue;
        half.clockSkewMs = 0;
        half.isRandomDead = false;
      }
    }
    this.amount = 0;
    this.counterAmount = 0;
    this.offerChange = {};
    this.customer.host = willingCustomer(2000, "USD", {
      // An owner who pays what others ask for, and has no other amount to give in a payment.
      23: ([, command, reason]) => [
        reason === 0 ? [24, command, 2000, "USD"] : [24, command, null, null],
      ],
      65: ([, tag]) => [[66, tag, true]],
    });
    this.merchant.host = willingMerchant({
      45: ([, tag, mandate]) => [[46, tag, this.approval(mandate), "00"]],
    });
    for (const device of [this.friend, this.sibling, this.brief]) {
      device.host = ([number, command]) => {
        if (number === 65) return [[66, command, true]];
        return number === 23 ? [[24, command, null, null]] : [];
      };
    }
    for (const bank of [this.teller, this.generator]) bank.host = willingBank;
  }

  /** The issuer's word on a mandate, by default valid for another day. */
  approval(mandate: unknown, isApproved = true, code = "00", lifeSeconds = DAY) {
    return approvalOf(mandate, isApproved, code, undefined, this.nowSeconds() + lifeSeconds);
  }

  nowSeconds(): number {
    return Math.floor(this.clock.epochMs() / 1000);
  }

  /** An offer of the merchant that is good for ten minutes from now. */
  offer(direction: 1 | 2, change: Partial<typeof OFFER_TERMS> = {}): Uint8Array {
    return signOffer(this, this.merchant, direction, {
      expires: this.nowSeconds() + 600,
      ...change,
    });
  }

  /** A command id that was not used before; hosts hear nothing yet of what it begins. */
  newCommand(): Uint8Array {
    this.carriedBefore = this.carried;
    for (const device of this.devices) device.heard.length = 0;
    const command = filled(0);
    command.set([++this.commandCount & 0xff, this.commandCount >> 8, 1]);
    return command;
  }

  /** Goes on to so many seconds before or (negative) after the moment when all notes expire. */
  waitForExpiry(secondsBefore: number): void {
    const expiry = START_SECONDS + 90 * DAY;
    this.wait(expiry - secondsBefore - this.nowSeconds());
  }

  /** Lets days go by in which nothing happens. */
  wait(seconds: number): void {
    this.clock.advance(seconds * 1000);
    this.pass(1000);
  }

  /** Lets a transaction and all its time-outs come to an end. */
  finish(): void {
    this.pass(SETTLE_MS);
  }

  /** What an abort may not change: tickets, money, promises, obligations and the heap in use. */
  state(): State {
    const state: State = {};
    for (const device of this.devices) {
      if (device.agent !== device.module) {
        state[`${device.name} tickets`] = exported(device, "agent", 1);
        state[`${device.name} agent's heap`] = heapInUse(device.agent.snapshot());
      }
      if (device.module === null) continue;
      state[`${device.name} money`] = device.module.ask(80)[1];
      state[`${device.name} notes`] = exported(device, "module", 2);
      state[`${device.name} module's heap`] = heapInUse(device.module.snapshot());
      state[`${device.name} open payments`] = device.module.ask(89)[1];
    }
    state.obligations = this.merchant.agent.ask(56)[1];
    return state;
  }

  withdraw(device: Device, amount: number): void {
    this.askBank(device, 1, amount);
  }

  /**
   * Sends command 81 for a withdrawal (1), a deposit (3) or a refresh (5), which has no account.
   */
  private askBank(device: Device, kind: 1 | 3 | 5, amount: number): void {
    this.connect(device, this.teller);
    const account = kind === 5 ? null : "12345678";
    this.tell(device, "module", [81, this.newCommand(), kind, amount, UNIT, account]);
  }

  private makeFlows(): AbortWorld["flows"] {
    const { customer, merchant, friend, sibling, teller } = this;
    const last = (device: Device, number: number): Told => {
      const refused = device.last(0);
      if (refused !== undefined) return [ABORTED, refused[2] as number];
      const message = device.last(number);
      return message === undefined ? null : (message.slice(2, 4) as [number, number]);
    };
    const settled = (device: Device): Told => {
      const message = device.last(84);
      return message === undefined ? null : [message[2] as number, 0];
    };
    const trade = (name: string, direction: 1 | 2): Flow => ({
      name,
      first: customer,
      second: merchant,
      hasAgents: true,
      order: () => {
        this.connect(customer, merchant);
        this.tell(customer, "agent", [
          20,
          this.newCommand(),
          this.offer(direction, this.offerChange),
        ]);
      },
      told: () => [last(customer, 29), last(merchant, 49)],
    });
    /** 60 pays the second device, 62 asks it to pay. */
    const payment = (name: string, command: 60 | 62, first: Device, second: Device): Flow => ({
      name,
      first,
      second,
      hasAgents: true,
      order: () => {
        this.connect(first, second);
        const amount = this.amount > 0 ? this.amount : 700;
        this.tell(first, "agent", [command, this.newCommand(), amount, UNIT]);
      },
      told: () => [last(first, 29), last(second, 64)],
    });
    const exchange: Flow = {
      name: "exchange",
      first: customer,
      second: friend,
      hasAgents: true,
      order: () => {
        this.connect(customer, friend);
        const amount = this.amount > 0 ? this.amount : 1_000;
        const counter = this.counterAmount > 0 ? this.counterAmount : 900;
        const terms = [amount, UNIT, counter, "EUR", 0];
        this.tell(customer, "agent", [63, this.newCommand(), ...terms]);
      },
      told: () => [last(customer, 29), last(friend, 64)],
    };
    const bank = (name: string, kind: 1 | 3 | 5): Flow => ({
      name,
      first: customer,
      second: teller,
      hasAgents: false,
      order: () => this.askBank(customer, kind, this.amount > 0 ? this.amount : 1_000),
      told: () => [last(customer, 29), settled(teller)],
    });
    return {
      purchase: trade("purchase", 1),
      sale: trade("sale", 2),
      payment: payment("payment", 60, customer, friend),
      "payment to a brief one": payment("payment to a brief one", 60, customer, this.brief),
      "payment from a brief one": payment("payment from a brief one", 60, this.brief, friend),
      "top-up": payment("top-up", 60, sibling, merchant),
      request: payment("request", 62, friend, customer),
      exchange,
      refresh: bank("refresh", 5),
      withdrawal: bank("withdrawal", 1),
      deposit: bank("deposit", 3),
    };
  }
}

/** A bank that grants every hold and notes every outcome. */
export function willingBank(message: unknown[]): unknown[][] {
  if (message[0] === 82) return [[83, message[2], true]];
  return message[0] === 84 ? [[85, message[1]]] : [];
}

/** All items of an export, in hexadecimal. */
function exported(device: Device, half: "agent" | "module", kind: number): string[] {
  return itemsOf((cursor) => device.half(half).ask(8, kind, cursor)).map(hex);
}
