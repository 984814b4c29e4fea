// SPDX-License-Identifier: Apache-2.0
// Worlds of two persons' boards, from one seed whether emulated or simulated: one who pays another,
// and a customer who buys from a merchant with a card. All else is simulated.
import type { BoardSlots } from "../../host/device/boardProgram.ts";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import {
  cardComponents,
  merchantComponents,
  OFFER_TERMS,
  willingCustomer,
} from "../../host/torture/purchaseWorld.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import { Role } from "../../host/trust/certificates.ts";
import { answerCards, type CardBooks, type CardState } from "./cardBooks.ts";
import { Meeting } from "./meeting.ts";
import { COMMITTED, connect, Party, until } from "./party.ts";

export const FUNDS_MINOR = 500_000;
const PERSON: BoardSlots = { agent: "customer-agent", module: "transaction-module" };
const SHOP: BoardSlots = { agent: "merchant-agent", module: "transaction-module" };
const SIMULATED = { emulator: null };
/** The payer's command (docs/protocol.cddl section 8). */
const PAY = 60;

export interface WorldOptions {
  isEmulated: boolean;
  /** More words for the emulator. */
  words?: string[];
  /** Opens the line of either emulated board. */
  openLine?: (board: EmulatedBoard) => Promise<ByteTransport>;
  /** A folder of boards/; the usual one if absent. */
  board?: string;
  /** What runs the images of a payment; wasm2c if absent. */
  engine?: "wasm3";
}

function partyOptions({ isEmulated, words = [], board, openLine }: WorldOptions) {
  return {
    emulator: isEmulated ? words : null,
    ...(openLine === undefined ? {} : { openLine }),
    ...(board === undefined ? {} : { board }),
  };
}

/** A device with both halves certified and paired. `letter` names it. */
export async function member(
  seed: string,
  slots: BoardSlots,
  letter: string,
  agency: TestAgency,
  options: Parameters<typeof Party.open>[2],
): Promise<Party> {
  const party = await Party.open(seed, slots, options);
  const device = `device-${letter}`;
  const role = slots.agent === "merchant-agent" ? Role.MERCHANT : Role.CUSTOMER;
  await party.certify(agency, "agent", `agent-${letter}`, role, device);
  await party.certify(agency, "module", `modul-${letter}`, Role.TRANSACTION, device);
  await party.ask("agent", 5);
  return party;
}

/** Payer with FUNDS_MINOR and payee, connected. */
export class PaymentWorld extends Meeting {
  override readonly first: Party;
  override readonly second: Party;
  protected override readonly unit = "EUR";
  /** What an order pays. */
  amountMinor = 100;

  private constructor(payer: Party, payee: Party) {
    super();
    this.first = payer;
    this.second = payee;
  }

  static async make(options: WorldOptions): Promise<PaymentWorld> {
    const agency = new TestAgency();
    const slots = { ...PERSON, ...(options.engine ? { engine: options.engine } : {}) };
    const payer = await member("payer", slots, "P", agency, partyOptions(options));
    const payee = await member("payee", slots, "Q", agency, partyOptions(options));
    await fund(payer, agency, "EUR");
    const world = new PaymentWorld(payer, payee);
    world.connect();
    return world;
  }

  override get gainMinor(): number {
    return -this.amountMinor;
  }

  override async prepare(): Promise<void> {}

  override order(command: Uint8Array): void {
    this.first.tell("agent", PAY, command, this.amountMinor, this.unit);
  }

  protected override async openAt(party: Party): Promise<number> {
    return Number((await party.ask("module", 89))[1]);
  }
}

/** A customer with a card and a serving merchant with FUNDS_MINOR, connected. */
export class PurchaseWorld extends Meeting {
  override readonly first: Party;
  override readonly second: Party;
  protected override readonly unit = "USD";
  override readonly gainMinor = 2_000;
  /** What the card issuer knows. */
  readonly books: CardBooks = { cards: {}, conflicts: [] };
  private offer: unknown;

