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

/** A module that signed two transfers which cannot both be true; each names the other's evidence. */
export interface Conviction {
  readonly module: string;
  /** Hash of what both transfers are a part of. */
  readonly parent: string;
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
}
