// SPDX-License-Identifier: Apache-2.0
// Aborts by cause (Figs. 6B, 7, 8, 10-12, 14, 18, 20, 21): each kind of transaction between real
// devices, ended early in each way that its figures show. Afterwards tickets, money, notes, open
// payments and obligations are those of before, no heap is lost, each host was told why in one
// sentence, no card stays held, and the same transaction then succeeds.
//
// Not repeated here, since it is tried elsewhere:
//   certificates, versions, verification messages of a handshake     test/sessions/handshake
//   credentials and receipts of dishonest agents (456, 766, 776)     test/agents/rogues
//   notes that are wrong in one thing (1578-1604)                    test/money/verifier*
//   duplicated notes (1600-1604)                                     test/hostile/forks
//   the line cut, and power lost, at every message                   test/agents/whole, test/faults
//   each message lost, repeated, late or changed                     test/faults/wire-*
//   refresh: nothing that is free, no stock; its 26 lost             test/money/refresh
//   exchange: each message lost, power cut at every flash operation  test/money/exchange
//   released signatures that are wrong in 26                         test/money/second-leg
//   silent peers, queries, `proceeding` (par. 75-76)                 test/sessions/time-out*
import { beforeAll, describe, expect, test } from "vitest";
import { signList } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { signObject } from "../../host/trust/cose.ts";
import {
  ABORTED,
  AbortWorld,
  COMMITTED,
  type Flow,
  type FlowName,
  type State,
} from "../support/abortWorld.ts";
import { type Device, filled, type Half, type Host } from "../../host/torture/agentWorld.ts";
import { willingCustomer, willingMerchant } from "../../host/torture/purchaseWorld.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";

let world: AbortWorld;
beforeAll(() => {
  world = new AbortWorld();
});

const TRADES: FlowName[] = ["purchase", "sale"];
const PERSONS: FlowName[] = ["payment", "top-up"];
const WITH_AGENTS: FlowName[] = [...TRADES, ...PERSONS, "request", "exchange"];
const BANK: FlowName[] = ["withdrawal", "deposit", "refresh"];
const ALL: FlowName[] = [...WITH_AGENTS, ...BANK];
const BRIEF: FlowName[] = ["payment to a brief one", "payment from a brief one"];

/** Reasons told to the first and the second host; null for one that was told of no end. */
type Reasons = [number | null, number | null];

interface Row {
  readonly cause: string;
  /** Flows, each with its reasons. */
  readonly flows: Partial<Record<FlowName, Reasons>>;
  arrange(flow: Flow): void;
  /** True where time that passes changes what was arranged: it is tried once. */
  readonly isOnce?: boolean;
  /** True where the outcome comes only when what was arranged is over. */
  readonly isLate?: boolean;
  /** True where what was arranged stays: the transaction does not succeed afterwards. */
  readonly stays?: boolean;
}

const each = (flows: FlowName[], first: number | null, second: number | null) =>
  Object.fromEntries(flows.map((flow) => [flow, [first, second]])) as Row["flows"];

/** Everything but the heap's size, which is compared between two aborts. */
function withoutHeap(state: State): State {
  return Object.fromEntries(Object.entries(state).filter(([key]) => !key.endsWith("heap")));
}

/** The list of the half's agency with these ids comes to a device. */
function list(device: Device, half: Half, ids: Uint8Array[]): void {
  const { agentServer, moduleServer } = world.agency;
  const server = half === "agent" ? agentServer : moduleServer;
  for (const part of signList(server, 1, START_SECONDS, ids)) {
    expect(device.half(half).ask(6, decodeCbor(part))[0]).toBe(6);
  }
}

const agentId = (device: Device) => id(`agent-${device.name}`);
const moduleId = (device: Device) => id(`modul-${device.name}`);

/** The customer's or merchant's host, with some answers of its own. */
const customerSays =
  (change: Record<number, Host>, amount = 2000) =>
  () => {
    world.customer.host = willingCustomer(amount, "USD", change);
  };
const merchantSays = (change: Record<number, Host>) => () => {
  world.merchant.host = willingMerchant({
    45: ([, tag, mandate]) => [[46, tag, world.approval(mandate), "00"]],
    ...change,
  });
};
const refuses =
  (number: number): Host =>
  ([, command]) => [[number, command, false]];
const silent: Host = () => [];

/** Some mandate of nobody here. */
const someMandate = decodeCbor(
  signObject("florin/mandate", encodeCbor([filled(1)]), filled(1, 32)),
);

/** Nothing passes from PEER body number `from` on. */
const lineDead = (from: number) => () => {
  world.wire = (body) => (world.carried - world.carriedBefore > from ? null : body);
};

/** Where a module that the other's list names is refused. */
const LISTED_MODULE: Row["flows"] = {
  ...each([...TRADES, ...PERSONS, "exchange"], 12, 12),
  ...each(["withdrawal", "refresh"], 12, null),
};

