// SPDX-License-Identifier: Apache-2.0
// A world of transaction devices with the real firmware images, in one process on one virtual
// clock: the caller is host, network and card issuer. Wires and hosts may be told to misbehave.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { ModuleSnapshot } from "../simulator/simulatedModule.ts";
import { VirtualClock } from "../simulator/virtualClock.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { type Claims, Role } from "../trust/certificates.ts";
import { parseSigned, signObject } from "../trust/cose.ts";
import { BareModule, HOST, OWN, PEER, type Sent } from "./bareModule.ts";
import { id, START_SECONDS, TestAgency } from "./testAgency.ts";

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
export const filled = (byte: number, length = 16) => new Uint8Array(length).fill(byte);

/** The card issuer of these worlds. */
export const ISSUER_SEED = filled(77, 32);
export const BANK = "Bank of Tests";

/** One half of a device. */
export type Half = "agent" | "module";
/** What a host does with a message of its agent or module: commands to give in return. */
export type Host = (message: unknown[], half: Half) => unknown[][];
/** Passes a PEER body on, drops it (null) or changes it. */
export type Wire = (body: Uint8Array, from: Device) => Uint8Array | null;

export class Device {
  readonly name: string;
  readonly agent: BareModule;
  readonly module: BareModule | null;
  /** All that agent and module told the host. */
  readonly heard: unknown[][] = [];
  host: Host = () => [];
  /** Whether OWN bodies pass between the halves. */
  isJoined = true;

  constructor(name: string, agent: BareModule, module: BareModule | null) {
    this.name = name;
    this.agent = agent;
    this.module = module;
  }

  half(half: Half): BareModule {
    if (half === "agent") return this.agent;
    if (this.module === null) throw new Error(`${this.name} has no money module.`);
    return this.module;
  }

  /** Messages of one number that the host heard. */
  told(number: number): unknown[][] {
    return this.heard.filter(([first]) => first === number);
  }

  /** The last message of one number. */
  last(number: number): unknown[] | undefined {
    return this.told(number).at(-1);
  }
}

/** Images and roles by kind of device. */
const KINDS = {
  customer: ["customer-agent", Role.CUSTOMER, "transaction-module", Role.TRANSACTION],
  merchant: ["merchant-agent", Role.MERCHANT, "transaction-module", Role.TRANSACTION],
  authority: ["authority-agent", Role.AUTHORITY, null, null],
  teller: [null, null, "teller-module", Role.TELLER],
  generator: [null, null, "generator-module", Role.GENERATOR],
} as const;

/** A world at one moment. */
export interface AgentWorldSnapshot {
  devices: {
    device: Device;
    agent: ModuleSnapshot;
    module: ModuleSnapshot | null;
    host: Host;
    heard: number;
  }[];
  clock: { nowMs: number; epochOffsetMs: number };
  carried: number;
  ends: Map<string, [Device, Device]>;
  partners: Map<Device, Device>;
}

function refill<Key, Value>(map: Map<Key, Value>, content: Map<Key, Value>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}

interface Step {
  device: Device;
  half: Half;
  sent: Sent[];
}

export class AgentWorld {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly agency = new TestAgency();
  readonly devices: Device[] = [];
  wire: Wire = (body) => body;
  /** PEER bodies carried so far. */
  carried = 0;
  /** The two ends of each session, by tag. */
  private readonly ends = new Map<string, [Device, Device]>();
  /** Where sessions that a device begins lead to. */
  private readonly partners = new Map<Device, Device>();
  private readonly isTraced: boolean;
  private readonly seed: string;

  /** `seed`: added to the names from which all random bytes of the modules follow. */
  constructor(isTraced = false, seed = "") {
    this.isTraced = isTraced;
    this.seed = seed;
  }

