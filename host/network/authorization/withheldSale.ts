// SPDX-License-Identifier: Apache-2.0
// Overrules a merchant who withholds 0220 of a sale (protocol rules 6): the customer's evidence is
// filed, and posts the sale once the merchant's time for post or void is over. An event machine, as
// issuer.ts.
import { settlementWrites } from "./issuer.ts";
import type { IssuerRecords, IssuerWrite } from "./issuerBooks.ts";
import type { ProvenSale } from "./saleEvidence.ts";

const DAY_S = 24 * 3600;
/**
 * How long filed evidence waits for a void. What was released is handed on to the payee when it is
 * filed: whoever has it posts in that time, whoever was told `aborted` before voids.
 */
export const ANSWER_S = 3 * DAY_S;
/**
 * Evidence is filed for so long after Ready-to-Commit. Notes can be redeemed for 30 days from then
 * at least: the payee has the days between for what is released to it.
 */
export const FILING_S = 21 * DAY_S;

/** What becomes of good evidence. */
export type OverruleOutcome =
  /** Posted, by this evidence or while it waited; the same however often it is shown. */
  | { readonly type: "posted" }
  /** The merchant had posted before anything was filed. */
  | { readonly type: "known" }
  /** Posts the sale after `untilS`, in seconds since 1970, unless the merchant voids it till then. */
  | { readonly type: "filed"; readonly untilS: number }
  /** `reason`: end of a sentence. */
  | { readonly type: "refused"; readonly reason: string };

export interface OverruleDecision {
  readonly writes: readonly IssuerWrite[];
  readonly outcome: OverruleOutcome;
}

/** Decides about a proven sale. `nowS`: seconds since 1970 by the issuer's clock. */
export function decideOverrule(
  { merchantAgentId, proof }: ProvenSale,
  { account, transaction }: IssuerRecords,
  nowS: number,
): OverruleDecision {
  const only = (outcome: OverruleOutcome): OverruleDecision => ({ writes: [], outcome });
  const refused = (reason: string) => only({ type: "refused", reason });
  if (account === undefined || transaction === undefined) return refused("it was never authorized");
  const { state, provenS } = transaction;
  const isFiled = provenS > 0;
  if (transaction.merchantAgentId !== merchantAgentId) return refused("the merchant is another");
  if (state === "posted") return only({ type: isFiled ? "posted" : "known" });
  // The merchant's agent says so only by its module's word, which had the payer's.
  if (state === "voided") return refused("the merchant's device said that nothing was paid");
  if (state === "refused") return refused("the sale was refused");
  if (!isFiled && nowS > proof.readyS + FILING_S) {
    return refused("it is shown too late, when the money may have expired");
  }
  // A payer that was opened may say `aborted` to the merchant and release to the issuer: a void
  // comes first as long as the hold lasts, and for some days after the payee can have the release.
  const untilS = Math.max(transaction.untilS, (isFiled ? provenS : nowS) + ANSWER_S);
  if (nowS > untilS) {
    return {
      writes: settlementWrites(account, transaction, "posted"),
      outcome: { type: "posted" },
    };
  }
  const filed = { ...transaction, provenS: nowS };
  const writes: IssuerWrite[] = isFiled ? [] : [{ kind: "putTransaction", transaction: filed }];
  return { writes, outcome: { type: "filed", untilS } };
}
