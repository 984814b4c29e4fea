// SPDX-License-Identifier: Apache-2.0
// Every check of the verifier, one by one (Fig. 20 steps 1578-1604; docs/protocol.md section 3):
// packets made in TypeScript are right but for one thing, and the real image must say which.
import { sha256 } from "@noble/hashes/sha2.js";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signList } from "../../host/trust/agencyStatements.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import type { ModuleSnapshot } from "../../host/simulator/simulatedModule.ts";
import { BareModule, bodiesTo, PEER, toHost } from "../support/bareModule.ts";
import {
  DATE,
  DAY,
  type Draft,
  encodeBody,
  encodePacket,
  encodeTransfer,
  EXPIRY,
  HOUR,
  type Packet,
  rightPacket,
  Signer,
} from "../support/noteMaker.ts";
import { TwinSession } from "../support/sessionTwin.ts";
import { id, START_SECONDS, TestAgency } from "../support/testAgency.ts";

const AMOUNT = 2_500;
const agency = new TestAgency();
const clock = new VirtualClock(START_SECONDS * 1000);
const generator = new Signer(agency, "GENER-G", Role.GENERATOR);
const teller = new Signer(agency, "TELLE-T", Role.TELLER);
const holder = new Signer(agency, "HOLDE-H", Role.TRANSACTION);
const payee = id("PAYEE-P");

let module: BareModule;
let session: TwinSession;
let payId: Uint8Array;
/** The module and the twin's session, waiting for the packet. */
let waiting: { module: ModuleSnapshot; session: TwinSession };

beforeAll(() => {
  module = new BareModule("transaction-module", clock, "verifier");
  agency.certify(module, "PAYEE-P", Role.TRANSACTION);
  waiting = openWithdrawal();
});

/** A withdrawal as far as the accepted amount: the next message is the packet. */
function openWithdrawal() {
  const command = new Uint8Array(16).fill(7);
  const [hello] = bodiesTo(PEER, module.command(81, command, 1, AMOUNT, "EUR", "1234567890"));
  const tag = hello!.slice(3, 11);
  session = new TwinSession(teller, "bare", tag, clock.nowMs());
  const [finish] = bodiesTo(PEER, module.deliver(PEER, session.answer(hello!)));
  const [request] = bodiesTo(PEER, module.deliver(PEER, session.acknowledge(finish!)));
  expect(session.open(request!).plain[2]).toEqual([1, AMOUNT, "EUR", "1234567890"]);
  payId = session.exportedId("pay", 0);
  const accepted = session.record(41, [payId], { replyTo: 1 });
  const [right] = bodiesTo(PEER, module.deliver(PEER, accepted));
  expect(session.open(right!).type).toBe(24);
  return { module: module.snapshot(), session: structuredClone({ ...session }) as TwinSession };
}

function right(holders: Signer[] = []): Packet {
  return rightPacket(agency, { generator, teller, holders }, payee, payId, AMOUNT);
}

/** Sends the packet; the reason of the abort, or 0 for Ready-to-Commit. */
function judge(packet: Packet | unknown[]): number {
  module.restore(waiting.module);
  Object.assign(session, structuredClone({ ...waiting.session }));
  const body = Array.isArray(packet) ? packet : encodePacket(packet);
  const sent = module.deliver(PEER, session.record(25, body, { replyTo: 2 }));
  const [answer] = bodiesTo(PEER, sent);
  const { type, plain } = session.open(answer!);
  if (type === 26) return 0;
  expect(type).toBe(5);
  const finished = toHost(sent).find(([number]) => number === 29)!;
  expect(finished.slice(2, 4)).toEqual([1, (plain[2] as number[])[0]]);
  return (plain[2] as number[])[0]!;
}

/** A right packet whose newest transfer has other fields. */
function withNewest(change: Partial<Parameters<typeof encodeTransfer>[0]>): Packet {
  const packet = right();
  const draft = packet.drafts[0]!;
  draft.newest = encodeTransfer({
    parent: sha256(draft.transfers.at(-1)!.payload),
    sequence: 2,
    offset: 100,
    amount: AMOUNT,
    transferee: payee,
    date: DATE,
    payId,
    ...change,
  });
  return packet;
}

/** A right packet whose body has other fields, with everything after it made to fit. */
function withBody(change: Partial<Parameters<typeof encodeBody>[0]>, signer = generator): Packet {
  const packet = right();
  const draft = packet.drafts[0]!;
  draft.body = encodeBody({
    kind: 1,
    issuer: "Bank of Tests",
    unit: "EUR",
    noteId: new Uint8Array(16).fill(0x42),
    amount: AMOUNT + 1000,
    issued: DATE,
    expiry: EXPIRY,
    generator: signer.id,
    ...change,
  });
  draft.bodySigner = signer;
  rechain(draft, signer);
  packet.horizon = (change.expiry ?? EXPIRY) + 30 * DAY;
  if (signer !== generator) packet.certificates.push(signer.certificate);
  return packet;
}

