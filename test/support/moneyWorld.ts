// SPDX-License-Identifier: Apache-2.0
// Money modules that meet: real images, a bank that grants and notes everything, and the hosts
// between them, which a test may make lose messages. Agents are stand-ins (agentStandIn.ts).
import { bytesToHex } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, Role } from "../../host/trust/certificates.ts";
import { PowerCut } from "../../host/simulator/simulatedModule.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { AgentStandIn } from "./agentStandIn.ts";
import { BareModule, HOST, OWN, PEER, type Sent } from "../../host/torture/bareModule.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

export const State = { none: 0, aborted: 1, committed: 2, inDoubt: 3, running: 4 } as const;

/** `port` of a peer-body between two agents. */
export const TUNNEL = 9;
/** `type` of an OWN body on its way to the module; others go to the agent. */
export const TO_MODULE = -2;

/** A message on its way, and what becomes of it. */
export interface Carried {
  from: Node;
  to: Node;
  port: number;
  body: Uint8Array;
  /** Record type in a PEER body of kind 4, else -1. */
  type: number;
}

const IMAGES = {
  [Role.TRANSACTION]: "transaction-module",
  [Role.TELLER]: "teller-module",
  [Role.GENERATOR]: "generator-module",
} as Record<number, string>;

/** One money module with its host. */
export class Node {
  readonly name: string;
  readonly role: Role;
  readonly module: BareModule;
  /** What the host heard, decoded; the bank's 82 to 85 are answered at once. */
  readonly heard: unknown[][] = [];
  /** How the bank answers 82; null = not at all. */
  grant: boolean | null = true;
  /** False for a bank that does not note outcomes (85). */
  notes = true;
  /** The module behind the connection that this host has open. */
  peer: Node | null = null;
  agent: AgentStandIn | null = null;

  constructor(
    world: MoneyWorld,
    name: string,
    role: Role,
    change: Partial<Claims>,
    image = IMAGES[role]!,
  ) {
    this.name = name;
    this.role = role;
    this.module = new BareModule(image, world.clock, `${name} of ${world.seed}`);
    world.agency.certify(this.module, name, role, change);
  }

  /** Heard messages with this number, newest last. */
  heardOf(number: number): unknown[][] {
    return this.heard.filter((message) => message[0] === number);
  }
}

export class MoneyWorld {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly agency = new TestAgency();
  readonly nodes: Node[] = [];
  readonly seed: string;
  /** Says whether a message is lost. */
  loses: (message: Carried) => boolean = () => false;
  /** Every message carried, for tests that count or replay. */
  readonly log: Carried[] = [];
  private queue: Carried[] = [];
  /** By session tag: the two ends of the connection that it was first seen on. */
  private readonly tags = new Map<string, [Node, Node]>();
  private commands = 0;

  constructor(seed = "world") {
    this.seed = seed;
  }

  /** `image`: another than that of honest modules of this role. */
  add(name: string, role: Role, change: Partial<Claims> = {}, image?: string): Node {
    const node = new Node(this, name, role, change, image);
    this.nodes.push(node);
    return node;
  }

  /** Both hosts have this connection open, and no other. */
  connect(a: Node, b: Node): void {
    a.peer = b;
    b.peer = a;
  }

  newCommandId(): Uint8Array {
    const commandId = new Uint8Array(16);
    commandId[0] = ++this.commands;
    return commandId;
  }

  /** Sends a command and carries all that comes of it, without letting time pass. */
  command(node: Node, ...items: unknown[]): void {
    this.run(node, () => node.module.command(...items));
    this.carry();
  }

  /** Hands over what a module sent outside of `command`. */
  run(node: Node, event: () => Sent[]): void {
    try {
      this.take(node, event());
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.take(node, node.module.reboot());
    }
  }

