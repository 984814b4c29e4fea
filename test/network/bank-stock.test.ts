// SPDX-License-Identifier: Apache-2.0
// A teller's stock: notes on demand, two customers at once, and what goes back to the issuer
// (docs/protocol.md section 4, nested payments).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  newStock,
  type StockEffect,
  type StockEvent,
  type StockPolicy,
  type StockRequest,
  stepStock,
} from "../../host/network/bank/stock.ts";

const POLICY: StockPolicy = { keepMinor: 1000, keepNotes: 8, slots: 2 };

/** A teller's module and the generators, as the stock's machine meets them. */
class Shop {
  readonly state = newStock();
  /** Minor units and number of notes in the module. */
  spendableMinor = 0;
  refreshMinor = 0;
  notes = 1;
  /** Most that one redemption takes. */
  packetMinor = 1_000_000;
  issues = true;
  /** How many orders find no place in the module. */
  crowds = 0;
  /** False where what was issued is gone before anybody looks. */
  lands = true;
  redeems = true;
  reachable = true;
  /** What happens while a pause runs. */
  onPause: () => void = () => undefined;
  /** Everything that was done, in short. */
  readonly done: string[] = [];
  private readonly policy: StockPolicy;
  private pending: StockEvent[] = [];

  constructor(policy = POLICY) {
    this.policy = policy;
  }

  /** Takes an event, and what the module and the generators answer to it. */
  take(event: StockEvent): void {
    this.pending.push(event);
    for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
      for (const effect of stepStock(this.state, next, this.policy)) this.perform(effect);
    }
  }

  want(payId: string, amountMinor: number, unit = "EUR"): void {
    this.take({ type: "wanted", request: { payId, unit, amountMinor } });
  }

  /** The customer got the notes, or not; the module has reported. */
  end({ payId, amountMinor }: Pick<StockRequest, "payId" | "amountMinor">, isPaid = true): void {
    if (isPaid) this.spendableMinor -= amountMinor;
    this.take({ type: "ended", payId });
  }

  private perform(effect: StockEffect): void {
    switch (effect.type) {
      case "look": {
        const { spendableMinor, refreshMinor } = this;
        const notes = effect.countsNotes ? this.notes : 0;
        const stock = this.reachable ? { spendableMinor, refreshMinor, notes } : null;
        this.pending.push({ type: "look", stock });
        return;
      }
      case "pause":
        this.done.push("pause");
        this.onPause();
        this.pending.push({ type: "pause over" });
        return;
      case "order":
        this.done.push(`${effect.kind} ${effect.amountMinor}`);
        this.pending.push(this.order(effect));
        return;
      case "issue over":
        this.done.push(`order ${effect.id} ${effect.isDone ? "done" : effect.reason}`);
        return;
      default:
        this.done.push(`${effect.type} ${effect.payId}`);
    }
  }

  private order({ kind, amountMinor }: StockEffect & { type: "order" }): StockEvent {
    const isCrowded = this.crowds > 0;
    this.crowds -= isCrowded ? 1 : 0;
    const isDone = !isCrowded && (kind === "issue" ? this.issues : this.redeems);
    if (isDone && kind === "issue" && this.lands) this.spendableMinor += amountMinor;
    if (isDone && kind === "redeem") {
      const takenMinor = Math.min(amountMinor, this.packetMinor);
      const old = Math.min(this.refreshMinor, takenMinor);
      this.refreshMinor -= old;
      this.spendableMinor -= takenMinor - old;
      this.notes = Math.max(0, this.notes - 8);
    }
    return { type: "order over", isDone, isCrowded, reason: isDone ? "" : "refused" };
  }
}

