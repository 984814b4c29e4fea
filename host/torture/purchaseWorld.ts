// SPDX-License-Identifier: Apache-2.0
// A customer with a card and a merchant with a credential in a world of transaction devices, what
// the card issuer of that world signs (docs/protocol.md section 6), and hosts that are willing.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { parseSigned, signObject } from "../trust/cose.ts";
import { AgentWorld, type Device, filled, type Host } from "./agentWorld.ts";
import { id, START_SECONDS } from "./testAgency.ts";

/** The card issuer of these worlds. */
export const ISSUER_SEED = filled(77, 32);
export const BANK = "Bank of Tests";

/** Components of a card of the issuer of these worlds, valid for a year. */
export function cardComponents(unit = "EUR", change: Record<number, unknown> = {}): unknown[] {
  const card: unknown[] = [
    BANK,
    "4000001234567899",
    START_SECONDS - 100,
    START_SECONDS + 30000000,
    "Carla Customer",
    2,
    unit,
    ed25519.getPublicKey(ISSUER_SEED),
  ];
  for (const [index, value] of Object.entries(change)) card[Number(index)] = value;
  return card;
}

/** Components of a merchant credential. */
export function merchantComponents(name = "Florist", owner = "OWNER"): unknown[] {
  return [name, id(owner), START_SECONDS - 100, START_SECONDS + 30000000];
}

/** Has `device` acquire a credential with these components from `authority`; its 29. */
export function acquire(
  world: AgentWorld,
  device: Device,
  authority: Device,
  kind: 1 | 2,
  components: unknown[] | null,
  commandId = filled(200 + kind),
): unknown[] | undefined {
  authority.host = (message) => (message[0] === 71 ? [[72, message[1], components]] : []);
  world.tell(authority, "agent", [40, true]);
  world.connect(device, authority);
  world.tell(device, "agent", [70, commandId, kind]);
  return device.last(29);
}

/** What the card issuer answers to a mandate (45 carries it decoded). */
export function approvalOf(
  mandate: unknown,
  isApproved = true,
  code = "00",
  seed = ISSUER_SEED,
  until = START_SECONDS + 86400,
) {
  const payload = encodeCbor([mandateHash(mandate), isApproved, code, until]);
  return decodeCbor(signObject("florin/approval", payload, seed));
}

/** The issuer's word on a completion (47 carries it decoded). */
export function postingOf(completion: unknown, seed = ISSUER_SEED) {
  const [hash, outcome] = decodeCbor(payloadOf(completion)) as [Uint8Array, number];
  return decodeCbor(signObject("florin/posting", encodeCbor([hash, outcome]), seed));
}

/** The payload of a decoded signed object. */
export function payloadOf(signed: unknown): Uint8Array {
  const object = parseSigned(encodeCbor(signed));
  if (object === undefined) throw new Error("That is not a signed object.");
  return object.payload;
}

export const mandateHash = (mandate: unknown) => sha256(payloadOf(mandate));

/** Terms of an offer as command 55 takes them, after the direction. */
export const OFFER_TERMS = {
  moneyUnit: "USD",
  accountUnit: "EUR",
  fee: 25,
  basisPoints: 100,
  numerator: 9,
  denominator: 10,
  minimum: 100,
  maximum: 100000,
  expires: START_SECONDS + 600,
  endpoint: "ws://127.0.0.1:1",
};

/** Has the merchant sign an offer; its bytes. */
export function signOffer(world: AgentWorld, merchant: Device, direction: 1 | 2, change = {}) {
  const terms = Object.values({ ...OFFER_TERMS, ...change });
  const [answer] = world.tell(merchant, "agent", [55, direction, ...terms]);
  if (answer?.[0] !== 55) throw new Error(`The offer is not signed: ${String(answer)}.`);
  return answer[1] as Uint8Array;
}

/** A host that answers every prompt of a purchase as a willing customer does. */
export function willingCustomer(amount: number, unit = "USD", change: Record<number, Host> = {}) {
  const answers: Record<number, Host> = {
    21: ([, command]) => [[22, command, true]],
    23: ([, command]) => [[24, command, amount, unit]],
    25: ([, command, cards]) => [[26, command, (cards as Uint8Array[])[0]]],
    27: ([, command]) => [[28, command, true]],
    ...change,
  };
  return ((message, half) => answers[message[0] as number]?.(message, half) ?? []) as Host;
}

/** A host that has every mandate approved and every completion posted. */
export function willingMerchant(change: Record<number, Host> = {}) {
  const answers: Record<number, Host> = {
    43: ([, tag]) => [[44, tag, false]],
    45: ([, tag, mandate]) => [[46, tag, approvalOf(mandate), "00"]],
    47: ([, transaction, completion]) => [[48, transaction, postingOf(completion)]],
    ...change,
  };
  return ((message, half) => answers[message[0] as number]?.(message, half) ?? []) as Host;
}

/** Where money comes from: the hosts of a bank's modules, and whose account is drawn on. */
export interface Funder {
  hostOf(bank: Device, kind: "teller" | "generator"): Host;
  account(unit: string): string;
}

/** A bank without books, which agrees to everything. */
export const WILLING_BANK: Funder = {
  hostOf: () => (message) => {
    if (message[0] === 82) return [[83, message[2], true]];
    return message[0] === 84 ? [[85, message[1]]] : [];
  },
  account: () => "12345678",
};

/** A customer with a card and a serving merchant with a credential, facing one another. */
export class PurchaseWorld extends AgentWorld {
  readonly authority = this.add("authority", "A");
  readonly customer = this.add("customer", "C");
  readonly merchant = this.add("merchant", "M");
  private commands = 0;
  private fundings = 0;

  constructor(isTraced = false, seed = "") {
    super(isTraced, seed);
    acquire(this, this.customer, this.authority, 1, cardComponents());
    acquire(this, this.merchant, this.authority, 2, merchantComponents());
    this.tell(this.merchant, "agent", [40, true]);
    this.connect(this.customer, this.merchant);
    this.merchant.host = willingMerchant();
    this.customer.heard.length = 0;
    this.merchant.heard.length = 0;
  }

  /** Gives `device` money: the bank issues it to a teller, and the module withdraws it. */
  fund(device: Device, amount: number, unit = "USD", funder = WILLING_BANK): void {
    // Each time another bank: modules of one name would draw the same random numbers.
    const number = this.fundings++ || "";
    const generator = this.addBank("generator", `G${number}`);
    const teller = this.addBank("teller", `T${number}`);
    generator.host = funder.hostOf(generator, "generator");
    teller.host = funder.hostOf(teller, "teller");
    this.connect(teller, generator);
    this.tell(teller, "module", [81, filled(101), 2, amount, unit, null]);
    this.connect(device, teller);
    const account = funder.account(unit);
    this.tell(device, "module", [81, filled(102 + this.fundings), 1, amount, unit, account]);
    this.connect(this.customer, this.merchant);
  }

  /** What the device's money module could spend of a unit. */
  balance(device: Device, unit = "USD"): number {
    const [answer] = this.tell(device, "module", [80]);
    const rows = answer?.[1] as [string, number, number, number][];
    return rows.find(([name]) => name === unit)?.[1] ?? 0;
  }

  /** The customer buys (1) or sells (2); the command's id. */
  order(direction: 1 | 2, offer = signOffer(this, this.merchant, direction)): Uint8Array {
    const command = filled(++this.commands);
    this.tell(this.customer, "agent", [20, command, offer]);
    return command;
  }
}
