// SPDX-License-Identifier: Apache-2.0
// A merchant's device as its host sees it (docs/protocol.cddl section 8, 45 to 49 and 56): the
// agent journals what it owes to the card network (assembly/agent/obligation.ts), its money module
// decides. It never loses its power here; what it says to a host that is dead is lost.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { HostMessage, hostBody, parseHostBody } from "../../../host/application/hostPort.ts";
import type { DeviceEvent } from "../../../host/device/types.ts";
import type { BoardInformation } from "../../../host/link/protocol.ts";
import { parseApproval, parsePosting } from "../../../host/network/authorization/signedObjects.ts";
import { signCompletion, signMandate } from "../../../host/network/authorization/signedObjects.ts";
import type { Mandate, Posting } from "../../../host/network/authorization/signedObjects.ts";
import { decodeCbor, encodeCbor } from "../../../host/trust/cbor.ts";
import { signObject, verifySigned } from "../../../host/trust/cose.ts";
import {
  approvalKey,
  customerSeed,
  DEBIT_CARD,
  hashOf,
  merchantSeed,
} from "../authorization-world.ts";

/** How the money moves once the card is authorized. */
export type Money = "commits" | "aborts" | "commits after a doubt" | "aborts after a doubt";

type AgentState =
  | "idle"
  | "authorizing"
  | "approved"
  | "post owed"
  | "void owed"
  | "posted"
  | "voided"
  | "refused";

/** After that the session with the customer is over, and no approval counts any more. */
const SESSION_MS = 60_000;
/** Until the devices of a payment in doubt meet again. */
const DOUBT_MS = 400_000;
const AWAY_MS = 5_000;
const TAG = new Uint8Array(8).fill(7);
const EXPIRES = Date.UTC(2029, 0, 1) / 1000;

export class MerchantAgent {
  state: AgentState = "idle";
  isServing = false;
  hasMoneyMoved = false;
  /** Told when a doubt ends, before anything follows from it. */
  onDoubtOver: () => void = () => undefined;
  private readonly mandate: Mandate;
  private readonly money: Money;
  private isPlugged = true;
  private listeners = new Set<(event: DeviceEvent) => void>();

  constructor(mandate: Mandate, money: Money) {
    this.mandate = mandate;
    this.money = money;
  }

  /** Steps 796 and 810: a customer's mandate is here. */
  begin(): void {
    this.state = "authorizing";
    const signed = signMandate(this.mandate, customerSeed);
    this.say(HostMessage.AUTHORIZE, TAG, decodeCbor(signed), cardTicket(), new Uint8Array(16));
    setTimeout(() => {
      if (this.state === "authorizing") this.owe("void owed");
    }, SESSION_MS);
  }

  /**
   * Its line breaks for a while; what is said on either side meanwhile is lost.
   * @param losesPower the board starts anew: no session, and it serves nobody
   */
  leave(losesPower: boolean): void {
    this.isPlugged = false;
    for (const listener of this.listeners) listener({ type: "linkDown", reason: "unplugged" });
    if (losesPower) {
      this.isServing = false;
      if (this.state === "authorizing") this.state = "void owed";
    }
    setTimeout(() => {
      this.isPlugged = true;
      const board = {} as BoardInformation;
      this.tell({ type: "linkUp", board, rebooted: losesPower });
    }, AWAY_MS);
  }

  /** A command of the host; what it answers, undefined where it is not heard. */
  command(body: Uint8Array): Uint8Array | undefined {
    if (!this.isPlugged) return undefined;
    const { number, fields } = parseHostBody(body)!;
    if (number === HostMessage.SERVE) this.isServing = fields[0] === true;
    if (number === HostMessage.AUTHORIZATION) this.authorized(fields[1], fields[2]);
    if (number === HostMessage.COMPLETED) return this.completed(fields[1]);
    if (number !== HostMessage.OBLIGATIONS) return hostBody(number);
    this.tellCompletion();
    return hostBody(number, this.isOwing || this.state === "approved" ? 1 : 0);
  }

  onEvent(listener: (event: DeviceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Everything that listened is gone. */
  unplug(): void {
    this.listeners.clear();
  }

  private tell(event: DeviceEvent): void {
    if (!this.isPlugged) return;
    for (const listener of this.listeners) listener(event);
  }

  private authorized(signed: unknown, code: unknown): void {
    if (this.state !== "authorizing") return;
    const approval = signed === null ? undefined : parseApproval(encodeCbor(signed));
    if (approval === undefined) {
      this.owe("void owed");
      return;
    }
    const { object, content } = approval;
    if (!verifySigned(object, "florin/approval", approvalKey)) throw new Error("forged approval");
    if (content.mandateHash !== hashOf(this.mandate)) throw new Error("another's approval");
    if (content.code !== code) throw new Error("the host changed the code");
    if (!content.approved) {
      this.state = "refused";
      return;
    }
    this.state = "approved";
    if (this.money.endsWith("doubt")) {
      setTimeout(() => {
        this.onDoubtOver();
        this.decide();
      }, DOUBT_MS);
    } else this.decide();
  }

  private decide(): void {
    this.hasMoneyMoved = this.money.startsWith("commits");
    this.owe(this.hasMoneyMoved ? "post owed" : "void owed");
  }

  private get isOwing(): boolean {
    return this.state === "post owed" || this.state === "void owed";
  }

  private owe(state: "post owed" | "void owed"): void {
    this.state = state;
    this.tellCompletion();
  }

  private tellCompletion(): void {
    if (!this.isOwing) return;
    const outcome = this.state === "post owed" ? "post" : "void";
    const completion = signCompletion({ mandateHash: hashOf(this.mandate), outcome }, merchantSeed);
    const transactionId = hexToBytes(this.mandate.transactionId);
    this.say(HostMessage.COMPLETE, transactionId, decodeCbor(completion), cardTicket());
  }

  private completed(signed: unknown): Uint8Array {
    const posting = parsePosting(encodeCbor(signed))!;
    if (!verifySigned(posting.object, "florin/posting", approvalKey)) throw new Error("forged");
    const { mandateHash, state } = posting.content;
    if (mandateHash !== hashOf(this.mandate)) throw new Error("another's posting");
    if (this.isOwing) this.state = this.end(state);
    return hostBody(HostMessage.COMPLETED);
  }

  private end(state: Posting["state"]): AgentState {
    const asked = this.state === "post owed" ? "posted" : "voided";
    if (state !== asked && state !== "refused") throw new Error(`${this.state}, but ${state}`);
    return state;
  }

  private say(number: number, ...fields: unknown[]): void {
    this.tell({ type: "message", target: "agent", body: hostBody(number, ...fields) });
  }
}

/** The customer's card as the host reads it (docs/protocol.cddl section 7). */
function cardTicket(): unknown {
  const head = ["Card Bank", EXPIRES, new Uint8Array(8), EXPIRES, 1, new Uint8Array(16)];
  const fields = ["Card Bank", DEBIT_CARD, 0, EXPIRES, "Customer", 2, "EUR", approvalKey];
  const signed = signObject("florin/ticket", encodeCbor([head, fields]), new Uint8Array(32));
  return [decodeCbor(signed), null, null, null];
}

/** The name of a command for the list of lines. */
export function commandName(body: Uint8Array): string {
  return `command ${parseHostBody(body)?.number ?? bytesToHex(body)}`;
}
