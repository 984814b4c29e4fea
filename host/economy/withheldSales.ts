// SPDX-License-Identifier: Apache-2.0
// Sales whose merchant does not post (protocol rules 6): what a person's device can prove is kept
// and shown to the card issuer until it has an end, and what was released goes to the merchant's
// module, by the mailboxes.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { paidSales } from "../application/saleEvidence.ts";
import { certificateById, chainById } from "../network/agency/agency.ts";
import type { DeviceRegister, SaleEvidence } from "../network/authorization/saleEvidence.ts";
import { mandateHash, parseMandate } from "../network/authorization/signedObjects.ts";
import type { OverruleOutcome } from "../network/authorization/withheldSale.ts";
import { MailClient } from "../network/bank/mailClient.ts";
import type { Row } from "../network/store/database.ts";
import { readPaymentProof } from "../trust/paymentProof.ts";
import type { CardIssuer } from "./cards.ts";
import type { Foundations } from "./foundations.ts";
import { bookSettlement } from "./merchants.ts";
import { personNamed } from "./names.ts";
import type { World } from "./world.ts";

/** No note can be redeemed longer than this, so nobody needs what was released for it. */
const KEPT_SECONDS = 130 * 24 * 3600;

type Network = Pick<World, "base" | "cards" | "merchants" | "mail">;

/** One sale and what its card issuer made of the evidence; the amount in minor units. */
export interface WithheldSaleReport {
  transactionId: string;
  unit: string;
  /** What the card is to be credited. */
  amount: number;
  /** See OverruleOutcome; `filed`: the merchant may post or void it until `until`. */
  state: OverruleOutcome["type"];
  /** A date, YYYY-MM-DD; null unless filed. */
  until: string | null;
  /** Why it is refused, the end of a sentence; else null. */
  reason: string | null;
}

/**
 * Shows the card issuers every sale that a person's device paid for. May be repeated.
 * @throws {UnknownNameError} when the name is wrong
 */
export async function claimSales(world: World, who: string): Promise<WithheldSaleReport[]> {
  const { party } = personNamed(world, who);
  const reports: WithheldSaleReport[] = [];
  for (const { mandate, payId, evidence } of await paidSales(party.device)) {
    // Kept first: what an issuer once took is shown again, and handed on, whatever happens here.
    await keep(world.base, payId, evidence);
    const outcome = await settleSale(world, payId, evidence);
    const { transactionId, accountUnit, accountAmountMinor } = mandate;
    const untilMs = outcome.type === "filed" ? outcome.untilS * 1000 : null;
    reports.push({
      transactionId,
      unit: accountUnit,
      amount: accountAmountMinor,
      state: outcome.type,
      until: untilMs === null ? null : new Date(untilMs).toISOString().slice(0, 10),
      reason: outcome.type === "refused" ? outcome.reason : null,
    });
  }
  await handOnReleases(world);
  return reports;
}

/** Posts the sales whose merchants were silent until now; to be called now and then. */
export async function settleSales(network: Network): Promise<void> {
  const { database, nowSeconds } = network.base;
  await database.query("DELETE FROM card_evidence WHERE until_s < $1", [nowSeconds()]);
  const rows = await database.query("SELECT * FROM card_evidence WHERE is_posted = FALSE");
  for (const row of rows) await settleSale(network, String(row.pay_id), evidenceOf(row));
  await handOnReleases(network);
}

async function keep(base: Foundations, payId: string, evidence: SaleEvidence): Promise<void> {
  await base.database.query(
    `INSERT INTO card_evidence (pay_id, mandate, approval, proof, until_s)
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [
      payId,
      bytesToHex(evidence.mandate),
      bytesToHex(evidence.approval),
      bytesToHex(evidence.proof),
      base.nowSeconds() + KEPT_SECONDS,
    ],
  );
}

function evidenceOf({ mandate, approval, proof }: Row): SaleEvidence {
  const bytes = (text: unknown) => hexToBytes(String(text));
  return { mandate: bytes(mandate), approval: bytes(approval), proof: bytes(proof) };
}

/** Shows a kept sale to its card issuer, books what follows, and forgets it where nothing can. */
async function settleSale(
  network: Network,
  payId: string,
  evidence: SaleEvidence,
): Promise<OverruleOutcome> {
  const { base, cards } = network;
  const credentialId = parseMandate(evidence.mandate)?.content.credentialId ?? "";
  const issuer = cards.issuers.find((one) => isCardOf(base, one, credentialId));
  const outcome: OverruleOutcome =
    issuer === undefined
      ? { type: "refused", reason: "no issuer here knows the card" }
      : await issuer.host.overrule(evidence, deviceRegister(base));
  if (outcome.type === "posted" || outcome.type === "known") await bookPosting(network, evidence);
  if (outcome.type === "posted") {
    await base.database.query("UPDATE card_evidence SET is_posted = TRUE WHERE pay_id = $1", [
      payId,
    ]);
  } else if (outcome.type !== "filed") {
    await base.database.query("DELETE FROM card_evidence WHERE pay_id = $1", [payId]);
  }
  return outcome;
}

/** What was released in filed sales, to mailboxes where a merchant's module asks for it. */
async function handOnReleases({ base, mail }: Network): Promise<void> {
  const { database, agencies } = base;
  const rows = await database.query("SELECT * FROM card_evidence WHERE is_handed_on = FALSE");
  for (const row of rows) {
    const proof = readPaymentProof(evidenceOf(row).proof);
    const chain = proof && chainById(agencies.module, hexToBytes(proof.payer));
    if (proof === undefined || chain === undefined) continue;
    for (const { url } of mail.byBank.values()) {
      const client = new MailClient(url);
      // Where nobody asked yet, or no mailbox answers, it is tried again later.
      const result = await client
        .post(proof.released, chain)
        .catch(() => "unasked")
        .finally(() => client.close());
      if (result !== "accepted" && result !== "known") continue;
      await database.query("UPDATE card_evidence SET is_handed_on = TRUE WHERE pay_id = $1", [
        proof.payId,
      ]);
      break;
    }
  }
}

/** What the card was credited the merchant owes; booked once, whoever had it posted. */
async function bookPosting(
  { base, merchants }: Pick<World, "base" | "merchants">,
  evidence: SaleEvidence,
): Promise<void> {
  const signed = parseMandate(evidence.mandate)!;
  const name = base.register.byId(signed.content.merchantCredentialId)?.subject;
  const merchant = merchants.find((one) => one.name === name);
  const holder = base.register.byId(signed.content.credentialId);
  if (merchant === undefined || holder === undefined) return;
  const hash = hexToBytes(mandateHash(signed.object));
  const settlement = { mandateHash: hash, cardNumber: holder.subject, isPosted: true };
  await bookSettlement(base, merchant.bank, merchant.name, settlement);
}

function isCardOf({ register }: Foundations, { name }: CardIssuer, credentialId: string) {
  const credential = register.byId(credentialId);
  return credential?.kind === "card" && credential.authority === name;
}

function deviceRegister({ agencies }: Foundations): DeviceRegister {
  const hex = (bytes: Uint8Array | undefined) => bytes && bytesToHex(bytes);
  return {
    deviceOfAgent: (id) => hex(certificateById(agencies.agent, hexToBytes(id))?.device),
    moduleById: (id) => {
      const certificate = certificateById(agencies.module, hexToBytes(id));
      const device = hex(certificate?.device);
      if (certificate === undefined || device === undefined) return undefined;
      return { device, signingKey: certificate.signingKey };
    },
  };
}
