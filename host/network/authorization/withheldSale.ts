// SPDX-License-Identifier: Apache-2.0
// Overrules a merchant who withholds 0220 of a sale (protocol rules 6): the customer's evidence posts
// it, once the merchant's time for post or void is over. An event machine, as issuer.ts.
import { settlementWrites } from "./issuer.ts";
import type { IssuerRecords, IssuerWrite } from "./issuerBooks.ts";
import type { ProvenSale } from "./saleEvidence.ts";

/** What becomes of good evidence. */
export type OverruleOutcome =
  /** `known`: it was posted before, by the merchant or by evidence. */
  | { readonly type: "posted" | "known" }
  /** The merchant may still post or void until `untilS`, in seconds since 1970. */
  | { readonly type: "early"; readonly untilS: number }
  /** `reason`: end of a sentence. */
  | { readonly type: "refused"; readonly reason: string };

export interface OverruleDecision {
  readonly writes: readonly IssuerWrite[];
  readonly outcome: OverruleOutcome;
}

/** Decides about a proven sale. `nowS`: seconds since 1970 by the issuer's clock. */
export function decideOverrule(
  { merchantAgentId }: ProvenSale,
  { account, transaction }: IssuerRecords,
  nowS: number,
): OverruleDecision {
  const refused = (reason: string): OverruleDecision => {
    return { writes: [], outcome: { type: "refused", reason } };
  };
  if (account === undefined || transaction === undefined) return refused("it was never authorized");
  const { state, untilS } = transaction;
  if (transaction.merchantAgentId !== merchantAgentId) return refused("the merchant is another");
  if (state === "posted") return { writes: [], outcome: { type: "known" } };
  // The merchant's agent says so only by its module's word, which had the payer's.
  if (state === "voided") return refused("the merchant's device said that nothing was paid");
  if (state === "refused") return refused("the sale was refused");
  // A payer that was opened may say `aborted` to the merchant and release to the issuer: for as long
  // as the hold lasts a void comes first. A merchant that has the money posts in that time.
  if (nowS <= untilS) return { writes: [], outcome: { type: "early", untilS } };
  const writes = settlementWrites(account, transaction, "posted");
  return { writes, outcome: { type: "posted" } };
}
