// SPDX-License-Identifier: Apache-2.0
// What a bank's host in a world does with notes that came back to its generator, put together as
// network/bank/redemptionDesk.ts puts it together: fetch them, enter each in the issuer's index, let
// the module forget it (90). Killed between any two steps, it begins again.
import { hexToBytes } from "@noble/hashes/utils.js";
import {
  ExportKind,
  FieldReader,
  HostMessage,
  HostPortError,
  parseHostBody,
} from "../application/hostPort.ts";
import { certificatesIn } from "../application/wallet.ts";
import { applyToState, type LedgerState, relatedNotes } from "../network/bank/memoryLedger.ts";
import {
  decideNote,
  keysOf,
  type NoteDecision,
  redemptionPayId,
} from "../network/bank/reconciliation.ts";
import type { Root } from "../trust/certificates.ts";
import { parseNote, SignerBook } from "../trust/notes.ts";
import { latin1, remember } from "./remembered.ts";

/** A look at what lies in a generator that is under way; a value. */
export interface Desk {
  readonly stage: "notes" | "certificates" | "entering";
  readonly notes: readonly Uint8Array[];
  readonly certificates: readonly Uint8Array[];
  /** Looked at once more when this look is over. */
  readonly isWanted: boolean;
  /** Request whose answer is awaited, and until when (virtual time). */
  readonly request: number | null;
  readonly untilMs: number;
}

/** What the desk works with: the books, which it changes, and its way to the module. */
export interface DeskTools {
  readonly bank: string;
  /** Id of the generator's module, 16 hexadecimal digits. */
  readonly generator: string;
  readonly moduleRoot: Root;
  readonly ledger: LedgerState;
  readonly nowSeconds: number;
  /** Until when an answer is waited for. */
  readonly untilMs: number;
  ask(number: number, ...fields: unknown[]): void;
  alarm(text: string): void;
}

const NO_DESK: Desk = {
  stage: "notes",
  notes: [],
  certificates: [],
  isWanted: false,
  request: null,
  untilMs: 0,
};

const decisions = new Map<string, NoteDecision>();

/** One event of the desk; each gives what is under way behind it, null for nothing. */
export class RedemptionWork {
  private readonly tools: DeskTools;

  constructor(tools: DeskTools) {
    this.tools = tools;
  }

  request(desk: Desk | null): Desk | null {
    if (desk !== null) return { ...desk, isWanted: true };
    return this.ask(NO_DESK, HostMessage.EXPORT, ExportKind.NOTES, 0);
  }

  /** The module's answer to what was asked; nothing goes on where it is not one. */
  answered(desk: Desk, bytes: Uint8Array): Desk | null {
    const body = parseHostBody(bytes);
    if (desk.stage === "entering") {
      return body?.number === HostMessage.RECONCILED ? this.enter(desk) : this.over(desk);
    }
    if (body?.number !== HostMessage.EXPORT) return this.over(desk);
    try {
      const reader = new FieldReader(body, "an exported item");
      reader.uint();
      const cursor = reader.uintOrNull();
      return this.collected(desk, cursor, reader.bytesOrNull());
    } catch (error) {
      if (error instanceof HostPortError) return this.over(desk);
      throw error;
    }
  }

  /** The look has ended, however it did. */
  over({ isWanted }: Desk): Desk | null {
    return isWanted ? this.request(null) : null;
  }

  private collected(desk: Desk, cursor: number | null, item: Uint8Array | null): Desk | null {
    const isOfNotes = desk.stage === "notes";
    const notes = item !== null && isOfNotes ? [...desk.notes, item] : desk.notes;
    const more = item !== null && !isOfNotes ? certificatesIn(item) : [];
    const now: Desk = { ...desk, notes, certificates: [...desk.certificates, ...more] };
    const kind = isOfNotes ? ExportKind.NOTES : ExportKind.CERTIFICATES;
    if (cursor !== null) return this.ask(now, HostMessage.EXPORT, kind, cursor);
    if (!isOfNotes) return this.enter({ ...now, stage: "entering" });
    if (notes.length === 0) return this.over(now);
    const next: Desk = { ...now, stage: "certificates" };
    return this.ask(next, HostMessage.EXPORT, ExportKind.CERTIFICATES, 0);
  }

  /** Enters notes until the module is to forget one, which it is asked to. */
  private enter(desk: Desk): Desk | null {
    const { bank, generator, moduleRoot, ledger, nowSeconds } = this.tools;
    const books = ledger[bank]!;
    let left = desk.notes;
    for (const bytes of desk.notes) {
      left = left.slice(1);
      const note = parseNote(bytes);
      if (note === undefined) {
        this.tools.alarm("a generator holds a note that is malformed");
        continue;
      }
      const keys = keysOf(note);
      const payments = {
        issue: books.payments[`${keys.generator}/${keys.issuePayId}`],
        redemption: books.payments[`${generator}/${redemptionPayId(note)}`],
      };
      const related = relatedNotes(books, keys);
      const decide = () => {
        const signers = new SignerBook(desk.certificates, moduleRoot);
        return decideNote(bank, generator, note, signers, payments, related, nowSeconds);
      };
      // To verify a history takes longer than all else at a point, and most points have the same.
      const certificates = desk.certificates.map(latin1).join();
      const facts = [latin1(bytes), certificates, payments, related, nowSeconds];
      const decision = remember(decisions, JSON.stringify(facts), decide);
      if (decision.type === "alarm") this.tools.alarm(decision.text);
      if (decision.type !== "enter") continue;
      const { status } = applyToState(ledger, decision.batch);
      if (status === "applied") for (const text of decision.alarms) this.tools.alarm(text);
      const leaf = hexToBytes(decision.batch.redeemed.leaf.leaf);
      return this.ask({ ...desk, notes: left }, HostMessage.RECONCILED, leaf);
    }
    return this.over({ ...desk, notes: [] });
  }

  private ask(desk: Desk, number: number, ...fields: unknown[]): Desk {
    this.tools.ask(number, ...fields);
    return { ...desk, request: null, untilMs: this.tools.untilMs };
  }
}
