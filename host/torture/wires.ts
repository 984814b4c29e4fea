// SPDX-License-Identifier: Apache-2.0
// Every message between any two parties of a world of real devices, one by one: between hosts, from
// an agent to its own money module and back, from host to device and back. The message managers are
// the real ones. The whole world may be copied at any message and gone on from many times.
import type { ModuleSnapshot } from "../simulator/simulatedModule.ts";
import type { VirtualClock } from "../simulator/virtualClock.ts";
import {
  channelOf,
  copyMessageManager,
  type MessageManager,
  type MessageManagerEvent,
  messageManagerStep,
  newMessageManager,
} from "../device/messageManager.ts";
import type { Device, Half } from "./agentWorld.ts";
import { type BareModule, OWN, PEER, type Sent } from "./bareModule.ts";
import type { CardLeg } from "./cardNetwork.ts";
import { decoded, encodedOnce } from "./remembered.ts";

/**
 * Which two parties a message is between: hosts, halves of a device, host and device both ways,
 * hosts of the card network.
 */
export type Wire = "peer" | "own" | "command" | "told" | "cards";

/** One message on its way. */
export interface Letter {
  wire: Wire;
  /** Device that it comes from; the receiver itself, except on a peer wire. */
  from: Device;
  to: Device;
  /** The half that receives it, or that told it. */
  half: Half;
  /** Request that it belongs to (docs/link.md). */
  id: number;
  /** The receiver's number of the connection; 0 on other wires. */
  connection: number;
  /** On a wire of the card network: which way it goes; sender and receiver are its merchant. */
  leg?: CardLeg;
  body: Uint8Array;
}

/** What a middle man makes of a letter; what he keeps, he hands over later. */
export type Fault = (letter: Letter, wires: Wires) => Letter[];

interface Held {
  letter: Letter;
  /** Released behind the next letter of its route, or at this time. */
  atMs: number;
  isSwap: boolean;
}

export interface WiresSnapshot {
  modules: ModuleSnapshot[];
  clock: ReturnType<VirtualClock["snapshot"]>;
  managers: MessageManager[];
  queue: Letter[];
  held: Held[];
  heard: unknown[][][];
  log: Letter[];
  skewsMs: number[];
  ends: [number, LineEnd][];
  nextId: number;
  nextConnection: number;
}

/** One end of a connection as the other end knows it. */
export interface LineEnd {
  device: Device;
  connection: number;
}

/** One half of a device of the world. */
export interface Part {
  device: Device;
  half: Half;
  module: BareModule;
}

export class Wires {
  readonly clock: VirtualClock;
  readonly devices: readonly Device[];
  /** All halves of all devices, in their order. */
  readonly parts: readonly Part[];
  /** Letters in the order in which they came up, before any fault. */
  readonly log: Letter[] = [];
  /** Looks at each letter before it is delivered; the clean wire if absent. */
  fault: Fault = (letter) => [letter];
  /** Called before each letter is taken, while the world can be copied; null for a due tick. */
  onNext: ((letter: Letter | null) => void) | null = null;
  /** Told what a fault delivers in place of a letter, and what was kept back when it is released. */
  onChanged: ((delivered: readonly Letter[]) => void) | null = null;
  protected managers: MessageManager[];
  protected queue: Letter[] = [];
  protected held: Held[] = [];
  private nextId = 1;
  private nextConnection = 1;
  /** By a device's own number of a connection: the other end. */
  protected readonly ends = new Map<number, LineEnd>();

  constructor(clock: VirtualClock, devices: readonly Device[]) {
    this.clock = clock;
    this.devices = devices;
    this.parts = devices.flatMap((device) =>
      halvesOf(device).map((half) => ({ device, half, module: device.half(half) })),
    );
    this.managers = devices.map((device) => {
      const manager = newMessageManager();
      const halves = halvesOf(device);
      messageManagerStep(manager, { type: "linkUp", halves });
      return manager;
    });
  }

  /** Connects two hosts; the number by which the first one knows the connection. */
  connect(a: Device, b: Device): number {
    const [first, second] = [this.nextConnection, this.nextConnection + 1];
    this.nextConnection += 2;
    this.ends.set(first, { device: b, connection: second });
    this.ends.set(second, { device: a, connection: first });
    this.step(a, { type: "peerConnected", connection: first });
    this.step(b, { type: "peerConnected", connection: second });
    return first;
  }

