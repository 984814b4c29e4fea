// SPDX-License-Identifier: Apache-2.0
// Which agent received which credential: the directory that card issuers check mandates against
// (protocol section 6). Kept in the database, read from memory.
import { hexToBytes } from "@noble/hashes/utils.js";
import type { IssuerDirectory } from "../authorization/issuerRequest.ts";
import type { Database } from "../store/database.ts";

/** One credential. Ids and keys are lower-case hexadecimal. */
export interface CredentialRecord {
  credentialId: string;
  kind: "card" | "merchant";
  authority: string;
  agentId: string;
  /** The agent's Ed25519 signing key. */
  agentKey: string;
  /** Card number, or the merchant's name. */
  subject: string;
}

export class CredentialRegister {
  private readonly database: Database;
  private readonly records = new Map<string, CredentialRecord>();

  private constructor(database: Database) {
    this.database = database;
  }

  /** Reads the register of a database that was migrated. */
  static async open(database: Database): Promise<CredentialRegister> {
    const register = new CredentialRegister(database);
    for (const row of await database.query("SELECT * FROM credentials")) {
      const record: CredentialRecord = {
        credentialId: String(row.credential_id),
        kind: row.kind === "card" ? "card" : "merchant",
        authority: String(row.authority),
        agentId: String(row.agent_id),
        agentKey: String(row.agent_key),
        subject: String(row.subject),
      };
      register.records.set(record.credentialId, record);
    }
    return register;
  }

  /** Adds a credential; the same one again changes nothing. */
  async add(record: CredentialRecord): Promise<void> {
    // At once for those who ask now; durable for those who ask after a restart.
    this.records.set(record.credentialId, record);
    await this.database.query(
      `INSERT INTO credentials (credential_id, kind, authority, agent_id, agent_key, subject)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [
        record.credentialId,
        record.kind,
        record.authority,
        record.agentId,
        record.agentKey,
        record.subject,
      ],
    );
  }

  /** Credentials of one agent. */
  of(agentId: string): CredentialRecord[] {
    return [...this.records.values()].filter((record) => record.agentId === agentId);
  }

  /** One credential; undefined for an unknown id. */
  byId(credentialId: string): CredentialRecord | undefined {
    return this.records.get(credentialId);
  }

  /** The register as one card issuer may ask it. */
  directoryFor(issuer: string, agentKeyById: IssuerDirectory["agentKeyById"]): IssuerDirectory {
    return {
      credentialById: (id) => {
        const record = this.records.get(id);
        if (record?.kind !== "card" || record.authority !== issuer) return undefined;
        const agentSigningKey = hexToBytes(record.agentKey);
        return { agentId: record.agentId, agentSigningKey, cardNumber: record.subject };
      },
      merchantCredentialById: (id) => {
        const record = this.records.get(id);
        if (record?.kind !== "merchant") return undefined;
        return { agentId: record.agentId, name: record.subject };
      },
      agentKeyById,
    };
  }
}
