// SPDX-License-Identifier: Apache-2.0
// The logs of a device as its owner's host reads them (command 9): the money module's payments and
// the trusted agent's transactions (docs/protocol.cddl section 8).
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Target, TransactionDevice } from "../device/types.ts";
import { decodeCbor } from "../trust/cbor.ts";
import { ask } from "./commandRunner.ts";
import { FieldReader, HostMessage } from "./hostPort.ts";

/**
 * What a module paid, or received, in one payment; where both sides pay there are two entries. Ids
 * in hexadecimal, times in seconds since 1970.
 */
export interface ModuleLogEntry {
  payId: string;
  isPayer: boolean;
  state: number;
  reason: number;
  peer: string;
  amountMinor: number;
  unit: string;
  atSeconds: number;
}

/** One entry of a trusted agent's log; `kind` as in docs/protocol.cddl section 8. */
export interface AgentLogEntry {
  atMs: number;
  kind: number;
  state: number;
  reason: number;
  transactionId: string | null;
  payId: string | null;
  peer: string;
  amountMinor: number;
  unit: string | null;
  ticketId: string | null;
}

const PAYER = 1;

/** The payments of a device's money module, oldest first. */
export async function moduleLog(
  device: Pick<TransactionDevice, "command">,
): Promise<ModuleLogEntry[]> {
  return (await logItems(device, "module")).map(readPayment);
}

/** Reads one entry of a money module's log. @throws {HostPortError} where it is malformed */
export function readPayment(fields: readonly unknown[]): ModuleLogEntry {
  const reader = new FieldReader({ number: HostMessage.LOG, fields }, "a payment in the log");
  return {
    payId: bytesToHex(reader.bytes()),
    isPayer: reader.uint() === PAYER,
    state: reader.uint(),
    reason: reader.uint(),
    peer: bytesToHex(reader.bytes()),
    amountMinor: reader.uint(),
    unit: reader.text(),
    atSeconds: reader.uint(),
  };
}

/** The newest entry of each payment and side: what became of it, as far as the module knows. */
export function latestEntries(log: readonly ModuleLogEntry[]): ModuleLogEntry[] {
  const latest = new Map(log.map((entry) => [`${entry.payId}/${entry.isPayer}`, entry]));
  return [...latest.values()];
}

/** The transactions of a device's agent, oldest first. */
export async function agentLog(
  device: Pick<TransactionDevice, "command">,
): Promise<AgentLogEntry[]> {
  const hex = (bytes: Uint8Array | null) => bytes && bytesToHex(bytes);
  const entries = await logItems(device, "agent");
  return entries.map((fields) => {
    const reader = new FieldReader({ number: HostMessage.LOG, fields }, "an entry of the log");
    const atMs = reader.uint();
    // The peer's time of the same moment.
    reader.uint();
    return {
      atMs,
      kind: reader.uint(),
      state: reader.uint(),
      reason: reader.uint(),
      transactionId: hex(reader.bytesOrNull()),
      payId: hex(reader.bytesOrNull()),
      peer: bytesToHex(reader.bytes()),
      amountMinor: reader.uint(),
      unit: reader.textOrNull(),
      ticketId: hex(reader.bytesOrNull()),
    };
  });
}

/** Every entry of a log, as the array that it is. */
export async function logItems(
  device: Pick<TransactionDevice, "command">,
  target: Target,
): Promise<unknown[][]> {
  const items: unknown[][] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const answer = await ask(device, target, HostMessage.LOG, cursor);
    const reader: FieldReader = new FieldReader(answer, "a log entry");
    cursor = reader.uintOrNull();
    const item = reader.bytesOrNull();
    const fields = item === null ? null : decodeCbor(item);
    if (Array.isArray(fields)) items.push(fields);
  }
  return items;
}
