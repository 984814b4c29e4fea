// SPDX-License-Identifier: Apache-2.0
// Who decides a payment with two legs and was opened (docs/protocol.md rule 4.9): it takes the
// other side's signatures with Ready-to-Commit, says `aborted`, and spends them all the same. The
// honest module pays the same money to another, as it may. At the issuer the decider's own two
// signatures convict it, and not the honest side.
import { bytesToHex } from "@noble/hashes/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { beforeEach, describe, expect, test } from "vitest";
import { bodiesTo, PEER } from "../../host/torture/bareModule.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { isAbortedBy, judgeAborted } from "../../host/network/bank/abortedPayments.ts";
import { type LedgerState, memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { decideNote, keysOf } from "../../host/network/bank/reconciliation.ts";
import type { AbortedStatement } from "../../host/network/bank/redeemedNotes.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { assembleSigned, signObject } from "../../host/trust/cose.ts";
import { parseNote, SignerBook } from "../../host/trust/notes.ts";
import { type ModuleAnswer, parseStatement } from "../../host/trust/statements.ts";
import { stockedWorld } from "../support/moneyWorld.ts";
import { DATE, encodePacket, encodeTransfer, rightPacket, Signer } from "../support/noteMaker.ts";
import { TwinSession } from "../support/sessionTwin.ts";

const AMOUNT = 2_500;
const BANK = "Bank of Tests";
const HONEST = bytesToHex(id("CUSTO-C"));
const DECIDER = bytesToHex(id("TELLE-X"));

const { world, generator, teller, customer } = stockedWorld(100_000);
world.withdraw(customer, teller, AMOUNT);
const { agency, clock } = world;
const otherGenerator = new Signer(agency, "GENER-X", Role.GENERATOR);
const decider = new Signer(agency, "TELLE-X", Role.TELLER);
const [first, second] = [refreshed(), deposited()];

/** The items of an export (8). */
function exported({ module }: typeof customer, kind: number): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let cursor: unknown = 0; cursor !== null; ) {
    const [number, , next, item] = module.ask(8, kind, cursor) as unknown[];
    if (number !== 8) throw new Error(`The export of ${kind} is refused.`);
    if (item instanceof Uint8Array) items.push(item);
    cursor = next;
  }
  return items;
}

/** The customer's part of a refresh that was aborted, spent; and what its module kept of it. */
function refreshed(): { note: Uint8Array; statement: Uint8Array } {
  const deliver = (body: Uint8Array) => bodiesTo(PEER, customer.module.deliver(PEER, body));
  const command = new Uint8Array(16).fill(7);
  const [hello] = bodiesTo(PEER, customer.module.command(81, command, 5, AMOUNT, "EUR", null));
  const session = new TwinSession(decider, "bare", hello!.slice(3, 11), clock.nowMs());
  const [finish] = deliver(session.answer(hello!));
  session.open(deliver(session.acknowledge(finish!))[0]!);
  const payId = session.exportedId("pay", 0);
  const tell = (type: number, body: unknown) => {
    const [reply] = deliver(session.record(type, body, { replyTo: 9 }));
    return reply && session.open(reply).plain[2];
  };
  const [, [draft]] = tell(41, [payId]) as [
    unknown,
    [unknown, unknown[], Uint8Array, Uint8Array][],
  ];
  const signers = { generator: otherGenerator, teller: decider };
  const packet = rightPacket(agency, signers, id("CUSTO-C"), payId, AMOUNT);
  packet.counter = ["EUR", AMOUNT, 0];
  const [, [, [signature]]] = tell(25, encodePacket(packet)) as [unknown, [unknown, Uint8Array[]]];
  const answer = encodeCbor([payId, decider.id, 1, START_SECONDS]);
  const signed = signObject("florin/answer", answer, decider.seed, decider.reference);
  tell(30, [decodeCbor(signed)]);
  const [body, transfers, payload, keyId] = draft!;
  const spent = encodeTransfer({
    parent: sha256(payload),
    sequence: 1,
    offset: 0,
    amount: AMOUNT,
    transferee: id("GENER-G"),
    date: DATE,
    payId: new Uint8Array(16).fill(99),
  });
  const own = assembleSigned(payload, signature!, keyId);
  const forged = signObject("florin/transfer", spent, decider.seed, decider.reference);
  const note = encodeCbor([body, [...transfers, decodeCbor(own), decodeCbor(forged)]]);
  expect(exported(customer, 5)).toEqual([signed]);
  return { note, statement: exported(customer, 5)[0]! };
}

