// SPDX-License-Identifier: Apache-2.0
// A person's wallet: the owner's orders to one transaction device (Figs. 3 and 7, HTA). The shell
// around customerApplication.ts; it holds no key and no money, it asks.
import { hexToBytes } from "@noble/hashes/utils.js";
import { randomBytes } from "node:crypto";
import type { ConnectionId, TransactionDevice } from "../device/types.ts";
import type { Clock } from "../link/clock.ts";
import { step } from "../patent/step.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { ask, runCommand } from "./commandRunner.ts";
import {
  newPurchase,
  purchaseOrder,
  type PurchaseApplication,
  type PurchaseResult,
  stepPurchase,
} from "./customerApplication.ts";
import {
  type CredentialKind,
  ExportKind,
  FieldReader,
  type HostBody,
  HostMessage,
  hostBody,
} from "./hostPort.ts";
import { PeerLines } from "./peerLines.ts";
import {
  type AskedPayment,
  answerAsked,
  type ExchangeTerms,
  type NewAmount,
  orderPayment,
} from "./personPayments.ts";
import { type CardCredential, type Receipt, readTicket, type Ticket } from "./tickets.ts";

/** Money of one unit in the wallet, minor units. */
export interface Balance {
  unit: string;
  spendableMinor: number;
  /** Received, but the payer's release has not arrived: protocol rule 4.3. */
  inDoubtMinor: number;
  /** Spendable only at a bank, which makes fresh notes of it. */
  refreshMinor: number;
}

/** A purchase or sale as the owner orders it; which of the two the offer says. */
export interface TradeOrder {
  amountMinor: number;
  unit: string;
  offer: Uint8Array;
  merchantName: string;
  endpoint: string;
  card: CardCredential;
  /** The owner's word on the receipt (step 784). */
  confirm: (receipt: Receipt) => Promise<boolean>;
  progress?: (text: string) => void;
}

export class Wallet {
  readonly name: string;
  readonly device: TransactionDevice;
  private readonly clock: Clock;
  private readonly peers: PeerLines;

  constructor(name: string, device: TransactionDevice, clock: Clock) {
    this.peers = new PeerLines(device, clock);
    this.name = name;
    this.device = device;
    this.clock = clock;
  }

  /** Money in the module, by unit. */
  async balances(): Promise<Balance[]> {
    return readBalances(await ask(this.device, "module", HostMessage.BALANCE));
  }

  /** Every ticket in the agent. */
  async tickets(): Promise<Ticket[]> {
    const items = await exportItems(this.device, ExportKind.TICKETS, "agent");
    return items.flatMap((bytes) => readTicket(bytes) ?? []);
  }

  async cards(): Promise<CardCredential[]> {
    return (await this.tickets()).filter((ticket) => ticket.type === "card");
  }

  async receipts(): Promise<Receipt[]> {
    return (await this.tickets()).filter((ticket) => ticket.type === "receipt");
  }

  /** Asks an authority for a credential that it agreed to issue (Acquire Credential 166). */
  async acquire(url: string, kind: (typeof CredentialKind)[keyof typeof CredentialKind]) {
    return this.withPeer(url, (connection) =>
      runCommand({ device: this.device, target: "agent", clock: this.clock, connection }, (id) =>
        hostBody(HostMessage.ACQUIRE, id, kind),
      ),
    );
  }

  /** Buys electronic money at a merchant's endpoint with a card, or sells it (Fig. 7). */
  async trade(order: TradeOrder): Promise<PurchaseResult> {
    const commandId = new Uint8Array(randomBytes(16));
    const state = newPurchase({
      commandId,
      amountMinor: order.amountMinor,
      unit: order.unit,
      offer: order.offer,
      merchantName: order.merchantName,
      credential: hexToBytes(order.card.identifier.ticketId),
    });
    step(`${this.name} host`, 704);
    return this.withPeer(order.endpoint, (connection) =>
      this.runPurchase(state, order, connection),
    );
  }

  /** Pays another device, which listens at `url` (Fig. 12, without a ticket). */
  pay(url: string, amountMinor: number, unit: string, newAmount?: NewAmount) {
    return this.order(url, newAmount, (id) => hostBody(HostMessage.PAY, id, amountMinor, unit));
  }

