// SPDX-License-Identifier: Apache-2.0
// An agency (patent Fig. 5): the Trusted Agency certifies agents, the Certification Agency money
// modules. Each has its own root and server keys; this is its plain state and its decisions.
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type ServerKey, signList, signTime } from "../../trust/agencyStatements.ts";
import { decodeCbor, equalBytes } from "../../trust/cbor.ts";
import {
  type Certificate,
  type Claims,
  encodeChain,
  isAgentRole,
  isServerRole,
  parseCertificate,
  Role,
  type Root,
  signCertificate,
} from "../../trust/certificates.ts";
import { parseSigned, verifySigned } from "../../trust/cose.ts";
import { sealToKey } from "../../trust/hpke.ts";
import type { RandomSource } from "../../trust/random.ts";

export const POSSESSION_PURPOSE = "florin/possession";
const YEAR_SECONDS = 365 * 24 * 3600;
const SERVER_VALID_SECONDS = 10 * YEAR_SECONDS;
/** Longer than any note that the device can hold: 90 days and 30 of grace. */
const DEVICE_VALID_SECONDS = 3 * YEAR_SECONDS;

export type AgencyKind = "agent" | "module";

/** All that an agency knows, secrets included. Plain data; `agencyFile.ts` keeps it. */
export interface AgencyState {
  readonly kind: AgencyKind;
  readonly rootId: Uint8Array;
  readonly rootSeed: Uint8Array;
  readonly serverSeed: Uint8Array;
  readonly serverCertificate: Uint8Array;
  /** Every certificate issued, in order; the last one of a subject counts. */
  readonly issued: Uint8Array[];
  /** Ids on the list of untrusted agents or modules, as hexadecimal digits. */
  readonly untrusted: string[];
  listVersion: number;
  /** When the list was last changed, in seconds. */
  listIssued: number;
}

/** What a device asks to be certified as. */
export interface CertificationRequest {
  readonly role: Role;
  readonly device: Uint8Array;
  readonly signingKey: Uint8Array;
  readonly sealingKey: Uint8Array;
  readonly hasCounter: boolean;
  readonly organisation?: string;
  readonly rights?: number;
}

/** Founds an agency: draws its keys and ids and certifies its server by its root. */
export function foundAgency(
  kind: AgencyKind,
  nowSeconds: number,
  random: RandomSource,
): AgencyState {
  const [rootId, rootSeed, serverId, serverSeed] = [random(8), random(32), random(8), random(32)];
  const serverCertificate = signCertificate(
    {
      issuer: rootId,
      subject: serverId,
      issued: wholeHour(nowSeconds),
      expires: nowSeconds + SERVER_VALID_SECONDS,
      role: kind === "agent" ? Role.AGENT_SERVER : Role.MODULE_SERVER,
      signingKey: ed25519.getPublicKey(serverSeed),
    },
    rootSeed,
  );
  return {
    kind,
    rootId,
    rootSeed,
    serverSeed,
    serverCertificate,
    issued: [],
    untrusted: [],
    listVersion: 1,
    listIssued: nowSeconds,
  };
}

/** What every device must know of this agency beforehand. */
export function agencyRoot(state: AgencyState): Root {
  return { id: state.rootId, key: ed25519.getPublicKey(state.rootSeed) };
}

/**
 * The hour that a time is in. Dates in notes are rounded down to the hour (protocol section 3); a
 * certificate that began later in that hour would not cover what its holder signs at once.
 */
function wholeHour(seconds: number): number {
  return seconds - (seconds % 3600);
}

/** The key with which this agency signs certificates, lists, time and access to networks. */
export function serverKey(state: AgencyState): ServerKey {
  const certificate = parseCertificate(state.serverCertificate);
  if (certificate === undefined) throw new Error("The agency's own server certificate is damaged.");
  return { certificate, seed: state.serverSeed };
}

/** A nonce and the box in which it goes to the device that claims to hold the sealing key. */
export function challenge(
  sealingKey: Uint8Array,
  random: RandomSource,
): { nonce: Uint8Array; box: Uint8Array } {
  const nonce = random(32);
  const box = sealToKey(sealingKey, POSSESSION_PURPOSE, new Uint8Array(), nonce, random(32));
  return { nonce, box };
}

/**
 * Checks the proof that the device holds both keys: it opened the box with one and signed what was
 * inside with the other.
 */
