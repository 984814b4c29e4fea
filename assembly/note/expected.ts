// SPDX-License-Identifier: Apache-2.0
// What the verifier (Fig. 4; Fig. 20 steps 1578-1604) is told beside the packet: what this payment
// should bring, and what the module remembers of having paid out itself.
import { Certificate } from "../trust/certificate";

/** What this payment's packet must be; each field is checked. */
export class Expected {
  /** 16 bytes. */
  payId: usize = 0;
  /** Certificate that the payer's module showed in this session. */
  payer: Certificate = new Certificate();
  unit: u32 = 0;
  amount: u64 = 0;
  /** What this module pays for it; 0 minor units where it does not. */
  counterUnit: u32 = 0;
  counterAmount: u64 = 0;
  rounding: u8 = 0;
  nowSeconds: u64 = 0;
  /** True in a transaction money module; a bank's takes more (step 1584; grace, transfers). */
  isTransactionModule: bool = true;
}

/** The own record of what was paid out, for notes that come back (protocol rule 3). */
export abstract class OwnHistory {
  /**
   * Whether a transfer that claims to be this module's own differs from the one it made from that
   * parent under that number. False where it does not remember.
   */
  abstract contradicts(
    parent: usize,
    sequence: u64,
    offset: u64,
    amount: u64,
    transferee: usize,
  ): bool;
}
