// SPDX-License-Identifier: Apache-2.0
// florin device evidence: all that a device reads out, for a claim or for whoever has to look into
// it. An agent or module that does not open reads it out too, as far as its journal can be read.
import { bytesToHex } from "@noble/hashes/utils.js";
import { type Closure, closureOf, closureSentence } from "../application/closedModule.ts";
import { logItems } from "../application/deviceLogs.ts";
import { ExportKind } from "../application/hostPort.ts";
import { exportCertificates, exportItems } from "../application/wallet.ts";
import { openDevice } from "../device/device.ts";
import { targetOf } from "../device/messageManager.ts";
import type { Target, TransactionDevice } from "../device/types.ts";
import { systemClock } from "../link/clock.ts";
import { encodeCbor } from "../trust/cbor.ts";
import { writeWholeFile } from "../wholeFile.ts";
import { openPort, type PortOptions } from "./devicePort.ts";

/** What one half reads out; every item is a CBOR object in hexadecimal. */
interface HalfEvidence {
  half: Target;
  closure: Closure | null;
  certificates: string[];
  /** Tickets of an agent, notes of a money module. */
  items: string[];
  /** Of a money module: drafts of payments in doubt, and words that an exchange was aborted. */
  doubtful: string[];
  aborted: string[];
  log: string[];
}

/** Writes the evidence of the device at a port into a file; gives what to tell of it. */
export async function writeEvidence(options: PortOptions, path: string): Promise<string[]> {
  const port = await openPort(options);
  try {
    const device = await openDevice({ transport: port.transport, clock: systemClock });
    try {
      const halves: HalfEvidence[] = [];
      for (const { channel } of device.board.modules) {
        const half = targetOf(channel);
        if (half !== null) halves.push(await evidenceOf(device, half));
      }
      const report = { port: options.port, readAt: new Date().toISOString(), halves };
      writeWholeFile(path, `${JSON.stringify(report, null, 2)}\n`);
      return [...halves.flatMap(linesOf), `written to ${path}`];
    } finally {
      device.close();
    }
  } finally {
    await port.close();
  }
}

async function evidenceOf(device: TransactionDevice, half: Target): Promise<HalfEvidence> {
  const isAgent = half === "agent";
  const { TICKETS, NOTES, DOUBTFUL, ABORTED } = ExportKind;
  const hexOf = async (kind: number) => (await exportItems(device, kind, half)).map(bytesToHex);
  return {
    half,
    closure: await closureOf(device, half),
    certificates: (await exportCertificates(device, half)).map(bytesToHex),
    items: await hexOf(isAgent ? TICKETS : NOTES),
    doubtful: isAgent ? [] : await hexOf(DOUBTFUL),
    aborted: isAgent ? [] : await hexOf(ABORTED),
    log: (await logItems(device, half)).map((entry) => bytesToHex(encodeCbor(entry))),
  };
}

function linesOf({ half, closure, certificates, items, log }: HalfEvidence): string[] {
  const what = half === "agent" ? "tickets" : "notes";
  const counts = `${items.length} ${what}, ${log.length} log entries, ${certificates.length} certificates`;
  const told = closure === null ? [] : [closureSentence("this board", closure)];
  return [...told, `${half}: ${counts}`];
}
