// SPDX-License-Identifier: Apache-2.0
// One module of a simulated board, an agent or a money module: its image, flash window, counter,
// random source and keys, through all the instances that run one after the other.
import type { ModuleChannel, Port } from "../link/protocol.ts";
import { deriveDeviceKey } from "./deviceKey.ts";
import type { FirmwareImage } from "./image.ts";
import { ImageStore, type ImageStoreSnapshot } from "./imageStore.ts";
import type { UpdateAnswer, UpdateMessage } from "./imageUpdate.ts";
import { type InstanceSnapshot, ModuleInstance, Panic } from "./moduleInstance.ts";
import { RandomGenerator } from "./randomness.ts";
import type {
  BoardObserver,
  BoardOptions,
  BoardStatistics,
  ModuleStorage,
  PowerDecision,
  StorageOperation,
} from "./types.ts";
import {
  FLASH_PAGE_SIZE,
  type FlashSnapshot,
  type RandomBits,
  VirtualFlash,
} from "./virtualFlash.ts";

/** An image that fails at this many starts in a row is not started again. */
const STARTS_IN_VAIN_LIMIT = 3;

/** The largest value of the simulated counter; a worn-out counter cannot be raised. */
const COUNTER_LIMIT = 0xffffffffn;

/** Power was lost within an operation: thrown through the image to the board. */
export class PowerCut extends Error {
  override readonly name = "PowerCut";
}

/** What the module needs of its board. */
export interface ModuleSurroundings {
  options: BoardOptions;
  statistics: BoardStatistics;
  /** A running number for the next storage operation. */
  nextOperation(): number;
  isRandomDead(): boolean;
  /** Milliseconds since 1970, or -1. */
  clock(): number;
  /** The image was started. */
  started(module: SimulatedModule): void;
  send(module: SimulatedModule, port: Port, body: Uint8Array): void;
  /** The image failed; `isStopped` if it is not started again. */
  failed(module: SimulatedModule, isStopped: boolean): void;
}

/** A module between two events. */
export interface ModuleSnapshot {
  instance: InstanceSnapshot | null;
  flash: FlashSnapshot;
  counter: bigint;
  random: number;
  unstable: number;
  starts: number;
  panics: number;
  lastPanicAt: { line: number; column: number };
  isStopped: boolean;
  deadlineMs: number | null;
  images: ImageStoreSnapshot;
}

export class SimulatedModule {
  readonly channel: ModuleChannel;
  readonly flash: VirtualFlash;
  /** Starts since the board was switched on. */
  starts = 0;
  panics = 0;
  /** Source position of the last failed assertion; zeros for none, or after a trap. */
  lastPanicAt = { line: 0, column: 0 };
  isStopped = false;
  /** When the image wants a tick, or null. */
  deadlineMs: number | null = null;
  private readonly board: ModuleSurroundings;
  private readonly storage: ModuleStorage;
  private readonly images: ImageStore;
  private readonly random: RandomGenerator;
  /** Decides what unstable words read; apart from the module's own source. */
  private readonly unstable: RandomGenerator;
  private counter: bigint;
  private instance: ModuleInstance | null = null;
  /** The one instance that is made of an image, and what it was before it first ran. */
  private made: { image: FirmwareImage; instance: ModuleInstance; fresh: InstanceSnapshot } | null =
    null;
  /** Device keys by label: they follow from the secret and the image alone. */
  private readonly deviceKeys = new Map<string, Uint8Array>();

  constructor(
    channel: ModuleChannel,
    image: FirmwareImage,
    storage: ModuleStorage,
    board: ModuleSurroundings,
  ) {
    this.channel = channel;
    this.storage = storage;
    this.board = board;
    this.flash = new VirtualFlash(storage.flash, storage.wear);
    this.images = new ImageStore(image, storage, (...operation) => this.operate(...operation));
    this.counter = storage.counter.load();
    this.random = new RandomGenerator(board.options.random, `module ${channel}`);
    this.unstable = new RandomGenerator(board.options.random, `unstable ${channel}`);
  }

  /** What the module runs: the image it was made with, or one that was loaded since. */
  get image(): FirmwareImage {
    return this.images.image;
  }

  /** True where a newer image than the board has now ran here: it is not started. */
  get isOutdated(): boolean {
    return this.images.isOutdated;
  }

  /** Switches the module on. */
  powerOn(): void {
    this.starts = 0;
    this.images.choose(() => this.unstable.bits());
    this.restart();
  }

  /** Takes one message of an update; a new image is started when it is whole. */
  update(message: UpdateMessage): UpdateAnswer {
    const { image } = this;
    const { request, channel } = message;
    const answer = { request, channel, ...this.images.take(message) };
    if (this.image !== image) this.restart();
    return answer;
  }

  /** Takes the power away: all but flash and counter is gone. */
  powerOff(): void {
    this.instance = null;
    this.deadlineMs = null;
  }

  /** True if a message with its port byte fits the image's inbox. */
  takes(length: number): boolean {
    return this.instance?.takes(length) ?? false;
  }

  receive(port: Port, body: Uint8Array): void {
    this.run((instance) => instance.receive(port, body));
  }

  tick(): void {
    this.run((instance) => instance.tick());
  }

  /** Starts the image anew from its flash, as after a failure. */
  restart(): void {
    this.isStopped = this.isOutdated;
    if (!this.isStopped) this.start();
  }

  snapshot(): ModuleSnapshot {
    return {
      instance: this.instance?.snapshot() ?? null,
      flash: this.flash.snapshot(),
      counter: this.counter,
      random: this.random.snapshot(),
      unstable: this.unstable.snapshot(),
      starts: this.starts,
      panics: this.panics,
      lastPanicAt: this.lastPanicAt,
      isStopped: this.isStopped,
      deadlineMs: this.deadlineMs,
      images: this.images.snapshot(),
    };
  }