  private constructor(customer: Party, merchant: Party) {
    super();
    this.first = customer;
    this.second = merchant;
    customer.host = willingCustomer(this.gainMinor, this.unit);
    merchant.host = (message) => answerCards(this.books, message);
    merchant.device.onEvent((event) => {
      if (event.type === "linkUp" && event.rebooted) merchant.tell("agent", 40, true);
    });
  }

  static async make(options: WorldOptions): Promise<PurchaseWorld> {
    const agency = new TestAgency();
    const customer = await member("customer", PERSON, "C", agency, partyOptions(options));
    const merchant = await member("merchant", SHOP, "M", agency, partyOptions(options));
    await acquireCredentials(agency, customer, merchant);
    await fund(merchant, agency, "USD");
    await merchant.ask("agent", 40, true);
    const world = new PurchaseWorld(customer, merchant);
    world.connect();
    return world;
  }

  override async prepare(): Promise<void> {
    const terms = Object.values({ ...OFFER_TERMS, expires: START_SECONDS + 599 });
    const answer = await this.second.ask("agent", 55, 1, ...terms);
    if (answer[0] !== 55) throw new Error(`The offer is not signed: ${String(answer)}.`);
    this.offer = answer[1];
  }

  override order(command: Uint8Array): void {
    this.first.tell("agent", 20, command, this.offer);
  }

  /** Cards in one state, by the issuer's books. */
  cards(state: CardState): number {
    return Object.values(this.books.cards).filter((card) => card === state).length;
  }

  /** Receipts and other tickets of the customer's agent. */
  async tickets(): Promise<number> {
    let count = 0;
    for (let cursor: unknown = 0; cursor !== null; ) {
      const [, , next, ticket] = await this.first.ask("agent", 8, 1, cursor);
      if (ticket !== null) count += 1;
      cursor = next;
    }
    return count;
  }

  protected override async openAt(party: Party): Promise<number> {
    const open = Number((await party.ask("module", 89))[1]);
    if (party !== this.second) return open;
    return open + Number((await party.ask("agent", 56))[1]);
  }
}

/** An authority gives the customer a card and the merchant its credential. */
async function acquireCredentials(
  agency: TestAgency,
  customer: Party,
  merchant: Party,
): Promise<void> {
  const authority = await Party.open("authority", { agent: "authority-agent" }, SIMULATED);
  await authority.certify(agency, "agent", "agent-A", Role.AUTHORITY, "device-A");
  await authority.ask("agent", 40, true);
  for (const [party, kind, components] of [
    [customer, 1, cardComponents()],
    [merchant, 2, merchantComponents()],
  ] as const) {
    authority.host = (message) => (message[0] === 71 ? [[72, message[1], components]] : []);
    connect(party, authority);
    party.tell("agent", 70, filled(200 + kind), kind);
    await until("the credential", () => party.stateOf(filled(200 + kind)) === COMMITTED);
    party.device.disconnect();
  }
  await authority.close();
}

/** A bank that grants and notes everything gives a device its funds, and closes. */
export async function fund(party: Party, agency: TestAgency, unit: string): Promise<void> {
  const teller = await Party.open("teller", { module: "teller-module" }, SIMULATED);
  const generator = await Party.open("generator", { module: "generator-module" }, SIMULATED);
  for (const [bank, name, role] of [
    [teller, "modul-T", Role.TELLER],
    [generator, "modul-G", Role.GENERATOR],
  ] as const) {
    await bank.certify(agency, "module", name, role, name);
    bank.host = ([number, first, second]) => {
      if (number === 82) return [[83, second, true]];
      return number === 84 ? [[85, first]] : [];
    };
  }
  connect(teller, generator);
  teller.tell("module", 81, filled(1), 2, FUNDS_MINOR, unit, null);
  await until("the teller's funds", () => teller.stateOf(filled(1)) === COMMITTED);
  teller.device.disconnect();
  connect(party, teller);
  party.tell("module", 81, filled(2), 1, FUNDS_MINOR, unit, "12345678");
  await until("the withdrawal", () => party.stateOf(filled(2)) === COMMITTED);
  party.device.disconnect();
  await Promise.all([teller.close(), generator.close()]);
}
