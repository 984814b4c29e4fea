// SPDX-License-Identifier: Apache-2.0
// Sales whose merchant does not post (protocol rules 6): a person's card issuers are shown what the
// device can prove, and the merchant's module gets what was released to it, by the mailboxes.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type PaidSale, paidSales } from "../application/saleEvidence.ts";
import { certificateById, chainById } from "../network/agency/agency.ts";
import type { DeviceRegister, SaleEvidence } from "../network/authorization/saleEvidence.ts";
import { type Mandate, mandateHash, parseMandate } from "../network/authorization/signedObjects.ts";
import type { OverruleOutcome } from "../network/authorization/withheldSale.ts";
import { MailClient } from "../network/bank/mailClient.ts";
import { readPaymentProof } from "../trust/paymentProof.ts";
import type { CardIssuer } from "./cards.ts";
import type { Foundations } from "./foundations.ts";
import { bookSettlement } from "./merchants.ts";
import { personNamed } from "./names.ts";
import type { World } from "./world.ts";

/** No note can be redeemed longer than this, so nobody needs what was released for it. */
const KEPT_SECONDS = 130 * 24 * 3600;

/** One sale and what its card issuer made of the evidence; the amount in minor units. */
export interface WithheldSaleReport {
  transactionId: string;
  unit: string;
  /** What the card is to be credited. */
  amount: number;
  /** `posted` now, `known`: posted before, `early`: the merchant has time until `until`. */
  state: OverruleOutcome["type"];
  /** A date, YYYY-MM-DD; null unless early. */
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
  for (const sale of await paidSales(party.device)) {
    const outcome = await showSale(world, sale);
    const { transactionId, accountUnit, accountAmountMinor } = sale.mandate;
    const untilMs = outcome.type === "early" ? outcome.untilS * 1000 : null;
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

/** What was released for overruled sales, to mailboxes where a merchant's module asks for it. */
export async function handOnReleases({ base, mail }: Pick<World, "base" | "mail">): Promise<void> {
  const { database, agencies } = base;
  const now = base.nowSeconds();
  await database.query("DELETE FROM card_releases WHERE until_s < $1", [now]);
  const rows = await database.query("SELECT * FROM card_releases WHERE is_handed_on = FALSE");
  for (const row of rows) {
    const chain = chainById(agencies.module, hexToBytes(String(row.payer)));
    if (chain === undefined) continue;
    for (const { url } of mail.byBank.values()) {
      const client = new MailClient(url);
      // Where nobody asked yet, or no mailbox answers, it is tried again later.
      const result = await client
        .post(hexToBytes(String(row.statement)), chain)
        .catch(() => "unasked")
        .finally(() => client.close());
      if (result !== "accepted" && result !== "known") continue;
      await database.query("UPDATE card_releases SET is_handed_on = TRUE WHERE pay_id = $1", [
        String(row.pay_id),
      ]);
      break;
    }
  }
}

async function showSale(world: World, { mandate, evidence }: PaidSale): Promise<OverruleOutcome> {
  const { base, cards } = world;
  const issuer = cards.issuers.find((one) => isCardOf(base, one, mandate.credentialId));
  if (issuer === undefined) return { type: "refused", reason: "no issuer here knows the card" };
  const outcome = await issuer.host.overrule(evidence, deviceRegister(base));
  const proof = readPaymentProof(evidence.proof);
  if (outcome.type !== "posted" && outcome.type !== "known") return outcome;
  await bookPosting(world, mandate, evidence);
  if (outcome.type === "posted" && proof !== undefined) {
    await base.database.query(
      `INSERT INTO card_releases (pay_id, payer, statement, until_s)
       VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [proof.payId, proof.payer, bytesToHex(proof.released), base.nowSeconds() + KEPT_SECONDS],
    );
  }
  return outcome;
}

/** What the card was credited the merchant owes; booked once, whoever had it posted. */
async function bookPosting(
  { base, merchants }: World,
  mandate: Mandate,
  evidence: SaleEvidence,
): Promise<void> {
  const name = base.register.byId(mandate.merchantCredentialId)?.subject;
  const merchant = merchants.find((one) => one.name === name);
  const holder = base.register.byId(mandate.credentialId);
  const signed = parseMandate(evidence.mandate);
  if (merchant === undefined || holder === undefined || signed === undefined) return;
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
