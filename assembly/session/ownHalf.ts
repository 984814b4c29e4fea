// SPDX-License-Identifier: Apache-2.0
// The other half of the transaction device (trusted agent 120 or money module 6), as far as the
// parts that all images share must know it. The modules of a bank have none.
import { Reason } from "../trust/reasons";
import { NEVER } from "./timers";

/** What an image has on port OWN. */
export abstract class OwnHalf {
  /** Says that this half is there and has no local key yet; at boot, and again when in doubt. */
  abstract renew(): void;
  /** Takes one body of port OWN. What is malformed or does not open is dropped. */
  abstract receive(pointer: usize, length: i32): void;
  /** Pairs with the other half, then answers command 5. A reason, 0 if it began. */
  abstract pair(): i32;
  /** Does what is due by the timers' clock. */
  abstract tick(): void;
  /** The earliest time on the timers' scale at which `tick` has something to do. */
  abstract nextDeadline(): i64;
}

/** An image without another half: nothing is said on port OWN, and nothing heard. */
export class NoOwnHalf extends OwnHalf {
  renew(): void {}
  receive(_pointer: usize, _length: i32): void {}

  pair(): i32 {
    return Reason.WRONG_ROLE;
  }

  tick(): void {}

  nextDeadline(): i64 {
    return NEVER;
  }
}
