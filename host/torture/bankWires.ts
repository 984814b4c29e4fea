// SPDX-License-Identifier: Apache-2.0
// Wires with a bank behind its teller's device (docs/protocol.md section 6, Ledger): what it says to
// its module and hears of it are letters as all others are, and its host may die between what it
// stores and what it sends. It keeps the merchant's account, too, into which card postings go.
import { cardPostingBatch } from "../network/bank/chart.ts";
import type { LedgerBatch } from "../network/bank/ledger.ts";
import { applyToState } from "../network/bank/memoryLedger.ts";
import type { Device } from "./agentWorld.ts";
import { type BankConfig, type BankHost, BankWork, copyLedger, newBankHost } from "./bankHost.ts";
import { NetworkWires } from "./networkWires.ts";
import { MERCHANT_ACCOUNT, moduleIdOf } from "./bankParties.ts";
import type { Letter } from "./wires.ts";

/** Commands that a bank waits for (docs/protocol.cddl section 8): hold-wanted and settle. */
const FOR_BANK: readonly unknown[] = [82, 84];

/** The bank's host dies at a message: before its store has written, or before it sends anything. */
export interface BankDeath {
  moment: "unwritten" | "written";
  backMs: number;
}

export abstract class BankWires extends NetworkWires {
  /** Null before the bank is there. */
  bank: BankHost | null = null;
  bankDeath: BankDeath | null = null;
  /** What all modules hold that are not in this world, by unit in minor units. */
  elsewhereMinor: Readonly<Record<string, number>> = {};
  /** The bank's own modules, where they are among this world's devices. */
  teller: Device | null = null;
  generator: Device | null = null;
  private bankConfig: BankConfig | null = null;

  /** Puts a bank into the world, behind those of its devices that are in it. */
  startBank(config: BankConfig, bank: BankHost): void {
    this.bankConfig = config;
    this.bank = bank;
    const deviceOf = (module: string) =>
      this.devices.find((device) => moduleIdOf(device) === module) ?? null;
    this.teller = deviceOf(config.teller);
    this.generator = deviceOf(config.generator);
    for (const device of this.devices.filter((one) => this.isBanks(one))) {
      const module = moduleIdOf(device);
      device.host = (message, _half, request) => {
        this.bankHears(module, message, request ?? 0);
        return [];
      };
      this.stepBank((work) => work.attached(module));
    }
  }

  /** Name of the bank in its books. */
  get bankName(): string {
    return this.bankConfig!.settings.bank;
  }

  /** Whether a letter is a message on which the bank's books depend. */
  isForBank({ wire, to, body }: Letter): boolean {
    // An array whose first element is a number above 23 in one byte.
    return wire === "told" && this.isBanks(to) && FOR_BANK.includes(body[2]);
  }

  /** Devices whose host is the same: a bank's own have one, all others each its own. */
  protected sameHost(device: Device): readonly Device[] {
    return this.isBanks(device) ? this.devices.filter((one) => this.isBanks(one)) : [device];
  }

  protected deviceLost(device: Device): void {
    if (this.isBanks(device)) this.stepBank((work) => work.linkDown(moduleIdOf(device)));
  }

  /** The device is there again; `isHostNew`: its host has just begun. */
  protected deviceFound(device: Device, isHostNew: boolean): void {
    if (!this.isBanks(device)) return;
    const module = moduleIdOf(device);
    this.stepBank((work) => (isHostNew ? work.attached(module) : work.linkUp(module)));
  }

  protected override hostLost(device: Device): void {
    super.hostLost(device);
    if (!this.isBanks(device)) return;
    const { ledger, alarms } = this.bank!;
    this.bank = { ...newBankHost(ledger), alarms };
  }

  protected override bookPosting(mandateHash: string): boolean {
    const posted = this.cards?.issuer.books.transactions[mandateHash];
    if (this.bank === null || posted?.state !== "posted") return false;
    const posting = {
      mandateHash,
      cardIssuer: this.bankName,
      merchantAccount: MERCHANT_ACCOUNT,
      direction: posted.direction,
      amountMinor: posted.amountMinor,
      unit: posted.unit,
    };
    const now = Math.floor(this.clock.epochMs() / 1000);
    return this.book(cardPostingBatch(this.bankName, posting, now));
  }

  protected override nextDueMs(): number {
    return Math.min(super.nextDueMs(), this.bankDueMs);
  }

  protected override timePassed(): void {
    super.timePassed();
    if (this.bankDueMs <= this.clock.nowMs()) this.stepBank((work) => work.tick());
  }

  /** When the bank's host wants to be woken; Infinity for never. */
  private get bankDueMs(): number {
    const device = this.teller ?? this.generator;
    if (device === null || this.isHostDown(device)) return Infinity;
    const { look, desk, round } = this.bank!;
    const dues = [look?.untilMs, desk?.untilMs, round?.atMs];
    return Math.min(...dues.map((dueMs) => dueMs ?? Infinity));
  }

  private isBanks(device: Device): boolean {
    return device === this.teller || device === this.generator;
  }

  private bankHears(module: string, message: unknown[], request: number): void {
    const death = FOR_BANK.includes(message[0]) ? this.bankDeath : null;
    if (death === null) {
      this.stepBank((work) => work.told(module, message, request));
      return;
    }
    this.bankDeath = null;
    if (death.moment === "written") {
      const work = this.workOfBank();
      work.told(module, message, request);
      this.bank = work.host;
    }
    this.loseHost(this.deviceOfModule(module), death.backMs);
  }

  private deviceOfModule(module: string): Device {
    return this.devices.find((device) => moduleIdOf(device) === module)!;
  }

  private book(batch: LedgerBatch): boolean {
    const ledger = copyLedger(this.bank!.ledger);
    if (applyToState(ledger, batch).status === "refused") return false;
    this.bank = { ...this.bank!, ledger };
    return true;
  }

  private workOfBank(): BankWork {
    return new BankWork(this.bankConfig!, this.bank!, this.clock.nowMs(), this.clock.epochMs());
  }

  private stepBank(step: (work: BankWork) => void): void {
    const work = this.workOfBank();
    step(work);
    for (const { module, body, isAsked } of work.sent) {
      const request = this.send(this.deviceOfModule(module), "module", body, null, isAsked);
      if (isAsked) work.asked(module, request);
    }
    this.bank = work.host;
  }
}
