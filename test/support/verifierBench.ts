// SPDX-License-Identifier: Apache-2.0
// A money module that waits for a packet, and packets that are right but for one thing: what each
// check of the verifier is tried with (Fig. 20 steps 1576-1604; docs/protocol.md section 3).
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import type { ModuleSnapshot } from "../../host/simulator/simulatedModule.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { BareModule, bodiesTo, PEER, type Sent, toHost } from "../../host/torture/bareModule.ts";
import {
  type Body,
  DATE,
  DAY,
  type Draft,
  encodeBody,
  encodePacket,
  encodeTransfer,
  EXPIRY,
  type Packet,
  rightPacket,
  Signer,
  type Transfer,
} from "./noteMaker.ts";
import { TwinSession } from "./sessionTwin.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

/** Minor units of each withdrawal of the bench; the note it comes from has 1,000 more. */
export const AMOUNT = 2_500;
export const NOTE_AMOUNT = AMOUNT + 1000;
/** Earlier withdrawals may leave this sum of the teller's note before the newest part. */
const OFFSET = 100;

const ABORT = 5;
const READY = 26;

/** A withdrawal that came as far as the accepted amount: the next message is the packet. */
interface Waiting {
  module: ModuleSnapshot;
  session: TwinSession;
  payId: Uint8Array;
}

export class VerifierBench {
  readonly agency = new TestAgency();
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly generator = new Signer(this.agency, "GENER-G", Role.GENERATOR);
  readonly teller: Signer;
  readonly holder = new Signer(this.agency, "HOLDE-H", Role.TRANSACTION);
  readonly payee = id("PAYEE-P");
  readonly module: BareModule;
  private session: TwinSession;
  private waiting: Waiting;
  private commands = 0;

  /** `teller`: claims of the payer's certificate that are not the usual ones. */
  constructor(teller: Partial<Claims> = {}) {
    this.teller = new Signer(this.agency, "TELLE-T", Role.TELLER, teller);
    this.module = new BareModule("transaction-module", this.clock, "verifier");
    this.agency.certify(this.module, "PAYEE-P", Role.TRANSACTION);
    this.session = new TwinSession(this.teller, "bare", this.payee, this.clock.nowMs());
    this.waiting = this.openWithdrawal();
  }

  get payId(): Uint8Array {
    return this.waiting.payId;
  }

  /** Begins the next withdrawal; packets made from now on are for it. */
  openWithdrawal(): Waiting {
    const { module } = this;
    const command = new Uint8Array(16).fill(++this.commands);
    const sent = module.command(81, command, 1, AMOUNT, "EUR", "1234567890");
    const [hello] = bodiesTo(PEER, sent);
    const session = new TwinSession(this.teller, "bare", hello!.slice(3, 11), this.clock.nowMs());
    const [finish] = bodiesTo(PEER, module.deliver(PEER, session.answer(hello!)));
    module.deliver(PEER, session.acknowledge(finish!));
    const payId = session.exportedId("pay", 0);
    const accepted = session.record(41, [payId], { replyTo: 1 });
    module.deliver(PEER, accepted);
    this.waiting = { module: module.snapshot(), session: session.copy(), payId };
    return this.waiting;
  }

  /** Changes the module's state behind its withdrawal, for all packets from now on. */
  change(event: (module: BareModule) => void): void {
    this.module.restore(this.waiting.module);
    event(this.module);
    this.waiting = { ...this.waiting, module: this.module.snapshot() };
  }

  /** Runs `work` and forgets what `change` did in it. */
  forked<T>(work: () => T): T {
    const { waiting } = this;
    const time = this.clock.snapshot();
    try {
      return work();
    } finally {
      this.waiting = waiting;
      this.clock.restore(time);
    }
  }

  /** Sends the packet; the reason of the abort, or 0 for Ready-to-Commit. */
  judge(packet: Packet | unknown[]): number {
    const body = Array.isArray(packet) ? packet : encodePacket(packet);
    return this.judgeBytes(encodeCbor(body));
  }

  /** The same with the packet's bytes as they are; -1 where it was dropped without a word. */
  judgeBytes(packet: Uint8Array): number {
    const sent = this.sendBytes(packet);
    const [answer] = bodiesTo(PEER, sent);
    if (answer === undefined) return -1;
    const { type, plain } = this.session.open(answer);
    if (type === READY) return 0;
    const finished = toHost(sent).find(([number]) => number === 29);
    const [reason] = plain[2] as number[];
    if (type !== ABORT || finished?.[2] !== 1 || finished[3] !== reason) {
      throw new Error(`After type ${type} the host heard ${String(finished)}.`);
    }
    return reason!;
  }

