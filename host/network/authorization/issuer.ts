// SPDX-License-Identifier: Apache-2.0
// The card issuer's rules: hold, post and void (Figs. 11-12, steps 796-817, paragraph 71; protocol
// rules 6). An event machine: request and records in, writes and an answer out, nothing else.
import { step } from "../../patent/step.ts";
import type { CardAccount, CardTransaction, IssuerRecords, IssuerWrite } from "./issuerBooks.ts";
import { type IssuerRequest, termsProblem } from "./issuerRequest.ts";
import { answerTo, Field, type IsoMessage } from "./messages.ts";
import { ResponseCode } from "./responseCodes.ts";
import { type Posting, signApproval, signPosting, toFieldText } from "./signedObjects.ts";

/** What an issuer decides with. */
export interface IssuerTerms {
  /** Ed25519 secret of the approval key that the issuer's card credentials name. */
  readonly approvalSeed: Uint8Array;
  /** How long a hold lasts, in seconds. */
  readonly holdS: number;
}

/** What follows from an event. The writes go first, all or none; then the answer leaves. */
export interface IssuerDecision {
  readonly writes: readonly IssuerWrite[];
  readonly answer: IsoMessage;
}

/** Decides one request. `nowS`: seconds since 1970 by the issuer's clock. */
export function decideRequest(
  terms: IssuerTerms,
  { message, order, question }: IssuerRequest,
  records: IssuerRecords,
  nowS: number,
): IssuerDecision {
  if (order.kind === "reject") return unsigned(message, order.code);
  if (order.kind === "settle") {
    return decideSettlement(terms, message, order, question.mandateHash, records);
  }
  const { mandateHash } = question;
  // Same content, same answer, whatever happened since: repetitions must not learn to differ.
  if (records.transaction !== undefined) {
    return approvalAnswer(terms, message, records.transaction, []);
  }
  const { mandate, customerAgentId, merchantAgentId } = order;
  step("card network", mandate.direction === "buy" ? 811 : 798);
  const request: Omit<CardTransaction, "code" | "untilS" | "state"> = {
    mandateHash,
    customerAgentId,
    transactionId: mandate.transactionId,
    cardNumber: question.cardNumber,
    direction: mandate.direction,
    amountMinor: mandate.accountAmountMinor,
    unit: mandate.accountUnit,
    merchantAgentId,
    provenS: 0,
  };
  const refusal = (code: string): CardTransaction => {
    return { ...request, code, untilS: 0, state: "refused" };
  };
  // Other content under a known id: refused, and not written, since the id belongs to the first.
  if (records.rival !== undefined) {
    return approvalAnswer(terms, message, refusal(ResponseCode.duplicate), []);
  }
  const { account } = records;
  const stated = message.fields[Field.cardExpiry];
  if (account !== undefined && stated !== undefined && stated !== account.expiry) {
    return unsigned(message, ResponseCode.expiredCard);
  }
  const voidedOrLate = records.voidedBefore || nowS > mandate.notAfterS;
  const code = voidedOrLate
    ? ResponseCode.invalidTransaction
    : accountProblem(account, request, nowS);
  if (code !== undefined || account === undefined) {
    const transaction = refusal(code ?? ResponseCode.invalidCardNumber);
    return approvalAnswer(terms, message, transaction, [{ kind: "putTransaction", transaction }]);
  }
  const untilS = nowS + terms.holdS;
  const code00 = ResponseCode.approved;
  const transaction: CardTransaction = { ...request, code: code00, untilS, state: "held" };
  return approvalAnswer(terms, message, transaction, [
    { kind: "putAccount", account: withHold(account, transaction, 1) },
    { kind: "putTransaction", transaction },
  ]);
}

/**
 * Releases the amount of a hold that nobody settled in time. The transaction stays: a post is
 * accepted later too, for the merchant's module may have committed while the network was away.
 */
export function decideLapse(
  account: CardAccount,
  transaction: CardTransaction,
  nowS: number,
): readonly IssuerWrite[] {
  if (transaction.state !== "held" || nowS <= transaction.untilS) return [];
  return [
    { kind: "putAccount", account: withHold(account, transaction, -1) },
    { kind: "putTransaction", transaction: { ...transaction, state: "lapsed" } },
  ];
}

/** What the holder of an account may still spend. */
export function availableMinor(account: CardAccount): number {
  return account.balanceMinor + account.creditLimitMinor - account.heldDebitMinor;
}

type Purchase = Pick<CardTransaction, "direction" | "amountMinor" | "unit">;

/** Why the account does not allow this, as a response code; undefined when it does. */
function accountProblem(
  account: CardAccount | undefined,
  { direction, amountMinor, unit }: Purchase,
  nowS: number,
): string | undefined {
  if (account === undefined) return ResponseCode.invalidCardNumber;
  if (account.standing === "blocked") return ResponseCode.restrictedCard;
  if (account.standing === "closed") return ResponseCode.doNotHonor;
  if (account.expiry < monthOf(nowS)) return ResponseCode.expiredCard;
  if (account.unit !== unit || !account.directions.includes(direction)) {
    return ResponseCode.notPermitted;
  }
  if (amountMinor > account.transactionLimitMinor) return ResponseCode.exceedsLimit;
  if (direction === "buy" && amountMinor > availableMinor(account)) {
    return account.kind === "credit" ? ResponseCode.exceedsLimit : ResponseCode.insufficientFunds;
  }
  const largest = account.balanceMinor + account.heldCreditMinor + amountMinor;
  if (!Number.isSafeInteger(largest)) return ResponseCode.exceedsLimit;
  return undefined;
}

