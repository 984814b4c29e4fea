// SPDX-License-Identifier: Apache-2.0
// One purchase or sale between real, traced agents and money modules, for the claims: who did which
// numbered step in which order, what the card network was asked, and what everyone holds.
import { itemsOf } from "../../host/torture/items.ts";
import { expect } from "vitest";
import { readTicket, type Receipt } from "../../host/application/tickets.ts";
import { bytesToHex } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { traceModules } from "../../host/torture/tracing.ts";
import type { Device, Host } from "../../host/torture/agentWorld.ts";
import {
  acquire,
  cardComponents,
  payloadOf,
  PurchaseWorld,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";

export const BUY = 1;
export const SELL = 2;
export const COMMITTED = 2;
export const ABORTED = 1;
/** Minor units that are traded. */
export const AMOUNT = 2000;
export const FUNDS = 5000;

/** The four units of claims 1 and 7, as the marks name them. */
export const CTA = "agent of C";
export const MM1 = "the module C";
export const MTA = "agent of M";
export const MM2 = "the module M";

/** One mark, or something that the test's own hosts saw or did. */
export type Happening = [who: string, what: number | string];

export interface TradeOptions {
  /** 1 credit, 2 debit. */
  cardKind?: 1 | 2;
  customer?: Record<number, Host>;
  merchant?: Record<number, Host>;
  /** False for a payer without money. */
  isFunded?: boolean;
  prepare?: (world: PurchaseWorld) => void;
}

export class TracedTrade {
  readonly world: PurchaseWorld;
  readonly happened: Happening[] = [];

  constructor(direction: 1 | 2, options: TradeOptions = {}) {
    traceModules((module, _image, step) => this.happened.push([module, step]));
    try {
      this.world = new PurchaseWorld();
      const { world } = this;
      if (options.cardKind === 1) {
        const credit = cardComponents("EUR", { 5: 1 });
        acquire(world, world.customer, world.authority, 1, credit, new Uint8Array(16).fill(98));
        world.connect(world.customer, world.merchant);
      }
      const payer = direction === BUY ? world.merchant : world.customer;
      if (options.isFunded !== false) world.fund(payer, FUNDS);
      options.prepare?.(world);
      // The card that was acquired last is picked.
      const pick: Host = ([, command, cards]) => [[26, command, (cards as Uint8Array[]).at(-1)]];
      world.customer.host = willingCustomer(AMOUNT, "USD", { 25: pick, ...options.customer });
      world.merchant.host = this.noting(willingMerchant(options.merchant ?? {}));
      this.happened.length = 0;
      world.order(direction);
    } finally {
      traceModules(null);
    }
  }

  /** State of the end on both sides: customer, merchant. */
  get ending(): unknown[] {
    return [this.world.customer.last(29)?.[2], this.world.merchant.last(49)?.[2]];
  }

  /** What the two could spend: customer, merchant. */
  get balances(): number[] {
    return [this.world.balance(this.world.customer), this.world.balance(this.world.merchant)];
  }

  /** The receipt that the customer keeps. */
  get receipt(): Receipt {
    const ticket = this.world.customer.last(29)?.[7];
    const read = ticket instanceof Uint8Array ? readTicket(ticket) : undefined;
    if (read?.type !== "receipt") throw new Error("The customer keeps no receipt.");
    return read;
  }

  /** What the card network was asked (45): mandate's fields and the card. */
  get asked() {
    const [, , mandate, ticket] = this.world.merchant.last(45) as unknown[];
    const fields = decodeCbor(payloadOf(mandate)) as unknown[];
    const card = readTicket(ticket instanceof Uint8Array ? ticket : encodeCbor(ticket));
    if (card?.type !== "card") throw new Error("The card network was given no card.");
    const [, direction, , authorizedMinor, accountUnit, feeMinor, moneyMinor, moneyUnit] = fields;
    return { direction, authorizedMinor, accountUnit, feeMinor, moneyMinor, moneyUnit, card };
  }

  /** Whether the completion posts (1) or voids (2); undefined where the network heard nothing. */
  get completion(): unknown {
    const last = this.world.merchant.last(47);
    if (last === undefined) return undefined;
    return (decodeCbor(payloadOf(last[2])) as unknown[])[1];
  }

  /** Asserts that these happened, each after the one before. */
  expectOrder(...expected: Happening[]): void {
    expectInOrder(this.happened, expected);
  }

  /** Asserts that a machine did none of these steps. */
  expectNone(who: string, ...steps: number[]): void {
    const done = this.happened.filter(([w, n]) => w === who && steps.includes(n as number));
    expect(done).toEqual([]);
  }

  /** Notes what the card network is asked and says, between the marks. */
  private noting(host: Host): Host {
    return (message, half) => {
      if (message[0] === 45) this.happened.push(["network", "asked"]);
      const answers = host(message, half);
      for (const [number] of answers) {
        if (number === 46) this.happened.push(["network", "answered"]);
      }
      return answers;
    };
  }
}

/** Asserts that these are among what happened, each after the one before. */
export function expectInOrder(happened: Happening[], expected: Happening[]): void {
  let at = -1;
  for (const [who, what] of expected) {
    at = happened.findIndex(([w, n], index) => index > at && w === who && n === what);
    expect([who, what, at >= 0], `${who}: ${what}, in its place`).toEqual([who, what, true]);
  }
}

/** Note ids of a device's money, and for each the modules that it came through. */
export function notesOf(world: PurchaseWorld, device: Device): { id: string; path: string[] }[] {
  return itemsOf((cursor) => world.tell(device, "module", [8, 2, cursor])[0]).map((item) => {
    const [body, transfers] = decodeCbor(item) as [unknown[], unknown[][]];
    const fields = decodeCbor(body[2] as Uint8Array) as unknown[];
    const path = transfers.map((transfer) => {
      const [, , , , transferee] = decodeCbor(transfer[2] as Uint8Array) as unknown[];
      return new TextDecoder().decode(transferee as Uint8Array).replaceAll("\0", "");
    });
    return { id: bytesToHex(fields[3] as Uint8Array), path };
  });
}
