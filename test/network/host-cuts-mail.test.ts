// SPDX-License-Identifier: Apache-2.0
// Two banks' mailboxes killed at each of their lines while a payee asks and its payer, a customer
// of the other bank, answers (protocol rule 4.5): a letter that was taken is there, no letter is
// there twice, and the answer arrives when the hosts go on asking.
import { expect, it, vi } from "vitest";
import { MailClient } from "../../host/network/bank/mailClient.ts";
import { serveMail } from "../../host/network/bank/mailServer.ts";
import { sqlMailStore } from "../../host/network/bank/sqlMailStore.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { Signer } from "../support/noteMaker.ts";
import { useBooks } from "./cuts/life.ts";
import { useWebNet, WebNet } from "./cuts/memoryWebSockets.ts";
import { HostProcess, Knife, rest } from "./cuts/process.ts";

vi.mock("ws", () => import("./cuts/memoryWebSockets.ts"));

const PAY_ID = new Uint8Array(16).fill(5);
const PORTS = { one: 1, other: 2 } as const;
type Box = keyof typeof PORTS;
/** Times that a host asks before it would have to wait for longer and longer. */
const ROUNDS = 6;

const agency = new TestAgency();
const payee = new Signer(agency, "PAYEE", Role.TRANSACTION);
const payer = new Signer(agency, "PAYER", Role.TRANSACTION);
const question = (() => {
  const { seed, reference, chain } = payee;
  const fields = [PAY_ID, payee.id, payer.id, 2, START_SECONDS + 1_000, []];
  const signed = signObject("florin/question", encodeCbor(fields), seed, reference);
  return encodeCbor([decodeCbor(signed), decodeCbor(chain)]);
})();
const aborted = encodeCbor([PAY_ID, payer.id, 1, START_SECONDS]);
const answer = signObject("florin/answer", aborted, payer.seed, payer.reference);

// Answers that never come are given up in virtual time alone, which does not pass here.
const books = useBooks(["setTimeout", "clearTimeout"]);

const hex = ({ id }: Signer) => Buffer.from(id).toString("hex");

class Life {
  readonly knife: Knife;
  readonly net = new WebNet();
  /** What the payee's module was handed. */
  heard: Uint8Array[] = [];
  /** Letters that a mailbox said to have taken, and had not. */
  readonly missing: string[] = [];
  private readonly atOnce: boolean;
  private readonly boxes = new Map<Box, HostProcess>();

  /** @param atOnce both mailboxes are one process */
  constructor(atOnce: boolean, cutAt?: number) {
    this.atOnce = atOnce;
    this.knife = new Knife(cutAt);
    useWebNet(this.net);
    for (const name of ["payee", "payer"]) {
      this.net.hosts.set(name, new HostProcess(name, new Knife()));
    }
  }

  async run(): Promise<void> {
    await books().query("DELETE FROM mail_letters");
    for (const box of ["one", "other"] as const) await this.start(box);
    // The payer hears of each question until it has answered.
    const last = { payee: 0, payer: 0 };
    for (let round = 0; round < ROUNDS && this.heard.length === 0; round += 1) {
      await this.post("payee", "one", question, payee.chain);
      for (const { number } of await this.fetch("payer", "other", payer, last.payer)) {
        last.payer = number;
        await this.post("payer", "other", answer, payer.chain);
      }
      const letters = await this.fetch("payee", "one", payee, last.payee);
      this.heard = letters.map(({ statement }) => statement);
    }
    await this.settle();
    for (const process of this.boxes.values()) this.net.bury(process);
    vi.clearAllTimers();
  }

  private async post(who: string, box: Box, statement: Uint8Array, chain: Uint8Array) {
    const result = await this.ask(who, box, (client) => client.post(statement, chain));
    if (result !== "accepted") return;
    const rows = await books().query(
      "SELECT 1 FROM mail_letters WHERE bank = $1 AND statement = $2",
      [box, Buffer.from(statement).toString("hex")],
    );
    if (rows.length !== 1) this.missing.push(`${who} at ${box}`);
  }

  private async fetch(who: string, box: Box, { id }: Signer, after: number) {
    const module = Buffer.from(id).toString("hex");
    return (await this.ask(who, box, (client) => client.fetch(module, after)))?.letters ?? [];
  }

  /** One question of a host to its mailbox; undefined where no answer came. */
  private async ask<Result>(
    who: string,
    box: Box,
    work: (client: MailClient) => Promise<Result>,
  ): Promise<Result | undefined> {
    const client = new MailClient(`ws://${who}.${box}:${PORTS[box]}`);
    let result: Result | undefined;
    work(client).then(
      (given) => {
        result = given;
      },
      () => undefined,
    );
    await this.settle();
    client.close();
    await this.settle();
    return result;
  }

  /** Lets everything come to rest; who was killed starts again. */
  private async settle(): Promise<void> {
    for (;;) {
      await rest(this.knife);
      const { killed } = this.knife;
      this.knife.killed = undefined;
      for (const [box, process] of [...this.boxes]) {
        if (killed === undefined || (process !== killed && !this.atOnce)) continue;
        process.isAlive = false;
        this.net.bury(process);
        await this.start(box);
      }
      if (killed === undefined && !this.net.next()) return;
    }
  }

  private async start(bank: Box): Promise<void> {
    const process = new HostProcess(bank, this.knife);
    this.boxes.set(bank, process);
    this.net.hosts.set(bank, process);
    const store = sqlMailStore(process.over(books()));
    const root = agency.moduleRoot;
    const nowSeconds = () => START_SECONDS;
    const options = { bank, host: bank, port: PORTS[bank], store, root, nowSeconds };
    const server = await serveMail(options);
    const other = bank === "one" ? "other" : "one";
    server.setOthers([`ws://${bank}.${other}:${PORTS[other]}`]);
  }
}

it.each([
  { name: "one mailbox", atOnce: false },
  { name: "both at once", atOnce: true },
])("killed at each of 44 lines or more: $name", async ({ atOnce }) => {
  const calm = new Life(atOnce);
  await calm.run();
  const lines = calm.knife.reached;
  expect(lines).toBeGreaterThanOrEqual(44);
  for (let cutAt = 0; cutAt <= lines; cutAt += 1) {
    const life = new Life(atOnce, cutAt);
    await life.run();
    const where = `line ${cutAt}, ${life.knife.where}`;
    expect(life.knife.where === undefined, where).toBe(cutAt === 0);
    expect(life.heard, where).toEqual([answer]);
    expect(life.missing, where).toEqual([]);
    const rows = await books().query("SELECT bank, kind, sender FROM mail_letters");
    const names = rows.map(({ bank, kind, sender }) => `${bank} ${kind} ${sender}`);
    expect(names.length, where).toBe(new Set(names).size);
    // Where the payee asks both are kept: nobody has told that the matter is over.
    expect(names, where).toEqual(
      expect.arrayContaining([`one question ${hex(payee)}`, `one answer ${hex(payer)}`]),
    );
  }
});
