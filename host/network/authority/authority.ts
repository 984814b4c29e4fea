// SPDX-License-Identifier: Apache-2.0
// An authority's transaction device in service (ATD; Create Credential 180 of Fig. 4D): it issues
// card or merchant credentials to agents whose owners came to the counter, and registers them.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { TransactionDevice } from "../../device/types.ts";
import {
  CredentialKind,
  FieldReader,
  type HostBody,
  HostMessage,
  hostBody,
  parseHostBody,
} from "../../application/hostPort.ts";
import { ask } from "../../application/commandRunner.ts";
import { readTicket } from "../../application/tickets.ts";
import type { CredentialRecord, CredentialRegister } from "./credentialRegister.ts";

/** What a card credential says; times in seconds (docs/protocol.cddl, card-components). */
export interface CardOrder {
  kind: "card";
  bank: string;
  cardNumber: string;
  validFrom: number;
  expires: number;
  customer: string;
  cardKind: "credit" | "debit";
  unit: string;
  approvalKey: Uint8Array;
}

/** What a merchant credential says. */
export interface MerchantOrder {
  kind: "merchant";
  merchant: string;
  owner: Uint8Array;
  validFrom: number;
  expires: number;
}

export type CredentialOrder = CardOrder | MerchantOrder;

export interface AuthorityOptions {
  device: TransactionDevice;
  /** The authority's name, as in its certificate. */
  name: string;
  register: CredentialRegister;
  onAlarm: (text: string) => void;
}

export class AuthorityService {
  private readonly options: AuthorityOptions;
  /** Orders taken at the counter, by the id of the agent (hexadecimal) that will come for them. */
  private readonly orders = new Map<string, CredentialOrder[]>();
  private readonly stop: () => void;

  constructor(options: AuthorityOptions) {
    this.options = options;
    this.stop = options.device.onEvent((event) => {
      if (event.type !== "message" || event.target !== "agent") return;
      const body = parseHostBody(event.body);
      if (body === undefined) return;
      try {
        this.take(body);
      } catch (error) {
        options.onAlarm(error instanceof Error ? error.message : String(error));
      }
    });
  }

  async open(): Promise<void> {
    await ask(this.options.device, "agent", HostMessage.SERVE, true);
  }

  /** Takes an order at the counter; the agent then comes for it by session. */
  order(agentId: string, order: CredentialOrder): void {
    this.orders.set(agentId, [...(this.orders.get(agentId) ?? []), order]);
  }

  close(): void {
    this.stop();
  }

  private take(body: HostBody): void {
    const fields = new FieldReader(body, `message ${body.number} of the authority's agent`);
    if (body.number === HostMessage.REQUESTED) {
      const tag = fields.bytes();
      const agentId = bytesToHex(fields.bytes());
      const wanted = fields.uint() === CredentialKind.CARD ? "card" : "merchant";
      const orders = this.orders.get(agentId) ?? [];
      const order = orders.find(({ kind }) => kind === wanted);
      // An order stays until its credential is created: a connection lost on the way may come
      // again.
      const components = order === undefined ? null : componentsOf(order);
      this.options.device.send("agent", hostBody(HostMessage.CREATE, tag, components));
    } else if (body.number === HostMessage.CREATED) {
      fields.bytes();
      const ticket = readTicket(fields.bytes());
      const agentId = bytesToHex(fields.bytes());
      const agentKey = bytesToHex(fields.bytes());
      if (ticket === undefined || ticket.type === "receipt") return;
      const subject = ticket.type === "card" ? ticket.account : ticket.merchant;
      this.fulfil(agentId, ticket.type, subject);
      const record: CredentialRecord = {
        credentialId: ticket.identifier.ticketId,
        kind: ticket.type,
        authority: this.options.name,
        agentId,
        agentKey,
        subject,
      };
      this.options.register.add(record).catch((error: unknown) => {
        this.options.onAlarm(`a credential could not be registered: ${String(error)}`);
      });
    }
  }

  private fulfil(agentId: string, kind: string, subject: string): void {
    const orders = this.orders.get(agentId) ?? [];
    const index = orders.findIndex(
      (order) =>
        order.kind === kind &&
        (order.kind === "card" ? order.cardNumber : order.merchant) === subject,
    );
    if (index >= 0) orders.splice(index, 1);
  }
}

function componentsOf(order: CredentialOrder): unknown[] {
  if (order.kind === "merchant") {
    return [order.merchant, order.owner, order.validFrom, order.expires];
  }
  const kind = order.cardKind === "credit" ? 1 : 2;
  const { bank, cardNumber, validFrom, expires, customer, unit, approvalKey } = order;
  return [bank, cardNumber, validFrom, expires, customer, kind, unit, approvalKey];
}
