// SPDX-License-Identifier: Apache-2.0
// Tickets and offers written by the test itself (docs/protocol.cddl section 7), right or wrong, for
// agents that must tell which.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate, type Role } from "../../host/trust/certificates.ts";
import { parseSigned, signObject } from "../../host/trust/cose.ts";
import { TwinParty } from "./sessionTwin.ts";
import { START_SECONDS, type TestAgency } from "../../host/torture/testAgency.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

/** A member with its secret: it signs in the test. */
export class Signer extends TwinParty {
  readonly seed: Uint8Array;
  /** Names its certificate in what it signs. */
  readonly reference: Uint8Array;

  constructor(agency: TestAgency, name: string, role: Role, change = {}) {
    super(agency, name, role, change);
    this.seed = sha256(ascii(`signing ${name}`));
    const [certificate] = decodeCbor(this.chain) as unknown[];
    this.reference = parseCertificate(encodeCbor(certificate))!.reference;
  }

  /** A signed object, decoded, as it stands inside other objects. */
  sign(purpose: string, content: unknown): unknown {
    return decodeCbor(signObject(purpose, encodeCbor(content), this.seed, this.reference));
  }
}

export interface TicketOptions {
  issuer: Signer;
  issuerName: string;
  issuerExpires?: number;
  receiver: Uint8Array;
  receiverExpires?: number;
  type: 1 | 2 | 3;
  ticketId?: Uint8Array;
  components: unknown[];
}

/** A ticket, decoded: four sections of the encoding, without transfers. */
export function makeTicket(options: TicketOptions): unknown[] {
  const { issuer, issuerName, receiver, type, components } = options;
  const expires = START_SECONDS + 31536000;
  const identifier = [
    issuerName,
    options.issuerExpires ?? expires,
    receiver,
    options.receiverExpires ?? expires,
    type,
    options.ticketId ?? new Uint8Array(16).fill(33),
  ];
  const signed = issuer.sign("florin/ticket", [identifier, components]);
  return [signed, decodeCbor(issuer.chain), [], []];
}

/** The same ticket, handed on by `sender` to `receiver`. */
export function transferTicket(
  ticket: unknown[],
  sender: Signer,
  receiver: Uint8Array,
  change: { sender?: Uint8Array; seconds?: number } = {},
): unknown[] {
  const [signed, chain, history, signatures] = ticket as [unknown, unknown, unknown[], unknown[]];
  const from = change.sender ?? sender.id;
  const entry = [receiver, from, decodeCbor(sender.chain), change.seconds ?? START_SECONDS - 50];
  const longer = [...history, entry];
  const digest = sha256(encodeCbor([signed, chain, longer]));
  const object = parseSigned(signObject("florin/ticket-transfer", digest, sender.seed));
  return [signed, chain, longer, [...signatures, object?.signature]];
}

/** A merchant's offer of these terms (all 14), signed by it. */
export function makeOffer(merchant: Signer, terms: unknown[]): Uint8Array {
  const chain = decodeCbor(merchant.chain) as unknown[];
  const payload = encodeCbor(terms);
  const signed = signObject("florin/merchant-offer", payload, merchant.seed, merchant.reference);
  return encodeCbor([decodeCbor(signed), chain]);
}

/** SHA-256 of the payload of a decoded signed object. */
export function hashOfPayload(signed: unknown): Uint8Array {
  return sha256(parseSigned(encodeCbor(signed))!.payload);
}