  /**
   * A certified and, where it has both halves, paired device; its name has at most 2 letters.
   * `change`, `moduleChange`: claims of agent and module that are not the usual ones.
   */
  add(
    kind: "customer" | "merchant" | "authority",
    name: string,
    change: Partial<Claims> = {},
    moduleChange: Partial<Claims> = {},
  ) {
    const [agentImage, agentRole, moduleImage, moduleRole] = KINDS[kind];
    const device = id(`device-${name}`.slice(-8));
    const agent = new BareModule(
      agentImage,
      this.clock,
      `agent of ${name}${this.seed}`,
      this.isTraced,
    );
    this.agency.certify(agent, `agent-${name}`, agentRole, { device, ...change });
    let module: BareModule | null = null;
    if (moduleImage !== null) {
      module = new BareModule(
        moduleImage,
        this.clock,
        `the module ${name}${this.seed}`,
        this.isTraced,
      );
      const claims = { device, ...moduleChange };
      this.agency.certify(module, `modul-${name}`, moduleRole, claims);
    }
    const added = new Device(name, agent, module);
    this.devices.push(added);
    if (module !== null) this.tell(added, "agent", [5]);
    return added;
  }

  /** A bank's module without an agent. */
  addBank(kind: "teller" | "generator", name: string): Device {
    const [, , image, role] = KINDS[kind];
    const module = new BareModule(
      image,
      this.clock,
      `the module ${name}${this.seed}`,
      this.isTraced,
    );
    this.agency.certify(module, `modul-${name}`, role);
    // The agent's half is never spoken to; the device is its money module alone.
    const added = new Device(name, module, module);
    this.devices.push(added);
    return added;
  }

  /** The sessions that `from` begins from now on go to `to`. */
  connect(from: Device, to: Device): void {
    this.partners.set(from, to);
  }

  /** Gives one command and carries on until all is quiet; what the host heard meanwhile. */
  tell(device: Device, half: Half, command: unknown[]): unknown[][] {
    const mark = device.heard.length;
    this.carry({ device, half, sent: device.half(half).command(...command) });
    return device.heard.slice(mark);
  }

  /** As `tell`, to the agent, with a command that may be any bytes. */
  deliver(device: Device, command: Uint8Array): unknown[][] {
    const mark = device.heard.length;
    this.carry({ device, half: "agent", sent: device.agent.deliver(HOST, command) });
    return device.heard.slice(mark);
  }

  /** Switches one half off and on. */
  reboot(device: Device, half: Half): void {
    this.carry({ device, half, sent: device.half(half).reboot() });
  }

  /** Lets virtual time pass, tick by tick. */
  pass(durationMs: number): void {
    const end = this.clock.nowMs() + durationMs;
    for (;;) {
      const due = this.halves()
        .map(({ device, half }) => device.half(half).deadlineMs)
        .filter((at): at is number => at !== null && at <= end);
      if (due.length === 0) break;
      this.clock.advance(Math.max(0, Math.min(...due) - this.clock.nowMs()));
      const [{ device, half }] = this.halves() as [{ device: Device; half: Half }];
      this.carry({ device, half, sent: [] });
    }
    this.clock.advance(Math.max(0, end - this.clock.nowMs()));
  }

  /** Everything that `restore` needs to go back to this moment, as often as wanted. */
  snapshot(): AgentWorldSnapshot {
    const devices = this.devices.map((device) => ({
      device,
      agent: device.agent.snapshot(),
      module: device.module?.snapshot() ?? null,
      host: device.host,
      heard: device.heard.length,
    }));
    const { carried } = this;
    const links = [new Map(this.ends), new Map(this.partners)] as const;
    return { devices, clock: this.clock.snapshot(), carried, ends: links[0], partners: links[1] };
  }

  /** Goes back to a snapshot; wires are straight again, clocks true, halves joined. */
  restore(snapshot: AgentWorldSnapshot): void {
    this.wire = (body) => body;
    this.clock.restore(snapshot.clock);
    this.carried = snapshot.carried;
    this.devices.length = 0;
    for (const { device, agent, module, host, heard } of snapshot.devices) {
      this.devices.push(device);
      device.agent.restore(agent);
      if (module !== null && device.module !== device.agent) device.module?.restore(module);
      for (const half of [device.agent, device.module]) if (half !== null) half.clockSkewMs = 0;
      device.isJoined = true;
      device.host = host;
      device.heard.length = heard;
    }
    refill(this.ends, snapshot.ends);
    refill(this.partners, snapshot.partners);
  }

  private halves(): { device: Device; half: Half }[] {
    return this.devices.flatMap((device) => [
      ...(device.agent === device.module ? [] : [{ device, half: "agent" as const }]),
      ...(device.module === null ? [] : [{ device, half: "module" as const }]),
    ]);
  }

