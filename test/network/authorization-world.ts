// SPDX-License-Identifier: Apache-2.0
// A small card world for the tests: one issuer with a debit and a credit card, one customer's
// agent, two merchants' agents, a switch, and a terminal that can say anything on the link.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeMessage, encodeMessage } from "../../host/network/authorization/codec.ts";
import {
  type CardAccount,
  type IssuerBooks,
  memoryIssuerStore,
  newIssuerBooks,
} from "../../host/network/authorization/issuerBooks.ts";
import { IssuerHost } from "../../host/network/authorization/issuerHost.ts";
import type { IssuerConfig } from "../../host/network/authorization/issuerMachine.ts";
import type { IsoMessage } from "../../host/network/authorization/messages.ts";
import {
  type CardAndMerchant,
  holdMessage,
  settleMessage,
} from "../../host/network/authorization/outboxMessages.ts";
import {
  fromFieldText,
  type Mandate,
  parseApproval,
  parsePosting,
  signCompletion,
  signMandate,
} from "../../host/network/authorization/signedObjects.ts";
import type { SwitchConfig } from "../../host/network/authorization/switch.ts";
import { SwitchHost } from "../../host/network/authorization/switchHost.ts";
import { LinkClient } from "../../host/network/authorization/tcpClient.ts";
import { parseSigned, verifySigned } from "../../host/trust/cose.ts";

export const NOW_S = 1_785_000_000; // 2026-07-25
export const NOW_MS = NOW_S * 1000;
export const HOLD_S = 7 * 86_400;

const seed = (fill: number) => new Uint8Array(32).fill(fill);
export const approvalSeed = seed(1);
export const approvalKey = ed25519.getPublicKey(approvalSeed);
export const customerSeed = seed(2);
export const merchantSeed = seed(3);
export const strangerSeed = seed(4);
export const merchantKeyId = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

export const CUSTOMER = "c0".repeat(8);
export const MERCHANT = "a1".repeat(8);
export const STRANGER = "b2".repeat(8);
export const DEBIT_CARD = "4000001234567899";
export const CREDIT_CARD = "5000001234567899";
export const DEBIT_CREDENTIAL = "d1".repeat(16);
export const CREDIT_CREDENTIAL = "d2".repeat(16);
export const SHOP = "e1".repeat(16);

export const acquirerKey = seed(11);
export const issuerKey = seed(12);
export const identity = { acquirerId: "9001", terminalId: "FLORIN01" };

export function accounts(): CardAccount[] {
  const debit: CardAccount = {
    cardNumber: DEBIT_CARD,
    kind: "debit",
    unit: "EUR",
    expiry: "2812",
    standing: "open",
    directions: ["buy", "sell"],
    balanceMinor: 100_000,
    creditLimitMinor: 0,
    transactionLimitMinor: 80_000,
    heldDebitMinor: 0,
    heldCreditMinor: 0,
  };
  const credit: CardAccount = {
    ...debit,
    cardNumber: CREDIT_CARD,
    kind: "credit",
    balanceMinor: 0,
    creditLimitMinor: 50_000,
  };
  return [debit, credit];
}

export const issuerConfig: IssuerConfig = {
  approvalSeed,
  holdS: HOLD_S,
  links: { switch: issuerKey },
  directory: {
    credentialById(id) {
      const agentSigningKey = ed25519.getPublicKey(customerSeed);
      const card = { agentId: CUSTOMER, agentSigningKey };
      if (id === DEBIT_CREDENTIAL) return { ...card, cardNumber: DEBIT_CARD };
      if (id === CREDIT_CREDENTIAL) return { ...card, cardNumber: CREDIT_CARD };
      return undefined;
    },
    merchantCredentialById(id) {
      return id === SHOP ? { agentId: MERCHANT, name: "Shop" } : undefined;
    },
    agentKeyById(id) {
      if (id === MERCHANT) return ed25519.getPublicKey(merchantSeed);
      return id === STRANGER ? ed25519.getPublicKey(strangerSeed) : undefined;
    },
  },
};

export const switchConfig: SwitchConfig = {
  acquirers: { shop: { acquirerId: identity.acquirerId, linkKey: acquirerKey } },
  issuers: { bank: { prefixes: ["400000", "500000"], linkKey: issuerKey } },
};

let lastTransaction = 0;

/** A new, valid mandate over 10.00 EUR from the debit card, but for what is overridden. */
export function mandate(overrides: Partial<Mandate> = {}): Mandate {
  lastTransaction++;
  return {
    transactionId: lastTransaction.toString(16).padStart(32, "0"),
    direction: "buy",
    credentialId: DEBIT_CREDENTIAL,
    accountAmountMinor: 1000,
    accountUnit: "EUR",
    feeMinor: 10,
    moneyAmountMinor: 990,
    moneyUnit: "EUR",
    merchantCredentialId: SHOP,
    notAfterS: NOW_S + 600,
    receiptHash: "5e".repeat(32),
    ...overrides,
  };
}

export const card: CardAndMerchant = { cardNumber: DEBIT_CARD, merchantAgentId: MERCHANT };

