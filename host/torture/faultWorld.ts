// SPDX-License-Identifier: Apache-2.0
// Wires where devices lose power, hosts are killed, lines break and the card network goes away, and
// where all of it comes back later. Everything that changes is plain data, so that the whole world,
// the books of bank and card issuer among it, is copied and put back in microseconds.
import { messageManagerStep, newMessageManager } from "../device/messageManager.ts";
import { PowerCut } from "../simulator/simulatedModule.ts";
import type { VirtualClock } from "../simulator/virtualClock.ts";
import type { Device, Half } from "./agentWorld.ts";
import type { Sent } from "./bareModule.ts";
import type { BankHost } from "./bankHost.ts";
import { BankWires } from "./bankWires.ts";
import type { CardNetwork } from "./cardNetwork.ts";
import { FullFlash } from "./fullFlash.ts";
import type { CardHost } from "./networkWires.ts";
import { halvesOf, type WiresSnapshot } from "./wires.ts";

/**
 * What comes back at a time: a device's power, its host, a line between two devices, or a host of
 * the card network, whatever the device.
 */
interface Return {
  atMs: number;
  what: "power" | "host" | "line" | CardHost;
  /** Numbers of devices; `other` is the far end of a line. */
  device: number;
  other: number;
}

/** A message that waits in a board for its host. */
interface Waiting {
  device: number;
  half: Half;
  sent: Sent;
}

/** Messages that wait on one channel of a board (host/link/boardEnd.ts); more are lost. */
const WAITING_LIMIT = 32;

export interface FaultWorldSnapshot extends WiresSnapshot {
  bank: BankHost | null;
  cards: CardNetwork | null;
  conflicts: string[];
  returns: Return[];
  waiting: Waiting[];
  powerBackMs: number;
}

/** A command that a host gives to a half whenever it finds its device anew. */
export interface StartCommand {
  half: Half;
  command: unknown[];
}

export class FaultWorld extends BankWires {
  /** How long a device is without power that loses it within an event. */
  powerBackMs = 0;
  /** Modules with a full flash. */
  readonly fullFlash = new FullFlash();
  private readonly starts: ReadonlyMap<Device, readonly StartCommand[]>;
  private returns: Return[] = [];
  private waiting: Waiting[] = [];

  constructor(
    clock: VirtualClock,
    devices: readonly Device[],
    starts: ReadonlyMap<Device, readonly StartCommand[]>,
  ) {
    super(clock, devices);
    this.starts = starts;
  }

  /** Takes the power of both halves away for so long. */
  losePower(device: Device, durationMs: number): Sent[] {
    const sent = halvesOf(device).flatMap((half) => device.half(half).powerOff());
    for (const half of halvesOf(device)) this.fullFlash.forget(device.half(half));
    const manager = this.managers[this.devices.indexOf(device)]!;
    messageManagerStep(manager, { type: "linkDown", reason: "the device has no power" });
    const index = this.devices.indexOf(device);
    this.waiting = this.waiting.filter((one) => one.device !== index);
    this.comeBack("power", device, device, durationMs);
    this.deviceLost(device);
    return sent;
  }

  /** Kills a device's host: what it had to carry is gone, and its lines are. */
  loseHost(device: Device, durationMs: number): void {
    for (const one of this.sameHost(device)) this.loseHostOf(one, durationMs);
  }

  private loseHostOf(device: Device, durationMs: number): void {
    this.queue = this.queue.filter(
      ({ wire, to }) => wire === "peer" || wire === "cards" || to !== device,
    );
    for (const other of this.devices) {
      if (this.lineBetween(device, other) !== null) this.loseLine(device, other, durationMs);
    }
    this.managers[this.devices.indexOf(device)] = newMessageManager();
    this.hostLost(device);
    this.comeBack("host", device, device, durationMs);
  }

  loseCardHost(host: CardHost, durationMs: number): void {
    const [device] = this.devices;
    this.comeBack(host, device!, device!, durationMs);
    this.cardHostLost(host);
  }

