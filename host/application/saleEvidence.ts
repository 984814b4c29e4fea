// SPDX-License-Identifier: Apache-2.0
// What a customer's device can prove about its sales: mandate and approval from the agent's log, and
// from the module what proves the payment (docs/protocol.cddl section 8, export 6). Both name the
// pay id.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { TransactionDevice } from "../device/types.ts";
import type { SaleEvidence } from "../network/authorization/saleEvidence.ts";
import {
  type Mandate,
  parseApproval,
  parseMandate,
} from "../network/authorization/signedObjects.ts";
import { encodeCbor } from "../trust/cbor.ts";
import { readPaymentProof } from "../trust/paymentProof.ts";
import { logItems } from "./deviceLogs.ts";
import { ExportKind } from "./hostPort.ts";
import { exportItems } from "./wallet.ts";

/** Kind of an agent's log entry about a purchase or sale; places of its pay id and evidence. */
const PURCHASE = 1;
const KIND_AT = 2;
const PAY_ID_AT = 6;
const EVIDENCE_AT = 11;

/** A sale that the device paid for, with all that its card issuer needs to post it. */
export interface PaidSale {
  readonly mandate: Mandate;
  /** Hexadecimal. */
  readonly payId: string;
  readonly evidence: SaleEvidence;
}

/** The sales of a device, oldest first, as far back as both logs go. */
export async function paidSales(device: Pick<TransactionDevice, "command">): Promise<PaidSale[]> {
  const proofs = await exportItems(device, ExportKind.PAID, "module");
  return salesOf(await logItems(device, "agent"), proofs);
}

/** The sales in an agent's log that have a proof among these of its module. */
export function salesOf(log: readonly unknown[][], proofItems: readonly Uint8Array[]): PaidSale[] {
  const proofs = new Map<string, Uint8Array>();
  for (const item of proofItems) {
    const proof = readPaymentProof(item);
    if (proof !== undefined) proofs.set(proof.payId, item);
  }
  const sales: PaidSale[] = [];
  for (const entry of log) {
    const named = entry[PAY_ID_AT];
    const list = entry[EVIDENCE_AT];
    if (entry[KIND_AT] !== PURCHASE || !(named instanceof Uint8Array)) continue;
    const payId = bytesToHex(named);
    const proof = proofs.get(payId);
    if (proof === undefined || !Array.isArray(list)) continue;
    const objects = list.map((object) => encodeCbor(object));
    const mandate = objects.find((bytes) => parseMandate(bytes) !== undefined);
    const approval = objects.find((bytes) => parseApproval(bytes) !== undefined);
    if (mandate === undefined || approval === undefined) continue;
    const { content } = parseMandate(mandate)!;
    if (content.direction !== "sell") continue;
    sales.push({ mandate: content, payId, evidence: { mandate, approval, proof } });
  }
  return sales;
}