describe("notes on demand", () => {
  it("are not made where the stock covers the payment", () => {
    const shop = new Shop();
    shop.spendableMinor = 500;
    shop.want("a", 500);
    expect(shop.done).toEqual(["grant a"]);
  });

  it("are made before the payment goes on, the whole amount in one note", () => {
    const shop = new Shop();
    shop.spendableMinor = 499;
    shop.want("a", 500);
    expect(shop.done).toEqual(["issue 500", "grant a"]);
  });

  it("are not made twice: the payment is refused where they did not come, or went elsewhere", () => {
    const shop = new Shop();
    shop.issues = false;
    shop.want("a", 500);
    expect(shop.done).toEqual(["issue 500", "refuse a"]);
    const other = new Shop();
    other.lands = false;
    other.want("a", 500);
    expect(other.done).toEqual(["issue 500", "refuse a"]);
  });

  it("are refused where the module cannot be asked", () => {
    const shop = new Shop();
    shop.reachable = false;
    shop.want("a", 500);
    expect(shop.done).toEqual(["refuse a"]);
  });

  it("are counted as gone while a granted payment has not taken them", () => {
    const shop = new Shop();
    shop.spendableMinor = 800;
    shop.want("a", 500);
    shop.want("b", 400);
    // Both places of the module are taken, so no order can run: the second waits for the first.
    expect(shop.done).toEqual(["grant a"]);
    shop.end({ payId: "a", amountMinor: 500 });
    expect(shop.done).toEqual(["grant a", "issue 400", "grant b"]);
  });

  it("go to the second where the first gave up", () => {
    const shop = new Shop();
    shop.spendableMinor = 800;
    shop.want("a", 500);
    shop.want("b", 400);
    shop.end({ payId: "a", amountMinor: 500 }, false);
    expect(shop.done).toEqual(["grant a", "grant b"]);
  });

  it("make the newest leave where two customers take the places that the order needs", () => {
    const shop = new Shop();
    // Two that came while nothing could be looked at: neither has notes.
    shop.state.looking = { unit: "EUR" };
    shop.want("a", 500);
    shop.want("b", 400);
    shop.take({ type: "look", stock: { spendableMinor: 0, refreshMinor: 0, notes: 0 } });
    expect(shop.done).toEqual(["refuse b"]);
    shop.end({ payId: "b", amountMinor: 400 }, false);
    expect(shop.done).toEqual(["refuse b", "issue 500", "grant a"]);
  });

  it("wait where somebody else took the order's place, and whoever that is leaves", () => {
    const shop = new Shop();
    shop.crowds = 1;
    shop.onPause = () => shop.want("b", 400);
    shop.want("a", 500);
    expect(shop.done).toEqual(["issue 500", "pause", "refuse b"]);
    shop.end({ payId: "b", amountMinor: 400 }, false);
    expect(shop.done.slice(3)).toEqual(["issue 500", "grant a"]);
  });

  it("are given up where no place gets free, by customers and by people alike", () => {
    const shop = new Shop();
    shop.crowds = 1000;
    shop.want("a", 500);
    expect(shop.done.filter((what) => what === "pause")).toHaveLength(20);
    expect(shop.done.at(-1)).toBe("refuse a");
    shop.end({ payId: "a", amountMinor: 500 }, false);
    shop.crowds = 3;
    shop.take({ type: "issue", order: { id: 1, unit: "EUR", amountMinor: 50 } });
    expect(shop.done.at(-1)).toBe("order 1 done");
  });

  it("are granted again where the module asks again, and only for what was granted", () => {
    const shop = new Shop();
    shop.spendableMinor = 900;
    shop.want("a", 500);
    shop.want("a", 500);
    expect(shop.done).toEqual(["grant a", "grant a"]);
    shop.end({ payId: "a", amountMinor: 500 });
    shop.want("b", 400);
    expect(shop.done).toEqual(["grant a", "grant a", "grant b"]);
  });

  it("are issued for the bank's own people in turn", () => {
    const shop = new Shop();
    shop.take({ type: "issue", order: { id: 7, unit: "EUR", amountMinor: 250 } });
    shop.issues = false;
    shop.take({ type: "issue", order: { id: 8, unit: "EUR", amountMinor: 250 } });
    expect(shop.done).toEqual(["issue 250", "order 7 done", "issue 250", "order 8 refused"]);
    expect(shop.spendableMinor).toBe(250);
  });

  it("do not wait for places in a module that started anew", () => {
    const shop = new Shop();
    for (const payId of ["d", "e"]) shop.take({ type: "begun", payId });
    shop.want("a", 500);
    expect(shop.done).toEqual([]);
    shop.take({ type: "restarted" });
    expect(shop.done).toEqual(["issue 500", "grant a"]);
  });

  it("leave a place free for deposits that run", () => {
    const shop = new Shop();
    shop.take({ type: "begun", payId: "d" });
    shop.want("a", 500);
    expect(shop.done).toEqual([]);
    shop.take({ type: "ended", payId: "d" });
    expect(shop.done).toEqual(["issue 500", "grant a"]);
  });
});

