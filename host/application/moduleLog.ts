// SPDX-License-Identifier: Apache-2.0
// The Tran Log of a money module as its host reads it (Fig. 4; docs/protocol.cddl section 8, command
// 9): the newest payments that it decided, or is in doubt about. Ids are hexadecimal.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { TransactionDevice } from "../device/types.ts";
import { decodeCbor } from "../trust/cbor.ts";
import { ask } from "./commandRunner.ts";
import { FieldReader, HostMessage } from "./hostPort.ts";

export const LogRole = { PAYER: 1, PAYEE: 2 } as const;

/** What a module paid, or received, in one payment; where both pay there are two entries. */
export interface ModuleLogEntry {
  readonly payId: string;
  /** See LogRole. */
  readonly role: number;
  /** See PaymentState. */
  readonly state: number;
  /** Number of docs/protocol.cddl section 9. */
  readonly reason: number;
  readonly peer: string;
  readonly amountMinor: number;
  readonly unit: string;
  readonly atSeconds: number;
}

/**
 * Reads a module's log, oldest entry first. A doubt that was settled has a later entry too.
 * @throws {Error} when the module refuses or answers in another shape
 */
export async function readModuleLog(
  device: Pick<TransactionDevice, "command">,
): Promise<ModuleLogEntry[]> {
  const entries: ModuleLogEntry[] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const answer = await ask(device, "module", HostMessage.LOG, cursor);
    const reader: FieldReader = new FieldReader(answer, "a log entry");
    cursor = reader.uintOrNull();
    const item = reader.bytesOrNull();
    if (item !== null) entries.push(readEntry(item));
  }
  return entries;
}

/** The newest entry of each payment and role: what became of it, as far as the module knows. */
export function latestEntries(log: readonly ModuleLogEntry[]): ModuleLogEntry[] {
  const latest = new Map(log.map((entry) => [`${entry.payId}/${entry.role}`, entry]));
  return [...latest.values()];
}

function readEntry(bytes: Uint8Array): ModuleLogEntry {
  const fields = decodeCbor(bytes);
  const body = { number: HostMessage.LOG, fields: Array.isArray(fields) ? fields : [] };
  const reader = new FieldReader(body, "a log entry");
  return {
    payId: bytesToHex(reader.bytes(16)),
    role: reader.uint(),
    state: reader.uint(),
    reason: reader.uint(),
    peer: bytesToHex(reader.bytes(8)),
    amountMinor: reader.uint(),
    unit: reader.text(),
    atSeconds: reader.uint(),
  };
}
