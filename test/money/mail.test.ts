// SPDX-License-Identifier: Apache-2.0
// Payments in doubt between strangers who never meet again: the bank's mailbox carries question,
// answer and `done` (protocol rules 4.5, 4.6). A bank that loses, repeats, changes or invents mail
// changes nothing, and nobody can fill another's box.
import { describe, expect, test } from "vitest";
import { signTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { LETTERS_OF_OWNER } from "../../host/network/bank/mailbox.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { pay } from "../support/agentStandIn.ts";
import { payingWorld, State, stockedWorld } from "../support/moneyWorld.ts";
import { DAY, Signer } from "../support/noteMaker.ts";
import { PostOffice } from "../support/postOffice.ts";
import { signObject } from "../../host/trust/cose.ts";

const READY_TO_COMMIT = 26;
const ACKNOWLEDGEMENT = 27;
const DONE = 28;

/** A payment of 1,000 out of 5,000 whose messages are lost from one type on, for ever. */
function parted(fromType: number) {
  const { world, teller, a, b } = payingWorld([5_000]);
  let isCut = false;
  world.loses = (message) => {
    isCut ||= message.type === fromType;
    return isCut && message.from !== message.to;
  };
  const { payId } = pay(a, b, 1_000, "parted");
  world.settle();
  const office = new PostOffice(world);
  const outcomes = () => [a, b].map((agent) => agent.outcomeOf(payId)?.[1]);
  const both = [a.node, b.node] as const;
  return { world, teller, a, b, both, payId, office, outcomes };
}

describe("strangers who never meet again", () => {
  test("the acknowledgement was lost: the payee gets its money by mail, the payer `done`", async () => {
    const { world, a, b, both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    expect(outcomes()).toEqual([State.committed, State.inDoubt]);
    await office.settle(both);
    expect(outcomes()).toEqual([State.committed, State.committed]);
    expect([world.balance(a.node), world.balance(b.node)]).toEqual([
      [4_000, 0, 0],
      [1_000, 0, 0],
    ]);
    // Both have nothing left to ask; only the payee's last word waits to be too old.
    expect(both.map((node) => node.module.ask(89))).toEqual([
      [89, 0],
      [89, 0],
    ]);
    expect(office.box.every(([kind]) => kind !== "answer")).toBe(true);
  });

  test("Ready-to-Commit was lost: the payer's signed `aborted` ends it", async () => {
    const { world, a, b, both, office, outcomes } = parted(READY_TO_COMMIT);
    await office.settle(both);
    expect(outcomes()).toEqual([State.aborted, State.aborted]);
    expect([world.balance(a.node)[0], world.balance(b.node)[0]]).toEqual([5_000, 0]);
  });

  test("`done` was lost: the payer hears by mail that it may forget", async () => {
    const { a, b, both, office, payId } = parted(DONE);
    for (const agent of [a, b]) agent.say(7, [payId]);
    await office.settle(both);
    expect(a.node.module.ask(89)).toEqual([89, 0]);
  });

  test("a withdrawal in doubt: the teller answers by mail like any module", async () => {
    const { world, teller, customer } = stockedWorld(10_000);
    let isCut = false;
    world.loses = ({ type, from, to }) => {
      isCut ||= type === ACKNOWLEDGEMENT;
      return isCut && from !== to;
    };
    world.withdraw(customer, teller, 700);
    world.settle();
    expect(world.balance(customer)).toEqual([0, 700, 0]);
    await new PostOffice(world).settle([customer, teller]);
    expect(world.balance(customer)).toEqual([700, 0, 0]);
  });
});

describe("a bank that does not carry mail as it came", () => {
  test("loses it: asked again, the letters are there again", async () => {
    const { both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    office.given = () => [];
    await office.settle(both);
    office.state.letters = [];
    expect(outcomes()[1]).toBe(State.inDoubt);
    office.given = (letters) => letters.map(({ statement }) => statement);
    await office.settle(both);
    expect(outcomes()).toEqual([State.committed, State.committed]);
  });

  test("repeats it, in any order, to anybody: nothing comes twice", async () => {
    const { world, a, b, both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    const seen: Uint8Array[] = [];
    office.given = (letters) => {
      seen.push(...letters.map(({ statement }) => statement));
      return [...seen, ...seen];
    };
    await office.settle(both);
    for (const node of both)
      for (const letter of [...seen].reverse()) await office.deliver(node, letter);
    expect(outcomes()).toEqual([State.committed, State.committed]);
    expect([world.balance(a.node), world.balance(b.node)]).toEqual([
      [4_000, 0, 0],
      [1_000, 0, 0],
    ]);
  });

  test("changes any byte of it: the module stays in doubt until the true letter comes", async () => {
    const { world, b, both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    const answers: Uint8Array[] = [];
    office.given = (letters) => {
      answers.push(
        ...letters.filter(({ kind }) => kind === "answer").map((letter) => letter.statement),
      );
      return letters.filter(({ kind }) => kind === "question").map(({ statement }) => statement);
    };
    await office.settle(both);
    const [answer] = answers;
    for (let at = 0; at < answer!.length; at += 1) {
      const changed = answer!.slice();
      changed[at]! ^= 1 << (at % 8);
      await office.deliver(b.node, changed);
      expect([at, world.balance(b.node)]).toEqual([at, [0, 1_000, 0]]);
    }
    await office.deliver(b.node, answer!);
    expect(outcomes()[1]).toBe(State.committed);
  });

  test("a bank invents an end: neither a stranger's `aborted` nor the payee's own word counts", async () => {
    const { world, b, both, office, outcomes, payId } = parted(ACKNOWLEDGEMENT);
    const stranger = new Signer(world.agency, "STRANGER", Role.TRANSACTION);
    const payload = (who: Uint8Array) => encodeCbor([payId, who, 1, START_SECONDS]);
    for (const who of [id("STRANGER"), id("MODUL-A")]) {
      const lie = signObject("florin/answer", payload(who), stranger.seed, stranger.reference);
      await office.deliver(b.node, lie);
      expect(outcomes()[1]).toBe(State.inDoubt);
    }
    await office.settle(both);
    expect(outcomes()).toEqual([State.committed, State.committed]);
  });
});

describe("who floods a mailbox", () => {
  test("is not believed without a certificate, nor answered where nobody asked", async () => {
    const { world, both, office, payId } = parted(ACKNOWLEDGEMENT);
    const [payer, payee] = both;
    const stranger = new Signer(world.agency, "STRANGER", Role.TRANSACTION);
    const answer = (state: number) =>
      signObject(
        "florin/answer",
        encodeCbor([payId, id("STRANGER"), state, START_SECONDS]),
        stranger.seed,
        stranger.reference,
      );
    expect(await office.post(payer, new Uint8Array(40))).toBe("malformed");
    // Signed by somebody else than who posts it.
    expect(await office.post(payer, answer(1))).toBe("signature");
    await office.settle([payee]);
    const before = office.box;
    expect(before).toEqual([["question", "MODUL-B", "MODUL-A"]]);
    const posted = await office.postWith(stranger.chain, answer(1));
    expect(posted).toBe("unasked");
    expect(office.box).toEqual(before);
  });

  test("a stranger fills another's box: only its own gives way", async () => {
    const { world, both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    await office.settle([both[1]]);
    const flooder = new Signer(world.agency, "FLOODER1", Role.TRANSACTION);
    for (let n = 0; n < 3 * LETTERS_OF_OWNER; n += 1) {
      const payId = new Uint8Array(16).fill(n);
      const question = [payId, id("FLOODER1"), id("MODUL-A"), 2, START_SECONDS + 90 * DAY, []];
      const signed = signObject(
        "florin/question",
        encodeCbor(question),
        flooder.seed,
        flooder.reference,
      );
      const statement = encodeCbor([decodeCbor(signed), decodeCbor(flooder.chain)]);
      expect(await office.postWith(flooder.chain, statement)).toBe("accepted");
    }
    expect(office.state.letters).toHaveLength(LETTERS_OF_OWNER + 1);
    await office.settle(both);
    expect(outcomes()).toEqual([State.committed, State.committed]);
  });
});

describe("slow mail", () => {
  test("a question that comes after the payer forgot is answered `unknown`, never `aborted`", async () => {
    const { world, a, b, office, outcomes, payId } = parted(ACKNOWLEDGEMENT);
    await office.settle([b.node]);
    const later = signTime(world.agency.moduleServer, START_SECONDS + 121 * DAY);
    world.command(a.node, 7, decodeCbor(later));
    a.say(7, [payId]);
    world.carry();
    expect(a.node.module.ask(89)).toEqual([89, 0]);
    await office.settle([a.node, b.node]);
    expect(outcomes()[1]).toBe(State.inDoubt);
    expect(office.box.filter(([kind]) => kind === "answer")).toEqual([]);
  });

  test("an answer that was signed in time ends it, however late it comes", async () => {
    const { world, both, office, outcomes } = parted(ACKNOWLEDGEMENT);
    const late: Uint8Array[] = [];
    office.given = (letters) => {
      late.push(
        ...letters.filter(({ kind }) => kind === "answer").map((letter) => letter.statement),
      );
      return letters.filter(({ kind }) => kind === "question").map(({ statement }) => statement);
    };
    await office.settle(both);
    const later = signTime(world.agency.moduleServer, START_SECONDS + 121 * DAY);
    for (const node of both) world.command(node, 7, decodeCbor(later));
    for (const letter of late) await office.deliver(both[1], letter);
    expect(outcomes()[1]).toBe(State.committed);
  });

  test("the box keeps a letter until the payment's horizon, and takes no question after it", async () => {
    const { world, both, office } = parted(ACKNOWLEDGEMENT);
    await office.settle([both[1]]);
    expect(office.box).toHaveLength(1);
    world.clock.advance(121 * DAY * 1000);
    await office.settle([both[1]]);
    expect([office.box, office.results.at(-1)]).toEqual([[], "late"]);
  });
});
