// SPDX-License-Identifier: Apache-2.0
// One payment while it runs: everything provisional about it is here and nowhere else, so that
// forgetting this object rolls it back (Session Manager's state of Figs. 12, 18, 20, 21).
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { HASH_SIZE, PAY_ID_SIZE } from "../note/limits";
import { Hashes } from "../note/notes";
import { OfferTerms, OutgoingNotes } from "../note/outgoing";
import { Manner } from "../session/manner";
import { Tunnel } from "../session/path";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { RequestKind } from "./messages";
import { OwnSideKind, PaymentRecord, PaymentRole, PaymentState } from "./paymentRecord";

/** What a payment waits for. */
export namespace Stage {
  /** The session between the modules, and key (TA/MM). */
  export const OPENING: u8 = 0;
  /** Who opens: the amount from its agent (558), or a new one (572). */
  export const AMOUNT_WANTED: u8 = 1;
  /** The other one: the statement of the amount (600). */
  export const STATEMENT_WANTED: u8 = 2;
  /** The other one: its agent's verdict on the amount (604). */
  export const VERDICT_WANTED: u8 = 3;
  /** Who opens: the acknowledgement of the amount (624). */
  export const ACCEPTANCE_WANTED: u8 = 4;
  /** Customer or teller: the bank's module accepts its request (41). */
  export const REQUEST_SENT: u8 = 5;
  /** Bank's module: the ledger's hold (82). */
  export const HOLD_WANTED: u8 = 6;
  /** Bank's module: notes that another payment has taken. */
  export const NOTES_SHORT: u8 = 7;
  /** Payee: the packet (1574); where it pays too, its own is sent (31). */
  export const PACKET_WANTED: u8 = 8;
  /** Payer: Ready-to-Commit (1702). */
  export const READY_WANTED: u8 = 9;
  /** Payee: the acknowledgement (1706); until it comes the payment is in doubt. */
  export const ACKNOWLEDGEMENT_WANTED: u8 = 10;
  /** Committed or aborted. */
  export const OVER: u8 = 11;
}

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Payment {
  role: u8;
  /** How it goes between two devices; with a bank's module, an ordinary payment. */
  manner: i32 = Manner.PAYMENT;
  /** This module opens the session and states the amount. */
  opens: bool = false;
  ownSide: OwnSide;
  /** What was asked of a bank's module; RequestKind.NONE between two transaction devices. */
  kind: u8 = RequestKind.NONE;
  stage: u8 = Stage.OPENING;
  /** State as the own side is told; RUNNING until it is decided. */
  state: u8 = PaymentState.RUNNING;
  reason: i32 = Reason.NONE;
  /** 16 bytes; empty until the session of a request gives it. */
  payId: Bytes = NO_BYTES;
  /** The agents' transaction that this payment belongs to, 16 bytes; empty with a bank's module. */
  transactionId: Bytes = NO_BYTES;
  unit: u32 = 0;
  /** Minor units. */
  amount: u64 = 0;
  /**
   * Where both pay (docs/protocol.md section 4): what the payee pays, and how its owner's amount
   * was rounded. The payer decides then. 0 minor units for a plain payment.
   */
  counterUnit: u32 = 0;
  counterAmount: u64 = 0;
  rounding: u8 = 0;
  /** Bank account, text; empty for none. */
  account: Bytes = NO_BYTES;
  /** The host's command, 16 bytes; empty for a payment that no command started. */
  commandId: Bytes = NO_BYTES;
  session: Session | null = null;
  /** Where the session runs between two devices with agents; null for a bare session. */
  tunnel: Tunnel | null = null;
  /** This side's R(1) or R(2), 32 bytes, until key (TA/MM) is made of both (548-556). */
  ownRandom: Bytes = NO_BYTES;
  /** What this module pays. */
  outgoing: OutgoingNotes | null = null;
  /** What was received and not owned yet. */
  hashes: Hashes = NO_BYTES;
  /** The largest of all notes, and the hash of the payer's drafts. */
  horizon: u64 = 0;
  draftsHash: Bytes = new StaticArray<u8>(HASH_SIZE);
  /** Payee: the payer's signed offer, by which a payment in doubt is claimed. */
  offer: Bytes = NO_BYTES;
  /** Where both pay: the hash of the payee's drafts. */
  counterHash: Bytes = NO_BYTES;
  /** The signatures of this module's drafts as they were sent, to be sent again: 27, or in 26. */
  released: Bytes = NO_BYTES;
  evidence: Bytes = new StaticArray<u8>(HASH_SIZE);
  /** Flash promised to the records that must still be written. */
  reservedBytes: i32 = 0;

  constructor(role: u8, ownSide: OwnSide) {
    this.role = role;
    this.ownSide = ownSide;
  }

  get isPayer(): bool {
    return this.role == PaymentRole.PAYER;
  }

  /** Whether both pay: an exchange, or a refresh. */
  get hasCounter(): bool {
    return this.counterAmount > 0;
  }

  /** What this module pays. */
  get ownUnit(): u32 {
    return this.isPayer ? this.unit : this.counterUnit;
  }
  get ownAmount(): u64 {
    return this.isPayer ? this.amount : this.counterAmount;
  }

  /** What the peer pays; 0 minor units where it does not. */
  get peerUnit(): u32 {
    return this.isPayer ? this.counterUnit : this.unit;
  }
  get peerAmount(): u64 {
    return this.isPayer ? this.counterAmount : this.amount;
  }

  get isOver(): bool {
    return this.stage == Stage.OVER;
  }

  /** Wipes R(1) or R(2): key (TA/MM) is made, or never will be. */
  forgetRandom(): void {
    wipe(pointerOf(this.ownRandom), this.ownRandom.length);
  }

  /** Whether `payId` is this payment's. */
  is(payId: Bytes): bool {
    if (this.payId.length != PAY_ID_SIZE || payId.length != PAY_ID_SIZE) return false;
    return (
      memory.compare(changetype<usize>(this.payId), changetype<usize>(payId), PAY_ID_SIZE) == 0
    );
  }
}

/** What this module's offer says. */
export function offerTerms(payment: Payment): OfferTerms {
  const terms = new OfferTerms(payment.payId, payment.session!.peer.id);
  terms.unit = payment.ownUnit;
  terms.amount = payment.ownAmount;
  terms.rounding = payment.rounding;
  if (payment.hasCounter) {
    terms.counterUnit = payment.peerUnit;
    terms.counterAmount = payment.peerAmount;
  }
  return terms;
}

/** The own side of one payment (docs/protocol.md section 1): agent, bank or the owner's command. */
export abstract class OwnSide {
  /** Kind for the journal; see OwnSideKind. */
  kind: u8 = OwnSideKind.COMMAND;

  /** The session of a payment that this module began is open. */
  abstract opened(payment: Payment): void;
  /**
   * A message of the payment's session by which the modules agree on the amount. False where this
   * own side expects none of this type.
   */
  abstract received(payment: Payment, type: i32, body: CborReader): bool;
  /** The payment is over or in doubt: tells `payment.state` (584, 586). */
  abstract tellOutcome(payment: Payment): void;
}

/**
 * An own side that notes outcomes: the agent of a device, or the bank. A module has one of them.
 */
export abstract class NotingSide extends OwnSide {
  /** Tells how a payment stands by its record; by `null`, that it never came to a promise. */
  abstract tellRecord(payId: Bytes, record: PaymentRecord | null): void;
}