  /** Carries what was sent, and does what is due at once, until all is quiet. */
  private carry(first: Step): void {
    this.carryMessages(first);
    for (let isQuiet = false; !isQuiet; ) {
      isQuiet = true;
      for (const { device, half } of this.halves()) {
        const due = device.half(half).deadlineMs;
        if (due === null || due > this.clock.nowMs()) continue;
        isQuiet = false;
        this.carryMessages({ device, half, sent: device.half(half).tick() });
      }
    }
  }

  private carryMessages(first: Step): void {
    const queue: Step[] = [first];
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      for (const { port, body } of step.sent) {
        if (port === HOST) queue.push(...this.tellHost(step, body));
        else if (port === OWN) queue.push(...this.tellOwn(step, body));
        else if (port === PEER) queue.push(...this.tellPeer(step, body));
      }
    }
  }

  private tellHost({ device, half }: Step, body: Uint8Array): Step[] {
    const message = decodeCbor(body) as unknown[];
    device.heard.push(message);
    return device
      .host(message, half)
      .map((command) => ({ device, half, sent: device.half(half).command(...command) }));
  }

  private tellOwn({ device, half }: Step, body: Uint8Array): Step[] {
    if (!device.isJoined || device.agent === device.module) return [];
    const other = half === "agent" ? "module" : "agent";
    return [{ device, half: other, sent: device.half(other).deliver(OWN, body) }];
  }

  private tellPeer({ device, half }: Step, body: Uint8Array): Step[] {
    this.carried += 1;
    const tag = hex((decodeCbor(body) as [number, Uint8Array])[1]);
    const passed = this.wire(body, device);
    const partner = this.partners.get(device);
    if (!this.ends.has(tag) && partner !== undefined) this.ends.set(tag, [device, partner]);
    const ends = this.ends.get(tag);
    if (passed === null || ends === undefined) return [];
    const receiver = ends[0] === device ? ends[1] : ends[0];
    return [{ device: receiver, half, sent: receiver.half(half).deliver(PEER, passed) }];
  }
}

/** Components of a card of the issuer of these worlds, valid for a year. */
export function cardComponents(unit = "EUR", change: Record<number, unknown> = {}): unknown[] {
  const card: unknown[] = [
    BANK,
    "4000001234567899",
    START_SECONDS - 100,
    START_SECONDS + 30000000,
    "Carla Customer",
    2,
    unit,
    ed25519.getPublicKey(ISSUER_SEED),
  ];
  for (const [index, value] of Object.entries(change)) card[Number(index)] = value;
  return card;
}

/** Components of a merchant credential. */
export function merchantComponents(name = "Florist", owner = "OWNER"): unknown[] {
  return [name, id(owner), START_SECONDS - 100, START_SECONDS + 30000000];
}

/** Has `device` acquire a credential with these components from `authority`; its 29. */
export function acquire(
  world: AgentWorld,
  device: Device,
  authority: Device,
  kind: 1 | 2,
  components: unknown[] | null,
  commandId = filled(200 + kind),
): unknown[] | undefined {
  authority.host = (message) => (message[0] === 71 ? [[72, message[1], components]] : []);
  world.tell(authority, "agent", [40, true]);
  world.connect(device, authority);
  world.tell(device, "agent", [70, commandId, kind]);
  return device.last(29);
}

/** What the card issuer answers to a mandate (45 carries it decoded). */
export function approvalOf(
  mandate: unknown,
  isApproved = true,
  code = "00",
  seed = ISSUER_SEED,
  until = START_SECONDS + 86400,
) {
  const payload = encodeCbor([mandateHash(mandate), isApproved, code, until]);
  return decodeCbor(signObject("florin/approval", payload, seed));
}

/** The issuer's word on a completion (47 carries it decoded). */
export function postingOf(completion: unknown, seed = ISSUER_SEED) {
  const [hash, outcome] = decodeCbor(payloadOf(completion)) as [Uint8Array, number];
  return decodeCbor(signObject("florin/posting", encodeCbor([hash, outcome]), seed));
}

/** The payload of a decoded signed object. */
export function payloadOf(signed: unknown): Uint8Array {
  const object = parseSigned(encodeCbor(signed));
  if (object === undefined) throw new Error("That is not a signed object.");
  return object.payload;
}

