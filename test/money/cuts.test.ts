// SPDX-License-Identifier: Apache-2.0
// Each flow with a bank's module, with the power cut at every flash operation of either side, and
// with the connection cut at every message (docs/protocol.md sections 4 and 7): both ends have all
// of it or nothing, the ledger hears the same, and nothing stays in doubt when they meet again.
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import type { StorageOperation } from "../../host/simulator/types.ts";
import { PEER } from "../../host/torture/bareModule.ts";
import { type MoneyWorld, type Node, State, stockedWorld } from "../support/moneyWorld.ts";

const AMOUNT = 2_500;
const DAY_MS = 86_400_000;

interface Flow {
  name: string;
  /** Request kind, and what is asked for. */
  kind: number;
  account: string | null;
  /** The messages of the modules in their order. */
  messages: number[];
  /** Makes the world as it is before; who asks, and whom. */
  prepare(): { world: MoneyWorld; client: Node; server: Node };
  /** Balances [spendable, in doubt, refresh] of client and server afterwards. */
  after(isCommitted: boolean): [number[], number[]];
}

const stocked = () => {
  const { world, teller, generator, customer } = stockedWorld(100_000);
  return { world, teller, generator, customer };
};

const FLOWS: Flow[] = [
  {
    name: "a withdrawal",
    kind: 1,
    account: "1234567890",
    messages: [40, 41, 24, 25, 26, 27, 28],
    prepare() {
      const { world, teller, customer } = stocked();
      return { world, client: customer, server: teller };
    },
    after: (isCommitted) =>
      isCommitted
        ? [
            [2_500, 0, 0],
            [97_500, 0, 0],
          ]
        : [
            [0, 0, 0],
            [100_000, 0, 0],
          ],
  },
  {
    name: "a deposit",
    kind: 3,
    account: "1234567890",
    messages: [40, 41, 25, 26, 27, 28],
    prepare() {
      const { world, teller, customer } = stocked();
      for (const amount of [2_000, 2_000]) world.withdraw(customer, teller, amount);
      return { world, client: customer, server: teller };
    },
    after: (isCommitted) =>
      isCommitted
        ? [
            [1_500, 0, 0],
            [98_500, 0, 0],
          ]
        : [
            [4_000, 0, 0],
            [96_000, 0, 0],
          ],
  },
  {
    name: "a redemption",
    kind: 4,
    account: null,
    messages: [40, 41, 25, 26, 27, 28],
    prepare() {
      const { world, teller, generator } = stocked();
      return { world, client: teller, server: generator };
    },
    after: (isCommitted) =>
      isCommitted
        ? [
            [97_500, 0, 0],
            [2_500, 0, 0],
          ]
        : [
            [100_000, 0, 0],
            [0, 0, 0],
          ],
  },
  {
    name: "a refresh",
    kind: 5,
    account: null,
    messages: [40, 41, 31, 25, 26, 27, 28],
    prepare() {
      const { world, teller, generator, customer } = stocked();
      for (const amount of [2_000, 2_000]) world.withdraw(customer, teller, amount);
      world.clock.advance(91 * DAY_MS);
      world.settle(1_000);
      world.restock(teller, generator, 10_000);
      return { world, client: customer, server: teller };
    },
    after: (isCommitted) =>
      isCommitted
        ? [
            [2_500, 0, 1_500],
            [7_500, 0, 98_500],
          ]
        : [
            [0, 0, 4_000],
            [10_000, 0, 96_000],
          ],
  },
];

/** The modules meet and ask what is open; banks ask about each hold that was not settled. */
function heal(world: MoneyWorld, one: Node, other: Node): void {
  world.loses = () => false;
  world.connect(one, other);
  world.settle();
  for (const node of [one, other]) world.command(node, 89);
  world.settle();
  for (const node of [one, other]) {
    const settled = new Set(
      node
        .heardOf(84)
        .filter(([, , state]) => state === State.aborted || state === State.committed)
        .map(([, payId]) => bytesToHex(payId as Uint8Array)),
    );
    for (const [, , payId] of node.heardOf(82)) {
      if (!settled.has(bytesToHex(payId as Uint8Array))) world.command(node, 88, payId);
    }
  }
}

for (const flow of FLOWS) {
  describe(flow.name, () => {
    const { world, client, server } = flow.prepare();
    const sides = [client, server];
    const start = sides.map((node) => node.module.snapshot());

    function begin(): void {
      for (const [i, node] of sides.entries()) {
        node.module.restore(start[i]!);
        node.heard.length = 0;
      }
    }

    /** Everything agrees, whichever way it ended; whether it was committed. */
    function check(place: string): boolean {
      const isCommitted = server.heardOf(84).at(-1)?.[2] === State.committed;
      const balances = sides.map((node) => world.balance(node));
      expect([place, ...balances]).toEqual([place, ...flow.after(isCommitted)]);
      for (const node of sides) {
        const [, entries] = node.module.ask(80) as [number, unknown[][]];
        expect([place, entries.map((entry) => entry[4])]).toEqual([place, entries.map(() => 0)]);
        expect([place, node.module.ask(89)]).toEqual([place, [89, 0]]);
      }
      // A command that the power cut off before it was remembered was not begun.
      const command = client.heardOf(29).at(-1)?.[1];
      const state = command === undefined ? State.aborted : client.module.ask(30, command)[2];
      expect([place, state]).toEqual([place, isCommitted ? State.committed : State.aborted]);
      return isCommitted;
    }

    /** With the power cut at operation `index` of `node`; whether it came so far. */
    function cutPower(node: Node, index: number, moment: "cut-before" | "cut-after" | "tear") {
      begin();
      let operations = 0;
      let isCut = false;
      let bits = index * 7919 + 1;
      const random = () => {
        bits = Math.imul(bits, 1664525) + 1013904223;
        return bits >>> 0;
      };
      node.module.power = (_operation: StorageOperation) => {
        if (isCut || operations++ !== index) return "keep";
        isCut = true;
        return moment === "tear" ? { tear: random } : moment;
      };
      world.bank(client, server, flow.kind, AMOUNT, "EUR", flow.account);
      world.settle();
      node.module.power = () => "keep";
      heal(world, client, server);
      check(`${node.name} ${index} ${moment}`);
      return isCut;
    }

    for (const node of sides) {
      for (const moment of ["cut-before", "tear", "cut-after"] as const) {
        test(`power ${moment} at every flash operation of ${node.name}`, () => {
          let index = 0;
          while (cutPower(node, index, moment)) index++;
          expect(index).toBeGreaterThan(4);
        });
      }
    }

    for (const type of flow.messages) {
      test(`from message ${type} on nothing arrives: it ends the same on both sides`, () => {
        begin();
        let isCut = false;
        world.loses = (message) => {
          isCut ||= message.type === type;
          return isCut && message.port === PEER;
        };
        world.bank(client, server, flow.kind, AMOUNT, "EUR", flow.account);
        world.settle();
        heal(world, client, server);
        // The acknowledgement leaves when the payer, or who decides, has committed.
        expect([type, check(`message ${type}`)]).toEqual([type, type === 27 || type === 28]);
      });

      test(`message ${type} alone is lost: it is asked for and sent again`, () => {
        begin();
        let isLost = false;
        world.loses = (message) => {
          if (isLost || message.type !== type) return false;
          isLost = true;
          return true;
        };
        world.bank(client, server, flow.kind, AMOUNT, "EUR", flow.account);
        world.settle();
        world.loses = () => false;
        expect([type, isLost, check(`message ${type} once`)]).toEqual([type, true, true]);
      });
    }
  });
}
