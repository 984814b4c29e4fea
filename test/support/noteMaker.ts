// SPDX-License-Identifier: Apache-2.0
// Notes and packets made in TypeScript, right or wrong as a test wants (docs/protocol.cddl section
// 6): a teller of its own that pays a real transaction module over a bare session.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, parseCertificate, type Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { TwinParty } from "./sessionTwin.ts";
import { START_SECONDS, type TestAgency } from "../../host/torture/testAgency.ts";

export const HOUR = 3600;
export const DAY = 86400;
const GRACE = 30 * DAY;

/** Someone who signs notes: a party with its seed and certificate. */
export class Signer extends TwinParty {
  readonly seed: Uint8Array;
  readonly certificate: Uint8Array;
  readonly reference: Uint8Array;

  constructor(agency: TestAgency, name: string, role: Role, change: Partial<Claims> = {}) {
    super(agency, name, role, change);
    // The same derivation as TwinParty's.
    this.seed = sha256(new TextEncoder().encode(`signing ${name}`));
    const [holder] = decodeCbor(this.chain) as [unknown];
    this.certificate = encodeCbor(holder);
    this.reference = parseCertificate(this.certificate)!.reference;
    if (
      Buffer.compare(
        parseCertificate(this.certificate)!.signingKey,
        ed25519.getPublicKey(this.seed),
      ) !== 0
    ) {
      throw new Error("The signer's seed is not that of its certificate.");
    }
  }
}

/** Fields of a body, in the order of the CDDL. */
export interface Body {
  kind: number;
  issuer: string;
  unit: string;
  noteId: Uint8Array;
  amount: number;
  issued: number;
  expiry: number;
  generator: Uint8Array;
  /** Of a credit note; null where it is left out. */
  account?: string;
}

/** Fields of a transfer. */
export interface Transfer {
  parent: Uint8Array;
  sequence: number;
  offset: number;
  amount: number;
  transferee: Uint8Array;
  date: number;
  payId: Uint8Array;
}

export const encodeBody = (body: Body) =>
  encodeCbor([
    body.kind,
    body.issuer,
    body.unit,
    body.noteId,
    body.amount,
    body.issued,
    body.expiry,
    body.generator,
    body.account ?? null,
  ]);

export const encodeTransfer = (transfer: Transfer) =>
  encodeCbor([
    transfer.parent,
    transfer.sequence,
    transfer.offset,
    transfer.amount,
    transfer.transferee,
    transfer.date,
    transfer.payId,
  ]);

/** One draft as it is put together: each link's payload, its signer and what it is signed for. */
export interface Draft {
  body: Uint8Array;
  bodySigner: Signer;
  transfers: { payload: Uint8Array; signer: Signer; purpose?: string }[];
  newest: Uint8Array;
  newestSigner: Signer;
}

/** What a packet is made of; a test changes a field and everything else stays right. */
export interface Packet {
  drafts: Draft[];
  payId: Uint8Array;
  payer: Signer;
  payee: Uint8Array;
  unit: string;
  amount: number;
  horizon: number;
  /** Where both pay: what the payee of the offer pays, and how that was rounded. */
  counter?: [unit: string, amount: number, rounding: number];
  certificates: Uint8Array[];
  offerSigner: Signer;
  /** Instead of the hash of the drafts that are there. */
  draftsHash?: Uint8Array;
}

/** Encodes a packet, making the signatures. */
export function encodePacket(packet: Packet): unknown {
  const hashes = packet.drafts.map(({ newest }) => sha256(newest));
  const offer = encodeCbor([
    packet.payId,
    packet.draftsHash ?? sha256(concatBytes(...hashes)),
    packet.payer.id,
    packet.payee,
    packet.unit,
    packet.amount,
    packet.horizon,
    ...(packet.counter ? [packet.counter] : []),
  ]);
  return [
    decodeCbor(
      signObject("florin/offer", offer, packet.offerSigner.seed, packet.offerSigner.reference),
    ),
    packet.drafts.map((draft) => [
      decodeCbor(
        signObject(
          "florin/note-body",
          draft.body,
          draft.bodySigner.seed,
          draft.bodySigner.reference,
        ),
      ),
      draft.transfers.map(({ payload, signer, purpose }) =>
        decodeCbor(
          signObject(purpose ?? "florin/transfer", payload, signer.seed, signer.reference),
        ),
      ),
      draft.newest,
      draft.newestSigner.reference,
    ]),
    packet.certificates.map((certificate) => decodeCbor(certificate)),
  ];
}

/** Date of all transfers: the start, a whole hour. */
export const DATE = START_SECONDS - (START_SECONDS % HOUR);
export const EXPIRY = DATE + 90 * DAY;

/** A right packet of one note: generator → teller → (holders…) → payee. */
export function rightPacket(
  agency: TestAgency,
  signers: { generator: Signer; teller: Signer; holders?: Signer[] },
  payee: Uint8Array,
  payId: Uint8Array,
  amount: number,
): Packet {
  const { generator, teller, holders = [] } = signers;
  const body = encodeBody({
    kind: 1,
    issuer: "Bank of Tests",
    unit: "EUR",
    noteId: new Uint8Array(16).fill(0x42),
    amount: amount + 1000,
    issued: DATE,
    expiry: EXPIRY,
    generator: generator.id,
  });
  const path = [generator, ...holders, teller];
  let parent = sha256(body);
  const transfers = path.slice(1).map((transferee, index) => {
    const payload = encodeTransfer({
      parent,
      sequence: 1,
      offset: 0,
      amount: amount + 1000 - index,
      transferee: transferee.id,
      date: DATE,
      payId: new Uint8Array(16).fill(index),
    });
    parent = sha256(payload);
    return { payload, signer: path[index]! };
  });
  const newest = encodeTransfer({
    parent,
    sequence: 2,
    offset: 100,
    amount,
    transferee: payee,
    date: DATE,
    payId,
  });
  return {
    drafts: [{ body, bodySigner: generator, transfers, newest, newestSigner: teller }],
    payId,
    payer: teller,
    payee,
    unit: "EUR",
    amount,
    horizon: EXPIRY + GRACE,
    certificates: [
      ...new Set(path.map(({ certificate }) => certificate)),
      agency.moduleServer.certificate.bytes,
    ],
    offerSigner: teller,
  };
}
