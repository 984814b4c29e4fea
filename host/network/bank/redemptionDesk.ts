// SPDX-License-Identifier: Apache-2.0
// The shell around reconciliation.ts: it fetches what came back to a generator, enters each note in
// the issuer's index, reports whom it convicts, and lets the module forget the note (command 90).
// Each step may be repeated, so that a crash between any two of them loses nothing.
import { hexToBytes } from "@noble/hashes/utils.js";
import { ask } from "../../application/commandRunner.ts";
import { ExportKind, HostMessage } from "../../application/hostPort.ts";
import { exportCertificates, exportItems } from "../../application/wallet.ts";
import type { TransactionDevice } from "../../device/types.ts";
import type { Root } from "../../trust/certificates.ts";
import { type Note, parseNote, SignerBook } from "../../trust/notes.ts";
import type { LedgerStore } from "./ledger.ts";
import { decideNote, keysOf, redemptionPayId } from "./reconciliation.ts";
import type { AbortedStatement, Conviction } from "./redeemedNotes.ts";

export interface RedemptionDeskOptions {
  readonly bank: string;
  /** Id of the generator's module, hexadecimal. */
  readonly generator: string;
  readonly device: Pick<TransactionDevice, "command">;
  readonly store: LedgerStore;
  readonly moduleRoot: Root;
  readonly nowSeconds: () => number;
  readonly onAlarm: (text: string) => void;
  /** A module is to be put on the Certification Agency's list. */
  readonly onConviction: (conviction: Conviction) => Promise<void>;
  /** A payment's transfer came back, and who received it had said that it was aborted. */
  readonly reviewAborted: (statement: AbortedStatement) => Promise<void>;
}

export class RedemptionDesk {
  private readonly options: RedemptionDeskOptions;
  private queue: Promise<void> = Promise.resolve();
  private isWanted = false;
  /** Notes about which people were told: they stay where they are. */
  private readonly refused = new Set<string>();

  constructor(options: RedemptionDeskOptions) {
    this.options = options;
  }

  /** Looks at what lies in the generator, once the look that is under way is over. */
  request(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    this.queue = this.queue.then(async () => {
      this.isWanted = false;
      await this.reconcile();
    });
  }

  /** Resolves when what was requested is done. */
  settled(): Promise<void> {
    return this.queue;
  }

  private async reconcile(): Promise<void> {
    const { device, moduleRoot, generator, onAlarm } = this.options;
    try {
      const items = await exportItems(device, ExportKind.NOTES, "module");
      if (items.length === 0) return;
      const book = new SignerBook(await exportCertificates(device, "module"), moduleRoot);
      for (const bytes of items) {
        const note = parseNote(bytes);
        if (note !== undefined) await this.enter(note, book);
        else onAlarm(`Generator ${generator} holds a note that is malformed.`);
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      onAlarm(`Notes in generator ${generator} could not be reconciled: ${text}.`);
    }
  }

  private async enter(note: Note, book: SignerBook): Promise<void> {
    const { bank, generator, device, store, nowSeconds, onAlarm } = this.options;
    const keys = keysOf(note);
    const payments = {
      issue: await store.payment(bank, keys.generator, keys.issuePayId),
      redemption: await store.payment(bank, generator, redemptionPayId(note)),
    };
    const related = await store.relatedTo(bank, keys);
    const decision = decideNote(bank, generator, note, book, payments, related, nowSeconds());
    if (decision.type === "wait") return;
    if (decision.type === "alarm") {
      if (!this.refused.has(decision.text)) onAlarm(decision.text);
      this.refused.add(decision.text);
      return;
    }
    const { leaf, convictions } = decision.batch.redeemed;
    const result = await store.apply(decision.batch);
    if (result.status === "refused" || result.status === "conflict") {
      throw new Error(`the books of ${bank} refuse leaf ${leaf.leaf}`);
    }
    // A repeated leaf was told about when it was entered, or is when the bank starts again.
    if (result.status === "applied") {
      for (const text of decision.alarms) onAlarm(text);
      for (const conviction of convictions) await this.options.onConviction(conviction);
    }
    const payIds = decision.batch.redeemed.transfers.map(({ payId }) => payId);
    for (const statement of related.aborted) {
      if (payIds.includes(statement.payId)) await this.options.reviewAborted(statement);
    }
    await ask(device, "module", HostMessage.RECONCILED, hexToBytes(leaf.leaf));
  }
}
