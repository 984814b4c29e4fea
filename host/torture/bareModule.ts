// SPDX-License-Identifier: Apache-2.0
// One firmware image on a simulated module without link and host around it: a test hands over
// single messages and sees what comes out, may copy the whole state and go on from it many times.
import { readFileSync } from "node:fs";
import type { ModuleChannel, Port } from "../link/protocol.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { loadImage } from "../simulator/image.ts";
import { type ModuleSnapshot, SimulatedModule } from "../simulator/simulatedModule.ts";
import { memoryStorage } from "../simulator/storage.ts";
import type { BoardStatistics, PowerDecision, StorageOperation } from "../simulator/types.ts";
import type { VirtualClock } from "../simulator/virtualClock.ts";
import { FLASH_PAGE_SIZE, FLASH_SIZE } from "../simulator/virtualFlash.ts";
import { projectFile } from "../projectFile.ts";
import { type BoardEvent, boardRecorder, storageEvent } from "./boardEvents.ts";
import { builtImage } from "./imageFiles.ts";
import { moduleRecorder, type ModuleWatcher, moduleWatcher } from "./tracing.ts";

export const HOST = 0;
export const PEER = 1;
export const OWN = 2;

/** A message that left the module. */
export interface Sent {
  port: number;
  body: Uint8Array;
}

export class BareModule {
  readonly clock: VirtualClock;
  readonly statistics: BoardStatistics;
  /** Numbered steps reached, for traced images. */
  readonly steps: number[] = [];
  isClockKnown = true;
  /** How far this board's clock is ahead of the world's. */
  clockSkewMs = 0;
  isRandomDead = false;
  /** Decides about the power at each storage operation; it throws PowerCut out of `deliver`. */
  power: (operation: StorageOperation) => PowerDecision = () => "keep";
  /** Name of the image that it runs. */
  readonly image: string;
  private panicReason = "";
  private readonly watcher: ModuleWatcher | null = moduleWatcher();
  private readonly module: SimulatedModule;
  private sent: Sent[] = [];
  private operations = 0;
  private readonly tellBoard: ((event: BoardEvent) => void) | null;

  /** `image`: name of a built image; `seed` decides all its random bytes. */
  constructor(image: string, clock: VirtualClock, seed: string, isTraced = false) {
    this.clock = clock;
    this.image = image;
    this.statistics = {
      panics: 0,
      powerCuts: 0,
      flashBytesWritten: 0,
      pagesErased: 0,
      counterRaises: 0,
    };
    const recorder = moduleRecorder();
    const hasTraced = !/probe|echo|storage|primitives|directory/.test(image);
    const folder = isTraced || (recorder !== null && hasTraced) ? "traced/" : "";
    const file = projectFile(`build/firmware/${folder}${builtImage(image)}.wasm`);
    const secret = new Uint8Array(32).fill(seed.length);
    const storage = memoryStorage().agent;
    this.tellBoard = boardRecorder()?.watch({ name: seed, image, secret }) ?? null;
    const options = {
      secret,
      random: { kind: "seeded" as const, seed },
      clock,
      observer: {
        step: (_channel: ModuleChannel, step: number) => {
          this.steps.push(step);
          recorder?.(seed, image, step);
        },
        panic: (_channel: ModuleChannel, reason: string) => {
          this.panicReason = reason;
        },
        random: (_channel: ModuleChannel, bytes: Uint8Array) => this.watcher?.drew(this, bytes),
        deviceKey: (_channel: ModuleChannel, key: Uint8Array) => this.watcher?.readKey(this, key),
      },
      power: (operation: StorageOperation) => {
        const decision = this.power(operation);
        const event = this.tellBoard === null ? null : storageEvent(operation, decision);
        if (event !== null) this.tellBoard?.(event);
        this.watcher?.stored?.(this, operation, decision);
        return decision;
      },
    };
    const description = { bytes: new Uint8Array(readFileSync(file)), name: image };
    this.module = new SimulatedModule(2, loadImage(description), storage, {
      options,
      statistics: this.statistics,
      nextOperation: () => this.operations++,
      isRandomDead: () => this.isRandomDead,
      clock: () => (this.isClockKnown ? clock.epochMs() + this.clockSkewMs : -1),
      started: () => this.tellBoard?.({ kind: "start", counter: Number(storage.counter.load()) }),
      send: (_module, port, body) => {
        this.tellBoard?.({ kind: "sent", port, body });
        this.sent.push({ port, body });
        this.watcher?.sent(this, port, body);
      },
      failed: () => {},
    });
    this.module.powerOn();
    this.watcher?.rested(this);
  }

