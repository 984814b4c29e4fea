// SPDX-License-Identifier: Apache-2.0
// A payment in doubt is settled by files alone (protocol rule 4.5), between two devices that are
// never connected again.
import { expect, it } from "vitest";
import { answeredStatements, askedStatements } from "../../host/application/statementFile.ts";
import { statementBody, statementOf } from "../../host/application/mailCarrier.ts";
import type { PeerConnection } from "../../host/device/peer.ts";
import { bodiesTo, PEER, type Sent } from "../../host/torture/bareModule.ts";
import { Channel } from "../../host/link/protocol.ts";
import { pay } from "../support/agentStandIn.ts";
import { type Node, payingWorld, State } from "../support/moneyWorld.ts";

const ACKNOWLEDGEMENT = 27;

it("by files alone, a payment in doubt ends: question, answer, done", async () => {
  const { world, a, b } = payingWorld([5_000]);
  let isCut = false;
  world.loses = ({ type, from, to }) => {
    isCut ||= type === ACKNOWLEDGEMENT;
    return isCut && from !== to;
  };
  const { payId } = pay(a, b, 1_000, "by file");
  world.settle();
  /** A device's host as far as it carries statements between its module and one connection. */
  const deviceOf = (node: Node) => {
    let connection: PeerConnection | undefined;
    const take = (sent: Sent[]) => {
      world.run(node, () => sent.filter(({ port }) => port !== PEER));
      world.carry();
      for (const body of bodiesTo(PEER, sent)) connection?.send(Channel.MODULE, body);
    };
    return {
      accept: (peer: PeerConnection) => {
        connection = peer;
        peer.onBody((_channel, body) => take(node.module.deliver(PEER, body)));
        return 1;
      },
      command: async (_target: unknown, body: Uint8Array) => {
        const sent = node.module.deliver(0, body);
        take(sent.filter(({ port }) => port === PEER));
        return sent.find(({ port }) => port === 0)!.body;
      },
    };
  };
  const [payer, payee] = [deviceOf(a.node), deviceOf(b.node)];
  const questions = await askedStatements(payee);
  expect(questions).toHaveLength(1);
  const answers = await answeredStatements(payer, questions);
  expect(answers).toHaveLength(1);
  const done = await answeredStatements(payee, answers);
  expect(b.outcomeOf(payId)?.[1]).toBe(State.committed);
  expect(await answeredStatements(payer, done)).toEqual([]);
  expect(await askedStatements(payer)).toEqual([]);
  expect(world.balance(b.node)).toEqual([1_000, 0, 0]);
  expect(statementOf(statementBody(done[0]!))).toEqual(done[0]);
});