  /** Asks the device at `url` to pay this one; its owner is asked (paragraph 128). */
  request(url: string, amountMinor: number, unit: string, newAmount?: NewAmount) {
    return this.order(url, newAmount, (id) => hostBody(HostMessage.REQUEST, id, amountMinor, unit));
  }

  /** Exchanges two units with the device at `url`, whose owner is asked; this one decides. */
  exchange(url: string, terms: ExchangeTerms): Promise<PurchaseResult> {
    const { amountMinor, unit, counterMinor, counterUnit, rounding } = terms;
    return this.order(url, undefined, (id) =>
      hostBody(HostMessage.EXCHANGE, id, amountMinor, unit, counterMinor, counterUnit, rounding),
    );
  }

  /**
   * Gives the owner's word on payments that peers ask for, until the returned function is called.
   */
  answerAsked(decide: (asked: AskedPayment) => Promise<boolean>): () => void {
    return answerAsked(this.device, decide);
  }

  /** Accepts payments: all, or only of this amount and unit (step 608). */
  async expect(amountMinor: number | null, unit: string | null): Promise<void> {
    await ask(this.device, "agent", HostMessage.EXPECT, amountMinor, unit);
  }

  private runPurchase(
    state: PurchaseApplication,
    order: TradeOrder,
    connection: ConnectionId,
  ): Promise<PurchaseResult> {
    const take = (event: Parameters<typeof stepPurchase>[1]): void => {
      for (const effect of stepPurchase(state, event)) {
        if (effect.type === "command") this.device.send("agent", effect.body, { connection });
        else if (effect.type === "progress") order.progress?.(effect.text);
        else if (effect.type === "ask-owner") {
          order
            .confirm(effect.receipt)
            .catch(() => false)
            .then((isConfirmed) => take({ type: "owner", isConfirmed }));
        }
      }
    };
    const { commandId } = state.order;
    return runCommand(
      {
        device: this.device,
        target: "agent",
        clock: this.clock,
        connection,
        commandId,
        onBody: (body) => take({ type: "agent", body }),
      },
      () => purchaseOrder(state),
    );
  }

  private order(
    url: string,
    newAmount: NewAmount | undefined,
    bodyFor: (commandId: Uint8Array) => Uint8Array,
  ): Promise<PurchaseResult> {
    const { device, clock } = this;
    return this.withPeer(url, (connection) =>
      orderPayment({ device, clock, connection, newAmount }, bodyFor),
    );
  }

  private withPeer<Result>(
    url: string,
    work: (connection: ConnectionId) => Promise<Result>,
  ): Promise<Result> {
    return this.peers.use(url, work);
  }
}

/** Reads the answer to `balance`. */
export function readBalances(body: HostBody): Balance[] {
  const rows = new FieldReader(body, "the module's balance").list();
  return rows.map((row) => {
    const fields = Array.isArray(row) ? (row as unknown[]) : [];
    const reader = new FieldReader({ number: body.number, fields }, "a balance");
    return {
      unit: reader.text(),
      spendableMinor: reader.uint(),
      inDoubtMinor: reader.uint(),
      refreshMinor: reader.uint(),
    };
  });
}

/** Fetches every item of one kind from an agent or module, as encoded objects. */
export async function exportItems(
  device: Pick<TransactionDevice, "command">,
  kind: number,
  target: "agent" | "module",
): Promise<Uint8Array[]> {
  const items: Uint8Array[] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const answer = await ask(device, target, HostMessage.EXPORT, kind, cursor);
    const reader: FieldReader = new FieldReader(answer, "an exported item");
    reader.uint();
    cursor = reader.uintOrNull();
    const item = reader.bytesOrNull();
    if (item !== null) items.push(item);
  }
  return items;
}

/** Fetches an agent's or module's own certificate, its server's, and those that its notes name. */
export async function exportCertificates(
  device: Pick<TransactionDevice, "command">,
  target: "agent" | "module",
): Promise<Uint8Array[]> {
  const items = await exportItems(device, ExportKind.CERTIFICATES, target);
  return items.flatMap(certificatesIn);
}

/** The certificates in one exported item, encoded: its own come as a chain of two. */
export function certificatesIn(item: Uint8Array): Uint8Array[] {
  const value = decodeCbor(item);
  const isChain = Array.isArray(value) && value.length === 2;
  return isChain ? value.map((certificate) => encodeCbor(certificate)) : [item];
}
