// SPDX-License-Identifier: Apache-2.0
// Numbers of the messages between two money modules (docs/protocol.cddl section 6, layer 2).

/** Record types of a session between money modules. */
export namespace ModuleMessage {
  export const R1: i32 = 20;
  export const R2: i32 = 21;
  export const AMOUNT: i32 = 22;
  export const WRONG_AMOUNT: i32 = 23;
  export const AMOUNT_RIGHT: i32 = 24;
  export const PACKET: i32 = 25;
  export const READY_TO_COMMIT: i32 = 26;
  export const ACKNOWLEDGEMENT: i32 = 27;
  export const DONE: i32 = 28;
  export const OPEN_PAYMENTS: i32 = 29;
  export const MODULE_ANSWER: i32 = 30;
  export const COUNTER_PACKET: i32 = 31;
  export const BANK_REQUEST: i32 = 40;
  export const BANK_ACCEPTED: i32 = 41;
}

/** What is asked of a bank's module (docs/protocol.cddl section 6, request-kind). */
export namespace RequestKind {
  /** No request: a payment between two transaction devices. */
  export const NONE: u8 = 0;
  /** Odd ones are asked of tellers, by the owners of transaction modules. */
  export const WITHDRAW: u8 = 1;
  export const DEPOSIT: u8 = 3;
  export const REFRESH: u8 = 5;
  /** Even ones are asked of generators, by tellers for their banks. */
  export const ISSUE: u8 = 2;
  export const REDEEM: u8 = 4;
  /** The largest of them. */
  export const LAST: u8 = REFRESH;
}

/** Whether such a request is for a teller, and not for a generator. */
export function isForTeller(kind: u8): bool {
  return (kind & 1) != 0;
}

/** Whether who makes such a request is the payer. */
export function isPaying(kind: u8): bool {
  return kind == RequestKind.DEPOSIT || kind == RequestKind.REDEEM;
}
