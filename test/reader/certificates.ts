// SPDX-License-Identifier: Apache-2.0
// Certificates and the chains of three, root to server to holder (docs/protocol.cddl section 2).
// Claims are those of the certificate's role, all of them and no other.
import { readSigned, reference, type SignedObject, verifySignature } from "./cose.ts";
import { array, bytes, encoded, equal, hex, id, name, Refusal, ensure, uint } from "./strict.ts";

export const ROLE = {
  customer: 1,
  merchant: 2,
  authority: 3,
  agentServer: 4,
  transaction: 16,
  teller: 17,
  generator: 18,
  moduleServer: 19,
} as const;

const ROLE_NAMES = new Map<number, string>(
  Object.entries(ROLE).map(([role, number]) => [number, role]),
);

/** One of the two roots, known beforehand: everything else is believed because of them. */
export interface Root {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** The roots of the two hierarchies: agents' and money modules'. */
export interface Roots {
  readonly agent: Root;
  readonly module: Root;
}

/** A certificate's claims and what its signature covers. Times are seconds since 1970. */
export interface Certificate {
  readonly signed: SignedObject;
  readonly reference: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly expiry: number;
  readonly issued: number;
  readonly role: number;
  readonly key: Uint8Array;
  readonly device: Uint8Array | null;
  readonly organisation: string | null;
  readonly rights: number | null;
}

const EVERY_CLAIM = [1, 2, 4, 6, -1, -3];
const HOLDER_CLAIMS = [-2, -4, -6];

/** Which claims a certificate of this role holds: the CDDL's comments beside the optional ones. */
function claimsOf(role: number): Set<number> {
  const claims = new Set(EVERY_CLAIM);
  if (!isServer(role)) for (const claim of HOLDER_CLAIMS) claims.add(claim);
  const named = role === ROLE.teller || role === ROLE.generator || role === ROLE.authority;
  if (named) claims.add(-5);
  if (role === ROLE.authority) claims.add(-7);
  return claims;
}

export function isServer(role: number): boolean {
  return role === ROLE.agentServer || role === ROLE.moduleServer;
}

/** Whether this role belongs to a trusted agent: its chain ends in the agents' root. */
export function isAgent(role: number): boolean {
  return role < ROLE.agentServer;
}

function serverRoleFor(role: number): number {
  return isAgent(role) ? ROLE.agentServer : ROLE.moduleServer;
}

/** Reads one decoded certificate; its signature is verified by `verifyCertificate`. */
export function readCertificate(value: unknown, where: string): Certificate {
  const signed = readSigned(value, where);
  const claims = signed.body;
  ensure(claims instanceof Map, `the claims of ${where} are not a map`);
  const role = uint(claims.get(-1), `the role of ${where}`);
  ensure(ROLE_NAMES.has(role), `the role of ${where} is ${role}, which is none`);
  const expected = claimsOf(role);
  for (const claim of expected) {
    ensure(claims.has(claim), `${where} (${ROLE_NAMES.get(role)}) lacks claim ${claim}`);
  }
  for (const claim of claims.keys()) {
    const known = expected.has(claim as number);
    ensure(known, `${where} (${ROLE_NAMES.get(role)}) must not hold claim ${String(claim)}`);
  }
  const rights = claims.get(-7);
  if (!isServer(role)) {
    bytes(claims.get(-4), `the sealing key of ${where}`, 32);
    ensure(typeof claims.get(-6) === "boolean", `claim -6 of ${where} is not true or false`);
  }
  const certificate = {
    signed,
    reference: reference(encoded(value)),
    issuer: id(claims.get(1), `the issuer of ${where}`),
    subject: id(claims.get(2), `the subject of ${where}`),
    expiry: uint(claims.get(4), `the expiry of ${where}`),
    issued: uint(claims.get(6), `the issue time of ${where}`),
    role,
    key: bytes(claims.get(-3), `the signing key of ${where}`, 32),
    device: isServer(role) ? null : bytes(claims.get(-2), `the device of ${where}`, 8),
    organisation: expected.has(-5) ? name(claims.get(-5), `the organisation of ${where}`) : null,
    rights: expected.has(-7) ? uint(rights, `the rights of ${where}`, 1, 2) : null,
  };
  ensure(certificate.issued < certificate.expiry, `${where} expires before it is issued`);
  return certificate;
}

/** For a report: what the certificate is, in words. */
export function describeCertificate(certificate: Certificate): string {
  const organisation = certificate.organisation === null ? "" : ` of "${certificate.organisation}"`;
  const role = ROLE_NAMES.get(certificate.role);
  return `certificate of ${role} ${hex(certificate.subject)}${organisation}`;
}

/** Verifies a server's certificate with the root of its hierarchy. */
function verifyServer(certificate: Certificate, roots: Roots, where: string): void {
  const root = certificate.role === ROLE.agentServer ? roots.agent : roots.module;
  ensure(equal(certificate.issuer, root.id), `${where} is not issued by the root it belongs to`);
  // A root has no certificate that a reference could name.
  ensure(certificate.signed.kid === null, `${where} is issued by a root and must not have a kid`);
  const { payload, signature } = certificate.signed;
  verifySignature("florin/certificate", payload, signature, root.key, where);
}

/** Verifies a holder's certificate with that of its server, and the server's with the root. */
function verifyHolder(
  certificate: Certificate,
  server: Certificate,
  roots: Roots,
  where: string,
): void {
  const right = server.role === serverRoleFor(certificate.role);
  ensure(right, `${where} is issued by an issuer of role ${ROLE_NAMES.get(server.role)}`);
  verifyServer(server, roots, `the server's certificate of ${where}`);
  ensure(equal(certificate.issuer, server.subject), `${where} is issued by another server`);
  verifyKid(certificate.signed, server, where);
  const { payload, signature } = certificate.signed;
  verifySignature("florin/certificate", payload, signature, server.key, where);
  ensure(isValidAt(server, certificate.issued), `${where} is issued outside its server's validity`);
}

/** A kid, where an object has one, names the signer's certificate. */
export function verifyKid(signed: SignedObject, signer: Certificate, where: string): void {
  const right = signed.kid === null || equal(signed.kid, signer.reference);
  ensure(right, `the kid of ${where} is not the reference of its signer's certificate`);
}

/** Valid from the issue time on and until, not at, the expiry (RFC 8392 3.1.4, RFC 7519 4.1.4). */
export function isValidAt(certificate: Certificate, seconds: number): boolean {
  return certificate.issued <= seconds && seconds < certificate.expiry;
}

/** Reads and verifies a `chain`; returns the holder's certificate. */
export function verifyChain(value: unknown, roots: Roots, where: string): Certificate {
  const [holderValue, serverValue] = array(value, where, 2);
  const holder = readCertificate(holderValue, `the first certificate of ${where}`);
  const server = readCertificate(serverValue, `the second certificate of ${where}`);
  ensure(!isServer(holder.role), `the first certificate of ${where} is a server's`);
  verifyHolder(holder, server, roots, `the first certificate of ${where}`);
  return holder;
}

/** The certificates of all `certificates` exports: notes name their signers' by reference. */
export class CertificateBook {
  private readonly roots: Roots;
  private readonly certificates = new Map<string, Certificate>();

