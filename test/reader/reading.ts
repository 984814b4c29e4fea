// SPDX-License-Identifier: Apache-2.0
// Runs the reader over one kind of item, for its tests, and tells why it stopped.
import { expect } from "vitest";
import * as make from "./objects.ts";
import { type Report, verifyExports } from "./reader.ts";

const { NOW } = make;

/** The reason why the last item was refused, or null where all were verified. */
export function reasonOf(report: Report): string | null {
  expect(report.verified).toBe(report.items.every((item) => item.reason === null));
  return report.items.at(-1)?.reason ?? null;
}

export function readNotes(items: Uint8Array[], extra: make.Cose[] = [], at = NOW): Report {
  const notes = make.exportOf("notes", items, make.customer, make.purse);
  // The notes come first: the reader has to look for certificates in all exports.
  return verifyExports([notes, make.certificatesExport(extra)], at);
}

export function readTickets(items: unknown[], holder = make.customer, at = NOW): Report {
  const encoded = items.map(make.cbor);
  return verifyExports([make.exportOf("tickets", encoded, holder, null)], at);
}

export function readCertificates(certificates: make.Cose[]): Report {
  const encoded = certificates.map(make.cbor);
  return verifyExports([make.exportOf("certificates", encoded, null, null)], NOW);
}
