// SPDX-License-Identifier: Apache-2.0
// What an issuer keeps of the notes that came back (docs/protocol.md sections 3 and 6): each leaf
// once, every transfer by its parent, and the modules convicted by two of their own signatures.
// Ids and hashes are hexadecimal, amounts minor units, times seconds since 1970.

/** A transfer as the issuer's index has it. */
export interface IndexedTransfer {
  /** SHA-256 of its payload. */
  readonly hash: string;
  readonly parent: string;
  readonly sequence: number;
  readonly offsetMinor: number;
  readonly amountMinor: number;
  readonly payId: string;
  /** The module that signed it. */
  readonly signer: string;
  /** The whole signed object, in hexadecimal: the evidence. */
  readonly signed: string;
}

/** A redeemed note: the last transfer of its history, to the issuer's generator. */
export interface RedeemedLeaf {
  readonly leaf: string;
  /** SHA-256 of the note's body. */
  readonly body: string;
  readonly noteId: string;
  readonly unit: string;
  /** The first unit of the body that this leaf is, and how many it is. */
  readonly startMinor: number;
  readonly amountMinor: number;
  /** How many of them were redeemed before, or never issued. */
  readonly lostMinor: number;
  /** Who made the note, and the payment in which it was issued. */
  readonly generator: string;
  readonly issuePayId: string;
  /** Who sent it back, and the payment in which it came. */
  readonly transferor: string;
  readonly payId: string;
  readonly atSeconds: number;
}

/**
 * A module that signed two things which cannot both be true: two transfers, or `aborted` and the
 * spending of what it was paid in that very payment.
 */
export interface Conviction {
  readonly module: string;
  /** Hash of what both transfers are a part of, or of the transfer that was aborted and spent. */
  readonly parent: string;
  /** Hashes of what it signed; a transfer is in the index, a statement beside it. */
  readonly first: string;
  readonly second: string;
  readonly unit: string;
  readonly atSeconds: number;
}

/** All that is written for one redeemed note. */
export interface RedeemedNote {
  readonly leaf: RedeemedLeaf;
  readonly transfers: readonly IndexedTransfer[];
  readonly convictions: readonly Conviction[];
}

/** The word of a payment's decider that the payment was aborted (docs/protocol.cddl, `answer`). */
export interface AbortedStatement {
  readonly payId: string;
  /** Who signed it. */
  readonly answerer: string;
  /** By its own clock. */
  readonly atSeconds: number;
  /** SHA-256 of its payload. */
  readonly hash: string;
  /** The whole signed object, in hexadecimal. */
  readonly signed: string;
}

/** What such a statement comes to beside the transfers that came back. */
export interface AbortedFinding {
  readonly statement: AbortedStatement;
  readonly convictions: readonly Conviction[];
  /** Hashes of transfers that their signers had to take for aborted: nobody is guilty by them. */
  readonly acquitting: readonly string[];
}

/** By what a note's relatives are found. */
export interface NoteKeys {
  readonly body: string;
  readonly generator: string;
  readonly issuePayId: string;
  readonly parents: readonly string[];
}

export interface RelatedNotes {
  /** Leaves of the same body. */
  readonly leaves: readonly RedeemedLeaf[];
  /** Transfers from any of the same parents. */
  readonly transfers: readonly IndexedTransfer[];
  /** Another body that claims to have been issued in the same payment; undefined if none does. */
  readonly otherBody: string | undefined;
  /** Every statement that the bank has been shown. */
  readonly aborted: readonly AbortedStatement[];
}