function decideSettlement(
  terms: IssuerTerms,
  message: IsoMessage,
  order: { readonly outcome: "post" | "void"; readonly merchantAgentId: string },
  mandateHash: string,
  records: IssuerRecords,
): IssuerDecision {
  const { account, transaction } = records;
  if (account === undefined) return unsigned(message, ResponseCode.invalidCardNumber);
  const answer = (code: string, state: Posting["state"], writes: readonly IssuerWrite[]) => {
    return postingAnswer(terms, message, code, { mandateHash, state }, writes);
  };
  if (transaction === undefined) {
    // A void that overtook its request is kept and kills it. Any certified agent may say so: the
    // mandate is unknown here, and whoever knows its hash could as well have stopped the request.
    if (order.outcome === "void") {
      return answer(ResponseCode.approved, "voided", [{ kind: "putVoidedMandate", mandateHash }]);
    }
    if (records.voidedBefore) return answer(ResponseCode.noActionTaken, "voided", []);
    return unsigned(message, ResponseCode.recordNotFound);
  }
  if (transaction.merchantAgentId !== order.merchantAgentId) {
    return unsigned(message, ResponseCode.securityViolation);
  }
  if (transaction.cardNumber !== account.cardNumber) {
    return unsigned(message, ResponseCode.invalidCardNumber);
  }
  const problem = termsProblem(message, transaction);
  if (problem !== undefined) return unsigned(message, problem);
  const { state } = transaction;
  const wanted = order.outcome === "post" ? "posted" : "voided";
  if (state === wanted) return answer(ResponseCode.approved, wanted, []);
  if (state === "posted" || state === "voided") {
    return answer(ResponseCode.noActionTaken, state, []);
  }
  // A request refused because its void came first ends as that void said.
  if (state === "refused") {
    const ended = records.voidedBefore ? "voided" : "refused";
    const code = ended === wanted ? ResponseCode.approved : ResponseCode.noActionTaken;
    return answer(code, ended, []);
  }
  return answer(ResponseCode.approved, wanted, settlementWrites(account, transaction, wanted));
}

/** Ends a transaction that is held, or was held and lapsed. */
export function settlementWrites(
  account: CardAccount,
  transaction: CardTransaction,
  wanted: "posted" | "voided",
): readonly IssuerWrite[] {
  const released = transaction.state === "held" ? withHold(account, transaction, -1) : account;
  const settled = wanted === "posted" ? withPosting(released, transaction) : released;
  return [
    { kind: "putAccount", account: settled },
    { kind: "putTransaction", transaction: { ...transaction, state: wanted } },
  ];
}

/** Adds a hold to the account (sign 1) or takes it away (sign -1). */
function withHold(account: CardAccount, held: CardTransaction, sign: 1 | -1): CardAccount {
  const change = sign * held.amountMinor;
  return held.direction === "buy"
    ? { ...account, heldDebitMinor: account.heldDebitMinor + change }
    : { ...account, heldCreditMinor: account.heldCreditMinor + change };
}

function withPosting(account: CardAccount, posted: CardTransaction): CardAccount {
  const change = posted.direction === "buy" ? -posted.amountMinor : posted.amountMinor;
  return { ...account, balanceMinor: account.balanceMinor + change };
}

function approvalAnswer(
  terms: IssuerTerms,
  message: IsoMessage,
  { mandateHash, code, untilS }: CardTransaction,
  writes: readonly IssuerWrite[],
): IssuerDecision {
  const approved = code === ResponseCode.approved;
  const approval = { mandateHash, approved, code, untilS };
  const signed = toFieldText(signApproval(approval, terms.approvalSeed));
  const more: Record<number, string> = { [Field.signedObject]: signed };
  // The approval code is for people's receipts; taken from the hash it needs no counter.
  if (approved) more[Field.approvalCode] = mandateHash.slice(0, 6).toUpperCase();
  return { writes, answer: answerTo(message, code, more) };
}

function postingAnswer(
  terms: IssuerTerms,
  message: IsoMessage,
  code: string,
  posting: Posting,
  writes: readonly IssuerWrite[],
): IssuerDecision {
  const signed = toFieldText(signPosting(posting, terms.approvalSeed));
  return { writes, answer: answerTo(message, code, { [Field.signedObject]: signed }) };
}

function unsigned(message: IsoMessage, code: string): IssuerDecision {
  return { writes: [], answer: answerTo(message, code) };
}

/** The month of a time as YYMM, in UTC. */
function monthOf(nowS: number): string {
  const date = new Date(nowS * 1000);
  const year = String(date.getUTCFullYear() % 100).padStart(2, "0");
  return year + String(date.getUTCMonth() + 1).padStart(2, "0");
}
