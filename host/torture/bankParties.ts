// SPDX-License-Identifier: Apache-2.0
// The bank of a world (Fig. 5: 200-206): which modules are its own, whose accounts it keeps, and
// what its books say of all money that was issued while the world was made.
import { bytesToHex } from "@noble/hashes/utils.js";
import { parseModuleMessage } from "../network/bank/moduleMessages.ts";
import { decideMessage, holdAnswer } from "../network/bank/bank.ts";
import { type DepositOpening, openBankBatch, openDepositBatch } from "../network/bank/chart.ts";
import type { LedgerBatch } from "../network/bank/ledger.ts";
import { applyToState, type LedgerState } from "../network/bank/memoryLedger.ts";
import type { Device, Host } from "./agentWorld.ts";
import type { BankConfig } from "./bankHost.ts";
import { BANK, type Funder } from "./purchaseWorld.ts";
import { decoded, encodedOnce } from "./remembered.ts";
import { id, START_SECONDS, type TestAgency } from "./testAgency.ts";

const UNITS = ["EUR", "USD"];
const OPENING_MINOR = 10_000_000;
/** The merchant's account, into which card postings are booked (EUR). */
export const MERCHANT_ACCOUNT = "87654321";

/** Account of the customer and of all others who draw money, by unit. */
export const customerAccount = (unit: string) => (unit === "USD" ? "12345678" : `12345678-${unit}`);

/** Id of a device's money module as books write it. */
export const moduleIdOf = ({ name }: Device) => bytesToHex(id(`modul-${name}`));

/** A bank while the world is made: it decides as ever, and its stock always suffices. */
export class EarlyBank implements Funder {
  readonly ledger: LedgerState = {};
  private readonly tellers: string[] = [];
  private readonly generators: string[] = [];

  constructor() {
    const issuers = Object.fromEntries(UNITS.map((unit) => [unit, [BANK]]));
    this.book(openBankBatch(BANK, UNITS, issuers));
    for (const unit of UNITS) this.deposit(customerAccount(unit), "Carla Customer", unit, true);
    this.deposit(MERCHANT_ACCOUNT, "Florist", "EUR", false);
  }

  /** The bank as it is from now on, with these devices as its own. */
  configOf(teller: Device, generator: Device, { moduleRoot }: TestAgency): BankConfig {
    const [tellerId, generatorId] = [moduleIdOf(teller), moduleIdOf(generator)];
    return { settings: this.settings(), teller: tellerId, generator: generatorId, moduleRoot };
  }

  account(unit: string): string {
    return customerAccount(unit);
  }

  hostOf(device: Device, kind: "teller" | "generator"): Host {
    const module = moduleIdOf(device);
    (kind === "teller" ? this.tellers : this.generators).push(module);
    return (message) => this.answer(module, encodedOnce(message));
  }

  private answer(module: string, body: Uint8Array): unknown[][] {
    const message = parseModuleMessage(body);
    if (message === undefined) return [];
    const payment = this.ledger[BANK]!.payments[`${module}/${message.payId}`];
    const decision = decideMessage(this.settings(), module, message, payment, START_SECONDS);
    if (decision.batch !== undefined) this.book(decision.batch);
    return decision.whenApplied.flatMap((effect) => {
      if (effect.type === "alarm") throw new Error(effect.text);
      if (effect.type === "notes wanted") {
        const granted = holdAnswer(module, effect.request.payId, true);
        return granted.type === "send" ? [decoded(granted.body) as unknown[]] : [];
      }
      return effect.type === "send" ? [decoded(effect.body) as unknown[]] : [];
    });
  }

  private settings() {
    const issuers = Object.fromEntries(UNITS.map((unit) => [unit, [BANK]]));
    return {
      bank: BANK,
      tellers: [...this.tellers],
      generators: [...this.generators],
      correspondentTellers: {},
      correspondentGenerators: {},
      issuers,
    };
  }

  private deposit(account: string, owner: string, unit: string, isFull: boolean): void {
    const drawers = ["C", "D", "M"].map((name) => bytesToHex(id(`modul-${name}`)));
    const openingMinor = isFull ? OPENING_MINOR : 0;
    const opening: DepositOpening = { account, owner, unit, drawers, openingMinor };
    this.book(openDepositBatch(BANK, opening, START_SECONDS));
  }

  private book(batch: LedgerBatch): void {
    const result = applyToState(this.ledger, batch);
    if (result.status !== "applied") {
      throw new Error(`The books of the world's bank do not take a batch: ${result.status}.`);
    }
  }
}