  constructor(roots: Roots) {
    this.roots = roots;
  }

  /** Enters a certificate that is still to be verified, so that others find their server in it. */
  enter(certificate: Certificate): void {
    this.certificates.set(hex(certificate.reference), certificate);
  }

  /** Verifies an entered certificate up to its root, through the server's that is entered too. */
  verify(certificate: Certificate, where: string): void {
    if (isServer(certificate.role)) verifyServer(certificate, this.roots, where);
    else verifyHolder(certificate, this.serverOf(certificate, where), this.roots, where);
  }

  /** Refuses unless the entered certificates of this agent and module name one device. */
  verifyDevice(agent: Uint8Array, module: Uint8Array): void {
    const devices = new Set<string>();
    for (const { subject, device } of this.certificates.values()) {
      const own = equal(subject, agent) || equal(subject, module);
      if (own && device !== null) devices.add(hex(device));
    }
    ensure(devices.size <= 1, "the holder's agent and module are not of one device");
  }

  /** The certificate that a reference names. */
  find(wanted: Uint8Array, where: string): Certificate {
    const certificate = this.certificates.get(hex(wanted));
    if (certificate !== undefined) return certificate;
    throw new Refusal(`the exports lack certificate ${hex(wanted)}, the signer's of ${where}`);
  }

  // A server that renews its certificate keeps its id: then the kid says which certificate signed,
  // and without a kid the one in force when the holder's was issued.
  private serverOf(certificate: Certificate, where: string): Certificate {
    const { kid } = certificate.signed;
    if (kid !== null) return this.find(kid, where);
    for (const candidate of this.certificates.values()) {
      const named = isServer(candidate.role) && equal(candidate.subject, certificate.issuer);
      if (named && isValidAt(candidate, certificate.issued)) return candidate;
    }
    const server = hex(certificate.issuer);
    throw new Refusal(`the exports lack a certificate of server ${server}, which issued ${where}`);
  }
}
