// SPDX-License-Identifier: Apache-2.0
// Who files evidence of a sale has also released the money: where the merchant's module is in doubt
// and asks, the issuer's side hands that on by the mailboxes, even if the payer does not.
import { bytesToHex } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { statementOf } from "../../host/application/mailCarrier.ts";
import { settleSales } from "../../host/economy/withheldSales.ts";
import type { World } from "../../host/economy/world.ts";
import { serveMail } from "../../host/network/bank/mailServer.ts";
import { memoryMailStore, newMailState } from "../../host/network/bank/mailStore.ts";
import { MailClient } from "../../host/network/bank/mailClient.ts";
import { openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { bodiesTo, PEER } from "../../host/torture/bareModule.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate } from "../../host/trust/certificates.ts";
import { readPaymentProof } from "../../host/trust/paymentProof.ts";
import { pay } from "../support/agentStandIn.ts";
import { payingWorld } from "../support/moneyWorld.ts";

const BANK = "Bank of Tests";

test("what was released in a withheld sale reaches the merchant's mailbox once it asks", async () => {
  const { world, a, b } = payingWorld([1_500]);
  const nowSeconds = () => Math.floor(world.clock.epochMs() / 1000);
  world.connect(a.node, b.node);
  // The payer commits and is never heard of again.
  world.loses = ({ type, port, from }) => type === 27 || (port === PEER && from === a.node);
  pay(a, b, 1_000, "withheld");
  world.settle();
  const chainOf = (node: typeof a.node) => node.module.ask(8, 3, 0)[3] as Uint8Array;
  const proof = readPaymentProof(a.node.module.ask(8, 6, 0)[3] as Uint8Array)!;
  const question = bodiesTo(PEER, b.node.module.command(89)).map((body) => statementOf(body)!);

  const store = memoryMailStore(newMailState());
  const root = world.agency.moduleRoot;
  const options = { bank: BANK, host: "127.0.0.1", port: 0, store, root, nowSeconds };
  const server = await serveMail(options);
  const database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
  await database.query(
    `INSERT INTO card_evidence (pay_id, mandate, approval, proof, until_s, is_posted)
     VALUES ($1, '', '', $2, $3, TRUE)`,
    [proof.payId, bytesToHex(a.node.module.ask(8, 6, 0)[3] as Uint8Array), nowSeconds() + 1_000],
  );
  const [certificate, serverCertificate] = (decodeCbor(chainOf(a.node)) as unknown[]).map((item) =>
    encodeCbor(item),
  );
  expect(bytesToHex(parseCertificate(certificate!)!.subject)).toBe(proof.payer);
  const agencies = { module: { issued: [certificate], serverCertificate } };
  const mail = { byBank: new Map([[BANK, server]]) };
  const settle = () =>
    settleSales({ base: { database, agencies, nowSeconds }, mail } as unknown as World);
  const left = async () =>
    (await database.query("SELECT * FROM card_evidence WHERE is_handed_on = FALSE")).length;

  await settle();
  expect([await left(), server.counters]).toEqual([1, { unasked: 1 }]);
  const merchant = new MailClient(server.url);
  expect(await merchant.post(question[0]!, chainOf(b.node))).toBe("accepted");
  await settle();
  expect(await left()).toBe(0);
  const { letters } = await merchant.fetch(proof.payee, 0);
  expect(letters.map(({ statement }) => statement)).toEqual([proof.released]);
  // Later, nobody needs it any more.
  world.clock.advance(2_000_000);
  await settle();
  expect(await database.query("SELECT * FROM card_evidence")).toEqual([]);
  merchant.close();
  await server.close();
  await database.close();
});
