// SPDX-License-Identifier: Apache-2.0
// Aborts of money modules (Fig. 18): before Ready-to-Commit and after it, begun by this module and
// by the other, in devices and at banks.
import { Role } from "../../../host/trust/certificates.ts";
import { decodeCbor } from "../../../host/trust/cbor.ts";
import { signList } from "../../../host/trust/agencyStatements.ts";
import { pay } from "../../support/agentStandIn.ts";
import { bodiesTo, PEER } from "../../../host/torture/bareModule.ts";
import {
  type Carried,
  MoneyWorld,
  type Node,
  payingWorld,
  State,
  stockedWorld,
  TUNNEL,
} from "../../support/moneyWorld.ts";
import { TwinParty, TwinSession } from "../../support/sessionTwin.ts";
import { id, START_SECONDS } from "../../../host/torture/testAgency.ts";
import type { Scenario } from "../recorder.ts";

const ACKNOWLEDGEMENT = 27;
const DEPOSIT = 3;
const ISSUE = 2;
const BANK_REQUEST = 40;
const ABORT = 5;

function expectState(actual: unknown, expected: number, what: string): void {
  if (actual !== expected) throw new Error(`${what} ended ${String(actual)}, not ${expected}.`);
}

/** The line is cut when the payer acknowledges. */
function fromAcknowledgementOn(): (message: Carried) => boolean {
  let isCut = false;
  return ({ port, type }) => {
    isCut ||= type === ACKNOWLEDGEMENT;
    return isCut && (port === PEER || port === TUNNEL);
  };
}

/** Last state that the node's host was told under a number. */
const told = (node: Node, number: number) => node.heardOf(number).at(-1)?.[2];

export const abortScenarios: Scenario[] = [
  {
    name: "a device that promised to take the notes hears no acknowledgement",
    run: () => {
      const { world, a, b } = payingWorld([500]);
      world.loses = fromAcknowledgementOn();
      const { payId } = pay(a, b, 100, "lost");
      world.settle();
      expectState(b.outcomeOf(payId)?.[1], State.inDoubt, "The payee");
    },
  },
  {
    name: "a teller that promised to take a deposit hears no acknowledgement",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      world.withdraw(customer, teller, 2_500);
      world.loses = fromAcknowledgementOn();
      world.bank(customer, teller, DEPOSIT, 1_500, "EUR", "1234567890");
      world.settle();
      expectState(told(teller, 84), State.inDoubt, "The deposit");
    },
  },
  {
    name: "a customer's module refuses what a teller pays",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      const [part] = signList(world.agency.moduleServer, 1, START_SECONDS, [id("GENER-G")]);
      customer.module.ask(6, decodeCbor(part!));
      expectState(world.withdraw(customer, teller, 100)[2], State.aborted, "The withdrawal");
      expectState(told(teller, 84), State.aborted, "The teller's side");
    },
  },
  {
    name: "a bank refuses a withdrawal",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      teller.grant = false;
      expectState(world.withdraw(customer, teller, 100)[2], State.aborted, "The withdrawal");
    },
  },
  {
    name: "a teller gives up what a generator was issuing",
    run: () => {
      const world = new MoneyWorld();
      const { module } = world.add("GENER-G", Role.GENERATOR);
      const party = new TwinParty(world.agency, "TELLE-T", Role.TELLER);
      const twin = new TwinSession(party, "bare", id("tag"), world.clock.nowMs());
      const [answer] = bodiesTo(PEER, module.deliver(PEER, twin.hello()));
      const [acknowledge] = bodiesTo(PEER, module.deliver(PEER, twin.finish(answer!)));
      twin.open(acknowledge!);
      const request = twin.record(BANK_REQUEST, [ISSUE, 100, "EUR", null], { replyTo: 1 });
      module.deliver(PEER, request);
      module.deliver(PEER, twin.record(ABORT, [18], { number: 0 }));
    },
  },
];
