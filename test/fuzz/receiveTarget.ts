// SPDX-License-Identifier: Apache-2.0
// receive() of the release images in every state of a transaction: one run is recorded, and from a
// copy of the world at each of its messages that message arrives changed, or another one with it.
// The keyring opens what is sealed, so that its interior is changed and sealed again, as only an
// opened agent or module could.
import type { FaultWorldSnapshot } from "../../host/torture/faultWorld.ts";
import type { Random } from "../../host/torture/random.ts";
import { type Scenario, SCENARIOS } from "../../host/torture/scenarios.ts";
import { watchModules } from "../../host/torture/tracing.ts";
import { type Count, count, heal } from "../../host/torture/verdict.ts";
import type { Letter, Wire } from "../../host/torture/wires.ts";
import { OWN, PEER } from "../../host/torture/bareModule.ts";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { heapInUse } from "../support/heap.ts";
import { Keyring } from "../support/keyring.ts";
import type { SealedPart } from "../support/sealedMessages.ts";
import { readTree } from "./cborTree.ts";
import { mutated } from "./mutation.ts";
import { Signer } from "./signer.ts";
import { fromHex, type Input, type Target, toHex } from "./target.ts";

const WARM_UP = 1;
const RECORDED = 2;
const NEXT = 3;
const RUN_MS = 300_000;
/** Part of the inputs after which the world goes on to its end, heals and is counted. */
const WHOLE = 0.15;
/** Largest type that a message is given. */
const TYPE_LIMIT = 45;

interface Place {
  letter: Letter;
  parts: SealedPart[];
  world: FaultWorldSnapshot;
}

/** The parts of a world's modules, by image. */
type Sizes = Record<string, number>;

export class ReceiveTarget implements Target {
  readonly name: string;
  private readonly scenario: Scenario;
  private readonly places: Place[] = [];
  private readonly signer: Signer;
  private readonly bodies: Uint8Array[] = [];
  private readonly before: Count;
  private readonly resting: Sizes;
  /** A message to a host that is none. */
  private complaint = "";

  /** Builds the world and records a run. */
  constructor(scenario: string, seed: number) {
    this.name = `receive/${scenario}`;
    const ring = new Keyring();
    watchModules(ring);
    this.scenario = SCENARIOS[scenario]!(seed);
    watchModules(null);
    const { world, prepare } = this.scenario;
    this.guardHosts();
    prepare();
    this.scenario.order(WARM_UP);
    world.pass(RUN_MS);
    heal(this.scenario, WARM_UP);
    this.before = count(this.scenario);
    prepare();
    world.onNext = (letter) => {
      if (letter === null || letter.wire === "told" || letter.wire === "cards") return;
      const port = { peer: PEER, own: OWN, command: 0 }[letter.wire];
      const parts = ring.partsOf(port, letter.body);
      this.places.push({ letter, parts, world: world.snapshot() });
    };
    this.scenario.order(RECORDED);
    world.pass(RUN_MS);
    world.onNext = null;
    heal(this.scenario, RECORDED);
    ring.isDeaf = true;
    this.resting = this.heaps();
    this.signer = new Signer(ring.seeds);
    for (const { letter, parts } of this.places) {
      for (const bytes of [letter.body, ...parts.map(({ plain }) => plain)]) {
        this.bodies.push(bytes);
        const tree = readTree(bytes);
        if (tree !== null) this.signer.learn(tree);
      }
    }
  }

  next(random: Random, kept: readonly Input[]): Input {
    const old = kept.length > 0 && random.chance(0.25) ? random.pick(kept) : null;
    const event = old === null ? random.below(this.places.length) : Number(old.event);
    const { letter, parts } = this.places[event]!;
    const part = old === null ? pickPart(parts.length, random) : Number(old.part);
    const base = part < 0 ? letter.body : parts[part]!.plain;
    // Now and then what was said elsewhere in the run, in the place and under the name of this one.
    const isOther = old === null && random.chance(0.15);
    const from = isOther ? random.pick(this.bodies) : base;
    const content = mutated(
      old === null ? from : fromHex(old.content),
      this.bodies,
      random,
      this.signer,
    );
    const named = part >= 0 && random.chance(0.1) ? random.below(TYPE_LIMIT) : null;
    const wire: Wire = random.chance(0.04) ? random.pick(["own", "command"]) : letter.wire;
    return {
      ...{ event, part, type: named, wire, content: toHex(content) },
      ...{ isExtra: random.chance(0.3), isWhole: random.chance(WHOLE) },
    };
  }

