// SPDX-License-Identifier: Apache-2.0
// A bank's teller and generator as their hosts see them (docs/protocol.cddl section 8, 82 to 88):
// they never lose their power here, tell what their bank has not noted again and again, and give
// up what no bank answers. What they say to a host that is dead is lost.
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  HostMessage,
  hostBody,
  PaymentState,
  parseHostBody,
  RequestKind,
} from "../../../host/application/hostPort.ts";
import type { DeviceEvent } from "../../../host/device/types.ts";
import type { OrderResult } from "../../../host/network/bank/tellerStock.ts";
import { ModelModule } from "../bank-module.ts";

const HOP_MS = 10;
const REPEAT_MS = 10_000;
/** No answer for so long ends a payment that promised nothing. */
const SESSION_MS = 90_000;
const DOUBT_MS = 400_000;
const UNIT = "EUR";

/** How a customer's payment ends once the bank lets it go on. */
export type End = "commits" | "aborts" | "commits after a doubt" | "aborts after a doubt";

export class BankBoard {
  readonly module = new ModelModule();
  end: End = "commits";
  /** Told when a doubt ends, before anything follows from it. */
  onDoubtOver: () => void = () => undefined;
  /** What came from and went to generators; what customers have is in the model. */
  private orderedMinor = 0;
  private readonly listeners = new Set<(event: DeviceEvent) => void>();
  private readonly ended = new Map<string, () => void>();
  private isRepeating = false;

  get stockMinor(): number {
    return this.orderedMinor - this.paidMinor;
  }

  /** Net sum that it gave away. */
  get paidMinor(): number {
    return this.module.paidMinor[UNIT] ?? 0;
  }

  get open(): number {
    const payments = [...this.module.payments.values()];
    return payments.filter(({ state, noted }) => state === PaymentState.RUNNING || !noted).length;
  }

  /** A peer wants something: the bank is asked. Resolves when that is over. */
  want(payId: string, peer: string, amountMinor: number, account: string | null, request: number) {
    this.say(this.module.want(payId, peer, amountMinor, UNIT, account, request));
    setTimeout(() => {
      this.module.giveUp(payId);
      this.tell(payId);
    }, SESSION_MS);
    return new Promise<void>((resolve) => this.ended.set(payId, resolve));
  }

  command(body: Uint8Array): Uint8Array {
    const { number } = parseHostBody(body)!;
    if (number === HostMessage.BALANCE) return hostBody(number, [[UNIT, this.stockMinor, 0, 0, 0]]);
    if (number === HostMessage.EXPORT) return hostBody(number, 2, null, null);
    const payId = bytesToHex(parseHostBody(body)!.fields[0] as Uint8Array);
    const payment = this.module.payments.get(payId);
    const wasRunning = payment?.state === PaymentState.RUNNING;
    const replies = this.module.receive(body, this.end !== "aborts");
    const isCommitted = wasRunning && payment?.state === PaymentState.COMMITTED;
    if (isCommitted && this.end.endsWith("doubt")) this.doubt(payId);
    if (replies.length > 0) this.say(this.module.settle(payId));
    if (wasRunning) this.tell(payId);
    return hostBody(number);
  }

  onEvent(listener: (event: DeviceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The teller's side of an order, which ended with the generator's in one moment. */
  ordered(payId: string, generator: string, amountMinor: number, request: number): void {
    this.module.want(payId, generator, amountMinor, UNIT, null, request);
    this.module.payments.get(payId)!.state = PaymentState.COMMITTED;
    this.orderedMinor += request === RequestKind.ISSUE ? amountMinor : -amountMinor;
    this.say(this.module.settle(payId));
    this.tell(payId);
  }

  /** What a payment that the model calls committed is until both devices meet again. */
  private doubt(payId: string): void {
    const payment = this.module.payments.get(payId)!;
    const sign = payment.request === RequestKind.DEPOSIT ? -1 : 1;
    const moved = payment.request === RequestKind.REFRESH ? 0 : sign * payment.amountMinor;
    const move = (amountMinor: number) => {
      this.module.paidMinor[UNIT] = this.paidMinor + amountMinor;
    };
    payment.state = PaymentState.IN_DOUBT;
    move(-moved);
    setTimeout(() => {
      this.onDoubtOver();
      const isCommitted = this.end.startsWith("commits");
      payment.state = isCommitted ? PaymentState.COMMITTED : PaymentState.ABORTED;
      if (isCommitted) move(moved);
      this.tell(payId);
    }, DOUBT_MS);
  }

  /** Has the bank hear how it stands, until it has noted it. */
  private tell(payId: string): void {
    this.ended.get(payId)?.();
    if (this.isRepeating) return;
    this.isRepeating = true;
    const repeat = () => {
      const reports = this.module.reports();
      for (const report of reports) this.say(report);
      this.isRepeating = reports.length > 0;
      if (this.isRepeating) setTimeout(repeat, REPEAT_MS);
    };
    setTimeout(repeat, REPEAT_MS);
  }

  private say(body: Uint8Array): void {
    setTimeout(() => {
      for (const tell of this.listeners) tell({ type: "message", target: "module", body });
    }, HOP_MS);
  }
}

/** A teller orders at a generator; what both agree on moves at one moment. */
export async function order(
  teller: BankBoard,
  generator: BankBoard,
  ids: { payId: string; teller: string; generator: string },
  amountMinor: number,
  request: number,
): Promise<OrderResult> {
  const { payId } = ids;
  await generator.want(payId, ids.teller, amountMinor, null, request);
  const isDone = generator.module.payments.get(payId)!.state === PaymentState.COMMITTED;
  if (isDone) teller.ordered(payId, ids.generator, amountMinor, request);
  return { isDone, reason: isDone ? "" : "refused by its bank", reasonNumber: isDone ? 0 : 44 };
}
