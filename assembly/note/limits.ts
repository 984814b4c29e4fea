// SPDX-License-Identifier: Apache-2.0
// Limits of notes and packets (docs/protocol.md section 3): chosen so that a packet is one message,
// a module's notes fit its flash window, and parsing untrusted notes costs bounded work.

/** Notes that one module stores, and so entries of its directory. */
export const NOTES_LIMIT: i32 = 64;
/** Drafts in one packet; a larger amount of small change is paid in two payments. */
export const PACKET_NOTES_LIMIT: i32 = 8;
/** Certificates in one packet. */
export const PACKET_CERTIFICATES_LIMIT: i32 = 24;
/** Transfers of one note; a transfer to a teller may go beyond, so that no money is stranded. */
export const TRANSFERS_LIMIT: i32 = 12;
/** Transfers that a parser takes at all. */
export const TRANSFERS_HARD_LIMIT: i32 = TRANSFERS_LIMIT + 1;
/** Longest packet; the rest of a message is for the record around it. */
export const PACKET_SIZE_LIMIT: i32 = 6144;
/** Most bytes of one note as it is stored. */
export const NOTE_SIZE_LIMIT: i32 = 4096;
/** Largest amount, in minor units (2^53 - 1, so that every host can hold it exactly). */
export const AMOUNT_LIMIT: u64 = 9007199254740991;

/** Longest name of a bank account, in bytes. */
export const ACCOUNT_LIMIT: i32 = 64;

export const HASH_SIZE: i32 = 32;
export const ID_SIZE: i32 = 8;
export const PAY_ID_SIZE: i32 = 16;
export const NOTE_ID_SIZE: i32 = 16;
export const SIGNATURE_SIZE: i32 = 64;
export const KEY_SIZE: i32 = 32;

export const SECONDS_PER_HOUR: u64 = 3600;
export const SECONDS_PER_DAY: u64 = 86400;
/** Life of a new note: 90 days. */
export const NOTE_LIFE_SECONDS: u64 = 90 * SECONDS_PER_DAY;
/** After its expiry a note is still redeemed for 30 days. */
export const GRACE_SECONDS: u64 = 30 * SECONDS_PER_DAY;
/** How far two clocks may differ: 10 minutes (docs/protocol.md section 2). */
export const CLOCK_WINDOW_SECONDS: u64 = 600;
