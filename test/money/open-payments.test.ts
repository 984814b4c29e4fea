// SPDX-License-Identifier: Apache-2.0
// Many payments left open at once (protocol rules 4.3 to 4.6): by payees that never acknowledge, by
// payers who vanish, by a bank that does not note. Nobody may stop a module for good, and whoever
// comes back finds everything settled.
import { describe, expect, test } from "vitest";
import { signTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { AgentStandIn, pay } from "../support/agentStandIn.ts";
import { PEER } from "../../host/torture/bareModule.ts";
import { type Carried, payingWorld, State, stockedWorld, TUNNEL } from "../support/moneyWorld.ts";
import { DAY, Signer } from "../support/noteMaker.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";

const DONE = 28;
const READY_TO_COMMIT = 26;
const NOT_YOURS = 3;

const isStatement = ({ port, body }: Carried) =>
  port === PEER && (decodeCbor(body) as unknown[])[0] === 6;
const isOf = (type: number) => (message: Carried) => message.type === type || message.port === PEER;

describe("a payee that never says done", () => {
  test("stops no later payment; heard at last, it is asked about one after the other", () => {
    const { world, a, b } = payingWorld([10_000]);
    const payments = 12;
    for (let i = 0; i < payments; i++) {
      world.loses = isOf(DONE);
      const { payId } = pay(a, b, 100, `unacknowledged ${i}`);
      world.settle();
      for (const agent of [a, b]) agent.say(7, [payId]);
      world.carry();
      expect([i, a.outcomeOf(payId)?.[1]]).toEqual([i, State.committed]);
    }
    expect(a.node.module.ask(89)).toEqual([89, payments]);
    world.run(a.node, () => a.node.module.reboot());
    world.carry();
    world.loses = () => false;
    const { payId } = pay(a, b, 100, "acknowledged");
    world.settle();
    for (const agent of [a, b]) agent.say(7, [payId]);
    world.carry();
    const [, left] = a.node.module.ask(89) as [number, number];
    expect(left).toBeLessThan(payments - 2);
    // One question at a time, also for the host's order to ask: each brings an end.
    for (let i = 0; i < left; i++) world.command(a.node, 89);
    expect(a.node.module.ask(89)).toEqual([89, 0]);
    expect(world.balance(b.node)).toEqual([1_300, 0, 0]);
  });
});

describe("payers who vanish after Ready-to-Commit", () => {
  test("do not keep the payee from starting again, and their payments end when they return", () => {
    const { world, teller, b } = payingWorld([]);
    const payers = Array.from({ length: 10 }, (_, i) => {
      const node = world.add(`MODUL-${String.fromCharCode(67 + i)}`, Role.TRANSACTION);
      const agent = new AgentStandIn(world, node);
      agent.pair();
      for (let k = 0; k < 4; k++) world.withdraw(node, teller, 100);
      return agent;
    });
    world.loses = isOf(READY_TO_COMMIT);
    const terms = payers.map((payer, i) => {
      world.connect(payer.node, b.node);
      const { payId } = pay(payer, b, 400, `vanished ${i}`);
      world.settle();
      expect([i, b.outcomeOf(payId)?.[1]]).toEqual([i, State.inDoubt]);
      return payId;
    });
    world.run(b.node, () => b.node.module.reboot());
    world.carry();
    expect(world.balance(b.node)).toEqual([0, 4_000, 0]);
    // Doubt is per transaction: other money stays usable.
    world.loses = () => false;
    expect(world.withdraw(b.node, teller, 700)[2]).toBe(State.committed);
    for (const payer of payers) {
      world.connect(payer.node, b.node);
      for (let i = 0; i < payers.length; i++) world.command(b.node, 89);
    }
    for (const payId of terms) b.close(payId);
    world.carry();
    expect(terms.map((payId) => b.outcomeOf(payId)?.[1])).toEqual(terms.map(() => State.aborted));
    expect(world.balance(b.node)).toEqual([700, 0, 0]);
  });
});

describe("a bank that notes nothing", () => {
  test("is told again of everything after a boot, a part at a time", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    teller.notes = false;
    for (let i = 0; i < 64; i++) {
      expect([i, world.withdraw(customer, teller, 100)[2]]).toEqual([i, State.committed]);
    }
    teller.heard.length = 0;
    teller.notes = true;
    world.run(teller, () => teller.module.reboot());
    world.settle(60_000);
    const told = new Set(teller.heardOf(84).map(([, payId]) => String(payId)));
    expect(told.size).toBe(64);
    teller.heard.length = 0;
    world.settle(60_000);
    expect(teller.heardOf(84)).toEqual([]);
  });
});

