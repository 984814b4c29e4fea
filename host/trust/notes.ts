// SPDX-License-Identifier: Apache-2.0
// Notes as a host reads them (docs/protocol.cddl section 6): the body that a generator made and the
// transfers down to the holder, with every signature checked at the date of its transfer.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
import {
  type Certificate,
  encodeChain,
  isAgentRole,
  parseCertificate,
  Role,
  type Root,
  verifyChain,
} from "./certificates.ts";
import { parseSigned, type SignedObject, verifySigned } from "./cose.ts";
import { HASH_BYTES, isBytes, isId, isName, isUnit, isWhole, textBytes } from "./shapes.ts";

export const NOTE_BODY_PURPOSE = "florin/note-body";
export const TRANSFER_PURPOSE = "florin/transfer";
const LONGEST_ACCOUNT_BYTES = 64;
/** How long a bank takes a note back after its expiry (docs/protocol.cddl section 6). */
export const GRACE_SECONDS = 30 * 24 * 3600;
const HOUR_SECONDS = 3600;
/** A body's fields and a transfer's. */
const BODY_FIELDS = 9;
const TRANSFER_FIELDS = 7;

export interface NoteBody {
  readonly object: SignedObject;
  /** SHA-256 of the payload: the parent that the first transfer names. */
  readonly hash: Uint8Array;
  readonly issuer: string;
  readonly unit: string;
  readonly noteId: Uint8Array;
  readonly amountMinor: number;
  readonly issued: number;
  readonly expiry: number;
  readonly generator: Uint8Array;
}

/** What a transfer says, signed or not. */
export interface TransferFields {
  /** SHA-256 of the payload. */
  readonly hash: Uint8Array;
  readonly parent: Uint8Array;
  readonly sequence: number;
  readonly offsetMinor: number;
  readonly amountMinor: number;
  readonly transferee: Uint8Array;
  readonly date: number;
  readonly payId: Uint8Array;
}

export interface Transfer extends TransferFields {
  readonly object: SignedObject;
  /** The whole signed object. */
  readonly bytes: Uint8Array;
}

/** A note taken apart; nothing is verified but its shapes. It has one transfer or more. */
export interface Note {
  readonly body: NoteBody;
  readonly transfers: readonly Transfer[];
}

/** Reads an exported note; undefined when it has not the agreed shape. */
export function parseNote(bytes: Uint8Array): Note | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 2 || !Array.isArray(item[1])) return undefined;
  const body = readBody(encodeCbor(item[0]));
  const transfers = item[1].map((transfer) => readTransfer(encodeCbor(transfer)));
  if (body === undefined || transfers.length === 0) return undefined;
  const read = transfers.filter((transfer) => transfer !== undefined);
  return read.length === transfers.length ? { body, transfers: read } : undefined;
}

function readBody(bytes: Uint8Array): NoteBody | undefined {
  const object = parseSigned(bytes);
  const fields = object && decodeCbor(object.payload);
  if (!Array.isArray(fields) || fields.length !== BODY_FIELDS) return undefined;
  const [kind, issuer, unit, noteId, amountMinor, issued, expiry, generator, account] = fields;
  if (!isName(issuer) || !isUnit(unit) || !isBytes(noteId, 16) || !isId(generator))
    return undefined;
  if (!isWhole(amountMinor) || !isWhole(issued) || !isWhole(expiry)) return undefined;
  // A credit note is a claim on an account, which it names; currency names none.
  const isAccount =
    typeof account === "string" && account !== "" && textBytes(account) <= LONGEST_ACCOUNT_BYTES;
  if (!(kind === 1 && account === null) && !(kind === 2 && isAccount)) return undefined;
  const hash = sha256(object!.payload);
  return { object: object!, hash, issuer, unit, noteId, amountMinor, issued, expiry, generator };
}

/** Reads one signed transfer; its shape alone is checked. */
export function readTransfer(bytes: Uint8Array): Transfer | undefined {
  const object = parseSigned(bytes);
  const fields = object && readTransferFields(object.payload);
  return fields && { object: object!, bytes, ...fields };
}

