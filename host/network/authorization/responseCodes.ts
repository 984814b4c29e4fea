// SPDX-License-Identifier: Apache-2.0
// Response codes of field 39 as Florin's card issuers and switches use them (ISO 8583:1987).

export const ResponseCode = {
  approved: "00",
  invalidMerchant: "03",
  doNotHonor: "05",
  invalidTransaction: "12",
  invalidAmount: "13",
  invalidCardNumber: "14",
  noActionTaken: "21",
  recordNotFound: "25",
  formatError: "30",
  insufficientFunds: "51",
  expiredCard: "54",
  notPermitted: "57",
  exceedsLimit: "61",
  restrictedCard: "62",
  securityViolation: "63",
  issuerUnavailable: "91",
  duplicate: "94",
  systemMalfunction: "96",
} as const;

const MEANINGS: Readonly<Record<string, string>> = {
  "00": "approved",
  "03": "the card issuer does not know this merchant",
  "05": "the card issuer does not honor this card",
  "12": "the order has lapsed or was voided before",
  "13": "the amount or currency is not the one the customer signed",
  "14": "no such card number",
  "21": "nothing was changed: the transaction is settled already",
  "25": "the card issuer has no such transaction",
  "30": "the message is malformed",
  "51": "insufficient funds",
  "54": "the card has expired",
  "57": "the card account does not allow this transaction",
  "61": "the amount exceeds a limit of the card",
  "62": "the card is blocked",
  "63": "a signature or identity in the message is wrong",
  "91": "the card issuer cannot be reached now",
  "94": "another transaction with this id exists",
  "96": "the card network failed; try again later",
};

/** What a response code means, in words that a customer can be shown. */
export function responseCodeMeaning(code: string): string {
  return MEANINGS[code] ?? `the card network answered with code ${code}`;
}