export const mandateHash = (mandate: unknown) => sha256(payloadOf(mandate));

/** Terms of an offer as command 55 takes them, after the direction. */
export const OFFER_TERMS = {
  moneyUnit: "USD",
  accountUnit: "EUR",
  fee: 25,
  basisPoints: 100,
  numerator: 9,
  denominator: 10,
  minimum: 100,
  maximum: 100000,
  expires: START_SECONDS + 600,
  endpoint: "ws://127.0.0.1:1",
};

/** Has the merchant sign an offer; its bytes. */
export function signOffer(world: AgentWorld, merchant: Device, direction: 1 | 2, change = {}) {
  const terms = Object.values({ ...OFFER_TERMS, ...change });
  const [answer] = world.tell(merchant, "agent", [55, direction, ...terms]);
  if (answer?.[0] !== 55) throw new Error(`The offer is not signed: ${String(answer)}.`);
  return answer[1] as Uint8Array;
}

/** A host that answers every prompt of a purchase as a willing customer does. */
export function willingCustomer(amount: number, unit = "USD", change: Record<number, Host> = {}) {
  const answers: Record<number, Host> = {
    21: ([, command]) => [[22, command, true]],
    23: ([, command]) => [[24, command, amount, unit]],
    25: ([, command, cards]) => [[26, command, (cards as Uint8Array[])[0]]],
    27: ([, command]) => [[28, command, true]],
    ...change,
  };
  return ((message, half) => answers[message[0] as number]?.(message, half) ?? []) as Host;
}

/** A host that has every mandate approved and every completion posted. */
export function willingMerchant(change: Record<number, Host> = {}) {
  const answers: Record<number, Host> = {
    43: ([, tag]) => [[44, tag, false]],
    45: ([, tag, mandate]) => [[46, tag, approvalOf(mandate), "00"]],
    47: ([, transaction, completion]) => [[48, transaction, postingOf(completion)]],
    ...change,
  };
  return ((message, half) => answers[message[0] as number]?.(message, half) ?? []) as Host;
}

/** A customer with a card and a serving merchant with a credential, facing one another. */
export class PurchaseWorld extends AgentWorld {
  readonly authority = this.add("authority", "A");
  readonly customer = this.add("customer", "C");
  readonly merchant = this.add("merchant", "M");
  private commands = 0;
  private fundings = 0;

  constructor(isTraced = false, seed = "") {
    super(isTraced, seed);
    acquire(this, this.customer, this.authority, 1, cardComponents());
    acquire(this, this.merchant, this.authority, 2, merchantComponents());
    this.tell(this.merchant, "agent", [40, true]);
    this.connect(this.customer, this.merchant);
    this.merchant.host = willingMerchant();
    this.customer.heard.length = 0;
    this.merchant.heard.length = 0;
  }

  /** Gives `device` money: the bank issues it to a teller, and the module withdraws it. */
  fund(device: Device, amount: number, unit = "USD"): void {
    // Each time another bank: modules of one name would draw the same random numbers.
    const number = this.fundings++ || "";
    const generator = this.addBank("generator", `G${number}`);
    const teller = this.addBank("teller", `T${number}`);
    for (const bank of [generator, teller]) {
      bank.host = (message) => {
        if (message[0] === 82) return [[83, message[2], true]];
        return message[0] === 84 ? [[85, message[1]]] : [];
      };
    }
    this.connect(teller, generator);
    this.tell(teller, "module", [81, filled(101), 2, amount, unit, null]);
    this.connect(device, teller);
    this.tell(device, "module", [81, filled(102 + this.fundings), 1, amount, unit, "12345678"]);
    this.connect(this.customer, this.merchant);
  }

  /** What the device's money module could spend of a unit. */
  balance(device: Device, unit = "USD"): number {
    const [answer] = this.tell(device, "module", [80]);
    const rows = answer?.[1] as [string, number, number, number][];
    return rows.find(([name]) => name === unit)?.[1] ?? 0;
  }

  /** The customer buys (1) or sells (2); the command's id. */
  order(direction: 1 | 2, offer = signOffer(this, this.merchant, direction)): Uint8Array {
    const command = filled(++this.commands);
    this.tell(this.customer, "agent", [20, command, offer]);
    return command;
  }
}
