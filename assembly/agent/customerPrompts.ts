// SPDX-License-Identifier: Apache-2.0
// What a customer's agent asks its owner in a purchase or sale (Fig. 7; docs/protocol.cddl
// section 8): the merchant's name, the amount, the card, the receipt. Each begins with the id of
// the owner's command.
import { Bytes } from "../codec/bytes";
import { composeHost, sendHost } from "../session/buffers";

const MERCHANT: i32 = 21;
const ASK_AMOUNT: i32 = 23;
const ASK_CREDENTIAL: i32 = 25;
const RECEIPT: i32 = 27;

/** Numbers of the owner's answers. */
export namespace OwnerAnswer {
  export const CONFIRM_MERCHANT: i32 = 22;
  export const AMOUNT: i32 = 24;
  export const CREDENTIAL: i32 = 26;
  export const CONFIRM_RECEIPT: i32 = 28;
}

/** Is this the merchant? Name as its credential states it, and the agent's id. */
export function promptMerchant(commandId: Bytes, name: Bytes, merchant: Bytes): void {
  const writer = composeHost(MERCHANT, 3);
  writer.bytesFrom(commandId);
  writer.textFrom(name);
  writer.bytesFrom(merchant);
  sendHost();
}

/**
 * How much electronic money? `reason`: why the amount given before cannot be; 0 for the first.
 */
export function promptAmount(commandId: Bytes, reason: i32): void {
  const writer = composeHost(ASK_AMOUNT, 2);
  writer.bytesFrom(commandId);
  writer.uint(u64(reason));
  sendHost();
}

/** Which of these cards, by their tickets' ids? */
export function promptCredential(commandId: Bytes, cards: Array<Bytes>): void {
  const writer = composeHost(ASK_CREDENTIAL, 2);
  writer.bytesFrom(commandId);
  writer.array(cards.length);
  for (let i = 0; i < cards.length; ++i) writer.bytesFrom(cards[i]);
  sendHost();
}

/** Is this encoded receipt what was wanted? */
export function promptReceipt(commandId: Bytes, receipt: Bytes): void {
  const writer = composeHost(RECEIPT, 2);
  writer.bytesFrom(commandId);
  writer.bytesFrom(receipt);
  sendHost();
}