  /** True if a message of so many bytes, without its port byte, fits the image's inbox. */
  takes(length: number): boolean {
    return this.module.takes(length + 1);
  }

  /** Hands over one message; returns all that left meanwhile. A panic throws. */
  deliver(port: number, body: Uint8Array): Sent[] {
    if (!this.module.takes(body.length + 1))
      throw new Error("The message is longer than the inbox.");
    this.watcher?.delivered(this, port, body);
    this.tellBoard?.({ kind: "received", port, body });
    this.module.receive(port as Port, body);
    return this.take();
  }

  /** Sends a command of the owner's host; returns all that left meanwhile. */
  command(...items: unknown[]): Sent[] {
    return this.deliver(HOST, encodeCbor(items));
  }

  /** As `command`, and decodes the first message to the host. */
  ask(...items: unknown[]): unknown[] {
    const answer = this.command(...items).find((message) => message.port === HOST);
    if (answer === undefined) throw new Error(`Command ${String(items[0])} was not answered.`);
    return decodeCbor(answer.body) as unknown[];
  }

  /** When the image wants a tick, on the clock's scale; null for never. */
  get deadlineMs(): number | null {
    return this.module.deadlineMs;
  }

  /** Lets the image do what is due, if the time has come. */
  tick(): Sent[] {
    const due = this.module.deadlineMs;
    if (due !== null && due <= this.clock.nowMs()) this.module.tick();
    return this.take();
  }

  /** Switches the power off and on; returns what the image sent at its start. */
  reboot(): Sent[] {
    return [...this.powerOff(), ...this.powerOn()];
  }

  /** Takes the power away; returns what had left before, where it failed within an event. */
  powerOff(): Sent[] {
    this.module.powerOff();
    this.tellBoard?.({ kind: "off" });
    return this.take();
  }

  /** Gives the power back; returns what the image sent at its start. */
  powerOn(): Sent[] {
    this.module.powerOn();
    return this.take();
  }

  /** How much more often than all pages on average the most worn page of its flash was erased. */
  get wear(): number {
    const { total, most } = this.module.flash.wearOf();
    return most - Math.floor(total / (FLASH_SIZE / FLASH_PAGE_SIZE));
  }

  snapshot(): ModuleSnapshot {
    return this.module.snapshot();
  }

  /** Goes back to a snapshot; what a run that failed left behind is forgotten. */
  restore(snapshot: ModuleSnapshot): void {
    this.sent = [];
    this.statistics.panics = 0;
    this.module.restore(snapshot);
  }

  private take(): Sent[] {
    const sent = this.sent;
    this.sent = [];
    if (this.statistics.panics > 0) throw new Error(`The image panicked: ${this.panicReason}.`);
    this.watcher?.rested(this);
    return sent;
  }
}

/** The decoded messages to the host among `sent`. */
export function toHost(sent: Sent[]): unknown[][] {
  return sent.filter(({ port }) => port === HOST).map(({ body }) => decodeCbor(body) as unknown[]);
}

/** The bodies sent to a port. */
export function bodiesTo(port: number, sent: Sent[]): Uint8Array[] {
  return sent.filter((message) => message.port === port).map(({ body }) => body);
}
