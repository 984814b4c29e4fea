// SPDX-License-Identifier: Apache-2.0
// One certified image alone, at rest: its host's commands (certificates, lists, signed time, boxes
// for a network server, tickets' offers) and bodies of strangers and of the other half, changed,
// one or a few behind the other. docs/protocol.cddl sections 2, 3, 5 and 8.
import { filled } from "../../host/torture/agentWorld.ts";
import { BareModule, HOST, OWN, PEER, type Sent } from "../../host/torture/bareModule.ts";
import type { Random } from "../../host/torture/random.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import type { ModuleSnapshot } from "../../host/simulator/simulatedModule.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { signList, signStatement, signTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate, Role } from "../../host/trust/certificates.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { heapInUse } from "../support/heap.ts";
import { TwinParty, TwinSession } from "../support/sessionTwin.ts";
import { readTree } from "./cborTree.ts";
import { mutated } from "./mutation.ts";
import { Signer } from "./signer.ts";
import { fromHex, type Input, type Target, toHex } from "./target.ts";

const IMAGES = {
  "customer-agent": Role.CUSTOMER,
  "merchant-agent": Role.MERCHANT,
  "authority-agent": Role.AUTHORITY,
  "transaction-module": Role.TRANSACTION,
  "teller-module": Role.TELLER,
  "generator-module": Role.GENERATOR,
} as const;

export const IMAGE_NAMES = Object.keys(IMAGES) as (keyof typeof IMAGES)[];

/** Behind every time-out of a session. */
const REST_MS = 300_000;
const MOST_MESSAGES = 4;
/** Command 11: what was agreed with a network server is forgotten. */
const LEAVE_NETWORK = encodeCbor([11]);
/** Ticks within the time to rest: an image that wants more never rests. */
const TICKS_LIMIT = 2_000;

/** Commands with fields of the right kinds, one of each number (cddl section 8). */
function commands(): unknown[][] {
  const [id, id8, object] = [
    filled(1),
    filled(1, 8),
    [filled(1, 3), new Map(), filled(1), filled(1, 64)],
  ];
  return [
    ...[[1], [2], [5], [8, 1, 0], [8, 2, 0], [8, 3, 0], [8, 6, 0], [9, 0], [11], [56], [80], [89]],
    ...[
      [22, id, true],
      [24, id, 100, "USD"],
      [26, id, id],
      [28, id, true],
      [30, id],
      [40, true],
    ],
    ...[
      [44, id8, true],
      [46, id8, object, "00"],
      [48, id, object],
      [60, id, 100, "USD"],
    ],
    ...[
      [62, id, 100, "USD"],
      [63, id, 100, "USD", 90, "EUR", 1],
      [61, 100, "USD"],
      [66, id8, true],
    ],
    ...[
      [70, id, 1],
      [72, id8, ["Bank", "40000012345678", 1, 2, "C", 1, "EUR", filled(1, 32)]],
    ],
    [55, 1, "USD", "EUR", 25, 100, 9, 10, 100, 100_000, START_SECONDS + 500, "ws://x"],
    ...[
      [81, id, 1, 900, "USD", "12345678"],
      [83, id, true],
      [85, id],
      [88, id],
      [90, filled(1, 32)],
    ],
  ];
}

export class ImageTarget implements Target {
  readonly name: string;
  private readonly module: BareModule;
  private readonly start: ModuleSnapshot;
  private readonly startMs: ReturnType<VirtualClock["snapshot"]>;
  private readonly clock = new VirtualClock(START_SECONDS * 1000);
  private readonly seeds: { port: number; body: Uint8Array }[] = [];
  private readonly sealingKey: Uint8Array;
  private readonly signer = new Signer(new Map());
  private readonly resting: number;

  constructor(image: keyof typeof IMAGES, seed: number) {
    this.name = `image/${image}`;
    const agency = new TestAgency();
    this.module = new BareModule(image, this.clock, `fuzzed ${image} ${seed}`);
    const chain = agency.certify(this.module, "fuzzed-F", IMAGES[image]);
    const [holder] = decodeCbor(chain) as unknown[];
    this.sealingKey = parseCertificate(encodeCbor(holder))!.sealingKey!;
    this.gather(agency, chain, IMAGES[image]);
    this.tickUntil(REST_MS);
    this.start = this.module.snapshot();
    this.startMs = this.clock.snapshot();
    this.resting = this.warmSize();
  }

  next(random: Random, kept: readonly Input[]): Input {
    const old = kept.length > 0 && random.chance(0.3) ? random.pick(kept) : null;
    const messages =
      old === null
        ? []
        : String(old.messages)
            .split(" ")
            .slice(0, MOST_MESSAGES - 1);
    const bodies = this.seeds.map(({ body }) => body);
    for (let more = 1 + random.below(3); more > 0; more -= 1) {
      const { port, body } = random.pick(this.seeds);
      const changed = random.chance(0.1) ? body : mutated(body, bodies, random, this.signer);
      const to = random.chance(0.05) ? random.below(4) : port;
      messages.push(`${to}:${toHex(changed)}`);
    }
    return { messages: messages.slice(-MOST_MESSAGES).join(" ") };
  }

