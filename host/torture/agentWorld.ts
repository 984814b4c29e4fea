// SPDX-License-Identifier: Apache-2.0
// A world of transaction devices with the real firmware images, in one process on one virtual
// clock: the caller is host, network and card issuer. Wires and hosts may be told to misbehave.
import type { ModuleSnapshot } from "../simulator/simulatedModule.ts";
import { VirtualClock } from "../simulator/virtualClock.ts";
import { decodeCbor } from "../trust/cbor.ts";
import { type Claims, Role } from "../trust/certificates.ts";
import { BareModule, HOST, OWN, PEER, type Sent } from "./bareModule.ts";
import { id, START_SECONDS, TestAgency } from "./testAgency.ts";

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
export const filled = (byte: number, length = 16) => new Uint8Array(length).fill(byte);

/** One half of a device. */
export type Half = "agent" | "module";
/**
 * What a host does with a message of its agent or module: commands to give in return. `request`:
 * the one that the message belongs to, where the world has requests (docs/link.md).
 */
export type Host = (message: unknown[], half: Half, request?: number) => unknown[][];
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
