// SPDX-License-Identifier: Apache-2.0
// Who takes part in a world's card network: the customer's card and its account at the issuer, the
// merchant, the keys of the links, and what the issuer knows of agents and their credentials.
import { readTicket, type Ticket } from "../application/tickets.ts";
import type { CardAccount } from "../network/authorization/issuerBooks.ts";
import { filled } from "./agentWorld.ts";
import type { BareModule } from "./bareModule.ts";
import type { CardConfig } from "./cardNetwork.ts";
import { itemsOf } from "./items.ts";
import { ISSUER_SEED } from "./purchaseWorld.ts";

const ACQUIRER_ID = "100000";
const ACQUIRER_KEY = filled(78, 32);
const ISSUER_KEY = filled(79, 32);
/** How long holds last, as in an economy (host/economy/cards.ts). */
const HOLD_S = 7 * 86_400;
const BALANCE_MINOR = 10_000_000;
/** Trace number of the merchant host's first card message. */
export const FIRST_TRACE = 100_001;

export interface CardParties {
  config: CardConfig;
  accounts: CardAccount[];
}

/** Reads the agents' credentials and keys. @throws {Error} if one has no credential */
export function cardParties(customer: BareModule, merchant: BareModule): CardParties {
  const card = credentialOf(customer, "card");
  const shop = credentialOf(merchant, "merchant");
  const customerId = card.identifier.receiver;
  const merchantId = shop.identifier.receiver;
  const keys = new Map([
    [customerId, signingKeyOf(customer)],
    [merchantId, signingKeyOf(merchant)],
  ]);
  const cardHolder = {
    agentId: customerId,
    agentSigningKey: keys.get(customerId)!,
    cardNumber: card.account,
  };
  const shopHolder = { agentId: merchantId, name: shop.merchant };
  const expires = new Date((card.expires - 1) * 1000).toISOString();
  const config: CardConfig = {
    merchantAgentId: merchantId,
    outbox: {
      acquirerId: ACQUIRER_ID,
      terminalId: "FLORIN01",
      linkKey: ACQUIRER_KEY,
      // As in an economy (host/economy/merchants.ts).
      firstRetryMs: 2_000,
      longestRetryMs: 15_000,
      holdPatienceMs: 20_000,
    },
    switch: {
      acquirers: { acquirer: { acquirerId: ACQUIRER_ID, linkKey: ACQUIRER_KEY } },
      issuers: { issuer: { prefixes: [card.account], linkKey: ISSUER_KEY } },
    },
    issuer: {
      approvalSeed: ISSUER_SEED,
      holdS: HOLD_S,
      links: { switch: ISSUER_KEY },
      directory: {
        credentialById: (id) => (id === card.identifier.ticketId ? cardHolder : undefined),
        merchantCredentialById: (id) => (id === shop.identifier.ticketId ? shopHolder : undefined),
        agentKeyById: (id) => keys.get(id),
      },
    },
  };
  const account: CardAccount = {
    cardNumber: card.account,
    kind: card.kind,
    unit: card.unit,
    expiry: expires.slice(2, 4) + expires.slice(5, 7),
    standing: "open",
    directions: ["buy", "sell"],
    balanceMinor: BALANCE_MINOR,
    creditLimitMinor: 0,
    transactionLimitMinor: BALANCE_MINOR,
    heldDebitMinor: 0,
    heldCreditMinor: 0,
  };
  return { config, accounts: [account] };
}

function credentialOf<Kind extends Ticket["type"]>(agent: BareModule, kind: Kind) {
  for (const item of itemsOf((cursor) => agent.ask(8, 1, cursor))) {
    const ticket = readTicket(item);
    if (ticket?.type === kind) return ticket as Extract<Ticket, { type: Kind }>;
  }
  throw new Error(`The agent has no ${kind} credential.`);
}

/** Command 2 tells an agent's keys. */
function signingKeyOf(agent: BareModule): Uint8Array {
  const [, signing] = agent.ask(2);
  if (!(signing instanceof Uint8Array)) throw new Error("The agent has no signing key.");
  return signing;
}
