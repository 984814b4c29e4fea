// SPDX-License-Identifier: Apache-2.0
// A merchant's transaction device in service (HTB of Fig. 7): the shell around
// merchantApplication.ts. It signs offers through its agent, asks the card network for holds and
// settles them, and tells the merchant's bank of each posting.
import type { TransactionDevice } from "../device/types.ts";
import type { Clock, Timer } from "../link/clock.ts";
import { decodeCbor } from "../trust/cbor.ts";
import { parseSigned } from "../trust/cose.ts";
import { DIRECTION_NUMBERS, type Direction } from "../trust/merchantOffer.ts";
import type { Acquirer } from "../network/authorization/acquirer.ts";
import type { CardAndMerchant } from "../network/authorization/outboxMessages.ts";
import { step } from "../patent/step.ts";
import { ask } from "./commandRunner.ts";
import { FieldReader, HostMessage, parseHostBody } from "./hostPort.ts";
import {
  type MerchantApplication,
  type MerchantEffect,
  type MerchantEvent,
  newMerchantApplication,
  type ServedEntry,
  stepMerchant,
} from "./merchantApplication.ts";
import { cardAndMerchant } from "./tickets.ts";

/** What a merchant asks for; amounts in minor units. */
export interface OfferOrder {
  direction: Direction;
  moneyUnit: string;
  accountUnit: string;
  feeMinor: number;
  feeBasisPoints: number;
  rateNumerator: number;
  rateDenominator: number;
  minimumMinor: number;
  maximumMinor: number;
  /** Seconds since 1970. */
  expires: number;
  endpoint: string;
}

/** The issuer's signed word on one authorization. */
export interface CardSettlement {
  /** SHA-256 of the mandate. */
  mandateHash: Uint8Array;
  cardNumber: string;
  isPosted: boolean;
}

export interface MerchantOptions {
  device: Pick<TransactionDevice, "command" | "send" | "onEvent">;
  clock: Pick<Clock, "after">;
  acquirer: Acquirer;
  /** The agent's id, 16 hexadecimal digits: the card acceptor of the card messages. */
  agentId: string;
  /** Told once the issuer's signed word is there, before the agent learns it; may be repeated. */
  onSettled: (settlement: CardSettlement) => Promise<void>;
  /** The agent lacks money for a customer (728); `answerFunds` ends its wait. */
  onShort: (tag: string, missingMinor: number, unit: string) => void;
  /** Money of another device is spendable now; `payId` in hexadecimal. */
  onReceived: (payId: string) => void;
  onServed: (tag: string, entry: ServedEntry) => void;
  /** Told in one sentence what a person has to look at. */
  onAlarm: (text: string) => void;
}

/** Payload of an issuer's posting: mandate hash and 1 for posted (docs/protocol.cddl, posting). */
const POSTED = 1;
/** After that the agent is asked again for what could not be booked. */
const BOOK_AGAIN_MS = 30_000;

export class MerchantService {
  readonly state: MerchantApplication = newMerchantApplication();
  private readonly options: MerchantOptions;
  private readonly stop: () => void;
  private isOpen = false;
  private bookAgain: Timer | undefined;

  constructor(options: MerchantOptions) {
    this.options = options;
    this.stop = options.device.onEvent((event) => {
      // An agent that started anew serves nobody, and what was on the line when it broke is lost.
      const isAnew = event.type === "restarted" && event.target === "agent" && !event.isStopped;
      if (this.isOpen && (event.type === "linkUp" || isAnew)) this.open().catch(this.alarm);
      if (event.type !== "message" || event.target !== "agent") return;
      const body = parseHostBody(event.body);
      if (body !== undefined) this.take({ type: "agent", body });
    });
  }

  /**
   * Opens the shop (step 708) and takes up what an earlier process left unsettled; done again by
   * itself whenever the device was away.
   */
  async open(): Promise<void> {
    this.isOpen = true;
    step("merchant's host", 708);
    await ask(this.options.device, "agent", HostMessage.SERVE, true);
    await ask(this.options.device, "agent", HostMessage.OBLIGATIONS);
  }

