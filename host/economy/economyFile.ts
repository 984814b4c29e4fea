// SPDX-License-Identifier: Apache-2.0
// The economy file (examples/economy.schema.json): who takes part, with what money and cards, and
// what they do. Everything wrong with a file is found here, before anything is built, and told in
// one sentence with the line it stands on.
import { readFileSync } from "node:fs";
import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import { findNodeAtLocation, type JSONPath, type Node } from "jsonc-parser";
import { projectFile } from "../projectFile.ts";
import type { EconomyAction } from "./economyActions.ts";
import { checkEconomy } from "./economyCheck.ts";
import { readTree, shown } from "./economyText.ts";

export interface EconomyAccount {
  owner: string;
  unit: string;
  balance: number;
  /** Nothing can be drawn from it or paid into it. */
  closed?: boolean;
}

export interface EconomyBank {
  name: string;
  issues?: string[];
  accounts?: EconomyAccount[];
}

export interface EconomyCard {
  number: string;
  holder: string;
  kind: "credit" | "debit";
  unit: string;
  /** Debit: what is in the account. Credit: what is owed already. Minor units; 0 if absent. */
  balance?: number;
  /** Credit: the most that may be owed. Debit: the most of one authorization, 0 for none. */
  limit?: number;
  /** "YYYY-MM"; good to the end of that month, UTC. */
  expires: string;
  blocked?: boolean;
}

export interface EconomyOffer {
  direction: "buy" | "sell";
  unit: string;
  accountUnit: string;
  feeMinor?: number;
  feeBasisPoints?: number;
  /**
   * Units of account money for one unit of electronic money, "1" if absent; or "network" for what
   * the authorization network publishes when the offer is signed.
   */
  rate?: string;
}

export interface EconomyMerchant {
  name: string;
  bank: string;
  /** One transaction device each: the money it holds at the start, minor units by unit. */
  devices: Record<string, number>[];
  offers: EconomyOffer[];
}

export interface Economy {
  units: string[];
  /** What the authorization network publishes, by pair: "GBP/USD": "1.25". */
  networkRates?: Record<string, string>;
  /** How modules reach banks' modules; by a network server if absent. */
  network?: "server" | "none";
  banks: EconomyBank[];
  cardIssuers: { name: string; cards: EconomyCard[] }[];
  merchants: EconomyMerchant[];
  people: { name: string; bank?: string }[];
  actions: EconomyAction[];
}

/** A file that cannot be used; the message names file, line and what is wrong. */
export class EconomyFileError extends Error {
  override readonly name = "EconomyFileError";
}

const schemaFile = projectFile("examples/economy.schema.json");

/**
 * Reads and checks an economy file.
 * @throws {EconomyFileError} when it cannot be read or is not a sound economy
 */
export function readEconomy(file: string): Economy {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    throw new EconomyFileError(`economy file ${file}: ${why}`);
  }
  return parseEconomy(text, file);
}

/**
 * Checks the text of an economy file.
 * @param file name for messages
 * @throws {EconomyFileError} for the first thing that is wrong, with its line
 */
export function parseEconomy(text: string, file: string): Economy {
  const read = readTree(text);
  if (read.tree === undefined) throw failure(text, file, read.offset, read.problem);
  const { tree, value } = read;
  const validate = schemaValidator();
  if (!validate(value)) {
    const { path, problem } = firstProblem(validate.errors ?? []);
    throw failure(text, file, offsetOf(tree, path), `${place(path)}${problem}`);
  }
  const economy = value as Economy;
  const unsound = checkEconomy(economy);
  if (unsound !== undefined) {
    const offset = offsetOf(tree, unsound.path);
    throw failure(text, file, offset, `${place(unsound.path)}${unsound.problem}`);
  }
  return economy;
}

let cachedValidator: ReturnType<Ajv2020["compile"]> | undefined;

function schemaValidator(): ReturnType<Ajv2020["compile"]> {
  if (cachedValidator === undefined) {
    const schema: unknown = JSON.parse(readFileSync(schemaFile, "utf8"));
    const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false });
    cachedValidator = ajv.compile(schema as object);
  }
  return cachedValidator;
}

/** The most telling of the schema's complaints: the deepest, and not the one about a condition. */
function firstProblem(errors: readonly ErrorObject[]): { path: JSONPath; problem: string } {
  const telling = errors.filter((error) => error.keyword !== "if");
  const candidates = telling.length > 0 ? telling : [...errors];
  const depth = (error: ErrorObject) => error.instancePath.split("/").length;
  const [error] = candidates.sort((a, b) => depth(b) - depth(a));
  if (error === undefined) return { path: [], problem: "the file is not an economy" };
  const path: JSONPath = error.instancePath
    .split("/")
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const params = error.params as { additionalProperty?: string; unevaluatedProperty?: string };
  const extra = params.additionalProperty ?? params.unevaluatedProperty;
  if (extra !== undefined) {
    return { path: [...path, extra], problem: "is a key that an economy file does not have here" };
  }
  const values = (error.params as { allowedValues?: unknown[] }).allowedValues;
  const tail = values === undefined ? "" : `: ${values.join(", ")}`;
  return { path, problem: `${error.message ?? "is wrong"}${tail}` };
}

function offsetOf(tree: Node, path: JSONPath): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node !== undefined) return node.offset;
  }
  return tree.offset;
}

function failure(text: string, file: string, offset: number, problem: string): EconomyFileError {
  const line = text.slice(0, offset).split("\n").length;
  return new EconomyFileError(`economy file ${file}, line ${line}: ${shown(problem)}`);
}

/** "actions[2].amount " for a path; empty for the whole file. */
function place(path: JSONPath): string {
  const text = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
  return text === "" ? "" : `${text} `;
}
