// SPDX-License-Identifier: Apache-2.0
// Merchants for tests of gateway and shop: certified by an agency, they sign offers as their
// trusted agents do (docs/protocol.cddl section 7).
import { ed25519 } from "@noble/curves/ed25519.js";
import {
  type AgencyState,
  agencyRoot,
  certify,
  foundAgency,
} from "../../host/network/agency/agency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role, type Root, verifyChain } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import {
  encodeOfferTerms,
  OFFER_PURPOSE,
  type OfferTerms,
} from "../../host/trust/merchantOffer.ts";
import { seededRandom } from "../../host/trust/random.ts";

export const NOW = 1_800_000_000;

const random = seededRandom(new Uint8Array([7]));
export const agency: AgencyState = foundAgency("agent", NOW, random);
export const agentRoot: Root = agencyRoot(agency);

export interface TestMerchant {
  readonly id: Uint8Array;
  /** Terms of an ordinary offer of this merchant, with what a test wants otherwise. */
  terms(change?: Partial<OfferTerms>): OfferTerms;
  /** The signed offer; `purpose` and `seed` are the right ones unless a test gives others. */
  offer(change?: Partial<OfferTerms>, purpose?: string, seed?: Uint8Array): Uint8Array;
}

export function newMerchant(name: string, role: Role = Role.MERCHANT): TestMerchant {
  const ownSeed = random(32);
  const request = {
    role,
    device: random(8),
    signingKey: ed25519.getPublicKey(ownSeed),
    sealingKey: random(32),
    hasCounter: true,
  };
  const chain = certify(agency, request, NOW, random);
  const verified = verifyChain(chain, agentRoot, NOW);
  if (!verified.ok) throw new Error(`The chain of ${name} is ${verified.reason}.`);
  const { subject: id, reference } = verified.holder;
  const terms = (change: Partial<OfferTerms> = {}): OfferTerms => ({
    merchant: id,
    name,
    direction: "buy",
    moneyUnit: "EUR",
    accountUnit: "EUR",
    feeMinor: 50,
    feeBasisPoints: 100,
    rateNumerator: 1,
    rateDenominator: 1,
    minimumMinor: 100,
    maximumMinor: 100_000,
    issued: NOW,
    expires: NOW + 600,
    endpoint: "ws://127.0.0.1:4000",
    ...change,
  });
  return {
    id,
    terms,
    offer: (change = {}, purpose = OFFER_PURPOSE, seed = ownSeed) => {
      const signed = signObject(purpose, encodeOfferTerms(terms(change)), seed, reference);
      return encodeCbor([decodeCbor(signed), decodeCbor(chain)]);
    },
  };
}
