// SPDX-License-Identifier: Apache-2.0
// Certificates of agents, modules and their servers (docs/protocol.cddl section 2), with claims in
// the style of RFC 8392. A chain is always three deep: root, server, holder (patent Fig. 5 text).
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
import { parseSigned, type SignedObject, signObject, verifySigned } from "./cose.ts";
import { isBytes, isId, isName, isWhole } from "./shapes.ts";

export const Role = {
  CUSTOMER: 1,
  MERCHANT: 2,
  AUTHORITY: 3,
  AGENT_SERVER: 4,
  TRANSACTION: 16,
  TELLER: 17,
  GENERATOR: 18,
  MODULE_SERVER: 19,
} as const;
export type Role = (typeof Role)[keyof typeof Role];

/** What an authority may issue for its organisation; the numbers add up. */
export const Rights = { CARDS: 1, MERCHANT_CREDENTIALS: 2 } as const;

export const CERTIFICATE_PURPOSE = "florin/certificate";
/** Clocks of two parties may differ by this much (docs/protocol.md, "Sessions"). */
export const CLOCK_WINDOW_SECONDS = 600;

/** The trusted start of a chain, known beforehand: id (8 bytes) and Ed25519 key of an agency. */
export interface Root {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** What a certificate says. Ids are 8 bytes, keys 32, times seconds since 1970. */
export interface Claims {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly expires: number;
  readonly issued: number;
  readonly role: Role;
  /** The transaction device; agents and modules. */
  readonly device?: Uint8Array;
  readonly signingKey: Uint8Array;
  /** X25519; agents and modules. */
  readonly sealingKey?: Uint8Array;
  /** Bank of a teller, generator or authority; registry of an authority. */
  readonly organisation?: string;
  /** The board has a monotonic counter; agents and modules. */
  readonly hasCounter?: boolean;
  /** Sum of `Rights`; authorities. */
  readonly rights?: number;
}

export interface Certificate extends Claims {
  /** The encoded certificate. */
  readonly bytes: Uint8Array;
  /** First 8 bytes of the SHA-256 of `bytes`; what a kid header names. */
  readonly reference: Uint8Array;
}

const Claim = {
  ISSUER: 1,
  SUBJECT: 2,
  EXPIRES: 4,
  ISSUED: 6,
  ROLE: -1,
  DEVICE: -2,
  SIGNING_KEY: -3,
  SEALING_KEY: -4,
  ORGANISATION: -5,
  HAS_COUNTER: -6,
  RIGHTS: -7,
} as const;
const KNOWN_CLAIMS = new Set<unknown>(Object.values(Claim));

/** First 8 bytes of the SHA-256 of an encoded certificate. */
export function certificateReference(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).slice(0, 8);
}

/** True for the roles that only an agency's server may have. */
export function isServerRole(role: Role): boolean {
  return role === Role.AGENT_SERVER || role === Role.MODULE_SERVER;
}

/** True for a trusted agent's role (the others are of money modules and servers). */
export function isAgentRole(role: Role): boolean {
  return role === Role.CUSTOMER || role === Role.MERCHANT || role === Role.AUTHORITY;
}

/**
 * Signs a certificate with the issuer's Ed25519 seed. `signerReference` names the server's
 * certificate; a root has none.
 * @throws {Error} when the claims do not fit the role
 */
export function signCertificate(
  claims: Claims,
  seed: Uint8Array,
  signerReference?: Uint8Array,
): Uint8Array {
  const complaint = claimsComplaint(claims);
  if (complaint !== undefined) throw new Error(`Certificate not signed: ${complaint}.`);
  const optional: [number, unknown][] = [
    [Claim.DEVICE, claims.device],
    [Claim.SEALING_KEY, claims.sealingKey],
    [Claim.ORGANISATION, claims.organisation],
    [Claim.HAS_COUNTER, claims.hasCounter],
    [Claim.RIGHTS, claims.rights],
  ];
  const map = new Map<number, unknown>([
    [Claim.ISSUER, claims.issuer],
    [Claim.SUBJECT, claims.subject],
    [Claim.EXPIRES, claims.expires],
    [Claim.ISSUED, claims.issued],
    [Claim.ROLE, claims.role],
    [Claim.SIGNING_KEY, claims.signingKey],
    ...optional.filter(([, value]) => value !== undefined),
  ]);
  return signObject(CERTIFICATE_PURPOSE, encodeCbor(map), seed, signerReference);
}

/** Reads a certificate's claims without checking its signature; undefined when malformed. */
export function parseCertificate(bytes: Uint8Array): Certificate | undefined {
  const object = parseSigned(bytes);
  return object === undefined ? undefined : readCertificate(object, bytes);
}

function readCertificate(object: SignedObject, bytes: Uint8Array): Certificate | undefined {
  const map = decodeCbor(object.payload);
  if (!(map instanceof Map) || ![...map.keys()].every((key) => KNOWN_CLAIMS.has(key))) {
    return undefined;
  }
  // Only claims that are present become properties: an absent one and an undefined one are equal.
  const claims = Object.fromEntries(
    Object.entries({
      issuer: map.get(Claim.ISSUER),
      subject: map.get(Claim.SUBJECT),
      expires: map.get(Claim.EXPIRES),
      issued: map.get(Claim.ISSUED),
      role: map.get(Claim.ROLE),
      device: map.get(Claim.DEVICE),
      signingKey: map.get(Claim.SIGNING_KEY),
      sealingKey: map.get(Claim.SEALING_KEY),
      organisation: map.get(Claim.ORGANISATION),
      hasCounter: map.get(Claim.HAS_COUNTER),
      rights: map.get(Claim.RIGHTS),
    }).filter(([, value]) => value !== undefined),
  ) as unknown as Claims;
  if (claimsComplaint(claims) !== undefined) return undefined;
  return { ...claims, bytes, reference: certificateReference(bytes) };
}

