// SPDX-License-Identifier: Apache-2.0
// The shell around claims.ts: the Certification Agency's desk for claims and for signed `aborted`.
// It asks the issuers' books, has them pay, and signs verdicts. Each step may be repeated, so that
// a crash between any two of them pays nothing twice.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { agencyRoot, type AgencyState, certificateById, serverKey } from "./agency.ts";
import { readClaim, Refusal, signVerdict } from "../../trust/claims.ts";
import { SignerBook } from "../../trust/notes.ts";
import { Answer, isStatementOf, parseStatement } from "../../trust/statements.ts";
import {
  claimBatches,
  claimKeys,
  examineClaimed,
  type ClaimFinding,
} from "../bank/claimedNotes.ts";
import type { LedgerStore } from "../bank/ledger.ts";
import type { AbortedStatement, Conviction } from "../bank/redeemedNotes.ts";
import {
  type ClaimRecord,
  claimedNotes,
  type ClaimStore,
  fileClaim,
  type Filing,
  isDefeatedBy,
  judgeClaim,
  passedOnBy,
} from "./claims.ts";

export interface ClaimsDeskOptions {
  /** The Certification Agency. */
  readonly agency: AgencyState;
  readonly claims: ClaimStore;
  /** The books of the banks. */
  readonly ledger: LedgerStore;
  readonly nowSeconds: () => number;
  /** Banks that hear of a signed `aborted`. */
  readonly onAborted: (statement: AbortedStatement) => Promise<void>;
  /** A claimant that had passed the money on. */
  readonly onConviction: (conviction: Conviction) => Promise<void>;
}

export class ClaimsDesk {
  private readonly options: ClaimsDeskOptions;

  constructor(options: ClaimsDeskOptions) {
    this.options = options;
  }

  /** Takes a claim (91) with its drafts (export 4), in any order and among others. */
  async file(claim: Uint8Array, drafts: readonly Uint8Array[]): Promise<Filing> {
    const { claims, nowSeconds } = this.options;
    const filing = fileClaim(await claims.all(), claim, drafts, this.book(), nowSeconds());
    if (filing.type !== "filed") return filing;
    await claims.put(filing.record);
    // The payer may have spoken before anybody asked.
    const record = await this.refuseAborted(filing.record);
    return { type: "filed", record };
  }

  /**
   * Takes a module's signed word that a payment was aborted: it defeats a claim, and the issuers
   * index it. False where it is not that, or not signed by who it says.
   */
  async showAborted(bytes: Uint8Array): Promise<boolean> {
    const { agency, claims, onAborted } = this.options;
    const answer = parseStatement(bytes);
    if (answer?.kind !== "answer" || answer.state !== Answer.ABORTED) return false;
    const signer = certificateById(agency, hexToBytes(answer.answerer));
    if (signer === undefined || !isStatementOf(signer, answer)) return false;
    const { payId, answerer, atSeconds, signed } = answer;
    const hash = bytesToHex(sha256(signed.payload));
    await onAborted({ payId, answerer, atSeconds, hash, signed: bytesToHex(bytes) });
    for (const record of await claims.all()) {
      if (record.state === "open") await this.refuseAborted(record);
    }
    return true;
  }

  /** Decides what is due. @returns the claims that were decided now */
  async decideDue(): Promise<readonly ClaimRecord[]> {
    const decided: ClaimRecord[] = [];
    for (const record of await this.options.claims.all()) {
      if (record.state !== "open" || record.dueAt > this.options.nowSeconds()) continue;
      const defeated = await this.refuseAborted(record);
      decided.push(defeated.state === "open" ? await this.decide(record) : defeated);
    }
    return decided;
  }

  /** The claims of all modules, oldest first. */
  all(): Promise<readonly ClaimRecord[]> {
    return this.options.claims.all();
  }

  private book(): SignerBook {
    const { agency } = this.options;
    // Older certificates, too: a module may have been certified anew since it signed.
    return new SignerBook([...agency.issued, agency.serverCertificate], agencyRoot(agency));
  }

  private async refuseAborted(record: ClaimRecord): Promise<ClaimRecord> {
    const { claim, notes } = claimedNotes(record);
    for (const issuer of new Set(notes.map(({ note }) => note.body.issuer))) {
      const statements = await this.options.ledger.aborted(issuer);
      if (statements.some((statement) => isDefeatedBy(claim, statement))) {
        return this.end(record, Refusal.PAYER_ABORTED);
      }
    }
    return record;
  }

  private async decide(record: ClaimRecord): Promise<ClaimRecord> {
    const { claims, ledger, nowSeconds, onConviction } = this.options;
    const { claim, notes } = claimedNotes(record);
    const now = nowSeconds();
    const batches = notes.flatMap((note) => claimBatches(note, claim, now));
    // Paid, and the process ended before that was written: the same batches are repetitions.
    const findings: ClaimFinding[] = [];
    const filed = await claims.all();
    for (const claimed of notes) {
      const { issuer } = claimed.note.body;
      const keys = claimKeys(claimed);
      const issue = await ledger.payment(issuer, keys.generator, keys.issuePayId);
      const leaf = bytesToHex(claimed.draft.hash);
      const hash = passedOnBy(leaf, filed);
      if (hash !== undefined) findings.push({ type: "received", by: { parent: leaf, hash } });
      findings.push(examineClaimed(claimed, issue, await ledger.relatedTo(issuer, keys)));
    }
    const isPaidBefore = await this.isPaid(record);
    const refusal = isPaidBefore ? Refusal.NONE : judgeClaim(findings);
    for (const finding of findings) {
      if (finding.type !== "received") continue;
      const { parent, hash } = finding.by;
      const first = bytesToHex(claim.hash);
      const evidence = { parent, first, second: hash, unit: claim.offer.unit, atSeconds: now };
      await onConviction({ module: record.claimant, ...evidence });
    }
    if (refusal !== Refusal.NONE || isPaidBefore) return this.end(record, refusal);
    const result = await ledger.applyTogether(batches);
    return this.end(record, result.status === "applied" ? Refusal.NONE : Refusal.ACCOUNT);
  }

  /** Whether the books show that exactly this payment's drafts were paid to its claimant. */
  private async isPaid(record: ClaimRecord): Promise<boolean> {
    const { claim, notes } = claimedNotes(record);
    for (const { note, draft } of notes) {
      const entries = await this.options.ledger.entries(claim.bank, bytesToHex(draft.hash));
      const isCredited = entries.some(({ lines }) =>
        lines.some(({ account }) => account === claim.account),
      );
      if (!isCredited || note.body.unit !== claim.offer.unit) return false;
    }
    return notes.length > 0;
  }

  private async end(record: ClaimRecord, refusal: number): Promise<ClaimRecord> {
    const { agency, claims, nowSeconds } = this.options;
    const claim = readClaim(record.claim)!;
    const verdict = signVerdict(claim, refusal, serverKey(agency), nowSeconds());
    const state = refusal === Refusal.NONE ? "paid" : "refused";
    const ended: ClaimRecord = { ...record, state, refusal, verdict };
    await claims.put(ended);
    return ended;
  }
}

/** Claims in memory, for simulated worlds. */
export function memoryClaimStore(records: ClaimRecord[] = []): ClaimStore {
  return {
    all: async () => [...records],
    put: async (record) => {
      const isSame = (one: ClaimRecord) =>
        one.payId === record.payId && one.claimant === record.claimant;
      const place = records.findIndex(isSame);
      if (place < 0) records.push(record);
      else records[place] = record;
    },
  };
}
