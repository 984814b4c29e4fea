// SPDX-License-Identifier: Apache-2.0
// What owners ask of a running economy's Certification Agency about money in doubt, and of card
// issuers about sales that a merchant does not post.
import { claimReports, fileClaims } from "../economy/claims.ts";
import { claimSales } from "../economy/withheldSales.ts";
import type { World } from "../economy/world.ts";
import { optionalText, type Options, textOf } from "./requestOptions.ts";

/** What became of claiming one payment; the amount in minor units. */
export interface ClaimAttemptReport {
  payId: string;
  unit: string;
  amount: number;
  /** Why it is not claimed; null where it is. */
  reason: string | null;
}

/** By the name of the command. */
export const CLAIM_REQUESTS: Readonly<
  Record<string, (world: World, options: Options) => Promise<unknown>>
> = {
  "claim file": async (world, options): Promise<ClaimAttemptReport[]> => {
    const named = { ...optionalText(options, "account"), ...optionalText(options, "bank") };
    const attempts = await fileClaims(world, { who: textOf(options, "who"), ...named });
    return attempts.map(({ amountMinor, ...rest }) => ({ ...rest, amount: amountMinor }));
  },
  "claim card": (world, options) => claimSales(world, textOf(options, "who")),
  "claim status": (world) => claimReports(world),
};
