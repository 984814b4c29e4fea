// SPDX-License-Identifier: Apache-2.0
// Economy files: what is wrong with one is told with its line, before anything is built.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EconomyFileError, parseEconomy, readEconomy } from "../../host/economy/economyFile.ts";
import { rateFraction } from "../../host/network/rates.ts";

const example = readFileSync("examples/economy.json", "utf8");

/** The message that a changed example is refused with; fails when it is taken. */
function refusal(from: string, to: string): string {
  expect(example).toContain(from);
  try {
    parseEconomy(example.replace(from, to), "town.json");
  } catch (error) {
    expect(error).toBeInstanceOf(EconomyFileError);
    return (error as Error).message;
  }
  throw new Error("the file was taken");
}

/** Line of the first place that holds a text. */
function lineOf(text: string): number {
  return example.slice(0, example.indexOf(text)).split("\n").length;
}

describe("economy files", () => {
  it("takes the example", () => {
    const economy = readEconomy("examples/economy.json");
    expect(economy.actions.length).toBeGreaterThan(3);
  });

  it("says that a file is missing", () => {
    expect(() => readEconomy("no/such.json")).toThrow("there is no such file");
  });

  it.each([
    ['"amount": 25000', '"amount": 0', "actions[0].amount must be >= 1"],
    ['"amount": 25000', '"amount": 2.5', "actions[0].amount must be integer"],
    ['"do": "pay"', '"do": "steal"', "actions[1].do must be equal to one of the allowed values"],
    ['"who": "Alice"', '"who": "Al"', '"Al" is not a person of this economy'],
    ['"merchant": "Night Kiosk"', '"merchant": "Kiosk"', '"Kiosk" is not a merchant'],
    ['"to": "Bruno"', '"to": "Alice"', "nobody pays themselves"],
    ['"rate": "1.0875"', '"rate": "0"', "rate is zero"],
    ['"bank": "First Harbour Bank"', '"bank": "Nowhere"', '"Nowhere" is not a bank here'],
    ['"blocked": true', '"bloked": true', "bloked is a key that an economy file does not have"],
    ['"4000009876543215"', '"4000001234567899"', "card 4000001234567899 is there twice"],
    ['"expires": "2028-12"', '"expires": "12/28"', "expires must match pattern"],
  ])("refuses %s as %s with its line", (from, to, problem) => {
    const message = refusal(from, to);
    expect(message).toContain(problem);
    expect(message).toContain(`town.json, line ${lineOf(from)}:`);
  });

  it("refuses what is not JSON with the line", () => {
    expect(refusal('"people":', '"people"')).toMatch(/line \d+: this is not JSON: colon expected/);
    expect(() => parseEconomy("", "town.json")).toThrow("this is not JSON");
  });

  it("refuses a unit that nobody issues, and one that is no currency", () => {
    expect(refusal('"issues": ["GBP"]', '"issues": []')).toContain("GBP is issued by none");
    expect(refusal('"units": ["USD"', '"units": ["XQX"')).toContain("XQX is not an ISO 4217 code");
  });
});

describe("rates", () => {
  it.each([
    ["1", "USD", "USD", 1, 1],
    ["1.25", "GBP", "USD", 5, 4],
    // One dollar (100 cents) costs 149 yen, which have no decimals.
    ["149", "USD", "JPY", 149, 100],
    // One yen costs 0.0067 dollars, which is 0.67 cents.
    ["0.0067", "JPY", "USD", 67, 100],
    ["0.3", "USD", "KWD", 3, 1],
  ])("%s from %s to %s", (rate, money, account, numerator, denominator) => {
    expect(rateFraction(rate, money, account)).toEqual({ numerator, denominator });
  });

  it("refuses zero, words and more digits than an offer holds", () => {
    for (const rate of ["0", "0.000", "one", "-1", "1e3", "999999999999"]) {
      expect(rateFraction(rate, "USD", "USD")).toBeUndefined();
    }
  });
});
