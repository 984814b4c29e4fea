// SPDX-License-Identifier: Apache-2.0
// Keeps an agency's state, with its secret keys, in one file that only its owner may read (mode
// 0600): CBOR, replaced as a whole, so that a killed process leaves the old state or the new one.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { decodeCbor, encodeCbor } from "../../trust/cbor.ts";
import { parseCertificate } from "../../trust/certificates.ts";
import { isBytes, isId, isWhole } from "../../trust/shapes.ts";
import type { AgencyState } from "./agency.ts";

const FORMAT = 1;

/** Writes the state durably. */
export function saveAgency(path: string, state: AgencyState): void {
  const bytes = encodeCbor([
    FORMAT,
    state.kind,
    state.rootId,
    state.rootSeed,
    state.serverSeed,
    state.serverCertificate,
    state.issued,
    state.untrusted,
    state.listVersion,
    state.listIssued,
  ]);
  const temporary = `${path}.new`;
  // One left by a killed process could have another mode, which opening it would keep.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/**
 * Reads the state; undefined when there is no such file.
 * @throws {Error} when the file is readable by others, or is not an agency's state
 */
export function loadAgency(path: string): AgencyState | undefined {
  if (!existsSync(path)) return undefined;
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new Error(`${path} holds an agency's secret keys but others may read it; chmod it 600.`);
  }
  const state = parseState(decodeCbor(new Uint8Array(readFileSync(path))));
  if (state === undefined) {
    throw new Error(
      `${path} is not an agency's state of format ${FORMAT}; restore a backup of it.`,
    );
  }
  return state;
}

function parseState(item: unknown): AgencyState | undefined {
  if (!Array.isArray(item) || item.length !== 10) return undefined;
  const [format, kind, rootId, rootSeed, serverSeed, serverCertificate, issued, untrusted] = item;
  const [listVersion, listIssued] = item.slice(8) as unknown[];
  if (format !== FORMAT || (kind !== "agent" && kind !== "module")) return undefined;
  if (!isId(rootId) || !isBytes(rootSeed, 32) || !isBytes(serverSeed, 32)) return undefined;
  const certificates = [serverCertificate, ...(Array.isArray(issued) ? issued : [undefined])];
  const isCertificate = (bytes: unknown) =>
    bytes instanceof Uint8Array && parseCertificate(bytes) !== undefined;
  if (!certificates.every(isCertificate) || !Array.isArray(untrusted)) return undefined;
  if (!untrusted.every((id) => typeof id === "string" && /^[0-9a-f]{16}$/.test(id))) {
    return undefined;
  }
  if (!isWhole(listVersion) || !isWhole(listIssued)) return undefined;
  return {
    kind,
    rootId,
    rootSeed,
    serverSeed,
    serverCertificate,
    issued,
    untrusted,
    listVersion,
    listIssued,
  };
}
