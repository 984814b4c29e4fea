// SPDX-License-Identifier: Apache-2.0
// Establish Session between money modules (Fig. 14) where it is refused: by a customer's module and
// by a bank's, as A and as B, for each cause.
import { signList } from "../../../host/trust/agencyStatements.ts";
import { decodeCbor } from "../../../host/trust/cbor.ts";
import { type Claims, Role } from "../../../host/trust/certificates.ts";
import { pay } from "../../support/agentStandIn.ts";
import { filled } from "../../../host/torture/agentWorld.ts";
import { bodiesTo, PEER } from "../../../host/torture/bareModule.ts";
import {
  MoneyWorld,
  type Node,
  payingWorld,
  State,
  stockedWorld,
} from "../../support/moneyWorld.ts";
import { NetworkWorld } from "../../support/networkWorld.ts";
import { TwinParty, TwinSession } from "../../support/sessionTwin.ts";
import { id, START_SECONDS } from "../../../host/torture/testAgency.ts";
import type { Scenario } from "../recorder.ts";

const EXPIRED = { expires: START_SECONDS - 1 };
const ELEVEN_MINUTES_MS = 660_000;
const WITHDRAW = 1;
const ISSUE = 2;

type Spoil = (twin: TwinSession) => void;
const honest: Spoil = () => {};
const forgetVerification: Spoil = (twin) =>
  Object.defineProperty(twin, "peerVerification", { get: () => filled(1), set: () => {} });
const lateClock: Spoil = (twin) => {
  twin.timeMs += ELEVEN_MINUTES_MS;
};

const DENIED = 5;
const NO_MONEY = 29;

/** A teller whose session a twin begins; it must be denied. */
function asTeller(claims: Partial<Claims>, spoil: Spoil): void {
  const world = new MoneyWorld();
  const { module } = world.add("TELLE-T", Role.TELLER);
  const party = new TwinParty(world.agency, "party-X", Role.TRANSACTION, claims);
  const twin = new TwinSession(party, "bare", id("tag"), world.clock.nowMs());
  spoil(twin);
  const [answer] = bodiesTo(PEER, module.deliver(PEER, twin.hello()));
  const last =
    answer?.[1] === 2 ? bodiesTo(PEER, module.deliver(PEER, twin.finish(answer)))[0] : answer;
  if (last?.[1] !== DENIED) throw new Error("The teller took the session.");
}

/** A module that asks a twin for money (81): a customer's a teller, a teller a generator. */
function asking(node: Node, world: MoneyWorld, claims: Partial<Claims>, spoil: Spoil): void {
  const isTeller = node.role === Role.TELLER;
  const request = isTeller ? [ISSUE, 100, "EUR", null] : [WITHDRAW, 100, "EUR", "1234567890"];
  const [hello] = bodiesTo(PEER, node.module.command(81, world.newCommandId(), ...request));
  const [, tag] = decodeCbor(hello!) as [number, Uint8Array];
  const role = isTeller ? Role.GENERATOR : Role.TELLER;
  const party = new TwinParty(world.agency, "party-X", role, claims);
  const twin = new TwinSession(party, "bare", tag, world.clock.nowMs());
  spoil(twin);
  const [finish] = bodiesTo(PEER, node.module.deliver(PEER, twin.answer(hello!)));
  const last =
    finish?.[1] === 3
      ? bodiesTo(PEER, node.module.deliver(PEER, twin.acknowledge(finish)))[0]
      : finish;
  if (last?.[1] !== DENIED) throw new Error("The module took the session.");
}

function asCustomer(claims: Partial<Claims>, spoil: Spoil): void {
  const world = new MoneyWorld();
  asking(world.add("CUSTO-C", Role.TRANSACTION), world, claims, spoil);
}

/** Gives `judge` a list with this id on it. */
function list(world: MoneyWorld, judge: Node, bad: string): void {
  const [part] = signList(world.agency.moduleServer, 1, START_SECONDS, [id(bad)]);
  judge.module.ask(6, decodeCbor(part!));
}

/** A payment between two devices in which one module knows the other for bad. */
function paymentToListed(judge: "a" | "b"): void {
  const { world, a, b } = payingWorld([500]);
  list(world, judge === "a" ? a.node : b.node, judge === "a" ? "MODUL-B" : "MODUL-A");
  const { payId } = pay(a, b, 100, "listed");
  world.settle();
  const states = [a, b].map((agent) => agent.outcomeOf(payId)?.[1]);
  if (states.some((state) => state !== State.aborted)) throw new Error(`Ended ${states.join()}.`);
}

export const moduleSessionScenarios: Scenario[] = [
  { name: "a teller: A's certificate has expired", run: () => asTeller(EXPIRED, honest) },
  {
    name: "a teller: A returns another verification message",
    run: () => asTeller({}, forgetVerification),
  },
  { name: "a teller: A's clock differs", run: () => asTeller({}, lateClock) },
  {
    name: "a teller: A is on the bad id list",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      list(world, teller, "CUSTO-C");
      const ended = world.withdraw(customer, teller, 100);
      if (ended[2] !== State.aborted) throw new Error("A listed module withdrew.");
    },
  },
  {
    name: "a teller: its generator's certificate has expired",
    run: () => {
      const world = new MoneyWorld();
      asking(world.add("TELLE-T", Role.TELLER), world, EXPIRED, honest);
    },
  },
  {
    name: "a customer's module: B's certificate has expired",
    run: () => asCustomer(EXPIRED, honest),
  },
  {
    name: "a customer's module: B returns another verification message",
    run: () => asCustomer({}, forgetVerification),
  },
  { name: "a customer's module: B's clock differs", run: () => asCustomer({}, lateClock) },
  {
    name: "a customer's module that is connected to the network",
    run: () => {
      const world = new NetworkWorld();
      world.signOn();
      world.connect();
      world.withdraw();
      // The teller has no money: it says so when all of the way was good.
      if (world.outcome?.[1] !== NO_MONEY) throw new Error(`It ended ${world.outcome?.join()}.`);
    },
  },
  { name: "a payment to a module on the bad id list", run: () => paymentToListed("a") },
  { name: "a payment by a module on the bad id list", run: () => paymentToListed("b") },
];