  /** Breaks the line between two hosts; what is on it is lost. */
  loseLine(a: Device, b: Device, durationMs: number): void {
    const line = this.lineBetween(a, b);
    if (line === null) return;
    const far = this.ends.get(line)!.connection;
    const reason = "the line broke";
    this.step(a, { type: "peerClosed", connection: line, reason });
    this.step(b, { type: "peerClosed", connection: far, reason });
    this.queue = this.queue.filter(
      ({ wire, connection }) => wire !== "peer" || (connection !== line && connection !== far),
    );
    this.ends.delete(line);
    this.ends.delete(far);
    this.comeBack("line", a, b, durationMs);
  }

  override snapshot(): FaultWorldSnapshot {
    return {
      ...super.snapshot(),
      bank: this.bank,
      cards: this.cards,
      conflicts: [...this.conflicts],
      returns: [...this.returns],
      waiting: [...this.waiting],
      powerBackMs: this.powerBackMs,
    };
  }

  override restore(snapshot: FaultWorldSnapshot): void {
    super.restore(snapshot);
    this.bank = snapshot.bank;
    this.cards = snapshot.cards;
    this.conflicts = [...snapshot.conflicts];
    this.returns = [...snapshot.returns];
    this.waiting = [...snapshot.waiting];
    this.powerBackMs = snapshot.powerBackMs;
  }

  protected override nextDueMs(): number {
    let dueMs = super.nextDueMs();
    for (const { atMs } of this.returns) dueMs = Math.min(dueMs, atMs);
    return dueMs;
  }

  protected override timePassed(): void {
    super.timePassed();
    const isDue = ({ atMs }: Return) => atMs <= this.clock.nowMs();
    for (let next = this.returns.find(isDue); next !== undefined; next = this.returns.find(isDue)) {
      const taken = next;
      this.returns = this.returns.filter((one) => one !== taken);
      this.giveBack(taken);
    }
  }

  /** What left before the power failed has left (protocol rule 7: append, raise, send). */
  protected override event(device: Device, work: () => Sent[]): Sent[] {
    try {
      const sent = work();
      for (const half of halvesOf(device)) this.fullFlash.fill(device.half(half));
      return sent;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      return this.losePower(device, this.powerBackMs);
    }
  }

  /** Without a host, what belongs to no request waits in the board; the rest is lost. */
  protected override left(device: Device, half: Half, id: number, sent: Sent[]): void {
    const index = this.devices.indexOf(device);
    if (!this.isAlone(index)) super.left(device, half, id, sent);
    else if (id === 0) {
      this.waiting.push(...sent.map((one) => ({ device: index, half, sent: one })));
      const own = this.waiting.filter((one) => one.device === index && one.half === half);
      this.waiting = this.waiting.filter((one) => own.indexOf(one) < WAITING_LIMIT);
    }
  }

  protected isCardHostDown(host: CardHost): boolean {
    return this.returns.some(({ what }) => what === host);
  }

  protected isHostDown(device: Device): boolean {
    return this.isAlone(this.devices.indexOf(device));
  }

  /** Whether a device's host is down. */
  private isAlone(index: number): boolean {
    return this.returns.some(({ what, device }) => what === "host" && device === index);
  }

  private comeBack(what: Return["what"], device: Device, other: Device, durationMs: number) {
    const [index, far] = [this.devices.indexOf(device), this.devices.indexOf(other)];
    const atMs = this.clock.nowMs() + durationMs;
    this.returns.push({ atMs, what, device: index, other: far });
  }

  private giveBack({ what, device: index, other }: Return): void {
    const device = this.devices[index]!;
    if (what === "switch" || what === "issuer") {
      this.cardHostBack(what);
      return;
    }
    if (what === "line") {
      if (this.lineBetween(device, this.devices[other]!) === null) {
        this.connect(device, this.devices[other]!);
      }
      return;
    }
    if (what === "power") {
      for (const half of halvesOf(device)) {
        const sent = this.event(device, () => device.half(half).powerOn());
        this.left(device, half, 0, sent);
      }
    }
    if (this.isAlone(index)) return;
    this.step(device, { type: "linkUp", halves: halvesOf(device) });
    const waiting = this.waiting.filter((one) => one.device === index);
    this.waiting = this.waiting.filter((one) => one.device !== index);
    for (const { half, sent } of waiting) this.left(device, half, 0, [sent]);
    for (const { half, command } of this.starts.get(device) ?? []) this.tell(device, half, command);
    this.deviceFound(device, what === "host");
  }
}
