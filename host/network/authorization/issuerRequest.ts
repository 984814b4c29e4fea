// SPDX-License-Identifier: Apache-2.0
// What a card issuer checks before it opens its books: authentication and form of the message,
// who signed the object in field 55, and that the message says what was signed. Protocol rules 6.
import { verifySigned } from "../../trust/cose.ts";
import { currencyByCode } from "../currencies.ts";
import { type DropReason, decodeMessage } from "./codec.ts";
import type { RecordsQuestion } from "./issuerBooks.ts";
import { Field, type IsoMessage, ProcessingCode } from "./messages.ts";
import { ResponseCode } from "./responseCodes.ts";
import {
  type Completion,
  type Direction,
  fromFieldText,
  type Mandate,
  mandateHash,
  Purpose,
  parseCompletion,
  parseMandate,
} from "./signedObjects.ts";

/** Who holds which credential. Ids are lower-case hexadecimal, keys are Ed25519 public keys. */
export interface IssuerDirectory {
  /** A card credential of this issuer: its receiver, the receiver's key, the card's number. */
  credentialById(credentialId: string):
    | {
        readonly agentId: string;
        readonly agentSigningKey: Uint8Array;
        readonly cardNumber: string;
      }
    | undefined;
  merchantCredentialById(
    credentialId: string,
  ): { readonly agentId: string; readonly name: string } | undefined;
  /** The signing key of a certified agent. */
  agentKeyById(agentId: string): Uint8Array | undefined;
}

/** What a request asks for, its signatures checked; or why it is turned down unsigned. */
export type IssuerOrder =
  | {
      readonly kind: "hold";
      readonly mandate: Mandate;
      readonly customerAgentId: string;
      readonly merchantAgentId: string;
    }
  | {
      readonly kind: "settle";
      readonly outcome: Completion["outcome"];
      readonly merchantAgentId: string;
    }
  | { readonly kind: "reject"; readonly code: string };

export interface IssuerRequest {
  readonly message: IsoMessage;
  readonly order: IssuerOrder;
  /** The records that the decision needs. */
  readonly question: RecordsQuestion;
}

/**
 * Reads a request from a link. A `DropReason` means that nothing may be answered. Answers to
 * messages that merely disagree with what was signed are unsigned and leave no record: the order
 * itself may still arrive in a true message, and one order never gets two signed answers.
 */
export function readRequest(
  directory: IssuerDirectory,
  linkKey: Uint8Array,
  bytes: Uint8Array,
): IssuerRequest | DropReason {
  const message = decodeMessage(bytes, linkKey);
  if (typeof message === "string") return message;
  const signed = fromFieldText(message.fields[Field.signedObject] ?? "");
  switch (message.type) {
    case "0100":
      return readHold(directory, message, signed);
    case "0220":
    case "0400":
    case "0420":
      return readSettlement(directory, message, signed);
    default:
      return "form";
  }
}

/** Field 42: the id of the merchant's agent as base64url, padded to 15 characters. */
export function cardAcceptorId(agentId: string): string {
  return Buffer.from(agentId, "hex").toString("base64url").padEnd(15);
}

/** Field 3 for a direction. */
export function processingCodeOf(direction: Direction): string {
  return direction === "buy" ? ProcessingCode.debit : ProcessingCode.credit;
}

/**
 * Compares fields 3, 4 and 49, as far as present, with what was signed.
 * @returns the response code of the first that differs, or undefined
 */
export function termsProblem(
  message: IsoMessage,
  terms: { readonly direction: Direction; readonly amountMinor: number; readonly unit: string },
): string | undefined {
  const { [Field.processingCode]: processing, [Field.amount]: amount } = message.fields;
  const currency = message.fields[Field.currency];
  if (processing !== undefined && processing !== processingCodeOf(terms.direction)) {
    return ResponseCode.securityViolation;
  }
  const sameAmount = amount === undefined || Number(amount) === terms.amountMinor;
  const numeric = currencyByCode(terms.unit)?.numeric;
  const sameCurrency = currency === undefined || currency === numeric;
  return sameAmount && sameCurrency ? undefined : ResponseCode.invalidAmount;
}

function readHold(
  directory: IssuerDirectory,
  message: IsoMessage,
  signed: Uint8Array | undefined,
): IssuerRequest {
  const cardNumber = message.fields[Field.cardNumber]!;
  const parsed = signed && parseMandate(signed);
  if (parsed === undefined) return rejected(message, ResponseCode.formatError);
  const mandate = parsed.content;
  const credential = directory.credentialById(mandate.credentialId);
  if (credential === undefined || credential.cardNumber !== cardNumber) {
    return rejected(message, ResponseCode.invalidCardNumber);
  }
  if (!verifySigned(parsed.object, Purpose.mandate, credential.agentSigningKey)) {
    return rejected(message, ResponseCode.securityViolation);
  }
  const terms = {
    direction: mandate.direction,
    amountMinor: mandate.accountAmountMinor,
    unit: mandate.accountUnit,
  };
  const problem = termsProblem(message, terms);
  if (problem !== undefined) return rejected(message, problem);
  const merchant = directory.merchantCredentialById(mandate.merchantCredentialId);
  if (merchant === undefined) return rejected(message, ResponseCode.invalidMerchant);
  if (message.fields[Field.cardAcceptorId] !== cardAcceptorId(merchant.agentId)) {
    return rejected(message, ResponseCode.securityViolation);
  }
  const customerAgentId = credential.agentId;
  const merchantAgentId = merchant.agentId;
  return {
    message,
    order: { kind: "hold", mandate, customerAgentId, merchantAgentId },
    question: {
      cardNumber,
      mandateHash: mandateHash(parsed.object),
      customerAgentId,
      transactionId: mandate.transactionId,
    },
  };
}

function readSettlement(
  directory: IssuerDirectory,
  message: IsoMessage,
  signed: Uint8Array | undefined,
): IssuerRequest {
  const parsed = signed && parseCompletion(signed);
  if (parsed === undefined) return rejected(message, ResponseCode.formatError);
  const { outcome } = parsed.content;
  // The type of the message must not turn a post into a void, or the reverse.
  const meant = message.type === "0220" ? "post" : "void";
  const acceptorId = message.fields[Field.cardAcceptorId]!;
  const merchantAgentId = Buffer.from(acceptorId, "base64url").toString("hex");
  const key = directory.agentKeyById(merchantAgentId);
  const genuine =
    key !== undefined && outcome === meant && verifySigned(parsed.object, Purpose.completion, key);
  if (!genuine) return rejected(message, ResponseCode.securityViolation);
  return {
    message,
    order: { kind: "settle", outcome, merchantAgentId },
    question: {
      cardNumber: message.fields[Field.cardNumber]!,
      mandateHash: parsed.content.mandateHash,
    },
  };
}

function rejected(message: IsoMessage, code: string): IssuerRequest {
  const question = { cardNumber: message.fields[Field.cardNumber]!, mandateHash: "" };
  return { message, order: { kind: "reject", code }, question };
}