  run(input: Input): string {
    const { world } = this.scenario;
    const place = this.places[Number(input.event)];
    if (place === undefined) throw new Error(`The run has no message ${input.event}.`);
    world.restore(place.world);
    this.complaint = "";
    const changed = this.letterOf(input, place);
    let isDone = false;
    world.fault = (letter) => {
      if (isDone) return [letter];
      isDone = true;
      return input.isExtra ? [changed, letter] : [changed];
    };
    const start = world.log.length;
    try {
      world.run();
      const did = `${input.event} ${signatureOf(world.log.slice(start + 1))}`;
      if (input.isWhole) this.goOn(Number(input.part) < 0);
      if (this.complaint !== "") throw new Error(this.complaint);
      return did;
    } finally {
      world.fault = (letter) => [letter];
    }
  }

  /** The sealed parts of the run whose names match, for tests that know what they look for. */
  placesOf(pattern: RegExp) {
    return this.places.flatMap(({ letter, parts }, event) =>
      parts.flatMap(({ name, plain, seal }, part) => {
        const isBox = name === "answer" || name === "finish";
        // A box is sealed under another one-time key each time.
        const isSame = isBox || toHex(seal(plain)) === toHex(letter.body);
        return pattern.test(name) ? [{ event, part, name, plain, isSame }] : [];
      }),
    );
  }

  private letterOf(input: Input, { letter, parts }: Place): Letter {
    const content = fromHex(input.content);
    const part = parts[Number(input.part)];
    const type = input.type === null ? undefined : Number(input.type);
    const body = part === undefined ? content : part.seal(content, type);
    return { ...letter, wire: input.wire as Wire, body };
  }

  /** The world goes on, heals, and comes to rest; an outsider's message changed no sum. */
  private goOn(isOutside: boolean): void {
    const { scenario } = this;
    scenario.world.pass(RUN_MS);
    heal(scenario, RECORDED);
    const after = count(scenario);
    if (isOutside) this.compareSums(after);
    if (this.fullHeap() === null) return;
    // What is over may wait in its slot for the next transaction, but no longer.
    scenario.prepare();
    scenario.order(NEXT);
    scenario.world.pass(RUN_MS);
    heal(scenario, NEXT);
    const full = this.fullHeap();
    if (full !== null) throw new Error(full);
  }

  /** A heap that does not rest at its size, in a sentence. */
  private fullHeap(): string | null {
    for (const [name, size] of Object.entries(this.heaps())) {
      const most = this.resting[name]!;
      if (size > most) return `The heap of ${name} rests at ${size} bytes, not ${most}.`;
    }
    return null;
  }

  private compareSums(after: Count): void {
    for (const [unit, minor] of Object.entries(this.before.totals)) {
      const issued = (after.circulating[unit] ?? 0) - (this.before.circulating[unit] ?? 0);
      const now = (after.totals[unit] ?? 0) - issued;
      if (now !== minor) throw new Error(`${minor} ${unit} have become ${now}.`);
    }
    if (after.inDoubtMinor > 0) throw new Error(`${after.inDoubtMinor} units stay in doubt.`);
  }

  private heaps(): Sizes {
    const { parts } = this.scenario.world;
    return Object.fromEntries(
      parts.map(({ device, half, module }) => [
        `${device.name}.${half}`,
        heapInUse(module.snapshot()),
      ]),
    );
  }

  /** Hosts of these worlds believe what their devices say; here it may be the fuzzer's. */
  private guardHosts(): void {
    for (const device of this.scenario.world.devices) {
      const { host } = device;
      device.host = (message, half) => {
        if (!Array.isArray(message)) {
          this.complaint = `The ${half} of ${device.name} told its host what is not a message.`;
          return [];
        }
        try {
          return host(message, half);
        } catch {
          return [];
        }
      };
    }
  }
}

/** The whole message, or one of its sealed parts; the innermost ones matter most. */
function pickPart(parts: number, random: Random): number {
  if (parts === 0 || random.chance(0.2)) return -1;
  return random.chance(0.7) ? parts - 1 : random.below(parts);
}

/** What came of an input: who said what, by the names in clear, and what hosts were told. */
function signatureOf(log: readonly Letter[]): string {
  const words = new Set<string>();
  for (const { wire, half, to, body } of log) {
    const message = decodeCbor(body);
    if (!Array.isArray(message)) continue;
    const [kind, second, third, fourth] = message as unknown[];
    const isRecord = wire !== "told" && (kind === 4 || kind === 10 || kind === 11);
    let more: unknown = isRecord ? (kind === 10 ? third : fourth) : "";
    if (wire === "told")
      more = kind === 0 ? `${second}/${third}` : kind === 29 ? `${third}/${fourth}` : "";
    words.add(`${to.name}${half[0]}${wire[0]}${String(kind)}:${String(more)}`);
  }
  return [...words].sort().join(" ");
}
