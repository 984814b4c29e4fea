// SPDX-License-Identifier: Apache-2.0
// Notes that came back to a generator, made in TypeScript with real signatures, and the books and
// the module that hold them, for tests of reconciliation (docs/protocol.cddl section 6).
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import type { BankDevice } from "../../host/network/bank/bankService.ts";
import { openBankBatch, ownAccount } from "../../host/network/bank/chart.ts";
import type { LedgerStore, PaymentRecord } from "../../host/network/bank/ledger.ts";
import { type LedgerState, memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { RedemptionDesk } from "../../host/network/bank/redemptionDesk.ts";
import type { Conviction } from "../../host/network/bank/redeemedNotes.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import {
  type Body,
  DATE,
  encodeBody,
  encodeTransfer,
  EXPIRY,
  Signer,
} from "../support/noteMaker.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

export const BANK = "Bank of Tests";
export const UNIT = "EUR";

/**
 * One step of a note's way: who gets how much of it, from where on, as which part of its parent.
 */
export interface Hop {
  readonly to: Signer;
  readonly amount: number;
  readonly offset?: number;
  readonly sequence?: number;
  readonly date?: number;
  readonly payId?: string;
  /** Who signs; the holder if absent. */
  readonly by?: Signer;
  readonly purpose?: string;
}

/** A note on its way, each part of it signed. */
export interface MadeNote {
  readonly bytes: Uint8Array;
  /** Hash of the newest transfer, hexadecimal. */
  readonly leaf: string;
  /** Pay id of the newest transfer, hexadecimal. */
  readonly payId: string;
}

export const payId = (number: number) => number.toString(16).padStart(32, "0");

export class RedeemedNotes {
  readonly agency = new TestAgency();
  readonly generator = this.signer("GENER-G", Role.GENERATOR);
  readonly teller = this.signer("TELLE-T", Role.TELLER);
  readonly thief = this.signer("THIEF-X", Role.TRANSACTION);
  readonly people = ["A", "B"].map((name) => this.signer(`MODUL-${name}`, Role.TRANSACTION));
  readonly state: LedgerState = {};
  store: LedgerStore = memoryLedgerStore(this.state);
  readonly alarms: string[] = [];
  readonly convicted: Conviction[] = [];
  /** What the generator holds, by leaf. */
  readonly held = new Map<string, Uint8Array>();
  /** Told of each command before it is answered. */
  onCommand: (number: number) => void = () => undefined;
  private payments = 0;
  private notes = 0;

  constructor() {
    this.store.apply(openBankBatch(BANK, [UNIT], { [UNIT]: [BANK] }));
  }

  signer(name: string, role: Role): Signer {
    return new Signer(this.agency, name, role);
  }

  /** A number for a payment that there was not yet. */
  nextPayId(): string {
    this.payments += 1;
    return payId(this.payments);
  }

  /** The body of a new note, as the generator makes it. */
  body(amount: number, change: Partial<Body> = {}): Body {
    this.notes += 1;
    return {
      kind: 1,
      issuer: BANK,
      unit: UNIT,
      noteId: new Uint8Array(16).fill(this.notes),
      amount,
      issued: DATE,
      expiry: EXPIRY,
      generator: this.generator.id,
      ...change,
    };
  }

  /** A note that went from the generator along `hops`. */
  note(body: Body, hops: readonly Hop[], bodySigner: Signer = this.generator): MadeNote {
    const payload = encodeBody(body);
    const signed = signObject("florin/note-body", payload, bodySigner.seed, bodySigner.reference);
    let [parent, holder, last] = [sha256(payload), this.generator, ""];
    const transfers = hops.map((hop) => {
      last = hop.payId ?? this.nextPayId();
      const transfer = encodeTransfer({
        parent,
        sequence: hop.sequence ?? 1,
        offset: hop.offset ?? 0,
        amount: hop.amount,
        transferee: hop.to.id,
        date: hop.date ?? DATE,
        payId: Uint8Array.from(Buffer.from(last, "hex")),
      });
      const by = hop.by ?? holder;
      [parent, holder] = [sha256(transfer), hop.to];
      return signObject(hop.purpose ?? "florin/transfer", transfer, by.seed, by.reference);
    });
    const items = transfers.map((transfer) => decodeCbor(transfer));
    const bytes = encodeCbor([decodeCbor(signed), items]);
    return { bytes, leaf: bytesToHex(parent), payId: last };
  }

