// SPDX-License-Identifier: Apache-2.0
// How a money module payment goes (paragraphs 111-128; docs/protocol.cddl section 4): who states
// the amount and who pays it. Agents tell one another, and their modules, in the same numbers.

export namespace Manner {
  /** The agent that announces the payment pays. */
  export const PAYMENT: i32 = 1;
  /** It is paid, and states the amount (paragraph 128). */
  export const REQUESTED: i32 = 2;
  /** Both pay, and it decides (docs/protocol.md section 4). */
  export const EXCHANGE: i32 = 3;
}

/** Whether the side that opens pays; in an exchange, whether its leg is the first one. */
export function openerPays(manner: i32): bool {
  return manner != Manner.REQUESTED;
}
