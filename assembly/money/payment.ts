// SPDX-License-Identifier: Apache-2.0
// One payment while it runs: everything provisional about it is here and nowhere else, so that
// forgetting this object rolls it back (Session Manager's state of Figs. 12, 18, 20, 21).
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { HASH_SIZE, PAY_ID_SIZE } from "../note/limits";
import { Hashes } from "../note/notes";
import { OutgoingNotes } from "../note/outgoing";
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
  /** Payee: the packet (1574). */
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
  unit: u32 = 0;
  /** Minor units. */
  amount: u64 = 0;
  /** Where both pay: what the one who does not decide pays, and how the owners rounded it. */
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
  /** Payer: what is paid. */
  outgoing: OutgoingNotes | null = null;
  /** Payee: what was received and not owned yet, the horizon, and the hash of the drafts. */
  hashes: Hashes = NO_BYTES;
  horizon: u64 = 0;
  draftsHash: Bytes = new StaticArray<u8>(HASH_SIZE);
  /** Payer: the acknowledgement's body while it may have to be sent again. */
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

  get isOver(): bool {
    return this.stage == Stage.OVER;
  }

  /** Whether `payId` is this payment's. */
  is(payId: Bytes): bool {
    if (this.payId.length != PAY_ID_SIZE || payId.length != PAY_ID_SIZE) return false;
    return (
      memory.compare(changetype<usize>(this.payId), changetype<usize>(payId), PAY_ID_SIZE) == 0
    );
  }
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
