// SPDX-License-Identifier: Apache-2.0
// The merchant's host in a world: its application (Fig. 7, HTB) and its outbox to the card network,
// put together as application/merchant.ts and network/authorization/acquirer.ts put them together
// around sockets and timers. One event at a time, over plain state.
import {
  type MerchantApplication,
  type MerchantEffect,
  type MerchantEvent,
  newMerchantApplication,
  stepMerchant,
} from "../application/merchantApplication.ts";
import { cardAndMerchant } from "../application/tickets.ts";
import {
  newOutboxState,
  type OutboxConfig,
  type OutboxEffect,
  type OutboxEvent,
  type OutboxState,
  stepOutbox,
} from "../network/authorization/outbox.ts";
import {
  mandateHash,
  parseCompletion,
  parseMandate,
  parsePosting,
} from "../network/authorization/signedObjects.ts";
import { decodeCbor } from "../trust/cbor.ts";

/** What the merchant's host knows of cards; nothing of it outlives the host. */
export interface MerchantHost {
  readonly application: MerchantApplication;
  readonly outbox: OutboxState;
  /** By mandate hash: sessions that wait for the hold, transactions that wait for their end. */
  readonly holds: Readonly<Record<string, readonly string[]>>;
  readonly settlements: Readonly<Record<string, readonly string[]>>;
}

/** A host that has just begun. `firstTrace`: number of its first card message. */
export function newMerchantHost(firstTrace: number): MerchantHost {
  const outbox = newOutboxState(firstTrace);
  return { application: newMerchantApplication(), outbox, holds: {}, settlements: {} };
}

/** One event of the merchant's host: application and outbox until both are done. */
export class MerchantWork {
  /** Messages for the switch, and bodies of commands for the agent. */
  readonly sent: Uint8Array[] = [];
  readonly commands: Uint8Array[] = [];
  /** Hashes of the mandates that the issuer posted: the merchant's bank books them first. */
  readonly posted: string[] = [];
  private readonly config: OutboxConfig;
  private readonly agentId: string;
  private readonly nowMs: number;
  private readonly app: MerchantApplication;
  private readonly box: OutboxState;
  private readonly holds: Record<string, readonly string[]>;
  private readonly settlements: Record<string, readonly string[]>;

  /** `agentId`: of the merchant's agent, 16 hexadecimal digits. */
  constructor(config: OutboxConfig, agentId: string, host: MerchantHost, nowMs: number) {
    this.config = config;
    this.agentId = agentId;
    this.nowMs = nowMs;
    this.app = structuredClone(host.application);
    const { nextTrace, errands, counters } = host.outbox;
    this.box = { nextTrace, errands: { ...errands }, counters: { ...counters } };
    this.holds = { ...host.holds };
    this.settlements = { ...host.settlements };
  }

  application(event: MerchantEvent): void {
    for (const effect of stepMerchant(this.app, event)) this.carryOut(effect);
  }

  outbox(event: OutboxEvent): void {
    for (const effect of stepOutbox(this.config, this.box, event)) this.answer(effect);
  }

  /** The host's state behind the event. */
  get host(): MerchantHost {
    const { app: application, box: outbox, holds, settlements } = this;
    return { application, outbox, holds, settlements };
  }

  /** As application/merchant.ts does; funds are never short here. */
  private carryOut(effect: MerchantEffect): void {
    const { nowMs } = this;
    if (effect.type === "command") this.commands.push(effect.body);
    else if (effect.type === "short") {
      this.application({ type: "funds-answered", tag: effect.tag, isAvailable: false });
    } else if (effect.type === "hold") {
      const parsed = parseMandate(effect.mandate);
      const card = cardAndMerchant(effect.card, this.agentId);
      if (parsed === undefined || card === undefined) return;
      wait(this.holds, mandateHash(parsed.object), effect.tag);
      this.outbox({ kind: "hold", mandate: effect.mandate, card, nowMs });
    } else if (effect.type === "settle") {
      const parsed = parseCompletion(effect.completion);
      const card = cardAndMerchant(effect.card, this.agentId);
      if (parsed === undefined || card === undefined) return;
      wait(this.settlements, parsed.content.mandateHash, effect.transactionId);
      this.outbox({ kind: "settle", completion: effect.completion, card, nowMs });
    }
  }

  /** As network/authorization/acquirer.ts does. */
  private answer(effect: OutboxEffect): void {
    if (effect.kind === "send") this.sent.push(effect.bytes);
    else if (effect.kind === "authorized") {
      const { code } = effect;
      const approval = effect.approval === null ? null : decodeCbor(effect.approval);
      for (const tag of taken(this.holds, effect.mandateHash)) {
        this.application({ type: "hold-answered", tag, approval, code });
      }
    } else if (effect.kind === "settled") {
      const posting = decodeCbor(effect.posting);
      const isPosted = parsePosting(effect.posting)?.content.state === "posted";
      if (isPosted) this.posted.push(effect.mandateHash);
      for (const transactionId of taken(this.settlements, effect.mandateHash)) {
        this.application({ type: "settled", transactionId, posting });
      }
    }
  }
}

function wait(waiting: Record<string, readonly string[]>, hash: string, who: string): void {
  const before = waiting[hash] ?? [];
  if (!before.includes(who)) waiting[hash] = [...before, who];
}

function taken(waiting: Record<string, readonly string[]>, hash: string): readonly string[] {
  const who = waiting[hash] ?? [];
  delete waiting[hash];
  return who;
}
