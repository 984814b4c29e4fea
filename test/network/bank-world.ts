// SPDX-License-Identifier: Apache-2.0
// A bank over books in memory, for tests of its decisions: messages in, messages out.
import { bytesToHex } from "@noble/hashes/utils.js";
import { expect } from "vitest";
import { parseHostBody } from "../../host/application/hostPort.ts";
import {
  type BankEffect,
  type BankSettings,
  decideMessage,
  holdAnswer,
} from "../../host/network/bank/bank.ts";
import {
  correspondentBatches,
  openBankBatch,
  openDepositBatch,
} from "../../host/network/bank/chart.ts";
import type { LedgerBatch } from "../../host/network/bank/ledger.ts";
import {
  applyToState,
  type LedgerState,
  memoryLedgerStore,
} from "../../host/network/bank/memoryLedger.ts";
import { parseModuleMessage } from "../../host/network/bank/moduleMessages.ts";

export const NOW = 1_800_000_000;
const id = (value: number) => value.toString(16).padStart(16, "0");
export const pay = (value: number) => value.toString(16).padStart(32, "0");
export const [TELLER, GENERATOR, CUSTOMER, STRANGER] = [id(1), id(2), id(3), id(4)];
export const [FOREIGN_TELLER, FOREIGN_GENERATOR] = [id(5), id(6)];
export const SETTINGS: BankSettings = {
  bank: "First Bank",
  tellers: [TELLER],
  generators: [GENERATOR],
  correspondentTellers: { [FOREIGN_TELLER]: "Second Bank" },
  correspondentGenerators: { [FOREIGN_GENERATOR]: "Third Bank" },
  issuers: { EUR: ["First Bank", "Third Bank"], USD: ["Third Bank"] },
};

/** The bank over books in memory; messages in, messages out, as the shell does it. */
export class World {
  state: LedgerState = {};
  alarms: string[] = [];

  constructor() {
    const deposit = (account: string, openingMinor: number) =>
      this.apply(
        openDepositBatch(
          SETTINGS.bank,
          { account, owner: account, unit: "EUR", drawers: [CUSTOMER], openingMinor },
          NOW,
        ),
      );
    this.apply(openBankBatch(SETTINGS.bank, ["EUR", "USD"], SETTINGS.issuers));
    deposit("alice", 1000);
    deposit("bob", 500);
    const paid = { bank: "Second Bank", issuer: SETTINGS.bank, unit: "EUR" };
    this.apply(correspondentBatches("second", paid, 500, NOW)[1]);
    const own = { bank: SETTINGS.bank, issuer: "Third Bank", unit: "EUR" };
    this.apply(correspondentBatches("third", own, 700, NOW)[0]);
  }

  apply(batch: LedgerBatch): void {
    const result = applyToState(this.state, batch);
    expect(["applied", "repeated"]).toContain(result.status);
  }

  /** Durable work of one message; the effects are what a crash can still lose. */
  async decide(module: string, body: Uint8Array): Promise<readonly BankEffect[]> {
    const message = parseModuleMessage(body)!;
    const store = memoryLedgerStore(this.state);
    const payment = await store.payment(SETTINGS.bank, module, message.payId);
    const decision = decideMessage(SETTINGS, module, message, payment, NOW);
    const { batch, whenApplied, whenRefused } = decision;
    const result = batch ? applyToState(this.state, batch) : { status: "applied" };
    const effects = result.status === "refused" ? whenRefused : whenApplied;
    for (const effect of effects) if (effect.type === "alarm") this.alarms.push(effect.text);
    // The stock covers everything here; stock.ts has tests of its own.
    return effects.map((effect) =>
      effect.type === "notes wanted" ? holdAnswer(module, effect.request.payId, true) : effect,
    );
  }

  /** What the bank answers, in short. */
  async answer(module: string, body: Uint8Array): Promise<string> {
    const effects = await this.decide(module, body);
    if (effects.some(({ type }) => type === "alarm")) return "alarm";
    const effect = effects.find(({ type }) => type === "send");
    if (effect?.type !== "send") return "nothing";
    expect(effect.module).toBe(module);
    const { number, fields } = parseHostBody(effect.body)!;
    expect(bytesToHex(fields[0] as Uint8Array)).toHaveLength(32);
    return { 83: fields[1] ? "granted" : "refused", 85: "noted" }[number] ?? "unknown";
  }

  balance(account: string): number {
    return this.state[SETTINGS.bank]!.accounts[account]!.balanceMinor;
  }

  open(): number {
    const payments = Object.values(this.state[SETTINGS.bank]!.payments);
    return payments.filter(({ state }) => state === "held").length;
  }
}