  run(input: Input): string {
    const { module } = this;
    this.clock.restore(this.startMs);
    module.restore(this.start);
    const words = new Set<string>();
    for (const message of String(input.messages).split(" ")) {
      const [port, text] = message.split(":");
      const body = this.sealed(Number(port), fromHex(text));
      if (!module.takes(body.length)) continue;
      for (const sent of module.deliver(port === "3" ? HOST : Number(port), body)) {
        words.add(wordOf(sent));
      }
    }
    for (const sent of this.tickUntil(REST_MS)) words.add(wordOf(sent));
    module.deliver(HOST, LEAVE_NETWORK);
    const size = heapInUse(module.snapshot());
    if (size > this.resting) {
      throw new Error(`The heap rests at ${size} bytes, not ${this.resting}.`);
    }
    return [...words].sort().join(" ");
  }

  /** The heap's size at rest once each part has been at work: lists grow to what they need once. */
  private warmSize(): number {
    for (const { port, body } of this.seeds) {
      this.module.deliver(port === 3 ? HOST : port, this.sealed(port, body));
      this.tickUntil(REST_MS);
    }
    this.module.deliver(HOST, LEAVE_NETWORK);
    return heapInUse(this.module.snapshot());
  }

  /** Port 3 stands for the inside of a box to the module (command 10): sealed to its key here. */
  private sealed(port: number, body: Uint8Array): Uint8Array {
    if (port !== 3) return body;
    const nothing = new Uint8Array(0);
    return encodeCbor([
      10,
      sealToKey(this.sealingKey, "florin/network", nothing, body, filled(8, 32)),
    ]);
  }

  private tickUntil(durationMs: number): Sent[] {
    const sent: Sent[] = [];
    const endMs = this.clock.nowMs() + durationMs;
    for (let ticks = 0; ; ticks += 1) {
      const dueMs = this.module.deadlineMs;
      if (dueMs === null || dueMs > endMs) return sent;
      if (ticks === TICKS_LIMIT) throw new Error("The image never comes to rest.");
      this.clock.advance(Math.max(0, dueMs - this.clock.nowMs()));
      sent.push(...this.module.tick());
    }
  }

  private gather(agency: TestAgency, chain: Uint8Array, role: Role): void {
    const add = (port: number, body: Uint8Array) => {
      this.seeds.push({ port, body });
      const tree = readTree(body);
      if (tree !== null) this.signer.learn(tree);
    };
    for (const command of commands()) add(HOST, encodeCbor(command));
    const roots = [agency.agentRoot, agency.moduleRoot].map(({ id, key }) => [id, key]);
    add(HOST, encodeCbor([4, decodeCbor(chain), ...roots]));
    const server = role < Role.AGENT_SERVER ? agency.agentServer : agency.moduleServer;
    const ids = [filled(1, 8), filled(2, 8)];
    const parts = [
      signTime(server, START_SECONDS + 50),
      ...signList(server, 3, START_SECONDS, ids),
    ];
    for (const [index, part] of parts.entries())
      add(HOST, encodeCbor([7 - index, decodeCbor(part)]));
    const own = parseCertificate(encodeCbor((decodeCbor(chain) as unknown[])[0]))!.subject;
    const terms = ["net", filled(1, 32), filled(2), own, START_SECONDS + 1000];
    add(3, signStatement("florin/network", terms, server));
    const isAgent = role < Role.AGENT_SERVER;
    const peer = new TwinParty(agency, "peer-P", isAgent ? Role.MERCHANT : Role.TRANSACTION);
    const tag = filled(6, 8);
    const twin = new TwinSession(peer, isAgent ? "agent" : "bare", tag, this.clock.nowMs());
    const hello = twin.hello();
    add(PEER, hello);
    const before = this.module.snapshot();
    const answer = this.module.deliver(PEER, hello).find(({ port }) => port === PEER);
    if (answer !== undefined && (decodeCbor(answer.body) as unknown[])[0] === 2) {
      add(PEER, twin.finish(answer.body));
    }
    this.module.restore(before);
    for (const kind of [2, 3, 5])
      add(PEER, encodeCbor([kind, tag, kind === 5 ? 9 : filled(1, 300)]));
    add(PEER, encodeCbor([4, tag, 1, 10, filled(1, 60)]));
    const done = [
      filled(1, 3),
      new Map(),
      encodeCbor([filled(1), own, START_SECONDS]),
      filled(1, 64),
    ];
    const asked = encodeCbor([filled(1), peer.id, own, 2, START_SECONDS + 1000, []]);
    const signed = [filled(1, 3), new Map(), asked, filled(1, 64)];
    for (const statement of [
      [filled(1), [filled(1, 64)]],
      done,
      [signed, decodeCbor(peer.chain)],
    ]) {
      add(PEER, encodeCbor([6, tag, encodeCbor(statement)]));
    }
    for (const own of [[7], [8, filled(1)], [9, filled(1), filled(2)], [10, 1, 3, filled(1, 60)]]) {
      add(OWN, encodeCbor(own));
    }
    add(OWN, encodeCbor([11, filled(1), 1, 2, filled(1, 60)]));
    add(OWN, encodeCbor([12, tag, hello]));
    const pairing = new TwinSession(peer, "pair", filled(7, 8), this.clock.nowMs());
    add(OWN, pairing.hello());
  }
}

function wordOf({ port, body }: Sent): string {
  const message = decodeCbor(body);
  if (!Array.isArray(message)) throw new Error(`It says what is not a message on port ${port}.`);
  const [kind, second, third] = message as unknown[];
  const more = kind === 0 ? `${second}/${third}` : kind === 5 ? String(third) : "";
  return `${port}:${kind}:${more}`;
}