describe("notes that are not needed", () => {
  const brought = (shop: Shop, broughtMinor: number) =>
    shop.take({ type: "tidy", unit: "EUR", broughtMinor });

  it("go back to the issuer as customers brought them", () => {
    const shop = new Shop();
    shop.spendableMinor = 700;
    brought(shop, 300);
    expect(shop.done).toEqual(["redeem 300"]);
    expect(shop.spendableMinor).toBe(400);
  });

  it("go back packet by packet, until a look shows that nothing is left to send", () => {
    const shop = new Shop();
    shop.spendableMinor = 700;
    shop.packetMinor = 120;
    brought(shop, 300);
    expect(shop.done).toEqual(["redeem 300", "redeem 180", "redeem 60"]);
    expect(shop.spendableMinor).toBe(400);
  });

  it("go back where only a bank takes them, and where the stock is above what stays", () => {
    const shop = new Shop();
    shop.spendableMinor = 1200;
    shop.refreshMinor = 50;
    brought(shop, 0);
    expect(shop.done).toEqual(["redeem 250"]);
    expect([shop.spendableMinor, shop.refreshMinor]).toEqual([1000, 0]);
  });

  it("go back altogether where they are more than one packet takes", () => {
    const shop = new Shop();
    shop.spendableMinor = 90;
    shop.notes = 9;
    brought(shop, 5);
    expect(shop.done).toEqual(["redeem 90"]);
  });

  it("stay until the next payment brings some, where the issuer does not take them", () => {
    const shop = new Shop();
    shop.spendableMinor = 700;
    shop.redeems = false;
    brought(shop, 300);
    expect(shop.done).toEqual(["redeem 300"]);
    shop.redeems = true;
    brought(shop, 20);
    expect(shop.done).toEqual(["redeem 300", "redeem 20"]);
  });

  it("wait while a payment is about to take notes of their unit", () => {
    const shop = new Shop();
    shop.spendableMinor = 700;
    shop.want("a", 200);
    brought(shop, 300);
    expect(shop.done).toEqual(["grant a"]);
    shop.end({ payId: "a", amountMinor: 200 });
    expect(shop.done).toEqual(["grant a", "redeem 300"]);
  });
});

describe("whatever comes in whatever order", () => {
  it("every payment is answered, none is granted beyond the stock, and nothing stays under way", () => {
    const kind = fc.constantFrom("want", "want", "end", "give up", "tidy", "deposit", "issue");
    const act = fc.record({
      kind,
      amountMinor: fc.integer({ min: 1, max: 900 }),
      fails: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const shop = new Shop();
        let last = 0;
        const amounts = new Map<string, number>();
        const open = () =>
          [...amounts.keys()].filter((payId) => shop.done.includes(`grant ${payId}`));
        const refused = () =>
          [...amounts.keys()].filter((payId) => shop.done.includes(`refuse ${payId}`));
        const finish = (payId: string, isPaid: boolean) => {
          const amountMinor = amounts.get(payId)!;
          amounts.delete(payId);
          shop.end({ payId, amountMinor }, isPaid);
        };
        for (const { kind, amountMinor, fails } of acts) {
          shop.issues = !fails;
          shop.redeems = !fails;
          shop.crowds = fails ? amountMinor % 3 : 0;
          for (const payId of refused()) finish(payId, false);
          const [granted] = open();
          if (kind === "want" && amounts.size < POLICY.slots) {
            last += 1;
            amounts.set(`p${last}`, amountMinor);
            shop.want(`p${last}`, amountMinor);
          } else if (kind === "end" && granted !== undefined) finish(granted, true);
          else if (kind === "give up" && granted !== undefined) finish(granted, false);
          else if (kind === "tidy") {
            shop.spendableMinor += amountMinor;
            shop.take({ type: "tidy", unit: "EUR", broughtMinor: amountMinor });
          } else if (kind === "issue") {
            shop.take({ type: "issue", order: { id: last, unit: "EUR", amountMinor } });
          }
          const promised = open().reduce((sum, payId) => sum + amounts.get(payId)!, 0);
          expect(shop.spendableMinor).toBeGreaterThanOrEqual(promised);
        }
        for (let round = 0; round < 9; round += 1) {
          for (const payId of [...open(), ...refused()]) finish(payId, false);
        }
        expect(amounts.size).toBe(0);
        expect(shop.state).toMatchObject({
          waiting: [],
          granted: [],
          others: [],
          issues: [],
          untidy: {},
          paused: false,
          looking: null,
          ordered: null,
        });
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
