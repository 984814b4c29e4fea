// SPDX-License-Identifier: Apache-2.0
// The Certification Agency's claims in the database (claims.ts says what they are).
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Queryable } from "../store/database.ts";
import type { ClaimRecord, ClaimStore } from "./claims.ts";

/** The store over a database that was migrated. Drafts are hexadecimal, with spaces between. */
export function sqlClaimStore(database: Queryable): ClaimStore {
  return {
    all: async () => {
      const rows = await database.query("SELECT * FROM agency_claims ORDER BY number");
      return rows.map((row) => ({
        payId: String(row.pay_id),
        claimant: String(row.claimant),
        claim: hexToBytes(String(row.claim)),
        drafts: String(row.drafts).split(" ").map(hexToBytes),
        filedAt: Number(row.filed_at),
        dueAt: Number(row.due_at),
        state: String(row.state) as ClaimRecord["state"],
        refusal: Number(row.refusal),
        verdict: row.verdict === null ? null : hexToBytes(String(row.verdict)),
      }));
    },
    put: async (record) => {
      const { payId, claimant, claim, drafts, filedAt, dueAt, state, refusal, verdict } = record;
      await database.query(
        `INSERT INTO agency_claims
           (claimant, pay_id, claim, drafts, filed_at, due_at, state, refusal, verdict)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (claimant, pay_id) DO UPDATE SET state = $7, refusal = $8, verdict = $9`,
        [
          claimant,
          payId,
          bytesToHex(claim),
          drafts.map(bytesToHex).join(" "),
          filedAt,
          dueAt,
          state,
          refusal,
          verdict === null ? null : bytesToHex(verdict),
        ],
      );
    },
  };
}