  /** The host gives a command; it is carried by `run`. */
  tell(device: Device, half: Half, command: unknown[], connection: number | null = null): void {
    this.send(device, half, encodedOnce(command), connection);
  }

  /** As `tell`, carried at once; what the host heard meanwhile. */
  ask(device: Device, half: Half, command: unknown[]): unknown[][] {
    const mark = device.heard.length;
    this.tell(device, half, command);
    this.run();
    return device.heard.slice(mark);
  }

  /** Switches both halves off and on; what they say at their start is carried by `run`. */
  reboot(device: Device): void {
    for (const half of halvesOf(device)) this.left(device, half, 0, device.half(half).reboot());
  }

  /** Keeps a letter back: until behind the next one of its route, at latest so long. */
  hold(letter: Letter, isSwap: boolean, limitMs: number): void {
    this.held.push({ letter, isSwap, atMs: this.clock.nowMs() + limitMs });
  }

  /** Carries until nothing is left to carry or due at this moment. */
  run(): void {
    for (;;) {
      if (this.queue.length > 0) this.onNext?.(this.queue[0]!);
      const letter = this.queue.shift();
      if (letter !== undefined) this.carry(letter);
      else if (!this.tickOne()) return;
    }
  }

  /** Lets virtual time pass, event by event. */
  pass(durationMs: number): void {
    const endMs = this.clock.nowMs() + durationMs;
    for (;;) {
      this.run();
      const dueMs = this.nextDueMs();
      if (dueMs > endMs) break;
      this.clock.advance(Math.max(0, dueMs - this.clock.nowMs()));
      this.timePassed();
    }
    this.clock.advance(Math.max(0, endMs - this.clock.nowMs()));
  }

  snapshot(): WiresSnapshot {
    return {
      modules: this.parts.map(({ module }) => module.snapshot()),
      clock: this.clock.snapshot(),
      managers: this.managers.map(copyMessageManager),
      queue: [...this.queue],
      held: [...this.held],
      heard: this.devices.map(({ heard }) => [...heard]),
      log: [...this.log],
      skewsMs: this.parts.map(({ module }) => module.clockSkewMs),
      ends: [...this.ends],
      nextId: this.nextId,
      nextConnection: this.nextConnection,
    };
  }

  restore(snapshot: WiresSnapshot): void {
    for (const [index, { module }] of this.parts.entries()) {
      module.restore(snapshot.modules[index]!);
      module.clockSkewMs = snapshot.skewsMs[index]!;
    }
    this.clock.restore(snapshot.clock);
    this.managers = snapshot.managers.map(copyMessageManager);
    this.queue = [...snapshot.queue];
    this.held = [...snapshot.held];
    for (const [index, device] of this.devices.entries()) {
      device.heard.splice(0, device.heard.length, ...snapshot.heard[index]!);
    }
    this.log.splice(0, this.log.length, ...snapshot.log);
    this.ends.clear();
    for (const [connection, end] of snapshot.ends) this.ends.set(connection, end);
    this.nextId = snapshot.nextId;
    this.nextConnection = snapshot.nextConnection;
  }

  /** The number by which `a` knows its connection to `b`; null for none. */
  lineBetween(a: Device, b: Device): number | null {
    for (const [connection, end] of this.ends) {
      const back = this.ends.get(end.connection);
      if (end.device === b && back?.device === a) return connection;
    }
    return null;
  }

  /** When something is due next: a tick, or a letter that is kept back; Infinity for never. */
  protected nextDueMs(): number {
    let dueMs = Infinity;
    for (const { module } of this.parts) dueMs = Math.min(dueMs, module.deadlineMs ?? Infinity);
    for (const { atMs } of this.held) dueMs = Math.min(dueMs, atMs);
    return dueMs;
  }

  /** Time has come to a deadline. */
  protected timePassed(): void {
    this.release((held) => held.atMs <= this.clock.nowMs());
  }

  /** Hands one event to a half; all that left it meanwhile. */
  protected event(_device: Device, work: () => Sent[]): Sent[] {
    return work();
  }

  /** A message of the card network has arrived. */
  protected cardMessage(_letter: Letter): void {
    throw new Error("This world has no card network.");
  }