  /** The books show that the generator issued this much to the teller in that payment. */
  issued(pay: string, amountMinor: number, change: Partial<PaymentRecord> = {}): void {
    this.settled(pay, "issue", amountMinor, ["notes-on-hand", "money-issued"], change);
  }

  /** The note lies in the generator, and the books show that it came back. */
  cameBack(note: MadeNote, amountMinor: number): void {
    this.held.set(note.leaf, note.bytes);
    this.settled(note.payId, "redemption", amountMinor, ["money-issued", "notes-on-hand"]);
  }

  /** A body whose issue is in the books, on its way: the pay id of that issue. */
  issue(amount: number): { body: Body; first: Hop } {
    const pay = this.nextPayId();
    this.issued(pay, amount);
    return { body: this.body(amount), first: { to: this.teller, amount, payId: pay } };
  }

  /** A generator's device: it exports what it holds, and forgets what is reconciled. */
  device(): BankDevice {
    return {
      onEvent: () => () => undefined,
      command: async (_target, bytes) => {
        const { number, fields } = parseHostBody(bytes)!;
        this.onCommand(number);
        if (number === HostMessage.RECONCILED) {
          this.held.delete(bytesToHex(fields[0] as Uint8Array));
          return hostBody(number);
        }
        const [kind, cursor] = fields as [number, number];
        const items = kind === 2 ? [...this.held.values()] : this.certificates();
        const next = cursor + 1 < items.length ? cursor + 1 : null;
        return hostBody(HostMessage.EXPORT, kind, next, items[cursor] ?? null);
      },
    };
  }

  /** A desk over the books and the generator, as a new process has it. */
  desk(): RedemptionDesk {
    return new RedemptionDesk({
      bank: BANK,
      generator: bytesToHex(this.generator.id),
      device: this.device(),
      store: this.store,
      moduleRoot: this.agency.moduleRoot,
      nowSeconds: () => START_SECONDS + 86_400,
      onAlarm: (text) => this.alarms.push(text),
      onConviction: async (conviction) => {
        this.convicted.push(conviction);
      },
      reviewAborted: async () => undefined,
    });
  }

  async reconcile(): Promise<void> {
    const desk = this.desk();
    desk.request();
    await desk.settled();
  }

  balance(kind: "money-issued" | "losses" | "notes-on-hand"): number {
    return this.state[BANK]!.accounts[ownAccount(kind, UNIT)]!.balanceMinor;
  }

  private certificates(): Uint8Array[] {
    const all = [this.generator, this.teller, this.thief, ...this.people];
    return [...all.map(({ chain }) => chain)];
  }

  private settled(
    pay: string,
    kind: "issue" | "redemption",
    amountMinor: number,
    [debited, credited]: readonly [
      "notes-on-hand" | "money-issued",
      "notes-on-hand" | "money-issued",
    ],
    change: Partial<PaymentRecord> = {},
  ): void {
    this.store.apply({
      bank: BANK,
      payment: {
        expected: null,
        record: {
          module: bytesToHex(this.generator.id),
          payId: pay,
          kind,
          peer: bytesToHex(this.teller.id),
          account: null,
          amountMinor,
          unit: UNIT,
          state: "settled",
          ...change,
        },
      },
      entry: {
        transaction: pay,
        leg: "settled",
        atSeconds: START_SECONDS,
        lines: [
          { account: ownAccount(debited, UNIT), debitMinor: amountMinor },
          { account: ownAccount(credited, UNIT), debitMinor: -amountMinor },
        ],
      },
    });
  }
}

/** A note of 100 went over A to the teller and back; the hops after its issue may be changed. */
export function simpleNote(world: RedeemedNotes, hops?: readonly Hop[]): MadeNote {
  const [a] = world.people as [Signer, Signer];
  const { body, first } = world.issue(100);
  const back = { to: world.generator, amount: 100 };
  return world.note(body, [
    first,
    ...(hops ?? [{ to: a, amount: 100 }, { to: world.teller, amount: 100 }, back]),
  ]);
}
