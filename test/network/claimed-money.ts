// SPDX-License-Identifier: Apache-2.0
// A payment in doubt and the claim about it, made in TypeScript with real signatures, for tests of
// the Certification Agency and the issuers' books (par. 121, 122; docs/protocol.md rule 4.13).
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import type { AgencyState } from "../../host/network/agency/agency.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { signObject } from "../../host/trust/cose.ts";
import { DATE, encodeTransfer, EXPIRY, type Signer } from "../support/noteMaker.ts";
import { BANK, type Hop, RedeemedNotes, UNIT } from "./redeemed-notes.ts";

export const HORIZON = EXPIRY + 30 * 86_400;
/** Of the payer's note of 100, so much is in doubt. */
export const AMOUNT = 60;
export const PAY_ID = new Uint8Array(16).fill(0xaa);

/** What a claim is made of; a test changes a part and everything else stays right. */
export interface Parts {
  account: string;
  amount: number;
  draftAmount: number;
  claimant: Signer;
  claimSigner: Signer;
  offerSigner: Signer;
  transferee: Uint8Array;
  horizon: number;
  draftPayId: Uint8Array;
}

export class ClaimedMoney {
  readonly world = new RedeemedNotes();
  payer: Signer;
  claimant: Signer;
  /** The Certification Agency, with a certificate of everybody. */
  readonly agency: AgencyState;
  /** The payer's note. */
  readonly held: { body: ReturnType<RedeemedNotes["issue"]>["body"]; hops: Hop[]; leaf: string };

  constructor() {
    const { world } = this;
    const [payer, claimant] = world.people as [Signer, Signer];
    [this.payer, this.claimant] = [payer, claimant];
    const { moduleServer, moduleRoot } = world.agency;
    const signers = [world.generator, world.teller, world.thief, payer, claimant];
    this.agency = {
      kind: "module",
      rootId: moduleRoot.id,
      rootSeed: new Uint8Array(32).fill(2),
      serverSeed: moduleServer.seed,
      serverCertificate: moduleServer.certificate.bytes,
      issued: signers.map(({ certificate }) => certificate),
      untrusted: [],
      listVersion: 1,
      listIssued: START_SECONDS,
    };
    const { body, first } = world.issue(100);
    // One pay id each, so that every note made of these hops has the same history.
    const hops = [first, { to: payer, amount: 100, payId: world.nextPayId() }];
    this.held = { body, hops, leaf: world.note(body, hops).leaf };
  }

  /** The claim as its module makes it, with the drafts that it exports. */
  made(change: Partial<Parts> = {}): { claim: Uint8Array; drafts: Uint8Array[] } {
    const { world, payer, claimant, held } = this;
    const parts: Parts = {
      account: `ben:${UNIT}@${BANK}`,
      amount: AMOUNT,
      draftAmount: AMOUNT,
      claimant,
      claimSigner: claimant,
      offerSigner: payer,
      transferee: claimant.id,
      horizon: HORIZON,
      draftPayId: PAY_ID,
      ...change,
    };
    const newest = encodeTransfer({
      parent: hexToBytes(held.leaf),
      sequence: 1,
      offset: 0,
      amount: parts.draftAmount,
      transferee: parts.transferee,
      date: DATE,
      payId: parts.draftPayId,
    });
    const sign = (purpose: string, fields: unknown[], { seed, reference }: Signer) =>
      signObject(purpose, encodeCbor(fields), seed, reference);
    const hash = sha256(concatBytes(sha256(newest)));
    const { amount, horizon } = parts;
    const terms = [PAY_ID, hash, payer.id, parts.claimant.id, UNIT, amount, horizon];
    const offer = sign("florin/offer", terms, parts.offerSigner);
    const fields = [decodeCbor(offer), parts.account, START_SECONDS + 3_000];
    const claim = sign("florin/claim", fields, parts.claimSigner);
    const [body, transfers] = decodeCbor(world.note(held.body, held.hops).bytes) as unknown[];
    return { claim, drafts: [encodeCbor([body, transfers, newest, payer.reference])] };
  }
}
