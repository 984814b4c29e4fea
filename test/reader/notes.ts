// SPDX-License-Identifier: Apache-2.0
// Notes: the body that a generator made and the transfers down to the holder (docs/protocol.cddl
// section 6, `note-body` and `transfer`).
import { sha256 } from "@noble/hashes/sha2.js";
import { type Certificate, type CertificateBook, isAgent, isServer, ROLE } from "./certificates.ts";
import { readSigned, type SignedObject, verifySignature } from "./cose.ts";
import { array, bytes, ensure, equal, hex, id, name, Refusal, text, uint, unit } from "./strict.ts";

const HOUR_SECONDS = 3600;
const MAXIMUM_TEXT_BYTES = 65_535;

interface NoteBody {
  readonly signed: SignedObject;
  readonly issuer: string;
  readonly unit: string;
  readonly noteId: Uint8Array;
  readonly amountMinor: number;
  readonly issued: number;
  readonly expiry: number;
  readonly generator: Uint8Array;
}

interface Transfer {
  readonly signed: SignedObject;
  readonly parent: Uint8Array;
  readonly sequence: number;
  readonly offsetMinor: number;
  readonly amountMinor: number;
  readonly transferee: Uint8Array;
  readonly date: number;
}

/** A note taken apart, nothing verified but its shapes. */
export interface Note {
  readonly body: NoteBody;
  readonly transfers: readonly Transfer[];
}

/** Reads one decoded `note`. */
export function readNote(value: unknown): Note {
  const [body, transfers] = array(value, "the note", 2);
  return {
    body: readBody(body),
    transfers: array(transfers, "the note's transfers").map(readTransfer),
  };
}

function readBody(value: unknown): NoteBody {
  const where = "the note's body";
  const signed = readSigned(value, where);
  const fields = array(signed.body, where, 9);
  const kind = uint(fields[0], "the note's kind", 1, 2);
  // A credit note is a claim on somebody's account, which it names; currency names none.
  if (kind === 1) ensure(fields[8] === null, "the note is currency and names an account");
  else text(fields[8], "the note's account", 1, MAXIMUM_TEXT_BYTES);
  const body = {
    signed,
    issuer: name(fields[1], "the note's issuer"),
    unit: unit(fields[2], "the note's unit"),
    noteId: bytes(fields[3], "the note's id", 16),
    amountMinor: uint(fields[4], "the note's amount"),
    issued: uint(fields[5], "the note's issue time"),
    expiry: uint(fields[6], "the note's expiry"),
    generator: id(fields[7], "the note's generator"),
  };
  ensure(body.issued < body.expiry, "the note expires before it is issued");
  return body;
}

function readTransfer(value: unknown, index: number): Transfer {
  const where = transferName(index);
  const signed = readSigned(value, where);
  const fields = array(signed.body, where, 7);
  bytes(fields[6], `the pay-id of ${where}`, 16);
  const transfer = {
    signed,
    parent: bytes(fields[0], `the parent of ${where}`, 32),
    sequence: uint(fields[1], `the sequence of ${where}`),
    offsetMinor: uint(fields[2], `the offset of ${where}`),
    amountMinor: uint(fields[3], `the amount of ${where}`),
    transferee: id(fields[4], `the transferee of ${where}`),
    date: uint(fields[5], `the date of ${where}`),
  };
  const rounded = transfer.date % HOUR_SECONDS === 0;
  ensure(rounded, `the date of ${where} is not rounded down to the hour`);
  return transfer;
}

function transferName(index: number): string {
  return `transfer ${index + 1}`;
}

/** For a report: what the note is worth to its holder as received, and its id. */
export function describeNote({ body, transfers }: Note): string {
  const amountMinor = transfers.at(-1)?.amountMinor ?? body.amountMinor;
  const worth = `${amountMinor} minor units of ${body.unit}`;
  return `note of ${worth} by "${body.issuer}", id ${hex(body.noteId)}`;
}

/**
 * Verifies a note down to its holder.
 * @param book the verified certificates, by reference
 * @param module id of the holder's money module
 * @param atSeconds when the note is looked at: an expired note is refused
 */
