// SPDX-License-Identifier: Apache-2.0
// Numbers of the messages of a purchase between customer's and merchant's agent (Fig. 7;
// docs/protocol.cddl section 4).

export namespace PurchaseMessage {
  export const REQUEST_MONEY: i32 = 12;
  export const REQUEST_CARD: i32 = 13;
  export const CARD: i32 = 14;
  export const RECEIPT: i32 = 15;
  export const RECEIPT_ACKNOWLEDGED: i32 = 16;
  export const APPROVAL: i32 = 17;
  export const MONEY_MODULE_PAYMENT: i32 = 18;
  export const MONEY_MODULE_PAYMENT_REPLY: i32 = 19;
  export const ANNEX: i32 = 21;
  export const ANNEX_COUNTERSIGNED: i32 = 22;
}
