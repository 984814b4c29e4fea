// SPDX-License-Identifier: Apache-2.0
// A merchant's host as a client of the card network, a thin shell around outbox.ts: it asks for
// holds and settles them, repeating over broken lines. Nothing it says counts without signatures.
import {
  newOutboxState,
  type OutboxConfig,
  type OutboxEffect,
  type OutboxEvent,
  outboxDeadlineMs,
  stepOutbox,
} from "./outbox.ts";
import type { CardAndMerchant } from "./outboxMessages.ts";
import { mandateHash, parseCompletion, parseMandate } from "./signedObjects.ts";
import { LinkClient } from "./tcpClient.ts";

/** The answer to a hold; `approval` is null when nobody who may sign has answered. */
export interface Authorization {
  readonly code: string;
  readonly approval: Uint8Array | null;
}

/** The end of a transaction, signed by the issuer. */
export interface Settlement {
  readonly code: string;
  readonly posting: Uint8Array;
}

export interface AcquirerOptions {
  readonly config: OutboxConfig;
  /** Where the switch listens. */
  readonly host: string;
  readonly port: number;
  readonly firstTrace: number;
  /** Told when a completion got an unsigned answer; it goes on being sent. */
  readonly onDelayed?: (mandateHash: string, code: string) => void;
}

/** A link to the card network that keeps asking until there is an answer. */
export class Acquirer {
  private readonly options: AcquirerOptions;
  private readonly outbox;
  private readonly client: LinkClient;
  private readonly holds = new Map<string, ((answer: Authorization) => void)[]>();
  private readonly settlements = new Map<string, ((answer: Settlement) => void)[]>();
  private timer: NodeJS.Timeout | undefined;

  constructor(options: AcquirerOptions) {
    this.options = options;
    this.outbox = newOutboxState(options.firstTrace);
    this.client = new LinkClient({
      host: options.host,
      port: options.port,
      onMessage: (bytes) => this.step({ kind: "received", bytes, nowMs: Date.now() }),
      onConnected: () => this.step({ kind: "connected", nowMs: Date.now() }),
      onDisconnected: () => undefined,
    });
  }

  /**
   * Asks the card issuer to hold what a mandate names; answers within the outbox's patience.
   * @throws {Error} when the mandate is malformed
   */
  authorize(mandate: Uint8Array, card: CardAndMerchant): Promise<Authorization> {
    const parsed = parseMandate(mandate);
    if (parsed === undefined) throw new Error("cannot authorize: the mandate is malformed");
    const answer = awaitIn(this.holds, mandateHash(parsed.object));
    this.step({ kind: "hold", mandate, card, nowMs: Date.now() });
    return answer;
  }

  /**
   * Posts or voids, as the completion says; repeats until the issuer's signed posting is there.
   * @throws {Error} when the completion is malformed
   */
  settle(completion: Uint8Array, card: CardAndMerchant): Promise<Settlement> {
    const parsed = parseCompletion(completion);
    if (parsed === undefined) throw new Error("cannot settle: the completion is malformed");
    const answer = awaitIn(this.settlements, parsed.content.mandateHash);
    this.step({ kind: "settle", completion, card, nowMs: Date.now() });
    return answer;
  }

  /** How many messages were accepted and dropped. */
  get counters() {
    return this.outbox.counters;
  }

  /** Stops; what is still open is asked for again by the merchant's agent. */
  close(): void {
    clearTimeout(this.timer);
    this.client.close();
  }

  private step(event: OutboxEvent): void {
    const { config } = this.options;
    for (const effect of stepOutbox(config, this.outbox, event)) this.carryOut(effect);
    clearTimeout(this.timer);
    const deadlineMs = outboxDeadlineMs(this.outbox);
    if (deadlineMs === undefined) return;
    const pauseMs = Math.max(0, deadlineMs - Date.now());
    this.timer = setTimeout(() => this.step({ kind: "tick", nowMs: Date.now() }), pauseMs);
  }

  private carryOut(effect: OutboxEffect): void {
    switch (effect.kind) {
      case "send":
        this.client.send(effect.bytes);
        break;
      case "authorized":
        tell(this.holds, effect.mandateHash, { code: effect.code, approval: effect.approval });
        break;
      case "settled":
        tell(this.settlements, effect.mandateHash, { code: effect.code, posting: effect.posting });
        break;
      case "delayed":
        this.options.onDelayed?.(effect.mandateHash, effect.code);
        break;
    }
  }
}

type Waiting<Answer> = Map<string, ((answer: Answer) => void)[]>;

function awaitIn<Answer>(waiting: Waiting<Answer>, hash: string): Promise<Answer> {
  return new Promise((resolve) => {
    waiting.set(hash, [...(waiting.get(hash) ?? []), resolve]);
  });
}

function tell<Answer>(waiting: Waiting<Answer>, hash: string, answer: Answer): void {
  for (const resolve of waiting.get(hash) ?? []) resolve(answer);
  waiting.delete(hash);
}