  private tickOne(): boolean {
    for (const { device, half, module } of this.parts) {
      const { deadlineMs } = module;
      if (deadlineMs === null || deadlineMs > this.clock.nowMs()) continue;
      this.onNext?.(null);
      const sent = this.event(device, () => module.tick());
      this.left(device, half, 0, sent);
      return true;
    }
    return false;
  }

  private carry(letter: Letter): void {
    this.log.push(letter);
    const passed = this.fault(letter, this);
    if (passed.length !== 1 || passed[0] !== letter) this.onChanged?.(passed);
    for (const one of passed) this.deliver(one);
    if (this.held.length === 0) return;
    const route = routeOf(letter);
    this.release((held) => held.isSwap && held.letter !== letter && routeOf(held.letter) === route);
  }

  private release(isDue: (held: Held) => boolean): void {
    const due = this.held.filter(isDue);
    if (due.length === 0) return;
    this.held = this.held.filter((held) => !due.includes(held));
    this.onChanged?.(due.map(({ letter }) => letter));
    for (const { letter } of due) this.deliver(letter);
  }

  private deliver(letter: Letter): void {
    const { wire, to, half, id, body, connection } = letter;
    if (wire === "told") {
      for (const command of to.host(decoded(body) as unknown[], half, id)) {
        this.tell(to, half, command);
      }
    } else if (wire === "peer") {
      const event = { type: "fromPeer", connection, channel: channelOf(half), body } as const;
      for (const effect of this.step(to, event)) {
        if (effect.type === "toBoard") this.toBoard(to, half, PEER, id, body);
      }
    } else if (wire === "cards") this.cardMessage(letter);
    else this.toBoard(to, half, wire === "own" ? OWN : 0, id, body);
  }

  /** Hands one message to a half, unless the board refuses it for its length. */
  private toBoard(device: Device, half: Half, port: number, id: number, body: Uint8Array): void {
    const module = device.half(half);
    if (!module.takes(body.length)) return;
    this.left(
      device,
      half,
      id,
      this.event(device, () => module.deliver(port, body)),
    );
  }

  /** Gives a body to a half; the request's id. `isCommand`: an answer is waited for under it. */
  protected send(
    device: Device,
    half: Half,
    body: Uint8Array,
    connection: number | null,
    isCommand = false,
  ): number {
    const id = this.nextId++;
    const event = { type: "fromApplication", target: half, id, body, connection } as const;
    this.step(device, { ...event, isCommand });
    this.queue.push({ wire: "command", from: device, to: device, half, id, connection: 0, body });
    return id;
  }

  /** Takes what left a half, by way of its host's message manager. */
  protected left(device: Device, half: Half, id: number, sent: Sent[]): void {
    for (const { port, body } of sent) {
      const message = new Uint8Array(body.length + 1);
      message[0] = port;
      message.set(body, 1);
      const event = { type: "fromBoard", channel: channelOf(half), id, body: message } as const;
      for (const effect of this.step(device, event)) {
        const letter = { from: device, to: device, half, id, connection: 0, body };
        if (effect.type === "event" || effect.type === "answer") {
          device.heard.push(decoded(body) as unknown[]);
          this.queue.push({ ...letter, wire: "told" });
        } else if (effect.type === "toBoard") {
          const other = half === "agent" ? "module" : "agent";
          this.queue.push({ ...letter, wire: "own", half: other });
        } else if (effect.type === "toPeer") {
          const { device: to, connection } = this.ends.get(effect.connection)!;
          this.queue.push({ ...letter, wire: "peer", to, connection, id: 0 });
        }
      }
    }
  }

  protected step(device: Device, event: MessageManagerEvent) {
    return messageManagerStep(this.managers[this.devices.indexOf(device)]!, event);
  }
}

/** Halves of a device; a bank's has its money module alone, an authority's its agent. */
export function halvesOf(device: Device): Half[] {
  if (device.module === null) return ["agent"];
  return device.agent === device.module ? ["module"] : ["agent", "module"];
}

/** Letters of one route come one behind the other on one wire. */
export function routeOf({ wire, from, to, half, leg }: Letter): string {
  if (leg !== undefined) return `${wire} ${leg}`;
  return `${wire} ${from.name}>${to.name}.${half}`;
}
