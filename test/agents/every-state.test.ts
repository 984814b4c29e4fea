// SPDX-License-Identifier: Apache-2.0
// Aborts in every state of both agents (Figs. 6B, 7, 10, 11, 12): each flow is cut at each message,
// and each prompt left without an answer. Both sides then end where they began, or both are done;
// the hosts hear why; and the next transaction finds nothing in its way. Refusals by word, wrong
// tickets and approvals are in purchase.test.ts and rogues.test.ts.
import { itemsOf } from "../../host/torture/items.ts";
import { describe, expect, test } from "vitest";
import { reasonSentence } from "../../host/application/reasons.ts";
import {
  type AgentWorldSnapshot,
  type Device,
  filled,
  type Host,
} from "../../host/torture/agentWorld.ts";
import {
  PurchaseWorld,
  signOffer,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";

const ABORTED = 1;
const COMMITTED = 2;
const IN_DOUBT = 3;

/** A person's host that answers every prompt there is. */
const willingPerson: Host = (message, half) =>
  message[0] === 65 ? [[66, message[1], true]] : willingCustomer(1000)(message, half);

interface Flow {
  /** Funds of customer and of the other side: minor units and unit. */
  funds: [[number, string] | null, [number, string] | null];
  isPurchase: boolean;
  order: (world: PurchaseWorld, command: Uint8Array) => unknown[];
  /** What hosts are asked, and whose. */
  prompts: [number, "customer" | "other"][];
}

const purchase = (direction: 1 | 2) => (world: PurchaseWorld, command: Uint8Array) => [
  20,
  command,
  signOffer(world, world.merchant, direction),
];
const OWNER_PROMPTS: Flow["prompts"] = [21, 23, 25, 27].map((number) => [number, "customer"]);

const FLOWS: Record<string, Flow> = {
  purchase: {
    funds: [null, [5000, "USD"]],
    isPurchase: true,
    order: purchase(1),
    prompts: [...OWNER_PROMPTS, [45, "other"]],
  },
  sale: {
    funds: [[5000, "USD"], null],
    isPurchase: true,
    order: purchase(2),
    prompts: [...OWNER_PROMPTS, [45, "other"]],
  },
  payment: {
    funds: [[5000, "USD"], null],
    isPurchase: false,
    order: (_world, command) => [60, command, 1000, "USD"],
    prompts: [],
  },
  request: {
    funds: [null, [5000, "USD"]],
    isPurchase: false,
    order: (_world, command) => [62, command, 1000, "USD"],
    prompts: [[65, "other"]],
  },
  exchange: {
    funds: [
      [5000, "USD"],
      [5000, "EUR"],
    ],
    isPurchase: false,
    order: (_world, command) => [63, command, 1000, "USD", 900, "EUR", 1],
    prompts: [[65, "other"]],
  },
};

/** A world in which the flow's initiator is the customer; the other one faces it. */
function worldOf(flow: Flow): { world: PurchaseWorld; other: Device } {
  const world = new PurchaseWorld();
  const other = flow.isPurchase ? world.merchant : world.add("customer", "D");
  const devices = [world.customer, other];
  flow.funds.forEach((funds, index) => {
    if (funds !== null) world.fund(devices[index] as Device, ...funds);
  });
  world.connect(world.customer, other);
  world.connect(other, world.customer);
  willing(world, other, flow);
  for (const device of devices) device.heard.length = 0;
  return { world, other };
}

function willing(world: PurchaseWorld, other: Device, flow: Flow): void {
  world.customer.host = willingPerson;
  other.host = flow.isPurchase ? willingMerchant() : willingPerson;
}

/** All that one device has: money, tickets, log entries, what it owes to the card network. */
function holdings(world: PurchaseWorld, device: Device) {
  // Where the module's word was lost with a boot, this makes the agent ask for it again.
  if (device === world.merchant) world.tell(device, "agent", [56]);
  return {
    balance: world.tell(device, "module", [80])[0]?.[1],
    tickets: itemsOf((cursor) => world.tell(device, "agent", [8, 1, cursor])[0]).length,
    owed: device === world.merchant ? world.tell(device, "agent", [56])[0]?.[1] : 0,
  };
}

/** How the initiator's command ended, by asking; a command that left nothing behind was nothing. */
function stateOf(world: PurchaseWorld, command: Uint8Array): [number, number] {
  const [answer] = world.tell(world.customer, "agent", [30, command]);
  return answer?.[0] === 29 ? [answer[2] as number, answer[3] as number] : [ABORTED, 49];
}

const COMMAND = filled(70);

const worlds = new Map<string, ReturnType<typeof worldOf> & { atRest: AgentWorldSnapshot }>();

/** The world of a flow, as it was made. */
function worldAtRest(name: string) {
  const made = worlds.get(name);
  if (made !== undefined) {
    made.world.restore(made.atRest);
    return made;
  }
  const fresh = worldOf(FLOWS[name] as Flow);
  const world = { ...fresh, atRest: fresh.world.snapshot() };
  worlds.set(name, world);
  return world;
}

/** Disturbs one run of a flow; afterwards all is as before or done, and a second run succeeds. */
function check(name: string, disturb: (world: PurchaseWorld, other: Device) => () => void) {
  const flow = FLOWS[name] as Flow;
  const { world, other } = worldAtRest(name);
  const before = [world.customer, other].map((device) => holdings(world, device));
  const heal = disturb(world, other);
  world.tell(world.customer, "agent", flow.order(world, COMMAND));
  world.pass(300000);
  const [first] = stateOf(world, COMMAND);
  heal();
  willing(world, other, flow);
  world.pass(60000);
  const rest = [world.customer, other].map((device) => holdings(world, device));
  const [state, reason] = stateOf(world, COMMAND);
  if (state === ABORTED) {
    expect(rest).toEqual(before);
    expect(reasonSentence(reason)).not.toContain("does not know");
    expect(reason).not.toBe(0);
  }
  // The two meet again: what was in doubt is settled, and nothing is in the way.
  const again = filled(71);
  world.tell(world.customer, "agent", flow.order(world, again));
  world.pass(60000);
  expect(stateOf(world, again)).toEqual([COMMITTED, 0]);
  const settled = stateOf(world, COMMAND)[0];
  expect([ABORTED, COMMITTED]).toContain(settled);
  if (first < IN_DOUBT) expect(settled).toBe(first);
  return settled;
}

describe.each(Object.keys(FLOWS))("%s", (name) => {
  const flow = FLOWS[name] as Flow;

  test("the line is cut for good at any message", () => {
    const ends = new Set<number>();
    for (let cut = 1; cut < 42; cut += 3) {
      ends.add(
        check(name, (world) => {
          const start = world.carried;
          world.wire = (body) => (world.carried - start > cut ? null : body);
          return () => {
            world.wire = (body) => body;
          };
        }),
      );
    }
    expect([...ends].sort()).toEqual([ABORTED, COMMITTED]);
  }, 120000);

  test.each(["customer", "other"])(
    "the halves of one device (%s) are parted at any message",
    (who) => {
      for (let at = 2; at < 38; at += 4) {
        check(name, (world, other) => {
          const device = who === "other" ? other : world.customer;
          const start = world.carried;
          world.wire = (body) => {
            if (world.carried - start > at) device.isJoined = false;
            return body;
          };
          return () => {
            world.wire = (body) => body;
            device.isJoined = true;
          };
        });
      }
    },
    120000,
  );

  test.each(["customer", "other"])(
    "the agent of one device (%s) loses power at any message",
    (who) => {
      for (let at = 1; at < 38; at += 4) {
        check(name, (world, other) => {
          const device = who === "other" ? other : world.customer;
          const start = world.carried;
          let isLost = false;
          world.wire = (body) => {
            if (isLost || world.carried - start <= at) return body;
            isLost = true;
            world.reboot(device, "agent");
            return null;
          };
          return () => {
            isLost = true;
            if (device === world.merchant) world.tell(device, "agent", [40, true]);
          };
        });
      }
    },
    120000,
  );

  test.each(flow.prompts)("prompt %i of the %s's host is never answered", (prompt, who) => {
    const settled = check(name, (world, other) => {
      const device = who === "other" ? other : world.customer;
      const { host } = device;
      device.host = (message, half) => (message[0] === prompt ? [] : host(message, half));
      return () => {};
    });
    expect(settled).toBe(ABORTED);
  });
});
