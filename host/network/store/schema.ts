// SPDX-License-Identifier: Apache-2.0
// The tables of banks and card issuers, step by step. Ids are text of hexadecimal digits; amounts
// are minor units, within what a number carries exactly.
import type { Migration } from "./migrations.ts";

const AMOUNT = "BIGINT NOT NULL CHECK (%s BETWEEN -9007199254740991 AND 9007199254740991)";
const amount = (column: string) => `${column} ${AMOUNT.replace("%s", column)}`;

export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: "ledger",
    statements: [
      `CREATE TABLE ledger_accounts (
        bank TEXT NOT NULL, account TEXT NOT NULL, owner TEXT NOT NULL, unit TEXT NOT NULL,
        kind TEXT NOT NULL, drawers TEXT NOT NULL, ${amount("balance_minor")},
        PRIMARY KEY (bank, account))`,
      `CREATE TABLE ledger_entries (
        bank TEXT NOT NULL, transaction TEXT NOT NULL, leg TEXT NOT NULL,
        at_seconds BIGINT NOT NULL, number BIGSERIAL, PRIMARY KEY (bank, transaction, leg))`,
      `CREATE TABLE ledger_lines (
        bank TEXT NOT NULL, transaction TEXT NOT NULL, leg TEXT NOT NULL, position INTEGER NOT NULL,
        account TEXT NOT NULL, ${amount("debit_minor")},
        PRIMARY KEY (bank, transaction, leg, position),
        FOREIGN KEY (bank, transaction, leg) REFERENCES ledger_entries,
        FOREIGN KEY (bank, account) REFERENCES ledger_accounts)`,
      `CREATE TABLE ledger_payments (
        bank TEXT NOT NULL, module TEXT NOT NULL, pay_id TEXT NOT NULL, kind TEXT NOT NULL,
        peer TEXT NOT NULL, account TEXT, ${amount("amount_minor")}, unit TEXT NOT NULL,
        state TEXT NOT NULL, number BIGSERIAL, PRIMARY KEY (bank, module, pay_id))`,
      "CREATE INDEX ledger_payments_open ON ledger_payments (bank, state)",
      `CREATE TABLE ledger_redemptions (
        bank TEXT NOT NULL, leaf TEXT NOT NULL, ${amount("amount_minor")}, unit TEXT NOT NULL,
        PRIMARY KEY (bank, leaf))`,
    ],
  },
  {
    number: 2,
    name: "card issuer",
    statements: [
      `CREATE TABLE card_accounts (
        card_number TEXT PRIMARY KEY, kind TEXT NOT NULL, unit TEXT NOT NULL, expiry TEXT NOT NULL,
        standing TEXT NOT NULL, directions TEXT NOT NULL, ${amount("balance_minor")},
        ${amount("credit_limit_minor")}, ${amount("transaction_limit_minor")},
        ${amount("held_debit_minor")}, ${amount("held_credit_minor")})`,
      `CREATE TABLE card_transactions (
        mandate_hash TEXT PRIMARY KEY, customer_agent_id TEXT NOT NULL,
        transaction_id TEXT NOT NULL, card_number TEXT NOT NULL,
        direction TEXT NOT NULL, ${amount("amount_minor")}, unit TEXT NOT NULL,
        merchant_agent_id TEXT NOT NULL, code TEXT NOT NULL, until_s BIGINT NOT NULL,
        state TEXT NOT NULL, UNIQUE (customer_agent_id, transaction_id))`,
      "CREATE INDEX card_transactions_held ON card_transactions (state, until_s)",
      "CREATE TABLE card_voided_mandates (mandate_hash TEXT PRIMARY KEY)",
    ],
  },
  {
    number: 3,
    name: "credential register",
    statements: [
      `CREATE TABLE credentials (
        credential_id TEXT PRIMARY KEY, kind TEXT NOT NULL, authority TEXT NOT NULL,
        agent_id TEXT NOT NULL, agent_key TEXT NOT NULL, subject TEXT NOT NULL)`,
      "CREATE TABLE world_steps (step TEXT PRIMARY KEY)",
    ],
  },
  {
    number: 4,
    name: "closed accounts and redeemed notes",
    statements: [
      "ALTER TABLE ledger_accounts ADD COLUMN is_closed BOOLEAN NOT NULL DEFAULT FALSE",
      // A bank's deposit at another bank was of the kind of its customers'.
      `UPDATE ledger_accounts SET kind = 'deposit-of-correspondent'
        WHERE account LIKE 'deposit-of-correspondent:%'`,
      "DROP TABLE ledger_redemptions",
      `CREATE TABLE ledger_leaves (
        bank TEXT NOT NULL, leaf TEXT NOT NULL, body TEXT NOT NULL, note_id TEXT NOT NULL,
        unit TEXT NOT NULL, ${amount("start_minor")}, ${amount("amount_minor")},
        ${amount("lost_minor")}, generator TEXT NOT NULL, issue_pay_id TEXT NOT NULL,
        transferor TEXT NOT NULL, pay_id TEXT NOT NULL, at_seconds BIGINT NOT NULL,
        number BIGSERIAL, PRIMARY KEY (bank, leaf))`,
      "CREATE INDEX ledger_leaves_body ON ledger_leaves (bank, body)",
      "CREATE INDEX ledger_leaves_issue ON ledger_leaves (bank, generator, issue_pay_id)",
      `CREATE TABLE ledger_transfers (
        bank TEXT NOT NULL, hash TEXT NOT NULL, parent TEXT NOT NULL, sequence BIGINT NOT NULL,
        ${amount("offset_minor")}, ${amount("amount_minor")}, signer TEXT NOT NULL,
        signed TEXT NOT NULL, PRIMARY KEY (bank, hash))`,
      "CREATE INDEX ledger_transfers_parent ON ledger_transfers (bank, parent)",
      `CREATE TABLE ledger_convictions (
        bank TEXT NOT NULL, module TEXT NOT NULL, parent TEXT NOT NULL, first TEXT NOT NULL,
        second TEXT NOT NULL, unit TEXT NOT NULL, at_seconds BIGINT NOT NULL, number BIGSERIAL,
        PRIMARY KEY (bank, first, second))`,
    ],
  },
  {
    number: 5,
    name: "mailbox",
    statements: [
      `CREATE TABLE mail_letters (
        bank TEXT NOT NULL, pay_id TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL,
        recipient TEXT NOT NULL, owner TEXT NOT NULL, statement TEXT NOT NULL,
        until_s BIGINT NOT NULL, number BIGSERIAL, PRIMARY KEY (bank, pay_id, kind, sender, recipient))`,
      "CREATE INDEX mail_letters_to ON mail_letters (bank, recipient, number)",
      "CREATE INDEX mail_letters_of ON mail_letters (bank, owner, number)",
      "CREATE INDEX mail_letters_until ON mail_letters (bank, until_s)",
    ],
  },
  {
    number: 6,
    name: "aborted payments",
    statements: [
      "ALTER TABLE ledger_transfers ADD COLUMN pay_id TEXT NOT NULL DEFAULT ''",
      // A signed transfer ends with its pay id, 16 bytes, then a head of 2 and the signature of 64.
      "UPDATE ledger_transfers SET pay_id = substr(signed, length(signed) - 163, 32)",
      "CREATE INDEX ledger_transfers_pay_id ON ledger_transfers (bank, pay_id)",
      `CREATE TABLE ledger_aborted (
        bank TEXT NOT NULL, hash TEXT NOT NULL, pay_id TEXT NOT NULL, answerer TEXT NOT NULL,
        at_seconds BIGINT NOT NULL, signed TEXT NOT NULL, number BIGSERIAL,
        PRIMARY KEY (bank, hash))`,
    ],
  },
  {
    number: 7,
    name: "claims",
    statements: [
      `CREATE TABLE agency_claims (
        claimant TEXT NOT NULL, pay_id TEXT NOT NULL, claim TEXT NOT NULL, drafts TEXT NOT NULL,
        filed_at BIGINT NOT NULL, due_at BIGINT NOT NULL, state TEXT NOT NULL,
        refusal INTEGER NOT NULL, verdict TEXT, number BIGSERIAL, PRIMARY KEY (claimant, pay_id))`,
    ],
  },
  {
    number: 8,
    name: "evidence of sales that no merchant posts",
    statements: [
      "ALTER TABLE card_transactions ADD COLUMN proven_s BIGINT NOT NULL DEFAULT 0",
      `CREATE TABLE card_evidence (
        pay_id TEXT PRIMARY KEY, mandate TEXT NOT NULL, approval TEXT NOT NULL,
        proof TEXT NOT NULL, until_s BIGINT NOT NULL, is_posted BOOLEAN NOT NULL DEFAULT FALSE,
        is_handed_on BOOLEAN NOT NULL DEFAULT FALSE)`,
    ],
  },
];