describe("a question by a stranger", () => {
  // The stranger is certified and knows the pay id, as only an opened module with the help of a
  // host could. A signed `aborted` or `done` about what may yet commit would take the money away.
  for (const [role, who] of [
    [2, "payer"],
    [1, "payee"],
  ] as const) {
    test(`about a running payment gets no word from the ${who} on how it ended`, () => {
      const { world, a, b } = payingWorld([5_000]);
      const stranger = new Signer(world.agency, "STRANGER", Role.TRANSACTION);
      const { payId } = pay(a, b, 1_000, "overheard");
      const asked = (who === "payer" ? a : b).node;
      let isAsked = false;
      const answers: unknown[] = [];
      const ask = () => {
        const peer = asked.module.ask(1)[3];
        const content = encodeCbor([payId, stranger.id, peer, role, 2e9, []]);
        const question = signObject("florin/question", content, stranger.seed, stranger.reference);
        const statement = encodeCbor([decodeCbor(question), decodeCbor(stranger.chain)]);
        for (const { port, body } of asked.module.deliver(
          PEER,
          encodeCbor([6, new Uint8Array(8), statement]),
        )) {
          if (port !== PEER) continue;
          const [, , signed] = decodeCbor(body) as [number, Uint8Array, Uint8Array];
          const [, , payload] = decodeCbor(signed) as [unknown, unknown, Uint8Array];
          answers.push(decodeCbor(payload));
        }
      };
      world.loses = (message) => {
        if (!isAsked && message.port === TUNNEL && message.type === 25) {
          isAsked = true;
          ask();
        }
        return false;
      };
      world.settle();
      expect(isAsked).toBe(true);
      expect(answers).toHaveLength(1);
      expect(answers[0]).toMatchObject([payId, expect.anything(), NOT_YOURS, expect.anything()]);
      expect(a.outcomeOf(payId)?.[1]).toBe(State.committed);
      expect(world.balance(b.node)).toEqual([1_000, 0, 0]);
    });
  }
});

describe("a command in doubt", () => {
  test("is remembered whatever other commands come after it, and never begun again", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    const commandId = world.newCommandId();
    const isDoubtful = (message: Carried) =>
      isStatement(message) || message.type === 27 || message.type === 29;
    world.loses = isDoubtful;
    world.connect(customer, teller);
    world.command(customer, 81, commandId, 1, 700, "EUR", "1234567890");
    world.settle();
    expect(customer.module.ask(30, commandId)[2]).toBe(State.inDoubt);
    teller.grant = false;
    for (let i = 0; i < 20; i++) world.withdraw(customer, teller, 1);
    expect(customer.module.ask(30, commandId)[2]).toBe(State.inDoubt);
    teller.grant = true;
    world.loses = () => false;
    world.command(customer, 89);
    world.command(customer, 81, commandId, 1, 700, "EUR", "1234567890");
    world.settle();
    expect(customer.module.ask(30, commandId)[2]).toBe(State.committed);
    expect(world.balance(customer)).toEqual([700, 0, 0]);
  });
});

describe("the horizon", () => {
  // Notes of these worlds are issued at the start: 90 days of life and 30 of grace.
  for (const [days, state] of [
    [119, State.committed],
    [121, State.inDoubt],
  ] as const) {
    test(`a payer that forgot says "aborted", after ${days} days: its payee is left ${state}`, () => {
      const { world, a, b } = payingWorld([5_000]);
      world.loses = (message) => isStatement(message) || message.type === 27 || message.type === 29;
      const { payId } = pay(a, b, 1_000, "horizon");
      world.settle();
      expect(b.outcomeOf(payId)?.[1]).toBe(State.inDoubt);
      const signed = signTime(world.agency.moduleServer, START_SECONDS + days * DAY);
      for (const { node } of [a, b]) world.command(node, 7, decodeCbor(signed));
      a.say(7, [payId]);
      world.carry();
      // What it forgot it may have committed: it must never say `aborted` about it now.
      expect(a.node.module.ask(89)).toEqual([89, state === State.committed ? 1 : 0]);
      world.loses = () => false;
      world.command(b.node, 89);
      b.close(payId);
      world.carry();
      expect(b.outcomeOf(payId)?.[1]).toBe(state);
    });
  }
});
