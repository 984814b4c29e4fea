// SPDX-License-Identifier: Apache-2.0
// florin wallet: what it takes, with examples.
import type { Command } from "commander";
import { directoryOption } from "./directoryOption.ts";
import { addStatements } from "./statementsCommand.ts";
import { wallet, type WalletCommand, type WalletOptions } from "./wallet.ts";

const EXAMPLES = `
Amounts are minor units. Examples:
  florin wallet balance --as Alice
  florin wallet offers --as Alice --unit USD --amount 5000
  florin wallet buy --as Alice --amount 5000 --unit USD
  florin wallet sell --as Alice --amount 1000 --unit USD --at-least 950
  florin wallet pay --as Alice --to Bruno --amount 1250 --unit USD
  florin wallet pay --as Alice --to Bruno --amount 1250 --unit USD --request
  florin wallet withdraw --as Alice --amount 2000 --unit USD
  florin wallet deposit --as Alice --amount 500 --unit USD
  florin wallet refresh --as Alice
  florin wallet accept --as Bruno --from Alice --amount 920 --unit EUR \\
                       --counter-amount 1000 --counter-unit USD
  florin wallet exchange --as Alice --with Bruno --amount 1000 --unit USD \\
                         --counter-unit EUR --rate 0.92
  florin wallet receipts --as Alice --json
  florin wallet export --as Alice --kind notes --json

A request or an exchange needs the word of the other owner: given before by accept, or told with
--agreed. The counter amount of an exchange is amount times rate, rounded down to the minor unit.
`;

/** Adds the group of commands. */
export function addWallet(florin: Command): void {
  const group = florin
    .command("wallet")
    .description("act as a person in an economy that runs")
    .addHelpText("after", EXAMPLES);
  const add = (name: WalletCommand, description: string): Command =>
    group
      .command(name)
      .description(description)
      .requiredOption("--as <name>", "whose wallet")
      .addOption(directoryOption())
      .option("--json", "print JSON")
      .action(async (options: WalletOptions) => wallet(name, options))
      .addHelpText("after", exampleOf(name));
  /** The same, with the money that it is about. */
  const addMoney = (name: WalletCommand, description: string, what: string): Command =>
    add(name, description)
      .requiredOption("--amount <minor>", what)
      .requiredOption("--unit <code>", "unit of money");
  add("balance", "money and cards in the wallet");
  add("offers", "who sells or buys a unit, the best first")
    .requiredOption("--unit <code>", "unit of money")
    .option("--sell", "who buys it, instead of who sells it")
    .option("--amount <minor>", "amount in minor units, to compare total costs");
  addMoney("buy", "buy electronic money with a card", "electronic money to receive")
    .option("--card <number>", "card to pay with; needed if there are several")
    .option("--merchant <name>", "merchant to buy from; the cheapest if absent")
    .option("--at-most <minor>", "most that the card may be charged")
    .option("--yes", "do not ask for confirmation on a terminal");
  addMoney("sell", "sell electronic money and have a card credited", "electronic money to give")
    .option("--card <number>", "card to be credited; needed if there are several")
    .option("--merchant <name>", "merchant to sell to; the one that gives the most if absent")
    .option("--at-least <minor>", "least that the card must be credited")
    .option("--yes", "do not ask for confirmation on a terminal");
  addMoney("pay", "pay another person", "amount to pay")
    .requiredOption("--to <name>", "who is paid")
    .option("--request", "the payee's device asks for it; this order is the payer's word");
  addMoney("request", "ask another person to pay", "amount to receive")
    .requiredOption("--from <name>", "who is to pay")
    .option("--agreed", "the payer has agreed");
  addMoney("accept", "agree once to pay what a person will ask for", "amount to pay")
    .requiredOption("--from <name>", "who will ask")
    .option("--counter-amount <minor>", "in an exchange: what is received for it")
    .option("--counter-unit <code>", "in an exchange: the unit of that");
  addMoney("exchange", "exchange two units with another person", "amount to give")
    .requiredOption("--with <name>", "the other person")
    .requiredOption("--counter-unit <code>", "unit to receive")
    .option("--counter-amount <minor>", "amount to receive")
    .option("--rate <decimal>", "or: counter units for one unit; rounded down")
    .option("--agreed", "the other person has agreed");
  for (const [name, description, what] of ACCOUNT_COMMANDS) {
    addMoney(name, description, what)
      .option("--bank <name>", "the bank; where there is an account if absent")
      .option("--account <name>", "the account, OWNER:UNIT; the own one if absent");
  }
  add("refresh", "have old notes made fresh at a bank; people and merchants")
    .option("--unit <code>", "only this unit")
    .option("--amount <minor>", "the most of it; all if absent")
    .option("--bank <name>", "the bank; the own one if absent");
  add("receipts", "receipts of purchases and sales");
  add("export", "notes, tickets or certificates, as signed objects in hexadecimal").requiredOption(
    "--kind <kind>",
    "notes, tickets or certificates",
  );
  addStatements(group);
}

const ACCOUNT_COMMANDS = [
  ["withdraw", "draw electronic money from a bank account; people and merchants", "amount to draw"],
  ["deposit", "pay electronic money into a bank account; people and merchants", "amount to pay in"],
] as const;

/** The lines of the group's examples that show one command. */
function exampleOf(name: WalletCommand): string {
  const examples = EXAMPLES.replaceAll("\\\n", "").split("\n");
  const own = examples.filter((line) => line.trim().startsWith(`florin wallet ${name} `));
  return `\nExamples:\n${own.map((line) => line.replace(/ {2,}--/g, " --")).join("\n")}\n`;
}