  /** Has the agent sign an offer; gives the bytes for the gateway. */
  async signOffer(offer: OfferOrder): Promise<Uint8Array> {
    const answer = await ask(
      this.options.device,
      "agent",
      HostMessage.SIGN_OFFER,
      DIRECTION_NUMBERS[offer.direction],
      offer.moneyUnit,
      offer.accountUnit,
      offer.feeMinor,
      offer.feeBasisPoints,
      offer.rateNumerator,
      offer.rateDenominator,
      offer.minimumMinor,
      offer.maximumMinor,
      offer.expires,
      offer.endpoint,
    );
    return new FieldReader(answer, "the signed offer").bytes();
  }

  /** Tells the agent that it can have the money now, or that nobody has it (744). */
  answerFunds(tag: string, isAvailable: boolean): void {
    this.take({ type: "funds-answered", tag, isAvailable });
  }

  close(): void {
    this.stop();
    this.bookAgain?.cancel();
  }

  private readonly alarm = (error: unknown): void => {
    this.options.onAlarm(error instanceof Error ? error.message : String(error));
  };

  private take(event: MerchantEvent): void {
    try {
      for (const effect of stepMerchant(this.state, event)) this.carryOut(effect);
    } catch (error) {
      this.alarm(error);
    }
  }

  private carryOut(effect: MerchantEffect): void {
    switch (effect.type) {
      case "command":
        this.options.device.send("agent", effect.body);
        break;
      case "short":
        this.options.onShort(effect.tag, effect.missingMinor, effect.unit);
        break;
      case "received":
        this.options.onReceived(effect.payId);
        break;
      case "hold":
        this.hold(effect.tag, effect.mandate, effect.card).catch(this.alarm);
        break;
      case "settle":
        this.settle(effect.transactionId, effect.completion, effect.card).catch(this.alarm);
        break;
      case "served":
        this.options.onServed(effect.tag, effect.entry);
    }
  }

  private async hold(tag: string, mandate: Uint8Array, card: Uint8Array): Promise<void> {
    const { code, approval } = await this.options.acquirer.authorize(mandate, this.cardOf(card));
    const signed = approval === null ? null : decodeCbor(approval);
    this.take({ type: "hold-answered", tag, approval: signed ?? null, code });
  }

  private async settle(
    transactionId: string,
    completion: Uint8Array,
    card: Uint8Array,
  ): Promise<void> {
    const account = this.cardOf(card);
    const { posting } = await this.options.acquirer.settle(completion, account);
    const payload = decodeCbor(parseSigned(posting)?.payload ?? new Uint8Array());
    const [mandateHash, state] = Array.isArray(payload) ? (payload as unknown[]) : [];
    if (!(mandateHash instanceof Uint8Array)) throw new Error("the issuer's posting is malformed");
    // The bank first: the agent keeps its completion until it is told, so nothing is forgotten.
    const { cardNumber } = account;
    try {
      await this.options.onSettled({ mandateHash, cardNumber, isPosted: state === POSTED });
    } catch (error) {
      this.askAgain();
      throw error;
    }
    this.take({ type: "settled", transactionId, posting: decodeCbor(posting) });
  }

  /** Has the agent say a little later what it still owes. */
  private askAgain(): void {
    this.bookAgain?.cancel();
    this.bookAgain = this.options.clock.after(BOOK_AGAIN_MS, () => {
      ask(this.options.device, "agent", HostMessage.OBLIGATIONS).catch((error: unknown) => {
        this.alarm(error);
        this.askAgain();
      });
    });
  }

  private cardOf(card: Uint8Array): CardAndMerchant {
    const named = cardAndMerchant(card, this.options.agentId);
    if (named === undefined) throw new Error("the agent named a credential that is no card");
    return named;
  }
}
