// SPDX-License-Identifier: Apache-2.0
// Certificates, notes and tickets made from docs/protocol.cddl for the reader's tests. Everything
// is made afresh from a few keys, so that a test can bend one field and sign the rest rightly.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { cdeEncodeOptions, encode } from "cbor2";

export const NOW = 1_900_000_800; // 2030-03-17 18:00:00 UTC, on the hour
export const DAY = 86_400;
export const BANK = "First Bank";
export const REGISTRY = "Chamber of Commerce";

/** The deterministic encoding of a value. */
export function cbor(value: unknown): Uint8Array {
  return encode(value, cdeEncodeOptions);
}

/** `length` bytes that start with `seed`, for ids and keys that are told apart at a glance. */
export function fill(seed: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(seed);
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A key pair with the id that its certificate carries. */
export interface Party {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
}

export function party(seed: number): Party {
  const secret = fill(seed, 32);
  return { id: fill(seed, 8), secret, key: ed25519.getPublicKey(secret) };
}

/** Signs a payload under a purpose: RFC 9052 Sig_structure, Ed25519. */
export function signBytes(purpose: string, payload: Uint8Array, signer: Party): Uint8Array {
  const aad = new TextEncoder().encode(purpose);
  const covered = cbor(["Signature1", Uint8Array.of(0xa1, 0x01, 0x27), aad, payload]);
  return ed25519.sign(covered, signer.secret);
}

/** A decoded COSE_Sign1. */
export type Cose = [Uint8Array, Map<number, Uint8Array>, Uint8Array, Uint8Array];

/** `COSE<payload>`; with `certificate`, its reference is the kid. */
export function sign(purpose: string, value: unknown, signer: Party, certificate?: Cose): Cose {
  const payload = cbor(value);
  const header = new Map<number, Uint8Array>();
  if (certificate !== undefined) header.set(4, sha256(cbor(certificate)).subarray(0, 8));
  return [Uint8Array.of(0xa1, 0x01, 0x27), header, payload, signBytes(purpose, payload, signer)];
}

export type Claims = Map<number, unknown>;

/** The claims of a server's certificate, or with `holder` those that every holder has. */
export function claims(issuer: Party, subject: Party, role: number, holder: boolean): Claims {
  const made: Claims = new Map<number, unknown>([
    [1, issuer.id],
    [2, subject.id],
    [4, NOW + 365 * DAY],
    [6, NOW - 30 * DAY],
    [-1, role],
    [-3, subject.key],
  ]);
  if (holder) made.set(-2, fill(0xdd, 8)).set(-4, fill(0x5e, 32)).set(-6, true);
  return made;
}

export const agentRoot = party(1);
export const moduleRoot = party(2);
export const agentServer = party(3);
export const moduleServer = party(4);
export const customer = party(10);
export const merchant = party(11);
export const authority = party(12);
export const registry = party(13);
export const purse = party(20); // the customer's money module
export const till = party(21); // the merchant's money module
export const generator = party(22);

export function certify(issuer: Party, made: Claims, certificate?: Cose): Cose {
  return sign("florin/certificate", made, issuer, certificate);
}

export const agentServerCertificate = certify(agentRoot, claims(agentRoot, agentServer, 4, false));
export const moduleServerCertificate = certify(
  moduleRoot,
  claims(moduleRoot, moduleServer, 19, false),
);

/** The claims of an agent's certificate, for a test to bend. */
export function agentClaims(subject: Party, role: number, more: [number, unknown][] = []): Claims {
  return new Map([...claims(agentServer, subject, role, true), ...more]);
}

export function moduleClaims(subject: Party, role: number, more: [number, unknown][] = []): Claims {
  return new Map([...claims(moduleServer, subject, role, true), ...more]);
}

export function agentCertificate(made: Claims): Cose {
  return certify(agentServer, made, agentServerCertificate);
}

export function moduleCertificate(made: Claims): Cose {
  return certify(moduleServer, made, moduleServerCertificate);
}

export const customerCertificate = agentCertificate(agentClaims(customer, 1));
export const merchantCertificate = agentCertificate(agentClaims(merchant, 2));
export const authorityClaims = agentClaims(authority, 3, [
  [-5, BANK],
  [-7, 1],
]);
export const authorityCertificate = agentCertificate(authorityClaims);
export const registryCertificate = agentCertificate(
  agentClaims(registry, 3, [
    [-5, REGISTRY],
    [-7, 2],
  ]),
);
export const purseCertificate = moduleCertificate(moduleClaims(purse, 16));
export const tillCertificate = moduleCertificate(moduleClaims(till, 16));
export const generatorCertificate = moduleCertificate(moduleClaims(generator, 18, [[-5, BANK]]));

export function chainOf(certificate: Cose): [Cose, Cose] {
  return [certificate, agentServerCertificate];
}

/** The fields of a note-body, in the CDDL's order. */
export function noteBody(): unknown[] {
  return [1, BANK, "EUR", fill(0x70, 16), 10_000, NOW - 100, NOW + 90 * DAY, generator.id, null];
}

/** The fields of a transfer on a parent that is already signed. */
export function transfer(parent: Cose, sequence: number, amountMinor: number, to: Party) {
  const date = NOW - 3600;
  const fields: unknown[] = [sha256(parent[2]), sequence, 0, amountMinor, to.id, date];
  return [...fields, fill(0x9a, 16)];
}

/** Bends one field of a list of fields. */
export function bend(fields: unknown[], index: number, value: unknown): unknown[] {
  return fields.with(index, value);
}

/** A note that the generator issued to the till, of which the till paid 2500 to the purse. */
export function goodNote(): [Cose, Cose[]] {
  const body = sign("florin/note-body", noteBody(), generator, generatorCertificate);
  const first = sign(
    "florin/transfer",
    transfer(body, 1, 8000, till),
    generator,
    generatorCertificate,
  );
  const second = sign("florin/transfer", transfer(first, 1, 2500, purse), till, tillCertificate);
  return [body, [first, second]];
}

export function identifier(issuer: string, receiver: Party, type: number): unknown[] {
  return [issuer, NOW + 365 * DAY, receiver.id, NOW + 365 * DAY, type, fill(0x71, 16)];
}

export function cardComponents(): unknown[] {
  const account = "4000001234567899";
  return [BANK, account, NOW - DAY, NOW + 365 * DAY, "Ada", 1, "EUR", fill(0x0a, 32)];
}

export function merchantComponents(): unknown[] {
  return ["Corner Shop", merchant.id, NOW - DAY, NOW + 365 * DAY];
}

/** 10000 minor units of USD bought at 10/11 for ceil(9090.9...) + 25 = 9116 minor units of EUR. */
export function receiptComponents(): unknown[] {
  const terms = [BANK, "************7899", 1, "EUR", 9116, "USD", 10_000, 25, NOW - 60];
  const parties = [fill(0x77, 16), customer.id, merchant.id];
  return [...terms, ...parties, fill(0x0f, 32), 10, 11, fill(0x71, 16)];
}

/** A ticket without history. */
export function ticket(
  head: unknown[],
  components: unknown[],
  issuer: Party,
  certificate: Cose,
): unknown[] {
  const signed = sign("florin/ticket", [head, components], issuer, certificate);
  return [signed, chainOf(certificate), [], []];
}

export function goodCard(): unknown[] {
  return ticket(identifier(BANK, customer, 1), cardComponents(), authority, authorityCertificate);
}

export function goodReceipt(): unknown[] {
  const head = identifier("Corner Shop", customer, 3);
  return ticket(head, receiptComponents(), merchant, merchantCertificate);
}

/** Adds a transfer to a ticket, signed by `sender`. */
export function transferTicket(
  from: unknown[],
  sender: Party,
  certificate: Cose,
  receiver: Party,
  seconds: number,
): unknown[] {
  const [signed, chain, before, signatures] = from as [Cose, Cose[], unknown[], Uint8Array[]];
  const history = [...before, [receiver.id, sender.id, chainOf(certificate), seconds]];
  const covered = sha256(cbor([signed, chain, history]));
  const signature = signBytes("florin/ticket-transfer", covered, sender);
  return [signed, chain, history, [...signatures, signature]];
}

/** The JSON of an export of these encoded items, held by this agent and module. */
export function exportOf(
  kind: string,
  items: Uint8Array[],
  agent: Party | null,
  module: Party | null,
) {
  return {
    kind,
    holder: {
      agent: agent === null ? null : hexOf(agent.id),
      module: module === null ? null : hexOf(module.id),
    },
    roots: {
      agent: { id: hexOf(agentRoot.id), key: hexOf(agentRoot.key) },
      module: { id: hexOf(moduleRoot.id), key: hexOf(moduleRoot.key) },
    },
    items: items.map(hexOf),
  };
}

/** The certificates that the good notes need, holder's before server's as an export has them. */
export function certificatesExport(extra: Cose[] = []) {
  const own = [purseCertificate, moduleServerCertificate, tillCertificate, generatorCertificate];
  return exportOf("certificates", [...own, ...extra].map(cbor), customer, purse);
}
