// SPDX-License-Identifier: Apache-2.0
// A card issuer's accounts and authorizations in a database, beside the bank's books (Fig. 5). The
// rules are in host/network/authorization; this keeps what they decide, all of it or nothing.
import type {
  CardAccount,
  CardTransaction,
  IssuerStore,
  IssuerWrite,
} from "../authorization/issuerBooks.ts";
import type { Database, Queryable, Row } from "../store/database.ts";

/** The store over a database that was migrated (`migrate(database, MIGRATIONS)`). */
export function sqlIssuerStore(database: Database): IssuerStore {
  const transactions = async (condition: string, parameters: readonly unknown[]) => {
    const sql = `SELECT * FROM card_transactions WHERE ${condition}`;
    return (await database.query(sql, parameters)).map(toTransaction);
  };
  return {
    load: async ({ cardNumber, mandateHash, customerAgentId = "", transactionId = "" }) => {
      const [accounts, own, rivals, voided] = await Promise.all([
        database.query("SELECT * FROM card_accounts WHERE card_number = $1", [cardNumber]),
        transactions("mandate_hash = $1", [mandateHash]),
        transactions("customer_agent_id = $1 AND transaction_id = $2 AND mandate_hash <> $3", [
          customerAgentId,
          transactionId,
          mandateHash,
        ]),
        database.query("SELECT 1 FROM card_voided_mandates WHERE mandate_hash = $1", [mandateHash]),
      ]);
      return {
        account: accounts[0] && toAccount(accounts[0]),
        transaction: own[0],
        rival: rivals[0],
        voidedBefore: voided.length > 0,
      };
    },
    apply: (writes) =>
      database.transaction(async (connection) => {
        for (const write of writes) await put(connection, write);
      }),
    lapsedHolds: (nowS) => transactions("state = 'held' AND until_s < $1", [nowS]),
  };
}

async function put(connection: Queryable, write: IssuerWrite): Promise<void> {
  if (write.kind === "putAccount") await putAccount(connection, write.account);
  else if (write.kind === "putTransaction") await putTransaction(connection, write.transaction);
  else {
    await connection.query(
      "INSERT INTO card_voided_mandates (mandate_hash) VALUES ($1) ON CONFLICT DO NOTHING",
      [write.mandateHash],
    );
  }
}

async function putAccount(connection: Queryable, account: CardAccount): Promise<void> {
  await connection.query(
    `INSERT INTO card_accounts (card_number, kind, unit, expiry, standing, directions,
       balance_minor, credit_limit_minor, transaction_limit_minor, held_debit_minor,
       held_credit_minor)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (card_number) DO UPDATE SET
       kind = $2, unit = $3, expiry = $4, standing = $5, directions = $6, balance_minor = $7,
       credit_limit_minor = $8, transaction_limit_minor = $9, held_debit_minor = $10,
       held_credit_minor = $11`,
    [
      account.cardNumber,
      account.kind,
      account.unit,
      account.expiry,
      account.standing,
      account.directions.join(" "),
      account.balanceMinor,
      account.creditLimitMinor,
      account.transactionLimitMinor,
      account.heldDebitMinor,
      account.heldCreditMinor,
    ],
  );
}

/** The content of a transaction never changes, so that only its state and proof are written again. */
async function putTransaction(connection: Queryable, record: CardTransaction): Promise<void> {
  await connection.query(
    `INSERT INTO card_transactions (mandate_hash, customer_agent_id, transaction_id, card_number,
       direction, amount_minor, unit, merchant_agent_id, code, until_s, state, proven_s)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (mandate_hash) DO UPDATE SET state = $11, proven_s = $12`,
    [
      record.mandateHash,
      record.customerAgentId,
      record.transactionId,
      record.cardNumber,
      record.direction,
      record.amountMinor,
      record.unit,
      record.merchantAgentId,
      record.code,
      record.untilS,
      record.state,
      record.provenS,
    ],
  );
}

function toAccount(row: Row): CardAccount {
  const directions = String(row.directions);
  return {
    cardNumber: String(row.card_number),
    kind: row.kind as CardAccount["kind"],
    unit: String(row.unit),
    expiry: String(row.expiry),
    standing: row.standing as CardAccount["standing"],
    directions: (directions === "" ? [] : directions.split(" ")) as CardAccount["directions"],
    balanceMinor: Number(row.balance_minor),
    creditLimitMinor: Number(row.credit_limit_minor),
    transactionLimitMinor: Number(row.transaction_limit_minor),
    heldDebitMinor: Number(row.held_debit_minor),
    heldCreditMinor: Number(row.held_credit_minor),
  };
}

function toTransaction(row: Row): CardTransaction {
  return {
    mandateHash: String(row.mandate_hash),
    customerAgentId: String(row.customer_agent_id),
    transactionId: String(row.transaction_id),
    cardNumber: String(row.card_number),
    direction: row.direction as CardTransaction["direction"],
    amountMinor: Number(row.amount_minor),
    unit: String(row.unit),
    merchantAgentId: String(row.merchant_agent_id),
    code: String(row.code),
    untilS: Number(row.until_s),
    provenS: Number(row.proven_s),
    state: row.state as CardTransaction["state"],
  };
}
