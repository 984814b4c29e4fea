// SPDX-License-Identifier: Apache-2.0
// Making a ticket (Ticket Holder 148 of a merchant, Create Credential 180 of an authority):
// sections 1 and 2 are written, signed with the own key, and joined to the own chain (par. 40-44).
import { random } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { composeBody } from "../session/buffers";
import { Certificate } from "../trust/certificate";
import { identity } from "../trust/identity";
import { TICKET_ID_SIZE } from "./ticket";

/**
 * A writer for the payload of an object to be signed. It writes where messages are composed, for
 * want of other room: sign first, compose then.
 */
export function payloadWriter(): CborWriter {
  return composeBody();
}

/** SHA-256 of what `writer` holds. */
export function writtenHash(writer: CborWriter): Bytes {
  const hash = new StaticArray<u8>(32);
  sha256(writer.pointer, writer.length, pointerOf(hash));
  return hash;
}

/** Signs what `writer` holds with the own key; null where that is too long or there is no key. */
export function signWritten(purpose: Bytes, writer: CborWriter): Bytes | null {
  if (writer.overflow) return null;
  const signed = identity.sign(purpose, writer.pointer, writer.length);
  return signed !== null && signed.length > 0 ? signed : null;
}

/**
 * Begins sections 1 and 2 of a ticket for `receiver`: the caller then writes one item, the
 * components, and calls `finishTicket`. `issuerName` and `issuerExpires` are those of the issuer's
 * own credential (field 22). False where there are no random bytes for the ticket's id.
 */
export function beginTicket(
  writer: CborWriter,
  issuerName: Bytes,
  issuerExpires: u64,
  receiver: Certificate,
  type: i32,
): bool {
  const id = new StaticArray<u8>(TICKET_ID_SIZE);
  if (random(pointerOf(id), TICKET_ID_SIZE) != 0) return false;
  writer.array(2);
  writer.array(6);
  writer.textFrom(issuerName);
  writer.uint(issuerExpires);
  writer.bytesFrom(receiver.id);
  writer.uint(receiver.expires);
  writer.uint(u64(type));
  writer.bytesFrom(id);
  return true;
}

/** Signs what was written and gives the whole ticket, without transfers yet; null on failure. */
export function finishTicket(writer: CborWriter): Bytes | null {
  const signed = signWritten(Purpose.TICKET, writer);
  const chain = identity.chain();
  if (signed === null || chain === null) return null;
  const ticket = new StaticArray<u8>(signed.length + chain.length + 3);
  const joined = new CborWriter(pointerOf(ticket), ticket.length);
  joined.array(4);
  joined.rawFrom(signed);
  joined.rawFrom(chain);
  joined.array(0);
  joined.array(0);
  return joined.overflow ? null : ticket;
}