/** The same money, which the customer pays into its account; how it came to the generator. */
function deposited(): Uint8Array {
  expect(world.bank(customer, teller, 3, AMOUNT, "EUR", "1234567890")[2]).toBe(2);
  const stock = world.balance(teller)[0]!;
  expect(world.bank(teller, generator, 4, stock, "EUR", null)[2]).toBe(2);
  return exported(generator, 2).find((bytes) =>
    parseNote(bytes)!.transfers.some(({ transferee }) => bytesToHex(transferee) === HONEST),
  )!;
}

const certificates = [
  ...exported(generator, 3).flatMap((item) => {
    const decoded = decodeCbor(item) as unknown[];
    return Array.isArray(decoded[0]) ? decoded.map((one) => encodeCbor(one)) : [item];
  }),
  decider.certificate,
  agency.moduleServer.certificate.bytes,
];

describe("at the issuer", () => {
  let books: LedgerState;
  let alarms: string[];
  beforeEach(() => {
    books = {};
    alarms = [];
  });

  async function enter(bytes: Uint8Array): Promise<void> {
    const store = memoryLedgerStore(books);
    const note = parseNote(bytes)!;
    const settled = {
      module: bytesToHex(id("GENER-G")),
      payId: bytesToHex(note.transfers.at(-1)!.payId),
      peer: bytesToHex(note.transfers[0]!.transferee),
      account: null,
      kind: "issue" as const,
      amountMinor: note.body.amountMinor,
      unit: "EUR",
      state: "settled" as const,
    };
    const related = await store.relatedTo(BANK, keysOf(note));
    const book = new SignerBook(certificates, agency.moduleRoot);
    const payments = { issue: settled, redemption: settled };
    const holder = bytesToHex(id("GENER-G"));
    const decision = decideNote(BANK, holder, note, book, payments, related, START_SECONDS);
    if (decision.type !== "enter") throw new Error(JSON.stringify(decision));
    const { redeemed } = decision.batch;
    await store.apply({ bank: BANK, redeemed });
    for (const statement of related.aborted) {
      if (redeemed.transfers.some((one) => isAbortedBy(statement, one))) await show(statement);
    }
  }

  async function show(statement: AbortedStatement): Promise<void> {
    const store = memoryLedgerStore(books);
    const transfers = await store.transfersOf(BANK, statement.payId);
    const convictions = await store.convictions(BANK);
    const judged = judgeAborted(statement, transfers, convictions, START_SECONDS);
    await store.apply({ bank: BANK, aborted: judged.finding });
    alarms.push(...judged.alarms);
  }

  function statement(laterSeconds = 0): AbortedStatement {
    const { payId, answerer, atSeconds, signed } = parseStatement(first.statement) as ModuleAnswer;
    return {
      payId,
      answerer,
      atSeconds: atSeconds + laterSeconds,
      hash: bytesToHex(sha256(signed.payload)),
      signed: bytesToHex(first.statement),
    };
  }

  const guilty = async () => {
    const convictions = await memoryLedgerStore(books).convictions(BANK);
    return convictions.map(({ module }) => module);
  };

  test("both transfers alone would convict the honest side", async () => {
    await enter(first.note);
    await enter(second);
    expect(await guilty()).toEqual([HONEST]);
  });

  const orders: [string, (() => Promise<void>)[]][] = [
    ["first", [() => show(statement()), () => enter(first.note), () => enter(second)]],
    ["between", [() => enter(second), () => show(statement()), () => enter(first.note)]],
    ["last", [() => enter(first.note), () => enter(second), () => show(statement())]],
  ];
  test.each(orders)(
    "a decider that says aborted and spends is guilty, the honest side is not: statement %s",
    async (_when, steps) => {
      for (const step of steps) await step();
      expect(await guilty()).toEqual([DECIDER]);
      expect(alarms).toEqual([]);
    },
  );

  test("a word that came hours after the money was spent convicts nobody: a person looks", async () => {
    await enter(first.note);
    await enter(second);
    await show(statement(2 * 3600));
    expect(await guilty()).toEqual([]);
    expect(alarms).toEqual([expect.stringContaining("either it has forgotten, or")]);
  });

  test("the word of another than who received acquits nobody", async () => {
    await enter(first.note);
    await enter(second);
    await show({ ...statement(), answerer: HONEST });
    expect(await guilty()).toEqual([HONEST]);
  });
});
