// SPDX-License-Identifier: Apache-2.0
// florin claim: what it takes, with examples, and how its answers are shown.
import type { Command } from "commander";
import type { ClaimReport } from "../economy/claims.ts";
import type { WithheldSaleReport } from "../economy/withheldSales.ts";
import { formatAmount } from "../network/currencies.ts";
import type { ClaimAttemptReport } from "./claimRequests.ts";
import { askRunning } from "./control.ts";
import { directoryOption } from "./directoryOption.ts";
import { say, sayJson } from "./output.ts";

const EXAMPLES = `
Money that a payer sent and whose release never arrives is in doubt (florin wallet balance). If the
payer never comes back, the Certification Agency pays it, after the notes and their grace have
expired. A sale whose merchant never posts it is posted by the card issuer, by what the customer's
device can prove: show it within 21 days, and it is posted when the merchant's time is over. Examples:
  florin claim file Alice
  florin claim file "Corner Exchange" --bank "First Harbour Bank" --account "Corner Exchange:USD"
  florin claim card Alice
  florin claim status --json
`;

interface ClaimOptions {
  dir: string;
  json?: boolean;
  [option: string]: unknown;
}

/** Adds the group of commands. */
export function addClaim(florin: Command): void {
  const group = florin
    .command("claim")
    .description("claim money in doubt, and sales that no merchant posts, in an economy that runs")
    .addHelpText("after", EXAMPLES);
  const add = <Answer>(name: string, description: string, lines: (answer: Answer) => string[]) => {
    const [command = ""] = name.split(" ");
    return group
      .command(name)
      .description(description)
      .addOption(directoryOption())
      .option("--json", "print JSON")
      .addHelpText("after", EXAMPLES)
      .action(async (who: string | ClaimOptions, more: ClaimOptions) => {
        const { dir, json, ...rest } = typeof who === "string" ? more : who;
        const named = typeof who === "string" ? { who } : {};
        const request = { command: `claim ${command}`, options: { ...rest, ...named } };
        const answer = (await askRunning(dir, request)) as Answer;
        if (json === true) sayJson(answer);
        else for (const line of lines(answer)) say(line);
      });
  };
  add("file <name>", "claim every payment in doubt of a person or merchant", attemptLines)
    .option("--account <OWNER:UNIT>", "where to pay; the claimant's own if absent")
    .option("--bank <name>", "bank of that account; the claimant's own if absent");
  add("card <name>", "show card issuers a person's sales that were paid and not posted", saleLines);
  add("status", "all claims and what became of them; decides what is due", reportLines);
}

function attemptLines(attempts: ClaimAttemptReport[]): string[] {
  if (attempts.length === 0) return ["nothing is in doubt"];
  return attempts.map(({ payId, unit, amount, reason }) => {
    const what = `${formatAmount(amount, unit)} of payment ${payId}`;
    return reason === null ? `${what}: claimed` : `${what}: ${reason}`;
  });
}

function saleLines(sales: WithheldSaleReport[]): string[] {
  if (sales.length === 0) return ["no sale that this device can prove"];
  return sales.map(({ transactionId, unit, amount, state, until, reason }) => {
    const ends = {
      posted: "posted",
      known: "the merchant had posted it",
      filed: `filed; it is posted after ${until}, unless the merchant's device voids it till then`,
      refused: `refused: ${reason}`,
    };
    return `${formatAmount(amount, unit)} of transaction ${transactionId}: ${ends[state]}`;
  });
}

function reportLines(reports: ClaimReport[]): string[] {
  return reports.map(({ device, unit, amount, account, bank, filed, due, state, reason }) => {
    const when = state === "open" ? `, to be decided on ${due}` : "";
    const why = reason === null ? "" : `: ${reason}`;
    const what = `${device}: ${formatAmount(amount, unit)} to ${account} at ${bank}`;
    return `${what}, filed ${filed}${when}, ${state}${why}`;
  });
}
