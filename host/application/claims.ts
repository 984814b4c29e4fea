// SPDX-License-Identifier: Apache-2.0
// What the host of a device does about payments in doubt whose payer does not come back (par. 121,
// 122): has the module claim them, carries claim and drafts to the Certification Agency, and brings
// back its verdicts. It also shows the agency what proves that a decider was opened.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { TransactionDevice } from "../device/types.ts";
import type { ClaimRecord, Filing } from "../network/agency/claims.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { readClaimedNote } from "../trust/claims.ts";
import { ask } from "./commandRunner.ts";
import { ExportKind, HostMessage } from "./hostPort.ts";
import { exportItems } from "./wallet.ts";

type ModuleDevice = Pick<TransactionDevice, "command">;

/** The agency's desk as devices' hosts see it. */
export interface ClaimsLine {
  file(claim: Uint8Array, drafts: readonly Uint8Array[]): Promise<Filing>;
  showAborted(statement: Uint8Array): Promise<boolean>;
  all(): Promise<readonly ClaimRecord[]>;
}

/** What became of the attempt to claim one payment. */
export interface ClaimAttempt {
  /** In hexadecimal. */
  readonly payId: string;
  readonly unit: string;
  readonly amountMinor: number;
  /** One sentence where the module or the agency refuses; null where it is filed. */
  readonly reason: string | null;
}

/**
 * Claims every payment in doubt of a device.
 * @param accountFor "ACCOUNT@BANK" for money of a unit
 */
export async function claimDoubts(
  device: ModuleDevice,
  desk: ClaimsLine,
  accountFor: (unit: string) => string,
): Promise<ClaimAttempt[]> {
  const drafts = await exportItems(device, ExportKind.DOUBTFUL, "module");
  const attempts = new Map<string, Omit<ClaimAttempt, "reason">>();
  for (const { note, draft } of drafts.flatMap((bytes) => readClaimedNote(bytes) ?? [])) {
    const payId = bytesToHex(draft.payId);
    const amountMinor = (attempts.get(payId)?.amountMinor ?? 0) + draft.amountMinor;
    attempts.set(payId, { payId, unit: note.body.unit, amountMinor });
  }
  const results: ClaimAttempt[] = [];
  for (const attempt of attempts.values()) {
    const account = accountFor(attempt.unit);
    const reason = await claimOne(device, desk, attempt.payId, account, drafts);
    results.push({ ...attempt, reason });
  }
  return results;
}

/** Null where the claim is with the agency, else why not. */
async function claimOne(
  device: ModuleDevice,
  desk: ClaimsLine,
  payId: string,
  account: string,
  drafts: readonly Uint8Array[],
): Promise<string | null> {
  try {
    const answer = await ask(device, "module", HostMessage.CLAIM, hexToBytes(payId), account);
    const filing = await desk.file(encodeCbor(answer.fields[0]), drafts);
    return filing.type === "refused" ? filing.reason : null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Brings the agency's verdicts to the module that claimed, and to the agency what the module keeps
 * against deciders. Both may be repeated.
 * @param moduleId of the device, hexadecimal
 */
export async function exchangeWithAgency(
  device: ModuleDevice,
  moduleId: string,
  desk: ClaimsLine,
): Promise<void> {
  for (const statement of await exportItems(device, ExportKind.ABORTED, "module")) {
    await desk.showAborted(statement);
  }
  for (const { claimant, verdict } of await desk.all()) {
    if (claimant !== moduleId || verdict === null) continue;
    // A module that has heard it before says so.
    await ask(device, "module", HostMessage.VERDICT, decodeCbor(verdict)).catch(() => undefined);
  }
}
