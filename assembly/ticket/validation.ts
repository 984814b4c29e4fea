// SPDX-License-Identifier: Apache-2.0
// Validation of a ticket by the four rules of paragraph 90, with what protocol rule 3 adds: dates,
// the list of untrusted agents, and the issuer's right to make such a ticket. Cheap checks come
// before signatures.
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { SHA256_STATE_SIZE, sha256Begin, sha256End, sha256Update } from "../crypto/sha256";
import { Certificate } from "../trust/certificate";
import { Chain, namesSigner } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { Role } from "../trust/roles";
import { cardOf, merchantOf } from "./credential";
import { Ticket, TicketType } from "./ticket";

/** Rights of an authority in its certificate (claim -7). */
const RIGHT_CARDS: u32 = 1;
const RIGHT_MERCHANTS: u32 = 2;

const hashState = memory.data(SHA256_STATE_SIZE, 8);

/** Whether an authority with this certificate may issue credentials of this type. */
export function mayIssue(authority: Certificate, type: i32): bool {
  if (authority.role != Role.AUTHORITY || authority.organisation.length == 0) return false;
  if (type == TicketType.CARD) return (authority.rights & RIGHT_CARDS) != 0;
  return type == TicketType.MERCHANT && (authority.rights & RIGHT_MERCHANTS) != 0;
}

/**
 * Validates a card held by the agent `holder` at `seconds`; 0 or the reason against it. The bank of
 * a card is the organisation of the authority that issued it.
 */
export function cardReason(ticket: Ticket, holder: Bytes, seconds: u64): i32 {
  const card = cardOf(ticket);
  if (!card) return Reason.TICKET_INVALID;
  if (!bytesEqual(card.bank, ticket.issuerName)) return Reason.TICKET_INVALID;
  return credentialReason(ticket, holder, seconds, card.validFrom, card.expires);
}

/** Validates the merchant credential of the agent `holder` at `seconds`; 0 or the reason. */
export function merchantReason(ticket: Ticket, holder: Bytes, seconds: u64): i32 {
  const merchant = merchantOf(ticket);
  if (!merchant) return Reason.TICKET_INVALID;
  return credentialReason(ticket, holder, seconds, merchant.validFrom, merchant.expires);
}

/** Rules 1 to 4 for a receipt that the merchant's agent `merchant` issued to `holder`. */
export function receiptReason(
  ticket: Ticket,
  holder: Bytes,
  merchant: Certificate,
  seconds: u64,
): i32 {
  if (ticket.type != TicketType.RECEIPT || ticket.transfers.length > 0) return Reason.RECEIPT_WRONG;
  const chain = new Chain();
  const reason = issuerReason(ticket, holder, seconds, chain);
  if (reason != Reason.NONE) return reason;
  // Whoever is in this session issues the receipt, no other agent.
  return bytesEqual(chain.holder.id, merchant.id) ? Reason.NONE : Reason.RECEIPT_WRONG;
}

function credentialReason(
  ticket: Ticket,
  holder: Bytes,
  seconds: u64,
  validFrom: u64,
  expires: u64,
): i32 {
  if (seconds < validFrom || seconds >= expires) return Reason.TICKET_EXPIRED;
  const chain = new Chain();
  const reason = issuerReason(ticket, holder, seconds, chain);
  if (reason != Reason.NONE) return reason;
  const issuer = chain.holder;
  if (!mayIssue(issuer, ticket.type)) return Reason.TICKET_INVALID;
  // Field 22 names the issuer and its expiry; neither may differ from the certificate.
  const isNamed =
    bytesEqual(issuer.organisation, ticket.issuerName) && ticket.issuerExpires == issuer.expires;
  return isNamed ? Reason.NONE : Reason.TICKET_INVALID;
}

/** The four rules; leaves the issuer's chain in `chain`. */
function issuerReason(ticket: Ticket, holder: Bytes, seconds: u64, chain: Chain): i32 {
  // Rule 4: the last receiver is the agent in this session.
  if (!bytesEqual(ticket.holder, holder)) return Reason.TICKET_OF_ANOTHER;
  // Rule 2: each sender is the receiver of the entry before; section 1 has the first receiver.
  const transfers = ticket.transfers;
  let expected = ticket.receiver;
  for (let i = 0; i < transfers.length; ++i) {
    if (!bytesEqual(transfers[i].sender, expected)) return Reason.TICKET_INVALID;
    expected = transfers[i].receiver;
  }
  // Rule 1: issuer's certificate and signature. The reasons speak of the ticket: those of
  // certificates and of the list would accuse the peer.
  const root = identity.agentRoot;
  const reason = chain.verify(ticket.chainPointer, ticket.chainLength, seconds, root);
  if (reason == Reason.CERTIFICATE_EXPIRED) return Reason.TICKET_EXPIRED;
  if (reason != Reason.NONE || isListed(chain.holder.id)) return Reason.TICKET_INVALID;
  if (!namesSigner(ticket.signed, chain.holder)) return Reason.TICKET_INVALID;
  if (!ticket.signed.verify(Purpose.TICKET, pointerOf(chain.holder.signingKey))) {
    return Reason.TICKET_INVALID;
  }
  // Rule 3: each sender's certificate and signature, as of the transfer's date.
  let previous: u64 = 0;
  for (let i = 0; i < transfers.length; ++i) {
    const entry = transfers[i];
    if (entry.seconds < previous || entry.seconds > seconds) return Reason.TICKET_INVALID;
    previous = entry.seconds;
    const sender = new Chain();
    if (sender.verify(entry.chainPointer, entry.chainLength, entry.seconds, root) != Reason.NONE) {
      return Reason.TICKET_INVALID;
    }
    if (!bytesEqual(sender.holder.id, entry.sender)) return Reason.TICKET_INVALID;
    if (isListed(entry.sender)) return Reason.TICKET_INVALID;
    if (!isTransferSigned(ticket, i, sender.holder)) return Reason.TICKET_INVALID;
  }
  return Reason.NONE;
}

/**
 * Whether entry `index` is signed by its sender. What is signed is the SHA-256 of the five sections
 * as they stood then: the array [ signed object, chain, entries up to this one ].
 */
function isTransferSigned(ticket: Ticket, index: i32, sender: Certificate): bool {
  const heads: Bytes = [0x83, u8(0x81 + index)];
  const digest = new StaticArray<u8>(32);
  sha256Begin(hashState);
  sha256Update(hashState, pointerOf(heads), 1);
  sha256Update(hashState, ticket.signedPointer, ticket.signedLength);
  sha256Update(hashState, ticket.chainPointer, ticket.chainLength);
  sha256Update(hashState, pointerOf(heads) + 1, 1);
  for (let i = 0; i <= index; ++i) {
    sha256Update(hashState, ticket.transfers[i].pointer, ticket.transfers[i].length);
  }
  sha256End(hashState, pointerOf(digest));
  const signed = new CoseSign1();
  signed.payloadPointer = pointerOf(digest);
  signed.payloadLength = digest.length;
  signed.signaturePointer = ticket.transfers[index].signature;
  return signed.verify(Purpose.TICKET_TRANSFER, pointerOf(sender.signingKey));
}
