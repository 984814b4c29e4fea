// SPDX-License-Identifier: Apache-2.0
// Tickets: card and merchant credentials and receipts (docs/protocol.cddl section 7, Fig. 2), with
// the issuer's chain, the history of transfers and a receipt's arithmetic.
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Certificate,
  isAgent,
  isValidAt,
  ROLE,
  type Roots,
  verifyChain,
  verifyKid,
} from "./certificates.ts";
import { readSigned, type SignedObject, verifySignature } from "./cose.ts";
import {
  type Components,
  type Credential,
  type Receipt,
  readComponents,
  type TicketKind,
} from "./components.ts";
import { array, bytes, encoded, equal, hex, id, name, ensure, uint } from "./strict.ts";

const MAXIMUM_TRANSFERS = 3;
const TICKET_KINDS: readonly TicketKind[] = ["card", "merchant", "receipt"];

/** A ticket taken apart, nothing verified but its shapes. */
export interface Ticket {
  readonly signed: SignedObject;
  readonly issuer: string;
  readonly issuerCredentialExpiry: number;
  readonly receiver: Uint8Array;
  readonly receiverCertificateExpiry: number;
  readonly ticketId: Uint8Array;
  readonly components: Components;
  /** The decoded parts that the transfers' signatures cover. */
  readonly signedValue: unknown;
  readonly chainValue: unknown;
  readonly history: readonly unknown[];
  readonly signatures: readonly Uint8Array[];
}

/** Reads one decoded `ticket`. */
export function readTicket(value: unknown): Ticket {
  const [signedValue, chainValue, historyValue, signatureValues] = array(value, "the ticket", 4);
  const signed = readSigned(signedValue, "the ticket's signed object");
  const [identifierValue, componentsValue] = array(signed.body, "the ticket's signed object", 2);
  const identifier = array(identifierValue, "the ticket's identifier", 6);
  const kind = TICKET_KINDS[uint(identifier[4], "the ticket's type", 1, 3) - 1]!;
  const history = array(historyValue, "the ticket's history");
  const count = history.length;
  ensure(
    count <= MAXIMUM_TRANSFERS,
    `the ticket was transferred ${count} times, more than allowed`,
  );
  const signatures = array(signatureValues, "the ticket's transfer signatures", count);
  return {
    signed,
    issuer: name(identifier[0], "the ticket's issuer"),
    issuerCredentialExpiry: uint(identifier[1], "the expiry of the issuer's credential"),
    receiver: id(identifier[2], "the ticket's receiver"),
    receiverCertificateExpiry: uint(identifier[3], "the expiry of the receiver's certificate"),
    ticketId: bytes(identifier[5], "the ticket's id", 16),
    components: readComponents(kind, componentsValue),
    signedValue,
    chainValue,
    history,
    signatures: signatures.map((one, index) => bytes(one, transferSignature(index), 64)),
  };
}

function transferSignature(index: number): string {
  return `the signature of ticket transfer ${index + 1}`;
}

/** For a report: what the ticket is, and its id. */
export function describeTicket({ components, issuer, ticketId }: Ticket): string {
  const by = `by "${issuer}", id ${hex(ticketId)}`;
  if (components.kind !== "receipt") {
    return `${components.kind} credential of "${components.holderName}" ${by}`;
  }
  const { direction, moneyMinor, moneyUnit, authorizationMinor, accountUnit } = components;
  const verb = direction === 1 ? "bought" : "sold";
  const money = `${moneyMinor} minor units of ${moneyUnit}`;
  return `receipt: ${verb} ${money} for ${authorizationMinor} of ${accountUnit} ${by}`;
}

/**
 * Verifies a ticket down to its holder.
 * @param agent id of the holder's trusted agent
 * @param atSeconds when the ticket is looked at: an expired credential is refused
 */
export function verifyTicket(
  ticket: Ticket,
  roots: Roots,
  agent: Uint8Array,
  atSeconds: number,
): void {
  const issuer = verifyChain(ticket.chainValue, roots, "the ticket issuer's chain");
  ensure(isAgent(issuer.role), "the ticket's issuer is not an agent");
  const where = "the ticket's signed object";
  verifyKid(ticket.signed, issuer, where);
  const { payload, signature } = ticket.signed;
  verifySignature("florin/ticket", payload, signature, issuer.key, where);
  const holder = verifyHistory(ticket, roots);
  ensure(equal(holder, agent), `the ticket belongs to agent ${hex(holder)}, not to the holder`);
  const { components } = ticket;
  if (components.kind === "receipt") verifyReceipt(components, ticket, issuer);
  else verifyCredential(components, ticket, issuer, holder, atSeconds);
}