  /** Carries messages until none is left. */
  carry(): void {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.log.push(next);
      if (this.loses(next)) continue;
      const { to, port, body } = next;
      if (port === TUNNEL) to.agent?.fromPeer(body);
      else if (port === OWN && next.type !== TO_MODULE) to.agent?.receive(body);
      else this.run(to, () => to.module.deliver(port, body));
    }
  }

  /** An agent stand-in speaks to its own module. */
  toModule(node: Node, body: Uint8Array): void {
    this.queue.push({ from: node, to: node, port: OWN, body, type: TO_MODULE });
  }

  /** One agent stand-in passes its module's peer-body on to another's. */
  between(from: AgentStandIn, to: AgentStandIn, body: Uint8Array): void {
    const [kind, , , recordType] = decodeCbor(body) as [number, Uint8Array, unknown, number];
    const type = kind === 4 ? recordType : -1;
    this.queue.push({ from: from.node, to: to.node, port: TUNNEL, body, type });
  }

  /** Lets time pass until nothing is due for two minutes or `limitMs` is over. */
  settle(limitMs = 240_000): void {
    const end = this.clock.nowMs() + limitMs;
    this.carry();
    while (this.clock.nowMs() < end) {
      const due = this.nodes
        .map((node) => node.module.deadlineMs)
        .filter((deadline) => deadline !== null);
      const next = Math.min(...due, end);
      this.clock.advance(Math.max(0, next - this.clock.nowMs()));
      for (const node of this.nodes) this.run(node, () => node.module.tick());
      this.carry();
      if (due.length === 0) return;
    }
  }

  /** Has a module ask something of a bank's (81); the last `finished` that the host heard. */
  bank(
    client: Node,
    server: Node,
    kind: number,
    amount: number,
    unit: string,
    account: string | null,
  ): unknown[] {
    this.connect(client, server);
    this.command(client, 81, this.newCommandId(), kind, amount, unit, account);
    return client.heardOf(29).at(-1)!;
  }

  /** Restocks a teller from a generator. */
  restock(teller: Node, generator: Node, amount: number, unit = "EUR"): unknown[] {
    return this.bank(teller, generator, 2, amount, unit, null);
  }

  /** Withdraws from a teller; the last `finished` that the host heard. */
  withdraw(customer: Node, teller: Node, amount: number, unit = "EUR"): unknown[] {
    return this.bank(customer, teller, 1, amount, unit, "1234567890");
  }

  /** [spendable, in doubt, refresh] of a unit. */
  balance(node: Node, unit = "EUR"): number[] {
    const [, entries] = node.module.ask(80) as [number, [string, ...number[]][]];
    return (entries.find(([name]) => name === unit)?.slice(1, 4) as number[]) ?? [0, 0, 0];
  }

  private take(node: Node, sent: Sent[]): void {
    for (const { port, body } of sent) {
      if (port === HOST) this.hostHears(node, decodeCbor(body) as unknown[]);
      else if (port === PEER) this.route(node, body);
      else if (node.agent !== null) {
        this.queue.push({ from: node, to: node, port: OWN, body, type: -1 });
      }
    }
  }

  private route(from: Node, body: Uint8Array): void {
    const [kind, tag, , recordType] = decodeCbor(body) as [number, Uint8Array, unknown, number];
    const name = bytesToHex(tag);
    if (!this.tags.has(name) && from.peer !== null) this.tags.set(name, [from, from.peer]);
    const ends = this.tags.get(name);
    if (ends === undefined) return;
    const to = ends[0] === from ? ends[1] : ends[0];
    this.queue.push({ from, to, port: PEER, body, type: kind === 4 ? recordType : -1 });
  }

  private hostHears(node: Node, message: unknown[]): void {
    node.heard.push(message);
    const [number, first, second] = message;
    // The bank decides at once; its answers are carried like any message, in order.
    if (number === 82 && node.grant !== null) this.answer(node, [83, second, node.grant]);
    if (number === 84 && node.notes && (message[2] === 1 || message[2] === 2)) {
      this.answer(node, [85, first]);
    }
  }

  private answer(node: Node, items: unknown[]): void {
    this.queue.push({ from: node, to: node, port: HOST, body: encodeCbor(items), type: -1 });
  }
}

/** A world with a generator, a teller that holds `stock` minor units, and a customer. */
export function stockedWorld(stock: number, seed?: string) {
  const world = new MoneyWorld(seed);
  const generator = world.add("GENER-G", Role.GENERATOR);
  const teller = world.add("TELLE-T", Role.TELLER);
  const customer = world.add("CUSTO-C", Role.TRANSACTION);
  const answer = world.restock(teller, generator, stock);
  if (answer[2] !== State.committed) throw new Error(`The restock ended in ${String(answer)}.`);
  return { world, generator, teller, customer };
}

/** Two customers with agents, the first of which withdrew `funds`. */
export function payingWorld(funds: number[], seed?: string) {
  const { world, teller } = stockedWorld(1_000_000, seed);
  const [a, b] = ["A", "B"].map((name) => {
    const node = world.add(`MODUL-${name}`, Role.TRANSACTION);
    const agent = new AgentStandIn(world, node);
    agent.pair();
    return agent;
  }) as [AgentStandIn, AgentStandIn];
  for (const amount of funds) world.withdraw(a.node, teller, amount);
  world.connect(a.node, b.node);
  return { world, teller, a, b };
}
