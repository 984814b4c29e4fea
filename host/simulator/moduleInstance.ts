// SPDX-License-Identifier: Apache-2.0
// One running instance of a firmware image: its memory, and the board contract's imports with the
// checks that assembly/board.ts promises. What the imports do is the board's, behind ModulePorts.
import { FLASH_PAGE_SIZE, FLASH_SIZE } from "./virtualFlash.ts";
import type { FirmwareImage } from "./image.ts";

/** Longest message of a module, without its port byte (assembly/board.ts, send). */
const SEND_LIMIT = 8448;
const RANDOM_LIMIT = 256;
const LABEL_LIMIT = 64;
const KEY_SIZE = 32;
const LARGEST_PORT = 2;

/** What a module's imports reach. Ranges are checked before these are called. */
export interface ModulePorts {
  send(port: number, body: Uint8Array): void;
  /** False if the source is dead. */
  random(output: Uint8Array): boolean;
  /** Milliseconds since 1970, or -1. */
  clock(): number;
  flashRead(offset: number, output: Uint8Array): boolean;
  flashWrite(offset: number, bytes: Uint8Array): boolean;
  flashErase(page: number): void;
  /** The counter, or null where the board has none. */
  counterRead(): bigint | null;
  counterRaise(): bigint | null;
  deviceKey(label: Uint8Array): Uint8Array;
  step(number: number): void;
}

/** The image gave up: a failed assertion, or a range outside its memory. */
export class Panic extends Error {
  override readonly name = "Panic";
  readonly line: number;
  readonly column: number;

  constructor(message: string, line = 0, column = 0) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** Memory and mutable globals between two events: all that an instance is. */
export interface InstanceSnapshot {
  memory: Uint8Array;
  globals: (number | bigint)[];
}

type Function = (...values: number[]) => number;

export class ModuleInstance {
  private readonly exports: Record<string, WebAssembly.ExportValue>;
  private readonly memory: WebAssembly.Memory;
  private readonly globals: WebAssembly.Global[];

  /** Instantiates the image; `_initialize` sets up its runtime and calls nothing of the board. */
  constructor(image: FirmwareImage, ports: ModulePorts) {
    const imports = this.importsFor(ports) as Record<string, WebAssembly.ImportValue>;
    this.exports = new WebAssembly.Instance(image.module, { board: imports }).exports;
    this.memory = this.exports.memory as WebAssembly.Memory;
    this.globals = image.globals.map((name) => this.exports[name] as WebAssembly.Global);
    this.call("_initialize");
  }

  /** Starts the firmware; gives the milliseconds to its next deadline, -1 for none. */
  boot(): number {
    return this.call("boot");
  }

  tick(): number {
    return this.call("tick");
  }

  /** True if a message with its port byte fits the image's inbox. */
  takes(length: number): boolean {
    return length <= this.call("inboxSize");
  }

  /** Hands over one message: inbox[0] is the port; the length counts the port byte. */
  receive(port: number, body: Uint8Array): number {
    const inbox = this.view(this.call("inbox"), body.length + 1, "inbox");
    inbox[0] = port;
    inbox.set(body, 1);
    return this.call("receive", inbox.length);
  }

  snapshot(): InstanceSnapshot {
    return {
      memory: new Uint8Array(this.memory.buffer).slice(),
      globals: this.globals.map((global) => global.value),
    };
  }

  restore(snapshot: InstanceSnapshot): void {
    new Uint8Array(this.memory.buffer).set(snapshot.memory);
    for (const [index, value] of snapshot.globals.entries()) this.globals[index]!.value = value;
  }

  private call(name: string, ...values: number[]): number {
    return (this.exports[name] as Function)(...values);
  }

  /** A range of the image's memory; a range outside is a defect of the image. */
  private view(pointer: number, length: number, what: string): Uint8Array {
    const from = pointer >>> 0;
    if (length < 0 || from + length > this.memory.buffer.byteLength) {
      throw new Panic(`${what}: bytes ${from} to ${from + length} are outside the memory`);
    }
    return new Uint8Array(this.memory.buffer, from, length);
  }

  /** As `view`, for lengths with limits of their own. */
  private limited(pointer: number, length: number, limit: number, what: string): Uint8Array {
    if (length < 1 || length > limit) {
      throw new Panic(`${what}: the length ${length} is not between 1 and ${limit}`);
    }
    return this.view(pointer, length, what);
  }

  private importsFor(ports: ModulePorts) {
    return {
      send: (port: number, pointer: number, length: number): void => {
        if (port < 0 || port > LARGEST_PORT) throw new Panic(`send: there is no port ${port}`);
        ports.send(port, this.limited(pointer, length, SEND_LIMIT, "send").slice());
      },
      random: (pointer: number, length: number): number =>
        ports.random(this.limited(pointer, length, RANDOM_LIMIT, "random")) ? 0 : -1,
      clock: (): bigint => BigInt(Math.floor(ports.clock())),
      flashRead: (offset: number, pointer: number, length: number): number =>
        ports.flashRead(offset >>> 0, this.view(pointer, length, "flashRead")) ? 0 : -1,
      flashWrite: (offset: number, pointer: number, length: number): number => {
        const bytes = this.view(pointer, length, "flashWrite");
        return ports.flashWrite(offset >>> 0, bytes.slice()) ? 0 : -1;
      },
      flashErase: (page: number): number => {
        if (page >>> 0 >= FLASH_SIZE / FLASH_PAGE_SIZE) return -1;
        ports.flashErase(page);
        return 0;
      },
      counterRead: (): bigint => ports.counterRead() ?? -1n,
      counterRaise: (): bigint => ports.counterRaise() ?? -1n,
      deviceKey: (label: number, labelLength: number, output: number): number => {
        const key = this.view(output, KEY_SIZE, "deviceKey");
        if (labelLength < 1 || labelLength > LABEL_LIMIT) return -1;
        key.set(ports.deviceKey(this.view(label, labelLength, "deviceKey").slice()));
        return 0;
      },
      panic: (line: number, column: number): never => {
        throw new Panic(`an assertion failed at line ${line}, column ${column}`, line, column);
      },
      stepReached: (step: number): void => ports.step(step),
    };
  }
}
