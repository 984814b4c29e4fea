// SPDX-License-Identifier: Apache-2.0
// What an owner has agreed to pay when a peer asks (par. 128, exchanges): each agreement lets one
// payment of exactly these terms go, and everything else that is asked is refused.
import type { AskedPayment } from "../application/personPayments.ts";

/** The terms that were agreed to: who asks, what is paid, what is got for it. */
export type Acceptance = AskedPayment;

/** Whether what is asked was agreed to; the agreement is used up by it. */
export function takeAcceptance(acceptances: Acceptance[], asked: AskedPayment): boolean {
  const index = acceptances.findIndex((agreed) => isSame(agreed, asked));
  if (index < 0) return false;
  acceptances.splice(index, 1);
  return true;
}

/** Takes an agreement back that was not used. */
export function withdrawAcceptance(acceptances: Acceptance[], acceptance: Acceptance): void {
  const index = acceptances.indexOf(acceptance);
  if (index >= 0) acceptances.splice(index, 1);
}

function isSame(agreed: Acceptance, asked: AskedPayment): boolean {
  return (
    agreed.peer === asked.peer &&
    agreed.pays.amountMinor === asked.pays.amountMinor &&
    agreed.pays.unit === asked.pays.unit &&
    agreed.gets?.amountMinor === asked.gets?.amountMinor &&
    agreed.gets?.unit === asked.gets?.unit
  );
}