/** What is wrong with claims, whether they were read or are to be signed; undefined if nothing. */
function claimsComplaint(claims: Claims): string | undefined {
  const isServer = isServerRole(claims.role);
  if (!isId(claims.issuer) || !isId(claims.subject)) return "issuer and subject must be 8 bytes";
  if (!isWhole(claims.issued) || !isWhole(claims.expires)) return "times must be whole seconds";
  if (claims.expires <= claims.issued) return "it expires before it is issued";
  if (!(Object.values(Role) as unknown[]).includes(claims.role)) return "the role is unknown";
  if (!isBytes(claims.signingKey, 32)) return "the signing key must be 32 bytes";
  if (isServer !== (claims.device === undefined)) return "exactly agents and modules have a device";
  if (claims.device !== undefined && !isId(claims.device)) return "the device must be 8 bytes";
  if (isServer !== (claims.sealingKey === undefined)) {
    return "exactly agents and modules have a sealing key";
  }
  if (claims.sealingKey !== undefined && !isBytes(claims.sealingKey, 32)) {
    return "the sealing key must be 32 bytes";
  }
  if (isServer !== (claims.hasCounter === undefined)) {
    return "exactly agents and modules say whether they have a counter";
  }
  if (claims.hasCounter !== undefined && typeof claims.hasCounter !== "boolean") {
    return "the counter claim must be true or false";
  }
  return organisationComplaint(claims);
}

function organisationComplaint({ role, organisation, rights }: Claims): string | undefined {
  const isAuthority = role === Role.AUTHORITY;
  const acts = isAuthority || role === Role.TELLER || role === Role.GENERATOR;
  if (acts !== (organisation !== undefined)) {
    return "exactly tellers, generators and authorities have an organisation";
  }
  if (organisation !== undefined && !isName(organisation)) {
    return "the organisation must be a text of 1 to 48 bytes";
  }
  if (isAuthority !== (rights !== undefined)) return "exactly authorities have rights";
  if (rights !== undefined && (!isWhole(rights) || rights < 1 || rights > 3)) {
    return "the rights must be 1, 2 or 3";
  }
  return undefined;
}

/** Joins the holder's and the server's certificates to the chain that travels. */
export function encodeChain(holder: Uint8Array, server: Uint8Array): Uint8Array {
  return encodeCbor([decodeCbor(holder), decodeCbor(server)]);
}

export type ChainResult =
  | { readonly ok: true; readonly holder: Certificate; readonly server: Certificate }
  | { readonly ok: false; readonly reason: "invalid" | "expired" };

/** A certificate is valid from its issue, less the clock window, until it expires. */
export function isValidAt(certificate: Claims, atSeconds: number): boolean {
  return certificate.issued <= atSeconds + CLOCK_WINDOW_SECONDS && atSeconds < certificate.expires;
}

/**
 * Verifies a chain (its bytes, or the array they decode to) up to `root` at a time in seconds.
 * Whether the holder is on a list and has the role that is wanted is the caller's question.
 */
export function verifyChain(chain: unknown, root: Root, atSeconds: number): ChainResult {
  const items = chain instanceof Uint8Array ? decodeCbor(chain) : chain;
  if (!Array.isArray(items) || items.length !== 2) return { ok: false, reason: "invalid" };
  const [holderBytes, serverBytes] = items.map((item) => encodeCbor(item));
  const server = verifyServer(serverBytes!, root);
  const holder = server && verifyIssued(holderBytes!, server.subject, server.signingKey);
  if (server === undefined || holder === undefined || isServerRole(holder.role)) {
    return { ok: false, reason: "invalid" };
  }
  const serverRole = isAgentRole(holder.role) ? Role.AGENT_SERVER : Role.MODULE_SERVER;
  if (server.role !== serverRole || !namesSigner(parseSigned(holderBytes!)!, server)) {
    return { ok: false, reason: "invalid" };
  }
  if (!isValidAt(server, atSeconds) || !isValidAt(holder, atSeconds)) {
    return { ok: false, reason: "expired" };
  }
  return { ok: true, holder, server };
}

/**
 * True when the object's kid is the signer's certificate. The kid is a hint only, but it is not
 * signed, and a wrong or missing one would be a second spelling of the same object.
 */
export function namesSigner({ keyId }: SignedObject, signer: Certificate): boolean {
  return keyId !== undefined && equalBytes(keyId, signer.reference);
}

/** Verifies a server's certificate by its root; its time of validity is not looked at. */
export function verifyServer(bytes: Uint8Array, root: Root): Certificate | undefined {
  const server = verifyIssued(bytes, root.id, root.key);
  // A root has no certificate that a kid could name.
  if (server === undefined || parseSigned(bytes)?.keyId !== undefined) return undefined;
  return isServerRole(server.role) ? server : undefined;
}

function verifyIssued(
  bytes: Uint8Array,
  issuer: Uint8Array,
  issuerKey: Uint8Array,
): Certificate | undefined {
  const object = parseSigned(bytes);
  const certificate = object && readCertificate(object, bytes);
  if (object === undefined || certificate === undefined) return undefined;
  if (!equalBytes(certificate.issuer, issuer)) return undefined;
  return verifySigned(object, CERTIFICATE_PURPOSE, issuerKey) ? certificate : undefined;
}