export function hashOf(order: Mandate): string {
  return hashOfSigned(signMandate(order, customerSeed));
}

export function hashOfSigned(signed: Uint8Array): string {
  return Buffer.from(sha256(parseSigned(signed)!.payload)).toString("hex");
}

let lastTrace = 0;

interface Variation {
  seed?: Uint8Array;
  card?: CardAndMerchant;
  fields?: Record<number, string | undefined>;
}

/** The 0100 of a mandate; `fields` replaces or (undefined) removes fields. */
export function hold(order: Mandate, vary: Variation = {}): IsoMessage {
  const signed = signMandate(order, vary.seed ?? customerSeed);
  const { direction, accountAmountMinor: amountMinor, accountUnit: unit } = order;
  const terms = { direction, amountMinor, unit };
  const message = holdMessage(identity, vary.card ?? card, terms, signed, ++lastTrace, NOW_MS);
  return varied(message, vary);
}

/** The 0220 or 0400 of a mandate. */
export function settle(order: Mandate, outcome: "post" | "void", vary: Variation = {}): IsoMessage {
  const completion = { mandateHash: hashOf(order), outcome };
  const bytes = signCompletion(completion, vary.seed ?? merchantSeed, merchantKeyId);
  const { direction, accountAmountMinor: amountMinor, accountUnit: unit } = order;
  const known = { direction, amountMinor, unit, originalData: "0".repeat(42) };
  const trace = ++lastTrace;
  const reference = String(trace).padStart(12, "0");
  const sent = { bytes, outcome };
  const who = vary.card ?? card;
  return varied(settleMessage(identity, who, known, sent, reference, trace, NOW_MS), vary);
}

function varied(message: IsoMessage, { fields = {} }: Variation): IsoMessage {
  const merged = Object.entries({ ...message.fields, ...fields });
  const present = merged.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { type: message.type, fields: Object.fromEntries(present) };
}

/** The approval or posting in an answer, its signature checked; undefined when it is unsigned. */
export function signedIn(answer: IsoMessage) {
  const text = answer.fields[55];
  if (text === undefined) return undefined;
  const bytes = fromFieldText(text)!;
  const purpose = answer.type === "0110" ? "florin/approval" : "florin/posting";
  const parsed = answer.type === "0110" ? parseApproval(bytes) : parsePosting(bytes);
  if (!verifySigned(parsed!.object, purpose, approvalKey)) throw new Error("wrong signature");
  return parsed!.content;
}

/** A running issuer and switch, and a terminal on the acquirer's link. */
export class World {
  books: IssuerBooks = newIssuerBooks(accounts());
  nowS = NOW_S;
  storeFails = false;
  issuer!: IssuerHost;
  network!: SwitchHost;
  terminal!: LinkClient;
  /** A card in the same store that another issuer answers for. */
  foreignCard = "";
  private answers: Uint8Array[] = [];
  private wake: () => void = () => undefined;

  static async start(): Promise<World> {
    const world = new World();
    const store = memoryIssuerStore(world.books);
    world.issuer = await IssuerHost.start({
      config: issuerConfig,
      store: {
        // Asynchronous, as a database is.
        load: async (question) => store.load(question),
        lapsedHolds: async (nowS) => store.lapsedHolds(nowS),
        async apply(writes) {
          if (world.storeFails) throw new Error("the disk is full");
          return store.apply(writes);
        },
      },
      isOwnCard: (cardNumber) => cardNumber !== world.foreignCard,
      host: "127.0.0.1",
      port: 0,
      nowS: () => world.nowS,
    });
    world.network = await SwitchHost.start({
      config: switchConfig,
      host: "127.0.0.1",
      port: 0,
      issuerAddresses: { bank: { host: "127.0.0.1", port: world.issuer.port } },
    });
    await new Promise<void>((resolve) => {
      world.terminal = new LinkClient({
        host: "127.0.0.1",
        port: world.network.port,
        onMessage: (bytes) => {
          world.answers.push(bytes);
          world.wake();
        },
        onConnected: resolve,
        onDisconnected: () => undefined,
      });
    });
    while (!world.network.state.connected.bank) await new Promise((go) => setImmediate(go));
    return world;
  }

  /** Sends a message and waits for the answer. */
  async ask(message: IsoMessage): Promise<IsoMessage> {
    this.terminal.send(encodeMessage(message, acquirerKey));
    return this.answer();
  }

  /** The next answer from the network. */
  async answer(): Promise<IsoMessage> {
    while (this.answers.length === 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const answer = decodeMessage(this.answers.shift()!, acquirerKey);
    if (typeof answer === "string") throw new Error(`the answer has a wrong ${answer}`);
    return answer;
  }

  account(cardNumber: string = DEBIT_CARD): CardAccount {
    return this.books.accounts[cardNumber]!;
  }

  change(changes: Partial<CardAccount>, cardNumber: string = DEBIT_CARD): void {
    this.books.accounts[cardNumber] = { ...this.account(cardNumber), ...changes };
  }

  async close(): Promise<void> {
    this.terminal.close();
    await this.network.close();
    await this.issuer.close();
  }
}