/** Follows the transfers; returns the id of the agent that holds the ticket now. */
function verifyHistory(ticket: Ticket, roots: Roots): Uint8Array {
  let holder = ticket.receiver;
  let earliest = 0;
  for (const [index, value] of ticket.history.entries()) {
    const where = `ticket transfer ${index + 1}`;
    const fields = array(value, where, 4);
    const receiver = id(fields[0], `the receiver of ${where}`);
    const sender = id(fields[1], `the sender of ${where}`);
    ensure(equal(sender, holder), `the sender of ${where} did not hold the ticket`);
    const certificate = verifyChain(fields[2], roots, `the sender's chain of ${where}`);
    ensure(isAgent(certificate.role), `the sender of ${where} is not an agent`);
    ensure(equal(certificate.subject, sender), `the chain of ${where} is not its sender's`);
    const date = uint(fields[3], `the date of ${where}`);
    ensure(date >= earliest, `the date of ${where} is before that of the transfer before`);
    ensure(isValidAt(certificate, date), `${where} was made outside its sender's validity`);
    const upTo = ticket.history.slice(0, index + 1);
    const covered = sha256(encoded([ticket.signedValue, ticket.chainValue, upTo]));
    const signature = ticket.signatures[index]!;
    verifySignature("florin/ticket-transfer", covered, signature, certificate.key, where);
    holder = receiver;
    earliest = date;
  }
  return holder;
}

function verifyCredential(
  credential: Credential,
  ticket: Ticket,
  issuer: Certificate,
  holder: Uint8Array,
  atSeconds: number,
): void {
  ensure(issuer.role === ROLE.authority, "the credential's issuer is not an authority");
  const right = issuer.rights === (credential.kind === "card" ? 1 : 2);
  ensure(right, `the issuing authority has no right to issue ${credential.kind} credentials`);
  const own = issuer.organisation === ticket.issuer;
  ensure(own, `the ticket names issuer "${ticket.issuer}", its authority's certificate does not`);
  if (credential.kind === "card") {
    const { bank } = credential;
    ensure(bank === ticket.issuer, `the card is of bank "${bank}", not of its issuer`);
  } else {
    ensure(equal(credential.owner, holder), "the merchant credential has another owner");
  }
  ensure(atSeconds >= credential.validFrom, "the credential is not valid yet");
  ensure(atSeconds < credential.expires, "the credential has expired");
}

function verifyReceipt(receipt: Receipt, ticket: Ticket, issuer: Certificate): void {
  ensure(issuer.role === ROLE.merchant, "the receipt's issuer is not a merchant");
  ensure(equal(receipt.merchant, issuer.subject), "the receipt names a merchant not its issuer");
  ensure(equal(receipt.customer, ticket.receiver), "the receipt names a customer not its receiver");
  ensure(isValidAt(issuer, receipt.date), "the receipt was made outside its issuer's validity");
  const inForce =
    receipt.date < ticket.issuerCredentialExpiry && receipt.date < ticket.receiverCertificateExpiry;
  ensure(inForce, "the receipt was made after the expiry of a credential that it names");
  const expected = authorizationOf(receipt);
  const right = BigInt(receipt.authorizationMinor) === expected;
  ensure(right, `the receipt authorizes ${receipt.authorizationMinor}, its terms give ${expected}`);
}

/** What the terms of a receipt come to, in minor units of the account. */
function authorizationOf(receipt: Receipt): bigint {
  const product = BigInt(receipt.moneyMinor) * BigInt(receipt.rateNumerator);
  const denominator = BigInt(receipt.rateDenominator);
  const fee = BigInt(receipt.feeMinor);
  // Rounded in favour of the merchant both ways: up for what is paid, down for what is paid out.
  if (receipt.direction === 1) return (product + denominator - 1n) / denominator + fee;
  return product / denominator - fee;
}