export function isPossessionProven(
  possession: Uint8Array,
  nonce: Uint8Array,
  request: CertificationRequest,
): boolean {
  const object = parseSigned(possession);
  if (object === undefined) return false;
  if (!verifySigned(object, POSSESSION_PURPOSE, request.signingKey)) return false;
  const payload = decodeCbor(object.payload);
  if (!Array.isArray(payload) || payload.length !== 3) return false;
  const expected = [nonce, request.signingKey, request.sealingKey];
  return expected.every((bytes, index) => {
    const item: unknown = payload[index];
    return item instanceof Uint8Array && equalBytes(item, bytes);
  });
}

/**
 * Certifies a device whose possession of its keys was proven, and enters it in the directory.
 * A device that comes again with the same signing key keeps its id, and with it its money.
 * @returns the chain to install
 * @throws {Error} when this agency does not certify that role or the claims do not fit it
 */
export function certify(
  state: AgencyState,
  request: CertificationRequest,
  nowSeconds: number,
  random: RandomSource,
): Uint8Array {
  const isAgent = isAgentRole(request.role);
  if (isServerRole(request.role) || isAgent !== (state.kind === "agent")) {
    throw new Error(
      `Role ${request.role} is not certified by the agency for ${state.kind}s; ask the other one.`,
    );
  }
  const server = serverKey(state);
  const known = state.issued
    .map(readIssued)
    .find(({ signingKey }) => equalBytes(signingKey, request.signingKey));
  const claims: Claims = {
    ...request,
    issuer: server.certificate.subject,
    subject: known?.subject ?? unusedId(state, random),
    issued: wholeHour(nowSeconds),
    expires: Math.min(nowSeconds + DEVICE_VALID_SECONDS, server.certificate.expires),
  };
  const bytes = signCertificate(claims, server.seed, server.certificate.reference);
  state.issued.push(bytes);
  return encodeChain(bytes, state.serverCertificate);
}

function unusedId(state: AgencyState, random: RandomSource): Uint8Array {
  for (;;) {
    const id = random(8);
    if (certificateById(state, id) === undefined) return id;
  }
}

/** Own certificates as they were read once: an agency with many devices looks often. */
const readBefore = new WeakMap<Uint8Array, Certificate>();

function readIssued(bytes: Uint8Array): Certificate {
  const certificate = readBefore.get(bytes) ?? parseCertificate(bytes);
  if (certificate === undefined) throw new Error("A certificate in the directory is damaged.");
  readBefore.set(bytes, certificate);
  return certificate;
}

/** The certificates that count, one for each agent or module. */
export function directory(state: AgencyState): Certificate[] {
  const bySubject = new Map<string, Certificate>();
  for (const certificate of state.issued.map(readIssued)) {
    bySubject.set(bytesToHex(certificate.subject), certificate);
  }
  return [...bySubject.values()];
}

export function certificateById(state: AgencyState, id: Uint8Array): Certificate | undefined {
  const found = state.issued.findLast((bytes) => equalBytes(readIssued(bytes).subject, id));
  return found && readIssued(found);
}

/** The Ed25519 key of a certified agent or module, for those who verify what it signed. */
export function signingKeyById(state: AgencyState, id: Uint8Array): Uint8Array | undefined {
  return certificateById(state, id)?.signingKey;
}

/** The chain to install again in a device that this agency certified. */
export function chainById(state: AgencyState, id: Uint8Array): Uint8Array | undefined {
  const holder = certificateById(state, id);
  return holder && encodeChain(holder.bytes, state.serverCertificate);
}

/** Puts an id on the list of untrusted ones; an id that is there already changes nothing. */
export function distrust(state: AgencyState, id: Uint8Array, nowSeconds: number): void {
  const digits = bytesToHex(id);
  if (state.untrusted.includes(digits)) return;
  state.untrusted.push(digits);
  state.listVersion += 1;
  state.listIssued = nowSeconds;
}

/** Takes an id off the list again; one that is not there changes nothing. */
export function trustAgain(state: AgencyState, id: Uint8Array, nowSeconds: number): void {
  const place = state.untrusted.indexOf(bytesToHex(id));
  if (place < 0) return;
  state.untrusted.splice(place, 1);
  state.listVersion += 1;
  state.listIssued = nowSeconds;
}

/** The signed list of untrusted ids, in parts, each for one `list` command. */
export function signedListParts(state: AgencyState): Uint8Array[] {
  const ids = state.untrusted.map((digits) => hexToBytes(digits));
  return signList(serverKey(state), state.listVersion, state.listIssued, ids);
}

/** The time, signed, for one `time` command. */
export function signedTimeAt(state: AgencyState, nowSeconds: number): Uint8Array {
  return signTime(serverKey(state), nowSeconds);
}