  restore(snapshot: ModuleSnapshot): void {
    this.flash.restore(snapshot.flash);
    this.counter = snapshot.counter;
    this.storage.counter.store(this.counter);
    this.random.restore(snapshot.random);
    this.unstable.restore(snapshot.unstable);
    this.starts = snapshot.starts;
    this.panics = snapshot.panics;
    this.lastPanicAt = snapshot.lastPanicAt;
    this.isStopped = snapshot.isStopped;
    this.deadlineMs = snapshot.deadlineMs;
    const { image } = this;
    this.images.restore(snapshot.images);
    if (snapshot.instance === null || this.image !== image) this.instance = null;
    if (snapshot.instance !== null) {
      this.instance ??= this.newInstance();
      this.instance.restore(snapshot.instance);
    }
  }

  private start(): void {
    for (let attempt = 1; attempt <= STARTS_IN_VAIN_LIMIT; attempt += 1) {
      this.starts += 1;
      this.board.started(this);
      this.flash.settle(() => this.unstable.bits());
      try {
        this.instance = this.newInstance();
        this.setDeadline(this.instance.boot());
        return;
      } catch (error) {
        this.takeFailure(error);
      }
    }
    this.isStopped = true;
    this.board.failed(this, true);
  }

  private run(event: (instance: ModuleInstance) => number): void {
    if (this.instance === null) return;
    this.deadlineMs = null;
    try {
      this.setDeadline(event(this.instance));
    } catch (error) {
      this.takeFailure(error);
      this.board.failed(this, false);
      this.start();
    }
  }

  /** Throws the instance away. A loss of power is not the image's failure and goes on up. */
  private takeFailure(error: unknown): void {
    this.instance = null;
    this.deadlineMs = null;
    if (error instanceof PowerCut) throw error;
    const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    if (!(error instanceof Panic || isTrap)) throw error;
    const { line, column } = error instanceof Panic ? error : { line: 0, column: 0 };
    this.lastPanicAt = { line, column };
    this.panics += 1;
    this.board.statistics.panics += 1;
    this.observer?.panic?.(this.channel, error.message);
  }

  private setDeadline(delayMs: number): void {
    this.deadlineMs = delayMs < 0 ? null : this.board.options.clock.nowMs() + delayMs;
  }

  private get observer(): BoardObserver | undefined {
    return this.board.options.observer;
  }

  /**
   * An instance as it is before `boot`. Memory and mutable globals are all that an instance is, so
   * the first one is put back to its beginning instead of making another.
   */
  private newInstance(): ModuleInstance {
    if (this.made?.image !== this.image) {
      const instance = this.instantiate();
      this.made = { image: this.image, instance, fresh: instance.snapshot() };
    } else this.made.instance.restore(this.made.fresh);
    return this.made.instance;
  }

  private deviceKey(label: Uint8Array): Uint8Array {
    const name = String(label);
    let key = this.deviceKeys.get(name);
    if (key === undefined) {
      key = deriveDeviceKey(this.board.options.secret, this.image, label);
      this.deviceKeys.set(name, key);
    }
    return key;
  }

  private instantiate(): ModuleInstance {
    const { board, flash, image } = this;
    const hasCounter = board.options.hasCounter ?? true;
    return new ModuleInstance(image, {
      send: (port, body) => board.send(this, port as Port, body),
      random: (output) => {
        if (board.isRandomDead()) return false;
        this.random.fill(output);
        this.observer?.random?.(this.channel, output.slice());
        return true;
      },
      clock: () => board.clock(),
      flashRead: (offset, output) => flash.read(offset, output),
      flashWrite: (offset, bytes) => {
        if (!flash.canWrite(offset, bytes.length)) return false;
        const work = (tear: RandomBits | null) => flash.write(offset, bytes, tear);
        this.operate("write", offset, bytes.length, work, bytes);
        board.statistics.flashBytesWritten += bytes.length;
        return true;
      },
      flashErase: (page) => {
        const offset = page * FLASH_PAGE_SIZE;
        this.operate("erase", offset, FLASH_PAGE_SIZE, (tear) => flash.erase(page, tear));
        board.statistics.pagesErased += 1;
      },
      counterRead: () => (hasCounter ? this.counter : null),
      counterRaise: () => {
        if (!hasCounter || this.counter === COUNTER_LIMIT) return null;
        this.operate("raise", 0, 0, (tear) => {
          // Atomic: a cut within it leaves the old value or the new one.
          if (tear !== null && (tear() & 1) === 0) return;
          this.storage.counter.store(this.counter + 1n);
          this.counter += 1n;
        });
        board.statistics.counterRaises += 1;
        return this.counter;
      },
      deviceKey: (label) => {
        const key = this.deviceKey(label);
        this.observer?.deviceKey?.(this.channel, key);
        return key;
      },
      step: (number) => this.observer?.step?.(this.channel, number),
    });
  }

  /** Does one storage operation, unless the power fails before, within or after it. */
  private operate(
    kind: StorageOperation["kind"],
    offset: number,
    length: number,
    work: (tear: RandomBits | null) => void,
    bytes?: Uint8Array,
  ): void {
    const index = this.board.nextOperation();
    const operation: StorageOperation = { channel: this.channel, kind, offset, length, index };
    if (bytes !== undefined) operation.bytes = bytes;
    const decision: PowerDecision = this.board.options.power?.(operation) ?? "keep";
    if (decision === "cut-before") throw new PowerCut(`before operation ${index}`);
    work(typeof decision === "object" ? decision.tear : null);
    this.observer?.storage?.(operation);
    if (decision !== "keep") throw new PowerCut(`in or after operation ${index}`);
  }
}
