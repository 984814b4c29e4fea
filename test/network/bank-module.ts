// SPDX-License-Identifier: Apache-2.0
// A teller or generator as its bank sees it (docs/protocol.cddl section 8, 82 to 88), for tests of
// the bank: it wants holds, pays or aborts, and reports until the bank has noted.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  HostMessage,
  hostBody,
  PaymentState,
  parseHostBody,
  RequestKind,
} from "../../host/application/hostPort.ts";

interface ModelPayment {
  readonly payId: string;
  readonly peer: string;
  readonly amountMinor: number;
  readonly unit: string;
  readonly account: string | null;
  /** See RequestKind. */
  readonly request: number;
  state: number;
  noted: boolean;
}

/** Customers name the account that they draw on; tellers want new money. */
function requestOf(account: string | null): number {
  return account === null ? RequestKind.ISSUE : RequestKind.WITHDRAW;
}

/** Requests by which notes come to the module that serves them. */
const INCOMING: readonly number[] = [RequestKind.DEPOSIT, RequestKind.REDEEM];

export class ModelModule {
  readonly payments = new Map<string, ModelPayment>();
  /** Sum of what it paid out, less what came in, by unit. */
  readonly paidMinor: Record<string, number> = {};

  /** A peer asks for money: the message that goes to the bank. */
  want(
    payId: string,
    peer: string,
    amountMinor: number,
    unit: string,
    account: string | null,
    request: number = requestOf(account),
  ) {
    const what = { payId, peer, amountMinor, unit, account, request };
    this.payments.set(payId, { ...what, state: PaymentState.RUNNING, noted: false });
    return this.holdWanted(payId);
  }

  /** The same question again. */
  holdWanted(payId: string): Uint8Array {
    const { peer, amountMinor, unit, account, request } = this.payments.get(payId)!;
    const tag = new Uint8Array(8);
    const names = [hexToBytes(payId), hexToBytes(peer), request];
    return hostBody(HostMessage.HOLD_WANTED, tag, ...names, amountMinor, unit, account);
  }

  /** The report of one payment. */
  settle(payId: string): Uint8Array {
    const payment = this.payments.get(payId);
    const { state = PaymentState.NONE, amountMinor = 0, unit = "EUR" } = payment ?? {};
    const peer = hexToBytes(payment?.peer ?? "00".repeat(8));
    const request = payment?.request ?? RequestKind.NONE;
    const names = [hexToBytes(payId), state, request];
    return hostBody(HostMessage.SETTLE, ...names, amountMinor, unit, peer);
  }

  /** The reports that it repeats until they are noted. */
  reports(): Uint8Array[] {
    return [...this.payments.values()]
      .filter(({ state, noted }) => state !== PaymentState.RUNNING && !noted)
      .map(({ payId }) => this.settle(payId));
  }

  /** Handles what the bank sends; `pays` tells whether a granted payment succeeds. */
  receive(body: Uint8Array, pays: boolean): Uint8Array[] {
    const { number, fields } = parseHostBody(body)!;
    const payId = bytesToHex(fields[0] as Uint8Array);
    const payment = this.payments.get(payId);
    if (number === HostMessage.HOLD && payment?.state === PaymentState.RUNNING) {
      this.end(payment, fields[1] === true && pays);
      return [this.settle(payId)];
    }
    if (number === HostMessage.CLOSE) {
      if (payment?.state === PaymentState.RUNNING) this.end(payment, false);
      return [this.settle(payId)];
    }
    if (number === HostMessage.NOTED && payment) payment.noted = true;
    return [];
  }

  /** Gives a running payment up, as after a time-out. */
  giveUp(payId: string): void {
    const payment = this.payments.get(payId)!;
    if (payment.state === PaymentState.RUNNING) this.end(payment, false);
  }

  private end(payment: ModelPayment, isCommitted: boolean): void {
    payment.state = isCommitted ? PaymentState.COMMITTED : PaymentState.ABORTED;
    if (!isCommitted) return;
    const { unit, amountMinor, request } = payment;
    if (request === RequestKind.REFRESH) return;
    const paidMinor = INCOMING.includes(request) ? -amountMinor : amountMinor;
    this.paidMinor[unit] = (this.paidMinor[unit] ?? 0) + paidMinor;
  }
}