/** Reads a transfer's payload, which a draft has without its signature. */
export function readTransferFields(payload: Uint8Array): TransferFields | undefined {
  const fields = decodeCbor(payload);
  if (!Array.isArray(fields) || fields.length !== TRANSFER_FIELDS) return undefined;
  const [parent, sequence, offsetMinor, amountMinor, transferee, date, payId] = fields;
  if (!isBytes(parent, HASH_BYTES) || !isId(transferee) || !isBytes(payId, 16)) return undefined;
  if (!isWhole(sequence) || !isWhole(offsetMinor) || !isWhole(amountMinor) || !isWhole(date)) {
    return undefined;
  }
  const hash = sha256(payload);
  return { hash, parent, sequence, offsetMinor, amountMinor, transferee, date, payId };
}

/** Certificates of modules' signers, each with its server's. */
export class SignerBook {
  private readonly root: Root;
  private readonly known: readonly Certificate[];

  /** @param items encoded certificates, holders' and servers', in any order */
  constructor(items: readonly Uint8Array[], root: Root) {
    this.root = root;
    this.known = items.flatMap((bytes) => parseCertificate(bytes) ?? []);
  }

  /** The module that signed at a time, verified up to the root; undefined if there is none. */
  signerOf({ keyId }: SignedObject, atSeconds: number): Certificate | undefined {
    const holder = this.known.find(
      ({ reference }) => keyId !== undefined && equalBytes(reference, keyId),
    );
    const server = holder && this.known.find(({ subject }) => equalBytes(subject, holder.issuer));
    if (holder === undefined || server === undefined) return undefined;
    const chain = encodeChain(holder.bytes, server.bytes);
    return verifyChain(chain, this.root, atSeconds).ok ? holder : undefined;
  }
}

/**
 * Verifies a note's whole history: shapes fit, each part lies within its parent, each record is
 * signed by the holder of its parent, and every date lies in its certificate's and the note's time.
 * @returns what is wrong, as the end of a sentence; undefined when nothing is
 */
export function noteComplaint({ body, transfers }: Note, book: SignerBook): string | undefined {
  const generator = book.signerOf(body.object, body.issued);
  if (generator?.role !== Role.GENERATOR || !equalBytes(generator.subject, body.generator)) {
    return "its body's signer is not the generator that it names";
  }
  if (generator.organisation !== body.issuer) return "its generator is not the issuer's";
  if (!verifySigned(body.object, NOTE_BODY_PURPOSE, generator.signingKey)) {
    return "its body's signature is wrong";
  }
  let [parent, room, owner, earliest] = [body.hash, body.amountMinor, body.generator, body.issued];
  let isLate = false;
  for (const [index, transfer] of transfers.entries()) {
    const place = `transfer ${index + 1}`;
    if (!equalBytes(transfer.parent, parent)) return `${place} does not follow its parent`;
    if (!fits(transfer, room)) return `the amounts of ${place} do not fit its parent`;
    const { date } = transfer;
    const latest = body.expiry + GRACE_SECONDS;
    const inTime = date >= earliest && date <= latest && date % HOUR_SECONDS === 0;
    if (!inTime) return `the date of ${place} does not fit`;
    const signer = book.signerOf(transfer.object, date);
    if (signer === undefined || isAgentRole(signer.role) || !equalBytes(signer.subject, owner)) {
      return `${place} is not signed by the holder of its parent`;
    }
    // Expired money goes to a bank alone, and from there to its issuer.
    if (isLate && signer.role !== Role.TELLER) return `${place} is of expired money`;
    isLate = date > body.expiry;
    if (!verifySigned(transfer.object, TRANSFER_PURPOSE, signer.signingKey)) {
      return `the signature of ${place} is wrong`;
    }
    [parent, room, owner, earliest] = [
      transfer.hash,
      transfer.amountMinor,
      transfer.transferee,
      date,
    ];
  }
  return undefined;
}

/**
 * Whether a transfer's amounts fit what its parent gives. Subtracted, not added: the sum of two
 * amounts may leave the exact integers.
 */
export function fits(
  { sequence, offsetMinor, amountMinor }: TransferFields,
  roomMinor: number,
): boolean {
  const isFirst = sequence === 1;
  if (sequence < 1 || isFirst !== (offsetMinor === 0)) return false;
  return amountMinor > 0 && amountMinor <= roomMinor - offsetMinor;
}

/** Who signed each transfer, by the record before it: hexadecimal ids, in order. */
export function signersOf({ body, transfers }: Note): string[] {
  const owners = [body.generator, ...transfers.map(({ transferee }) => transferee)];
  return owners.slice(0, transfers.length).map(bytesToHex);
}