/** Makes the first transfer, by `signer`, and the newest anew for the draft's body. */
function rechain(draft: Draft, signer: Signer, first = {}, newest = {}): void {
  const payload = encodeTransfer({
    parent: sha256(draft.body),
    sequence: 1,
    offset: 0,
    amount: AMOUNT + 1000,
    transferee: teller.id,
    date: DATE,
    payId: new Uint8Array(16),
    ...first,
  });
  draft.transfers = [{ payload, signer }];
  draft.newest = encodeTransfer({
    parent: sha256(payload),
    sequence: 2,
    offset: 100,
    amount: AMOUNT,
    transferee: payee,
    date: DATE,
    payId,
    ...newest,
  });
}

function withFirst(change: Partial<Parameters<typeof encodeTransfer>[0]>, signer = generator) {
  const packet = right();
  rechain(packet.drafts[0]!, signer, change);
  if (signer !== generator) packet.certificates.push(signer.certificate);
  return packet;
}

describe("verifier", () => {
  test("takes a right packet, with none, one or many holders in between", () => {
    expect(judge(right())).toBe(0);
    expect(judge(right([holder]))).toBe(0);
    expect(judge(right(Array.from({ length: 9 }, () => holder)))).toBe(0);
  });

  test("31: form", () => {
    expect(judge([])).toBe(31);
    expect(judge([1, 2, 3])).toBe(31);
    expect(judge({ ...right(), drafts: [] })).toBe(31);
    expect(judge(withNewest({ date: DATE + 1 }))).toBe(31);
    expect(judge(withNewest({ amount: 0 }))).toBe(31);
    expect(judge(withBody({ issued: DATE - 1 }))).toBe(31);
    expect(judge(withBody({ kind: 0 }))).toBe(31);
    expect(judge({ ...right(), horizon: EXPIRY })).toBe(31);
    const extra = encodePacket(right()) as unknown[];
    expect(judge([...extra, 0])).toBe(31);
  });

  test("31: dates go forward and not into the future", () => {
    expect(judge(withNewest({ date: DATE - HOUR }))).toBe(31);
    expect(judge(withNewest({ date: DATE + 2 * HOUR }))).toBe(31);
    expect(judge(withBody({ issued: DATE + 2 * HOUR }))).toBe(31);
  });

  test("32: certificates", () => {
    const packet = right();
    expect(judge({ ...packet, certificates: packet.certificates.slice(1) })).toBe(32);
    expect(judge({ ...packet, certificates: packet.certificates.slice(0, -1) })).toBe(32);
    const twice = [...packet.certificates, packet.certificates[0]!];
    expect(judge({ ...packet, certificates: twice })).toBe(32);
    const broken = packet.certificates.map((certificate) => certificate.slice());
    broken[0]![broken[0]!.length - 1]! ^= 1;
    const other = right();
    const reference = sha256(broken[0]!).slice(0, 8);
    other.drafts[0]!.bodySigner = Object.assign(Object.create(generator), { reference });
    other.drafts[0]!.transfers[0]!.signer = other.drafts[0]!.bodySigner;
    expect(judge({ ...other, certificates: broken })).toBe(32);
  });

  test("32: roles, issuer and validity of signers", () => {
    const late = { issued: DATE + 3 * HOUR };
    const young = new Signer(agency, "YOUNG-Y", Role.GENERATOR, late);
    expect(judge(withBody({}, young))).toBe(32);
    const expired = { issued: DATE - 9 * DAY, expires: DATE - DAY };
    expect(judge(withBody({}, new Signer(agency, "EXPIR-X", Role.GENERATOR, expired)))).toBe(32);
    const named = new Signer(agency, "OTHER-O", Role.GENERATOR, { organisation: "Bank of Others" });
    expect(judge(withBody({}, named))).toBe(32);
    expect(judge(withBody({}, holder))).toBe(32);
    const forger = new Signer(new TestAgency(100), "FORGE-F", Role.GENERATOR);
    expect(judge(withBody({}, forger))).toBe(32);
  });

  test("33: identifiers chain, from the generator to this module in this payment", () => {
    expect(judge(withNewest({ parent: sha256(payId) }))).toBe(33);
    expect(judge(withNewest({ transferee: holder.id }))).toBe(33);
    expect(judge(withNewest({ payId: new Uint8Array(16) }))).toBe(33);
    expect(judge(withFirst({ parent: sha256(payId) }))).toBe(33);
    expect(judge(withFirst({ transferee: holder.id }))).toBe(33);
    expect(judge(withFirst({}, holder))).toBe(33);
    expect(judge(withBody({ generator: holder.id }))).toBe(33);
    const packet = right();
    expect(judge({ ...packet, payId: new Uint8Array(16) })).toBe(33);
    expect(judge({ ...packet, payer: holder })).toBe(33);
    expect(judge({ ...packet, payee: holder.id })).toBe(33);
    const borrowed = right();
    borrowed.drafts[0]!.newestSigner = generator;
    expect(judge(borrowed)).toBe(33);
  });

  test("34: amounts lie within their parents", () => {
    expect(judge(withNewest({ offset: 1001 }))).toBe(34);
    expect(judge(withNewest({ offset: 0 }))).toBe(34);
    expect(judge(withNewest({ sequence: 1 }))).toBe(34);
    expect(judge(withNewest({ sequence: 0 }))).toBe(34);
    expect(judge(withNewest({ sequence: 102 }))).toBe(34);
    expect(judge(withFirst({ amount: AMOUNT + 1001 }))).toBe(34);
    expect(judge(withFirst({ sequence: 2, offset: 1 }))).toBe(34);
  });

  test("35: the total and the unit are those agreed", () => {
    expect(judge(withNewest({ amount: AMOUNT - 1 }))).toBe(35);
    expect(judge(withNewest({ amount: AMOUNT + 1 }))).toBe(35);
    expect(judge({ ...right(), amount: AMOUNT + 1 })).toBe(35);
    expect(judge({ ...right(), unit: "USD" })).toBe(35);
    expect(judge(withBody({ unit: "USD" }))).toBe(35);
  });

  test("36: no note has expired", () => {
    const expiry = { issued: DATE - HOUR, expiry: DATE };
    expect(judge(withBody(expiry))).toBe(36);
  });

  test("37: no holder is on the list", () => {
    module.restore(waiting.module);
    const before = waiting;
    const [part] = signList(agency.moduleServer, 1, START_SECONDS, [holder.id]);
    expect(module.ask(6, decodeCbor(part!))).toEqual([6, 1]);
    waiting = { ...before, module: module.snapshot() };
    expect(judge(right())).toBe(0);
    expect(judge(right([holder]))).toBe(37);
    waiting = before;
  });

  test("38: every signature is its signer's, for its purpose", () => {
    const impostor = (signer: Signer) =>
      Object.assign(Object.create(signer), { seed: sha256(payId) });
    expect(judge({ ...right(), offerSigner: impostor(teller) })).toBe(38);
    const body = right();
    body.drafts[0]!.bodySigner = impostor(generator);
    expect(judge(body)).toBe(38);
    const transfer = right([holder]);
    transfer.drafts[0]!.transfers[1]!.signer = impostor(holder);
    expect(judge(transfer)).toBe(38);
    const purpose = right([holder]);
    purpose.drafts[0]!.transfers[1]!.purpose = "florin/offer";
    expect(judge(purpose)).toBe(38);
  });

  test("39: branches of one body in one packet do not overlap", () => {
    const half = (change: object) => withNewest({ amount: AMOUNT / 2, ...change }).drafts[0]!;
    const first = half({});
    const beside = half({ sequence: 3, offset: 100 + AMOUNT / 2 });
    expect(judge({ ...right(), drafts: [first, beside] })).toBe(0);
    expect(judge({ ...right(), drafts: [first, first] })).toBe(39);
    const overlapping = half({ sequence: 3, offset: 99 + AMOUNT / 2 });
    expect(judge({ ...right(), drafts: [first, overlapping] })).toBe(39);
    const sameNumber = half({ offset: 100 + AMOUNT / 2 });
    expect(judge({ ...right(), drafts: [first, sameNumber] })).toBe(39);
  });

  test("a packet as full as it can be is judged within the memory there is", () => {
    const holders = Array.from(
      { length: 10 },
      (_, n) => new Signer(agency, `HOLD-${n}-H`, Role.TRANSACTION),
    );
    expect(judge(right(holders))).toBe(0);
    const packet = right();
    const share = Math.floor(AMOUNT / 8);
    packet.drafts = Array.from({ length: 8 }, (_, n) => {
      const [draft] = withBody({ noteId: new Uint8Array(16).fill(n) }).drafts;
      const last = n === 7 ? AMOUNT - 7 * share : share;
      rechain(draft!, generator, {}, { amount: last });
      return draft!;
    });
    expect(judge(packet)).toBe(0);
  });

  test("40: transfers are counted", () => {
    expect(judge(right(Array.from({ length: 10 }, () => holder)))).toBe(0);
    expect(judge(right(Array.from({ length: 11 }, () => holder)))).toBe(40);
  });

  test("41: notes are counted", () => {
    const draft = right().drafts[0]!;
    expect(judge({ ...right(), drafts: Array.from({ length: 9 }, () => draft) })).toBe(41);
  });

  test("a packet cut or changed at any byte never becomes money", () => {
    const packet = encodeCbor(encodePacket(right()));
    for (let at = 0; at < packet.length; at += 13) {
      const changed = packet.slice();
      changed[at]! ^= 1 << (at % 8);
      module.restore(waiting.module);
      Object.assign(session, structuredClone({ ...waiting.session }));
      const record = session.recordOfBytes(25, changed, { replyTo: 2 });
      const sent = module.deliver(PEER, record);
      const types = bodiesTo(PEER, sent).map((body) => session.open(body).type);
      expect(types).not.toContain(26);
    }
  });
});
