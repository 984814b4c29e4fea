// SPDX-License-Identifier: Apache-2.0
// What proves a payment to another device, as a payer's module reads it out (docs/protocol.cddl
// section 6, `payment-proof`): the payee's Ready-to-Commit and what was released to it.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { parseSigned, type SignedObject, verifySigned } from "./cose.ts";
import { readTransferFields, TRANSFER_PURPOSE, type TransferFields } from "./notes.ts";
import { HASH_BYTES, isBytes, isId, isUnit, isWhole } from "./shapes.ts";
import { parseStatement } from "./statements.ts";

export const READY_PURPOSE = "florin/ready-to-commit";
/** A packet has no more. */
const TRANSFERS_LIMIT = 8;

/** Ids and hashes are hexadecimal. */
export interface PaymentProof {
  readonly ready: SignedObject;
  readonly payId: string;
  readonly draftsHash: string;
  readonly payer: string;
  readonly payee: string;
  /** When the payee was ready, by its own clock, in seconds since 1970. */
  readonly readyS: number;
  /** The agents' transaction that the payment belongs to, and what it is to bring. */
  readonly transactionId: string;
  readonly unit: string;
  readonly amountMinor: number;
  /** Without their signatures; `payloads` has them encoded. */
  readonly transfers: readonly TransferFields[];
  readonly payloads: readonly Uint8Array[];
  readonly signatures: readonly Uint8Array[];
  /** The statement that releases the transfers to the payee, by whatever path. */
  readonly released: Uint8Array;
}

/** Reads an exported proof; undefined where its shape is wrong. No signature is checked. */
export function readPaymentProof(bytes: Uint8Array): PaymentProof | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 3 || !Array.isArray(item[1])) return undefined;
  const payloads = item[1].filter((payload) => payload instanceof Uint8Array);
  const transfers = payloads.flatMap((payload) => readTransferFields(payload) ?? []);
  if (transfers.length !== item[1].length || transfers.length > TRANSFERS_LIMIT) return undefined;
  const released = encodeCbor(item[2]);
  const statement = parseStatement(released);
  if (statement?.kind !== "released") return undefined;
  const ready = parseSigned(encodeCbor(item[0]));
  const fields = ready && decodeCbor(ready.payload);
  if (ready === undefined || !Array.isArray(fields) || fields.length !== 6) return undefined;
  const [payId, draftsHash, payer, payee, seconds, order] = fields;
  if (!isBytes(payId, 16) || !isBytes(draftsHash, HASH_BYTES)) return undefined;
  if (!isId(payer) || !isId(payee) || !isWhole(seconds)) return undefined;
  if (!Array.isArray(order) || order.length !== 3) return undefined;
  const [transactionId, unit, amountMinor] = order;
  if (!isBytes(transactionId, 16) || !isUnit(unit) || !isWhole(amountMinor)) return undefined;
  return {
    ready,
    payId: bytesToHex(payId),
    draftsHash: bytesToHex(draftsHash),
    payer: bytesToHex(payer),
    payee: bytesToHex(payee),
    readyS: seconds,
    transactionId: bytesToHex(transactionId),
    unit,
    amountMinor,
    transfers,
    payloads,
    signatures: statement.payId === bytesToHex(payId) ? statement.signatures : [],
    released,
  };
}

/**
 * Verifies a proof under the two modules' Ed25519 keys, which stay the same for life: the payee
 * promised to take these very drafts for this transaction, and the payer released each of them.
 * @returns what is wrong, as the end of a sentence; undefined when nothing is
 */
export function paymentProofComplaint(
  proof: PaymentProof,
  payerKey: Uint8Array,
  payeeKey: Uint8Array,
): string | undefined {
  const { payloads, signatures, transfers, payId, payee, draftsHash, amountMinor } = proof;
  if (!verifySigned(proof.ready, READY_PURPOSE, payeeKey)) {
    return "Ready-to-Commit is not signed by the payee's module";
  }
  const hashes = transfers.map(({ hash }) => hash);
  if (bytesToHex(sha256(concatBytes(...hashes))) !== draftsHash) {
    return "the transfers are not those that the payee was ready for";
  }
  for (const transfer of transfers) {
    if (bytesToHex(transfer.transferee) !== payee) return "a transfer is to somebody else";
    if (bytesToHex(transfer.payId) !== payId) return "a transfer is of another payment";
  }
  const total = transfers.reduce((sum, transfer) => sum + transfer.amountMinor, 0);
  if (total !== amountMinor) return "the transfers do not come to the amount";
  const isReleased = payloads.every((payload, index) => {
    const signature = signatures[index] ?? new Uint8Array();
    return verifySigned({ keyId: undefined, payload, signature }, TRANSFER_PURPOSE, payerKey);
  });
  if (!isReleased || signatures.length !== payloads.length) {
    return "the transfers are not released by the payer's module";
  }
  return undefined;
}
