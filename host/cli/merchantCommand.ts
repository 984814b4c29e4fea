// SPDX-License-Identifier: Apache-2.0
// florin merchant: what it takes, with examples, and how its answers are shown.
import type { Command } from "commander";
import type { DeviceReport, FundsReport, LogReport } from "../economy/merchantReports.ts";
import { formatAmount } from "../network/currencies.ts";
import { askRunning } from "./control.ts";
import { directoryOption } from "./directoryOption.ts";
import { say, sayJson } from "./output.ts";

const EXAMPLES = `
Without NAME: all merchants. Examples:
  florin merchant offers
  florin merchant offers "Corner Exchange" --direction buy --unit USD --account-unit USD \\
                         --fee 100 --basis-points 50 --rate 1
  florin merchant funds "Night Kiosk" --json
  florin merchant devices
  florin merchant log "Corner Exchange"
`;

interface MerchantOptions {
  dir: string;
  json?: boolean;
  [option: string]: unknown;
}

interface OfferAnswer {
  merchant: string;
  direction: "buy" | "sell";
  unit: string;
  accountUnit: string;
  fee: number;
  feeBasisPoints: number;
  rate: { numerator: number; denominator: number };
  maximum: number;
  expires: string;
  endpoint: string;
}

/** Adds the group of commands. */
export function addMerchant(florin: Command): void {
  const group = florin
    .command("merchant")
    .description("see and steer the merchants of an economy that runs")
    .addHelpText("after", EXAMPLES);
  const add = <Answer>(name: string, description: string, lines: (answer: Answer) => string[]) =>
    group
      .command(`${name} [name]`)
      .description(description)
      .addOption(directoryOption())
      .option("--json", "print JSON")
      .addHelpText("after", EXAMPLES)
      .action(async (merchant: string | undefined, options: MerchantOptions) => {
        const { dir, json, ...rest } = options;
        const request = { command: `merchant ${name}`, options: { ...rest, name: merchant } };
        const answer = (await askRunning(dir, request)) as Answer;
        if (json === true) sayJson(answer);
        else for (const line of lines(answer)) say(line);
      });
  add("offers", "signed offers; with --direction, signed with new terms first", offerLines)
    .option("--direction <buy|sell>", "whether customers buy or sell electronic money")
    .option("--unit <code>", "unit of the electronic money")
    .option("--account-unit <code>", "unit of the card accounts")
    .option("--fee <minor>", "fixed part of the fee, in the account unit; 0 if absent")
    .option("--basis-points <number>", "hundredths of a per cent of the amount; 0 if absent")
    .option("--rate <decimal|network>", "account units for one unit; 1 if absent");
  add("funds", "money of each device, where it came from, and the accounts", fundsLines);
  add("devices", "the devices of a merchant, which help one another out", deviceLines);
  add("log", "what the devices' agents did, with the receipts' ids", logLines);
}

function offerLines(offers: OfferAnswer[]): string[] {
  return offers.map((offer) => {
    const { numerator, denominator } = offer.rate;
    const fee = `${formatAmount(offer.fee, offer.accountUnit)} + ${offer.feeBasisPoints / 100} %`;
    const rate = offer.unit === offer.accountUnit ? "" : `, rate ${numerator}/${denominator}`;
    const most = formatAmount(offer.maximum, offer.unit);
    const verb = offer.direction === "buy" ? "sells" : "buys";
    const what = `${verb} ${offer.unit} for ${offer.accountUnit}`;
    const where = `until ${offer.expires}, ${offer.endpoint}`;
    return `${offer.merchant} ${what}: fee ${fee}${rate}, at most ${most}, ${where}`;
  });
}

function fundsLines(reports: FundsReport[]): string[] {
  return reports.flatMap(({ merchant, devices, accounts }) => [
    merchant,
    ...devices.flatMap(({ name, money, topUps }) => [
      ...money.map((balance) => {
        const { unit, spendable, promised, inDoubt, refresh } = balance;
        const more = [
          ...(promised > 0 ? [`${formatAmount(promised, unit)} promised`] : []),
          ...(inDoubt > 0 ? [`${formatAmount(inDoubt, unit)} in doubt`] : []),
          ...(refresh > 0 ? [`${formatAmount(refresh, unit)} to refresh`] : []),
        ];
        return `  ${name}: ${[formatAmount(spendable, unit), ...more].join(", ")}`;
      }),
      ...topUps.map(({ date, from, amount, unit, outcome }) => {
        return `    ${date} ${formatAmount(amount, unit)} from ${from}, ${outcome}`;
      }),
    ]),
    ...accounts.map(({ bank, account, unit, balance }) => {
      return `  account ${account} at ${bank}: ${formatAmount(balance, unit)}`;
    }),
  ]);
}

function deviceLines(devices: DeviceReport[]): string[] {
  return devices.map(({ name, merchant, endpoint, agent, module, unsettled }) => {
    const open = unsettled === 0 ? "" : `, ${unsettled} card settlements open`;
    return `${merchant}: ${name}, ${endpoint}, agent ${agent}, module ${module}${open}`;
  });
}

function logLines(entries: LogReport[]): string[] {
  return entries.map(({ date, device, what, outcome, amount, unit, receipt }) => {
    const money = unit === null ? "" : ` ${formatAmount(amount, unit)}`;
    const ticket = receipt === null ? "" : `, receipt ${receipt}`;
    return `${date}  ${device}: ${what}${money}, ${outcome}${ticket}`;
  });
}
