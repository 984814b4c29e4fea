// SPDX-License-Identifier: Apache-2.0
// The mailbox's store in memory and in the embedded database (a server's turn is in
// database-server.test.ts), mailboxes on their WebSockets, and when hosts ask (mail.ts).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  FIRST_ASK_MS,
  IDLE_ASK_MS,
  LONGEST_ASK_MS,
  newMail,
  stepMail,
} from "../../host/application/mail.ts";
import { MailClient } from "../../host/network/bank/mailClient.ts";
import { type MailServer, serveMail } from "../../host/network/bank/mailServer.ts";
import { memoryMailStore, newMailState } from "../../host/network/bank/mailStore.ts";
import { sqlMailStore } from "../../host/network/bank/sqlMailStore.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { START_SECONDS, TestAgency, id } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { Signer } from "../support/noteMaker.ts";
import { mailContract } from "./mail-contract.ts";

let database: Database;
beforeAll(async () => {
  database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
}, 60_000);
afterAll(() => database.close());

const shared = newMailState();
mailContract("memory", () => memoryMailStore(shared));
mailContract("SQL", () => sqlMailStore(database));

const agency = new TestAgency();
const PEER = "5045455200000000";

/** A question of a certified module about a payment, as its host posts it. */
function question(name: string, payId: number) {
  const signer = new Signer(agency, name, Role.TRANSACTION);
  const fields = [
    new Uint8Array(16).fill(payId),
    id(name),
    Buffer.from(PEER, "hex"),
    2,
    START_SECONDS + 1_000,
    [],
  ].map((field) => (field instanceof Uint8Array ? new Uint8Array(field) : field));
  const { seed, reference, chain } = signer;
  const signed = signObject("florin/question", encodeCbor(fields), seed, reference);
  return { statement: encodeCbor([decodeCbor(signed), decodeCbor(chain)]), chain };
}

function serve(bank: string): Promise<MailServer> {
  return serveMail({
    bank,
    host: "127.0.0.1",
    port: 0,
    store: memoryMailStore(newMailState()),
    root: agency.moduleRoot,
    nowSeconds: () => START_SECONDS,
  });
}

describe("mailboxes on the network", () => {
  it("pass on what a host posts, tell who waits, and hand it over", async () => {
    const [one, other] = [await serve("One"), await serve("Other")];
    one.setOthers([other.url]);
    other.setOthers([one.url]);
    const arrived = new Promise<string>((resolve) => {
      const reader = new MailClient(other.url, resolve);
      reader.fetch(PEER, 0).then(({ letters }) => expect(letters).toEqual([]));
    });
    const reader = new MailClient(other.url);
    const writer = new MailClient(one.url);
    const { statement, chain } = question("WRITER", 1);
    expect(await reader.fetch(PEER, 0)).toMatchObject({ letters: [] });
    expect(await writer.post(statement, chain)).toBe("accepted");
    expect(await arrived).toBe(PEER);
    expect((await reader.fetch(PEER, 0)).letters.map((letter) => letter.statement)).toEqual([
      statement,
    ]);
    // Not sent back and forth for ever.
    expect([one.counters, other.counters]).toEqual([{ accepted: 1 }, { accepted: 1 }]);
    await one.close();
    await other.close();
  });

  it("hands over long mail in parts", async () => {
    const box = await serve("Long");
    const client = new MailClient(box.url);
    for (let n = 0; n < 20; n += 1) {
      const { statement, chain } = question("WRITER", n);
      expect(await client.post(statement, chain)).toBe("accepted");
    }
    const first = await client.fetch(PEER, 0);
    expect([first.letters.length, first.hasMore]).toEqual([16, true]);
    const rest = await client.fetch(PEER, first.letters.at(-1)!.number);
    expect([rest.letters.length, rest.hasMore]).toEqual([4, false]);
    client.close();
    await box.close();
  });

  it("hang up on what is no message, and answer others", async () => {
    const box = await serve("Rude");
    const rude = new WebSocket(box.url);
    await new Promise((resolve) => rude.once("open", resolve));
    const code = new Promise<number>((resolve) => rude.once("close", resolve));
    rude.send(encodeCbor([1, 1, new Uint8Array(4_000), new Uint8Array(1)]));
    expect(await code).toBe(1002);
    const client = new MailClient(box.url);
    const { statement, chain } = question("WRITER", 1);
    const changed = statement.slice();
    changed[40]! ^= 1;
    expect(await client.post(changed, chain)).not.toBe("accepted");
    expect(await client.post(statement, chain)).toBe("accepted");
    client.close();
    await box.close();
  });

  it("that are gone are called again at the next letter", async () => {
    const box = await serve("Gone");
    const client = new MailClient(box.url);
    expect(await client.fetch(PEER, 0)).toMatchObject({ letters: [] });
    await box.close();
    await expect(client.fetch(PEER, 0)).rejects.toThrow(/mailbox/);
    client.close();
    await expect(client.fetch(PEER, 0)).rejects.toThrow("the mailbox's line was closed");
  });
});

describe("when a host asks", () => {
  const asksAt = (state: ReturnType<typeof newMail>, nowMs: number) =>
    stepMail(state, { type: "tick", nowMs }).map(({ type }) => type);

  it("at once after a start, a while after a doubt, then with longer pauses up to a limit", () => {
    const state = newMail();
    expect(stepMail(state, { type: "started", nowMs: 0 })).toEqual([{ type: "fetch", after: 0 }]);
    expect(asksAt(state, 0)).toEqual(["ask"]);
    stepMail(state, { type: "asked", open: 0, nowMs: 0 });
    expect(state.askAtMs).toBe(IDLE_ASK_MS);
    stepMail(state, { type: "doubt", nowMs: 50 });
    expect(asksAt(state, 49 + FIRST_ASK_MS)).toEqual([]);
    let nowMs = 50 + FIRST_ASK_MS;
    const pauses: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      expect(asksAt(state, nowMs)).toContain("ask");
      stepMail(state, { type: "asked", open: 1, nowMs });
      pauses.push(state.askAtMs! - nowMs);
      nowMs = state.askAtMs!;
    }
    expect(pauses.slice(0, 3)).toEqual([FIRST_ASK_MS, 2 * FIRST_ASK_MS, 4 * FIRST_ASK_MS]);
    expect(pauses.at(-1)).toBe(LONGEST_ASK_MS);
  });

  it("about each open payment once in a round", () => {
    const state = newMail();
    stepMail(state, { type: "started", nowMs: 0 });
    const effects = [stepMail(state, { type: "tick", nowMs: 0 })];
    for (let n = 0; n < 3; n += 1) {
      effects.push(stepMail(state, { type: "asked", open: 3, nowMs: 0 }));
    }
    expect(effects.flat().filter(({ type }) => type === "ask")).toHaveLength(3);
    expect(state.askAtMs).toBe(FIRST_ASK_MS);
  });

  it("hands each letter over once, also where a mailbox repeats itself without end", () => {
    const state = newMail();
    const letter = { number: 7, statement: Uint8Array.of(1) };
    stepMail(state, { type: "arrived" });
    expect(stepMail(state, { type: "arrived" })).toEqual([]);
    const letters = { type: "letters" as const, letters: [letter], hasMore: true };
    expect(stepMail(state, letters).map(({ type }) => type)).toEqual(["deliver", "fetch"]);
    expect(stepMail(state, letters)).toEqual([]);
  });
});