const ROWS: Row[] = [
  {
    cause: "the second device's agent has the first on its list (310)",
    flows: each(WITH_AGENTS, 12, null),
    arrange: ({ first, second }) => list(second, "agent", [agentId(first)]),
    stays: true,
  },
  {
    cause: "the first device's agent has the second on its list (332)",
    flows: each(WITH_AGENTS, 12, null),
    arrange: ({ first, second }) => list(first, "agent", [agentId(second)]),
    stays: true,
  },
  {
    cause: "the second module has the first on its list (1486-1492)",
    flows: LISTED_MODULE,
    arrange: ({ first, second }) => list(second, "module", [moduleId(first)]),
    stays: true,
  },
  {
    cause: "the first module has the second on its list (1516-1522)",
    flows: LISTED_MODULE,
    arrange: ({ first, second }) => list(first, "module", [moduleId(second)]),
    stays: true,
  },
  ...[11, -11].map((minutes) => ({
    cause: `the second module's clock differs by ${minutes} minutes (1540-1544)`,
    flows: { ...each(WITH_AGENTS, 14, 14), ...each(BANK, 14, null) },
    arrange: ({ second }: Flow) => {
      second.half("module").clockSkewMs = minutes * 60_000;
    },
  })),
  {
    cause: "the owner does not confirm the merchant (460, 462)",
    flows: each(TRADES, 19, null),
    arrange: customerSays({ 21: refuses(22) }),
  },
  {
    cause: "the owner asks for more than the offer allows (716)",
    flows: each(TRADES, 25, null),
    arrange: customerSays({}, 100_001),
  },
  {
    cause: "the owner asks for nothing",
    flows: each(TRADES, 25, null),
    arrange: customerSays({}, 0),
  },
  {
    cause: "the owner picks no card (756)",
    flows: each(TRADES, 19, 19),
    arrange: customerSays({ 25: ([, command]) => [[26, command, null]] }),
  },
  {
    cause: "the owner does not confirm the receipt (782, 784)",
    flows: each(TRADES, 19, 19),
    arrange: customerSays({ 27: refuses(28) }),
  },
  ...([21, 23, 25, 27] as const).map((prompt) => ({
    cause: `the owner does not answer prompt ${prompt}`,
    flows: each(TRADES, 19, prompt < 25 ? null : 19),
    arrange: customerSays({ [prompt]: silent }),
  })),
  {
    cause: "the issuer refuses the card (800-802, 813-815)",
    flows: each(TRADES, 26, 26),
    arrange: merchantSays({
      45: ([, tag, mandate]) => [[46, tag, world.approval(mandate, false, "51"), "51"]],
    }),
  },
  {
    cause: "the card network gives no answer",
    flows: each(TRADES, 27, 27),
    arrange: merchantSays({ 45: ([, tag]) => [[46, tag, null, "91"]] }),
  },
  {
    cause: "the merchant's host gives no answer",
    flows: each(TRADES, 27, 27),
    arrange: merchantSays({ 45: silent }),
  },
  {
    cause: "the approval is another mandate's",
    flows: each(TRADES, 28, 28),
    arrange: () => {
      const first = world.approval(someMandate);
      merchantSays({ 45: ([, tag]) => [[46, tag, first, "00"]] })();
    },
  },
  {
    cause: "the approval ended yesterday",
    flows: each(TRADES, 28, 28),
    arrange: merchantSays({
      45: ([, tag, mandate]) => [[46, tag, world.approval(mandate, true, "00", -1), "00"]],
    }),
  },
  {
    cause: "the merchant does not serve (708)",
    flows: each(TRADES, 19, null),
    arrange: () => world.tell(world.merchant, "agent", [40, false]),
    stays: true,
  },
  ...Object.entries<Record<number, Host>>({
    "finds no funds (724-746)": {},
    "its host only says that it has funds now": { 43: ([, tag]) => [[44, tag, true]] },
    "its host gives no answer": { 43: silent },
  }).map(([what, change]) => ({
    cause: `the merchant is short and ${what}`,
    flows: each(["purchase"], 29, 29),
    arrange: () => {
      world.offerChange = { maximum: 900_000 };
      customerSays({}, 800_000)();
      merchantSays(change)();
    },
  })),
  {
    cause: "the customer has less than it sells (570, 576)",
    flows: each(["sale"], 29, 29),
    arrange: customerSays({}, 90_000),
  },
  {
    cause: "the payer has less than it pays, and no other amount to give (570, 572-582)",
    flows: each(PERSONS, 29, 29),
    arrange: () => {
      world.amount = 1_000_000;
    },
  },
  {
    cause: "the depositor has less than it deposits (570)",
    flows: each(["deposit"], 29, null),
    arrange: () => {
      world.amount = 60_000;
    },
  },
  {
    cause: "the owner who is asked for money has less (570, 576)",
    flows: each(["request"], 29, 29),
    arrange: () => {
      world.amount = 1_000_000;
    },
  },
  {
    cause: "the owner who is asked for money refuses (614, 620)",
    flows: each(["request"], 19, 19),
    arrange: customerSays({ 65: ([, tag]) => [[66, tag, false]] }),
  },
  {
    cause: "the owner who is asked for money does not answer",
    flows: each(["request"], 19, 19),
    arrange: customerSays({ 65: silent }),
  },
  {
    cause: "the decider of an exchange has less than it gives (570)",
    flows: each(["exchange"], 29, 29),
    arrange: () => {
      world.amount = 1_000_000;
    },
  },
  {
    cause: "the other one of an exchange has less than it gives (570)",
    flows: each(["exchange"], 29, 29),
    arrange: () => {
      world.counterAmount = 1_000_000;
    },
  },
  {
    cause: "the owner of the other side refuses the exchange (614, 620)",
    flows: each(["exchange"], 19, 19),
    arrange: () => {
      world.friend.host = ([number, tag]) => (number === 65 ? [[66, tag, false]] : []);
    },
  },
  {
    cause: "the owner of the other side does not answer",
    flows: each(["exchange"], 19, 19),
    arrange: () => {
      world.friend.host = silent;
    },
  },
  {
    cause: "the payer has less than it pays, and its owner does not answer (572)",
    flows: each(["payment"], 19, 19),
    arrange: () => {
      customerSays({ 23: silent })();
      world.amount = 1_000_000;
    },
  },
  {
    cause: "the payee expects another amount (610-622)",
    flows: each(["payment"], 30, 30),
    arrange: ({ second }) => world.tell(second, "agent", [61, 600, "USD"]),
    stays: true,
  },
  {
    cause: "the ledger refuses the account",
    flows: each(BANK, 44, 0),
    arrange: () => {
      world.teller.host = (message) => (message[0] === 82 ? [[83, message[2], false]] : []);
    },
  },
  {
    cause: "the bank's host gives no answer",
    flows: each(BANK, 17, 0),
    arrange: () => {
      world.teller.host = silent;
    },
  },
  {
    cause: "the teller has not enough notes",
    flows: each(["withdrawal"], 29, 0),
    arrange: () => {
      world.amount = 700_000;
    },
  },
  {
    cause: "the notes have expired at the payee's clock, not yet at the payer's (1588)",
    flows: each(["payment"], 36, 36),
    arrange: ({ second }) => {
      world.waitForExpiry(590);
      second.half("module").clockSkewMs = 595_000;
    },
    isOnce: true,
    stays: true,
  },
  {
    cause: "all notes have expired",
    flows: each([...PERSONS, "sale", "exchange"], 29, 29),
    arrange: () => world.waitForExpiry(0),
    stays: true,
  },
  {
    cause: "the module's certificate has expired (1484)",
    flows: { "payment to a brief one": [11, 11], "payment from a brief one": [11, 11] },
    arrange: () => world.wait(21 * 86_400),
    stays: true,
  },
  {
    cause: "the agent's certificate has expired (308)",
    flows: { "payment to a brief one": [11, null], "payment from a brief one": [11, null] },
    arrange: () => world.wait(31 * 86_400),
    stays: true,
  },
  ...(["first", "second"] as const).flatMap((side) =>
    (["agent", "module"] as const).map((half) => ({
      cause: `the random source of the ${side} device's ${half} is dead`,
      flows:
        half === "agent"
          ? each(WITH_AGENTS, 8, null)
          : { ...each(WITH_AGENTS, 8, 8), ...each(BANK, 8, null) },
      arrange: (flow: Flow) => {
        flow[side].half(half).isRandomDead = true;
      },
    })),
  ),
  ...(["first", "second"] as const).map((side) => ({
    cause: `the ${side} device's agent does not reach its money module`,
    flows: each(WITH_AGENTS, 17, 17),
    arrange: (flow: Flow) => {
      flow[side].isJoined = false;
    },
    isLate: true,
  })),
  ...[0, 1, 2, 4, 8, 12].map((from) => ({
    cause: `nothing passes after message ${from} (par. 75)`,
    flows: {
      ...each(TRADES, 17, from < 6 ? null : 17),
      ...each([...PERSONS, "request", "exchange"], 17, from < 5 ? null : 17),
      ...(from < 2 ? each(BANK, 17, null) : {}),
    },
    arrange: lineDead(from),
  })),
];

describe.each([...ALL, ...BRIEF])("%s", (name) => {
  const rows = ROWS.filter(({ flows }) => flows[name] !== undefined);

  test.each(rows.map((row) => [row.cause, row] as const))("%s", (_cause, row) => {
    world.reset();
    const flow = world.flows[name];
    row.arrange(flow);
    const before = world.state();
    const states = (row.isOnce === true ? [0] : [0, 1]).map((turn) => {
      if (turn > 0 && row.isLate === true) row.arrange(flow);
      flow.order();
      world.finish();
      if (row.isLate) {
        world.makeWilling();
        world.finish();
      }
      const told = flow.told();
      expect(told).toEqual(
        row.flows[name]!.map((reason) => (reason === null ? null : [ABORTED, reason])),
      );
      return world.state();
    });
    for (const state of states) expect(withoutHeap(state)).toEqual(withoutHeap(before));
    expect(states.at(-1)).toEqual(states[0]);
    if (row.stays) return;
    world.makeWilling();
    flow.order();
    world.finish();
    expect(flow.told()[0]).toEqual([COMMITTED, 0]);
  });
});