  /** Has the module own what the packet brings: sends it and releases the teller's signatures. */
  pay(packet: Packet): void {
    const reason = this.judge(packet);
    if (reason !== 0) throw new Error(`The packet was refused for reason ${reason}.`);
    const signatures = packet.drafts.map(({ newest, newestSigner }) => {
      const signed = signObject("florin/transfer", newest, newestSigner.seed);
      return (decodeCbor(signed) as unknown[])[3];
    });
    const released = this.session.record(27, [packet.payId, signatures], { replyTo: 3 });
    const sent = this.module.deliver(PEER, released);
    const finished = toHost(sent).find(([number]) => number === 29);
    if (finished?.[2] !== 2) throw new Error("The released signatures were not taken.");
  }

  /** Has the module promise to take what the packet brings, and leaves it in doubt. */
  leaveInDoubt(packet: Packet): void {
    const reason = this.judge(packet);
    if (reason !== 0) throw new Error(`The packet was refused for reason ${reason}.`);
    const sent = this.module.deliver(
      PEER,
      this.session.record(ABORT, [18], { replyTo: 0, number: 0 }),
    );
    const finished = toHost(sent).find(([number]) => number === 29);
    if (finished?.[2] !== 3) throw new Error("The payment is not in doubt.");
  }

  /** What is right in every respect; `holders` had the note before the teller. */
  right(holders: Signer[] = []): Packet {
    const { agency, generator, teller, payee, payId } = this;
    return rightPacket(agency, { generator, teller, holders }, payee, payId, AMOUNT);
  }

  /** A right packet whose newest transfer has other fields. */
  withNewest(change: Partial<Transfer>): Packet {
    const packet = this.right();
    const draft = packet.drafts[0]!;
    draft.newest = encodeTransfer({ ...this.newestOf(draft.transfers.at(-1)!.payload), ...change });
    return packet;
  }

  /** A right packet whose first transfer has other fields, with the newest one made to fit. */
  withFirst(change: Partial<Transfer>, signer = this.generator): Packet {
    const packet = this.right();
    this.rechain(packet.drafts[0]!, signer, change);
    return this.certified(packet, signer);
  }

  /** A right packet whose body has other fields, with everything after it made to fit. */
  withBody(change: Partial<Body>, signer = this.generator): Packet {
    const packet = this.right();
    const draft = packet.drafts[0]!;
    draft.body = encodeBody({ ...this.bodyOf(signer), ...change });
    draft.bodySigner = signer;
    this.rechain(draft, signer);
    packet.horizon = (change.expiry ?? EXPIRY) + 30 * DAY;
    return this.certified(packet, signer);
  }

  /** A right packet with the certificate of one more signer in its bag. */
  certified(packet: Packet, signer: Signer): Packet {
    const isThere = packet.certificates.includes(signer.certificate);
    if (!isThere) packet.certificates.push(signer.certificate);
    return packet;
  }

  /** Makes the first transfer, by `signer`, and the newest anew for the draft's body. */
  rechain(
    draft: Draft,
    signer: Signer,
    first: Partial<Transfer> = {},
    newest: Partial<Transfer> = {},
  ): void {
    const payload = encodeTransfer({
      parent: sha256(draft.body),
      sequence: 1,
      offset: 0,
      amount: NOTE_AMOUNT,
      transferee: this.teller.id,
      date: DATE,
      payId: new Uint8Array(16),
      ...first,
    });
    draft.transfers = [{ payload, signer }];
    draft.newest = encodeTransfer({ ...this.newestOf(payload), ...newest });
  }

  private bodyOf(signer: Signer): Body {
    return {
      kind: 1,
      issuer: "Bank of Tests",
      unit: "EUR",
      noteId: new Uint8Array(16).fill(0x42),
      amount: NOTE_AMOUNT,
      issued: DATE,
      expiry: EXPIRY,
      generator: signer.id,
    };
  }

  private newestOf(parentPayload: Uint8Array): Transfer {
    return {
      parent: sha256(parentPayload),
      sequence: 2,
      offset: OFFSET,
      amount: AMOUNT,
      transferee: this.payee,
      date: DATE,
      payId: this.payId,
    };
  }

  private sendBytes(packet: Uint8Array): Sent[] {
    this.module.restore(this.waiting.module);
    this.session = this.waiting.session.copy();
    return this.module.deliver(PEER, this.session.recordOfBytes(25, packet, { replyTo: 2 }));
  }
}
