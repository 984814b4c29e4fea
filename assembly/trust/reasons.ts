// SPDX-License-Identifier: Apache-2.0
// Why something was refused or ended: the numbers of docs/protocol.cddl, section 9. The host has
// the sentences; firmware only ever carries the number.

/** Reasons by number; see docs/protocol.cddl section 9 for what each one means. */
export namespace Reason {
  export const NONE: i32 = 0;
  export const MALFORMED: i32 = 1;
  export const WRONG_STATE: i32 = 2;
  export const UNKNOWN_COMMAND: i32 = 3;
  export const NOT_CERTIFIED: i32 = 4;
  export const ALREADY_DONE: i32 = 5;
  export const JOURNAL_FULL: i32 = 6;
  export const TOO_MANY_SESSIONS: i32 = 7;
  export const NO_RANDOM: i32 = 8;
  export const WRONG_VERSION: i32 = 9;
  export const CERTIFICATE_INVALID: i32 = 10;
  export const CERTIFICATE_EXPIRED: i32 = 11;
  export const PEER_LISTED: i32 = 12;
  export const WRONG_VERIFICATION: i32 = 13;
  export const CLOCKS_DIFFER: i32 = 14;
  export const WRONG_ROLE: i32 = 15;
  export const BOX_INVALID: i32 = 16;
  export const TIME_OUT: i32 = 17;
  export const PEER_ENDED: i32 = 18;
  export const OWNER_REFUSED: i32 = 19;
  export const TICKET_INVALID: i32 = 20;
  export const TICKET_EXPIRED: i32 = 21;
  export const TICKET_OF_ANOTHER: i32 = 22;
  export const RECEIPT_WRONG: i32 = 23;
  export const OFFER_WRONG: i32 = 24;
  export const OUTSIDE_OFFER_LIMITS: i32 = 25;
  export const CARD_REFUSED: i32 = 26;
  export const CARD_NETWORK_SILENT: i32 = 27;
  export const APPROVAL_INVALID: i32 = 28;
  export const INSUFFICIENT_FUNDS: i32 = 29;
  export const WRONG_AMOUNT: i32 = 30;
  export const NOTE_MALFORMED: i32 = 31;
  export const NOTE_CERTIFICATE_INVALID: i32 = 32;
  export const NOTE_CHAIN_BROKEN: i32 = 33;
  export const NOTE_AMOUNTS_WRONG: i32 = 34;
  export const TOTAL_WRONG: i32 = 35;
  export const NOTE_EXPIRED: i32 = 36;
  export const NOTE_HOLDER_LISTED: i32 = 37;
  export const NOTE_SIGNATURE_WRONG: i32 = 38;
  export const NOTE_DUPLICATED: i32 = 39;
  export const TOO_MANY_TRANSFERS: i32 = 40;
  export const PACKET_TOO_LARGE: i32 = 41;
  export const RELEASE_WRONG: i32 = 42;
  export const IN_DOUBT: i32 = 43;
  export const ACCOUNT_REFUSED: i32 = 44;
  export const NOT_PAIRED: i32 = 45;
  export const UNKNOWN_TICKET: i32 = 46;
  export const HOST_REFUSED: i32 = 47;
  export const UNKNOWN_TRANSACTION: i32 = 48;
  export const CONNECTION_LOST: i32 = 49;
  export const FLASH_DAMAGED: i32 = 50;
  export const FLASH_ROLLED_BACK: i32 = 51;
  export const CLAIM_PAID: i32 = 52;
  export const CLAIM_REFUSED: i32 = 53;
}
