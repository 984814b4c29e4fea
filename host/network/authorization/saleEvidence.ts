// SPDX-License-Identifier: Apache-2.0
// The evidence by which a card issuer posts a sale that its merchant withholds (protocol rules 6):
// mandate, approval, the merchant's module's Ready-to-Commit and the transfers released to it. Here
// it is read and verified; withheldSale.ts decides.
import { verifySigned } from "../../trust/cose.ts";
import {
  type PaymentProof,
  paymentProofComplaint,
  readPaymentProof,
} from "../../trust/paymentProof.ts";
import type { RecordsQuestion } from "./issuerBooks.ts";
import type { IssuerDirectory } from "./issuerRequest.ts";
import { mandateHash, parseApproval, parseMandate, Purpose } from "./signedObjects.ts";

/** What a customer's host shows; each in the bytes that the device read out. */
export interface SaleEvidence {
  readonly mandate: Uint8Array;
  readonly approval: Uint8Array;
  /** See paymentProof.ts. */
  readonly proof: Uint8Array;
}

/** Which halves make one device, as the agencies certified them. Ids are hexadecimal. */
export interface DeviceRegister {
  deviceOfAgent(agentId: string): string | undefined;
  moduleById(
    moduleId: string,
  ): { readonly device: string; readonly signingKey: Uint8Array } | undefined;
}

/** A sale that was paid, by evidence that is good. */
export interface ProvenSale {
  readonly question: RecordsQuestion;
  readonly merchantAgentId: string;
  readonly proof: PaymentProof;
}

/**
 * Reads and verifies evidence.
 * @returns what is wrong with it, as the end of a sentence, or what it proves
 */
export function readSaleEvidence(
  directory: IssuerDirectory,
  approvalKey: Uint8Array,
  devices: DeviceRegister,
  evidence: SaleEvidence,
): ProvenSale | string {
  const parsed = parseMandate(evidence.mandate);
  const approval = parseApproval(evidence.approval);
  const proof = readPaymentProof(evidence.proof);
  if (parsed === undefined) return "the mandate is malformed";
  if (approval === undefined) return "the approval is malformed";
  if (proof === undefined) return "the proof of payment is malformed";
  const mandate = parsed.content;
  const credential = directory.credentialById(mandate.credentialId);
  if (credential === undefined) return "the card is not this issuer's";
  if (!verifySigned(parsed.object, Purpose.mandate, credential.agentSigningKey)) {
    return "the mandate is not signed by the card's holder";
  }
  // In a purchase the customer receives, and nobody can withhold what the card owes him.
  if (mandate.direction !== "sell") return "the mandate is not of a sale";
  const hash = mandateHash(parsed.object);
  if (!verifySigned(approval.object, Purpose.approval, approvalKey)) {
    return "the approval is not this issuer's";
  }
  if (approval.content.mandateHash !== hash) return "the approval is of another mandate";
  if (!approval.content.approved) return "the sale was refused";
  const merchant = directory.merchantCredentialById(mandate.merchantCredentialId);
  if (merchant === undefined) return "the merchant is unknown";
  // The payee's own module names the transaction: pay id and mandate are tied by nobody else.
  if (proof.transactionId !== mandate.transactionId) return "the payment is of another transaction";
  if (proof.unit !== mandate.moneyUnit || proof.amountMinor !== mandate.moneyAmountMinor) {
    return "the payment is of another amount";
  }
  const payer = devices.moduleById(proof.payer);
  const payee = devices.moduleById(proof.payee);
  if (payer === undefined || payer.device !== devices.deviceOfAgent(credential.agentId)) {
    return "the payer's module is not of the card holder's device";
  }
  if (payee === undefined || payee.device !== devices.deviceOfAgent(merchant.agentId)) {
    return "the payee's module is not of the merchant's device";
  }
  const complaint = paymentProofComplaint(proof, payer.signingKey, payee.signingKey);
  if (complaint !== undefined) return complaint;
  const { cardNumber, agentId: customerAgentId } = credential;
  const { transactionId } = mandate;
  const question = { cardNumber, mandateHash: hash, customerAgentId, transactionId };
  return { question, merchantAgentId: merchant.agentId, proof };
}
