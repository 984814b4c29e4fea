// SPDX-License-Identifier: Apache-2.0
// Modules that never meet again, and a bank's mailbox between them (protocol rule 4.5): the mailbox
// is the real one over a store in memory; hosts do what mailCarrier.ts does. A test may make it
// lie.
import { bytesToHex } from "@noble/hashes/utils.js";
import { statementBody, statementOf } from "../../host/application/mailCarrier.ts";
import { decidePost, type KeptLetter, readPosted } from "../../host/network/bank/mailbox.ts";
import { memoryMailStore, newMailState } from "../../host/network/bank/mailStore.ts";
import { bodiesTo, PEER, type Sent, toHost } from "../../host/torture/bareModule.ts";
import { id } from "../../host/torture/testAgency.ts";
import type { MoneyWorld, Node } from "./moneyWorld.ts";

const BANK = "Test Bank";
const RESUME = 89;
const EXPORT = 8;
const CERTIFICATES = 3;
const ROUNDS = 8;

export class PostOffice {
  readonly state = newMailState();
  readonly store = memoryMailStore(this.state);
  /** Results of what was posted, in order. */
  readonly results: string[] = [];
  /** What a module is given of the letters that the mailbox has for it. */
  given: (letters: readonly KeptLetter[]) => readonly Uint8Array[] = (letters) =>
    letters.map(({ statement }) => statement);
  private readonly world: MoneyWorld;
  private readonly lastLetters = new Map<Node, number>();

  constructor(world: MoneyWorld) {
    this.world = world;
  }

  /** Lets modules ask, and hands mail over until nothing new comes. */
  async settle(nodes: readonly Node[]): Promise<void> {
    for (const node of nodes) node.peer = null;
    for (const node of nodes) {
      let open = 1;
      for (let asked = 0; asked < open; asked += 1) {
        const sent = await this.hand(node, () => node.module.command(RESUME));
        [, open] = toHost(sent)[0] as [number, number];
      }
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const node of nodes) await this.collect(node);
    }
  }

  /** Fetches and delivers what waits for a module. */
  async collect(node: Node): Promise<void> {
    const after = this.lastLetters.get(node) ?? 0;
    const letters = await this.store.lettersTo(BANK, idOf(node), after, 100);
    this.lastLetters.set(node, Math.max(after, ...letters.map(({ number }) => number)));
    for (const statement of this.given(letters)) await this.deliver(node, statement);
  }

  /** Gives a module a statement; what it says to that is posted. */
  deliver(node: Node, statement: Uint8Array): Promise<Sent[]> {
    return this.hand(node, () => node.module.deliver(PEER, statementBody(statement)));
  }

  /** Does something with a module and posts the statements that come of it. */
  async hand(node: Node, event: () => Sent[]): Promise<Sent[]> {
    const sent = event();
    this.world.run(node, () => sent.filter(({ port }) => port !== PEER));
    this.world.carry();
    for (const body of bodiesTo(PEER, sent)) {
      const statement = statementOf(body);
      if (statement !== undefined) this.results.push(await this.post(node, statement));
    }
    return sent;
  }

  /** Posts a statement in a module's name. */
  post(node: Node, statement: Uint8Array): Promise<string> {
    const chain = node.module.ask(EXPORT, CERTIFICATES, 0)[3] as Uint8Array;
    return this.postWith(chain, statement);
  }

  /** Posts a statement by whoever has this chain. */
  async postWith(chain: Uint8Array, statement: Uint8Array): Promise<string> {
    const posted = readPosted(statement, chain, this.world.agency.moduleRoot);
    if (typeof posted === "string") return posted;
    const now = Math.floor(this.world.clock.epochMs() / 1000);
    const { payId } = posted.statement;
    const decision = await this.store.decide(BANK, payId, now, (context) =>
      decidePost(posted, context, now, false),
    );
    return decision.result;
  }

  /** Letters in the box, as [kind, from, to]. */
  get box(): string[][] {
    const name = (module: string) =>
      this.world.nodes.find((node) => idOf(node) === module)?.name ?? module;
    return this.state.letters.map(({ kind, sender, recipient }) => [
      kind,
      name(sender),
      name(recipient),
    ]);
  }
}

function idOf({ name }: Node): string {
  return bytesToHex(id(name));
}