export function verifyNote(
  { body, transfers }: Note,
  book: CertificateBook,
  module: Uint8Array,
  atSeconds: number,
): void {
  verifyBody(body, book);
  let parent: NoteBody | Transfer = body;
  let owner = body.generator;
  let earliest = hour(body.issued);
  for (const [index, transfer] of transfers.entries()) {
    const where = transferName(index);
    verifyLink(transfer, parent, where);
    verifySequence(transfer, where);
    ensure(transfer.date >= earliest, `the date of ${where} is before that of its parent`);
    ensure(transfer.date < body.expiry, `${where} was made after the note's expiry`);
    verifySigner(transfer, owner, index === 0 ? body.issuer : null, book, where);
    parent = transfer;
    owner = transfer.transferee;
    earliest = transfer.date;
  }
  ensure(equal(owner, module), `the note belongs to module ${hex(owner)}, not to the holder`);
  ensure(atSeconds < body.expiry, "the note has expired");
}

function verifyBody(body: NoteBody, book: CertificateBook): void {
  const where = "the note's body";
  const signer = signerOf(body.signed, book, where);
  ensure(equal(signer.subject, body.generator), "the note is not signed by its generator");
  verifyGenerator(signer, body.issuer, where);
  const valid = signer.issued <= body.issued && body.issued < signer.expiry;
  ensure(valid, "the note was issued outside the validity of its generator's certificate");
  verifySignature(
    "florin/note-body",
    body.signed.payload,
    body.signed.signature,
    signer.key,
    where,
  );
}

function verifyGenerator(signer: Certificate, issuer: string, where: string): void {
  ensure(signer.role === ROLE.generator, `the signer of ${where} is not a generator`);
  const own = signer.organisation === issuer;
  ensure(own, `the signer of ${where} is a generator of "${signer.organisation}", not the issuer`);
}

/** A transfer hangs on its parent's payload and takes no more than the parent has. */
function verifyLink(transfer: Transfer, parent: NoteBody | Transfer, where: string): void {
  const chained = equal(transfer.parent, sha256(parent.signed.payload));
  ensure(chained, `the parent hash of ${where} is not that of the record before it`);
  // Subtracted, not added: the sum of two amounts may leave the exact integers.
  const fits = transfer.amountMinor <= parent.amountMinor - transfer.offsetMinor;
  ensure(fits, `offset and amount of ${where} exceed the amount of the record before it`);
}

/** The sequence counts what was released from one parent; each release took at least 1. */
function verifySequence(transfer: Transfer, where: string): void {
  const { sequence, offsetMinor } = transfer;
  const fits = sequence >= 1 && (sequence === 1) === (offsetMinor === 0);
  ensure(fits && offsetMinor >= sequence - 1, `sequence and offset of ${where} do not fit`);
}

/** The holder of the parent signs; `issuer` is given for the first transfer, the generator's. */
function verifySigner(
  transfer: Transfer,
  owner: Uint8Array,
  issuer: string | null,
  book: CertificateBook,
  where: string,
): void {
  const signer = signerOf(transfer.signed, book, where);
  ensure(equal(signer.subject, owner), `${where} is not signed by the holder of its parent`);
  if (issuer !== null) verifyGenerator(signer, issuer, where);
  const money = !isAgent(signer.role) && !isServer(signer.role);
  ensure(money, `the signer of ${where} is not a money module`);
  // The date is rounded down: it may lie before the issue time, but in the same hour.
  const valid = hour(signer.issued) <= transfer.date && transfer.date < signer.expiry;
  ensure(valid, `${where} was made outside the validity of its signer's certificate`);
  const { payload, signature } = transfer.signed;
  verifySignature("florin/transfer", payload, signature, signer.key, where);
}

function signerOf(signed: SignedObject, book: CertificateBook, where: string): Certificate {
  if (signed.kid === null) throw new Refusal(`${where} does not name its signer's certificate`);
  return book.find(signed.kid, where);
}

function hour(seconds: number): number {
  return seconds - (seconds % HOUR_SECONDS);
}
