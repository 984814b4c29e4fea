// SPDX-License-Identifier: Apache-2.0
// --port of florin device: a serial port, or a board that this computer plays, simulated or in an
// emulator. The latter two keep secret, flash and counters in a directory of the same form.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describeEmulated } from "../device/boardDescription.ts";
import { boardProgram } from "../device/boardProgram.ts";
import { EmulatedBoard } from "../device/emulatedBoard.ts";
import { firmwareImage, type ImageName } from "../economy/partyDevice.ts";
import { systemClock } from "../link/clock.ts";
import { openReplugTransport } from "../link/replugTransport.ts";
import { openSerialTransport } from "../link/serialTransport.ts";
import type { ByteTransport } from "../link/transport.ts";
import { type DirectoryLock, lockDirectory } from "../network/store/lockFile.ts";
import { SimulatedBoard } from "../simulator/board.ts";
import { fileStorage } from "../simulator/storage.ts";
import { writeWholeFile } from "../wholeFile.ts";
import { CommandFailure, progress } from "./output.ts";

/** Images of a board that this computer plays. */
export interface Slots {
  agent?: ImageName;
  module?: ImageName;
}

export interface PortOptions extends Slots {
  port: string;
  /** Directory with a folder for each board that this computer plays. */
  dir: string;
}

/** A board's line, open; the board is on. */
export interface OpenedPort {
  transport: ByteTransport;
  /** Registers the one listener told that the line ended by itself, and that it is back. */
  onInterruption(listener: (event: Interruption) => void): void;
  /** Closes the line, and switches off what this computer plays. */
  close(): Promise<void>;
}

export type Interruption =
  /** `isFinal` if nothing brings the line back. */
  { type: "ended"; reason: string; isFinal: boolean } | { type: "back" };

const SECRET_SIZE = 32;
const BOTH: Slots = { agent: "customer-agent", module: "transaction-module" };
const ONE: Slots = { module: "transaction-module" };

/**
 * Opens a port.
 * @throws {CommandFailure} for a port of no known form, and for images that the board cannot have
 * @throws {Error} with what to do, where the port cannot be opened
 */
export async function openPort(options: PortOptions): Promise<OpenedPort> {
  const { port } = options;
  const [kind = "", name = ""] = port.split(/:(.*)/s);
  if (kind === "sim" && /^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) return openSimulated(name, options);
  if (kind === "qemu" && name !== "") return openEmulated(name, options);
  if (/^(?:\/|COM\d+$)/.test(port)) {
    if (options.agent === undefined && options.module === undefined) return openSerial(port);
    throw new CommandFailure(`the board at ${port} has its images: leave out --agent and --module`);
  }
  throw new CommandFailure(
    `--port takes sim:NAME, qemu:BOARD or a serial port such as /dev/ttyACM0, not "${port}"`,
  );
}

async function openSerial(path: string): Promise<OpenedPort> {
  const interruptions = new Interruptions();
  let isFirst = true;
  const open = async (): Promise<ByteTransport> => {
    const line = await openSerialTransport(path);
    if (!isFirst) interruptions.tell({ type: "back" });
    isFirst = false;
    return interruptions.watch(line, false);
  };
  const transport = await openReplugTransport(open, systemClock);
  return interruptions.port(transport, async () => transport.close());
}

async function openSimulated(name: string, options: PortOptions): Promise<OpenedPort> {
  const { directory, lock, secret } = openDirectory(name, options.dir);
  try {
    const slots = keptSlots(directory, options, 2);
    const storage = fileStorage(directory);
    const board = new SimulatedBoard({
      secret,
      random: { kind: "system" },
      clock: systemClock,
      storage,
      ...(slots.agent ? { agent: firmwareImage(slots.agent, false) } : {}),
      ...(slots.module ? { module: firmwareImage(slots.module, false) } : {}),
    });
    const transport = board.connect();
    board.powerOn();
    return new Interruptions().port(transport, async () => {
      board.close();
      storage.close();
      lock.release();
    });
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openEmulated(board: string, options: PortOptions): Promise<OpenedPort> {
  const description = describeEmulated(board);
  const { directory, lock } = openDirectory(board, options.dir);
  let emulated: EmulatedBoard | undefined;
  const close = async (): Promise<void> => {
    await emulated?.powerOff();
    lock.release();
  };
  try {
    const slots = keptSlots(directory, options, description.slots);
    progress(`building the program of ${board} where it is not up to date`);
    const program = await boardProgram(board, { ...slots });
    const running = new EmulatedBoard({ board, program, directory });
    emulated = running;
    await running.powerOn();
    const interruptions = new Interruptions();
    const line = interruptions.watch(await running.openLine(), true, () => running.output);
    return interruptions.port(line, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** The folder of a board, made with a random secret if absent, for this process alone. */
function openDirectory(name: string, parent: string) {
  const directory = join(parent, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock: DirectoryLock = lockDirectory(directory);
  const path = join(directory, "secret");
  if (!existsSync(path)) writeWholeFile(path, randomBytes(SECRET_SIZE));
  return { directory, lock, secret: new Uint8Array(readFileSync(path)) };
}

/** The images that a board began with: its keys and its flash belong to them. */
function keptSlots(directory: string, { agent, module }: Slots, room: 1 | 2): Slots {
  const path = join(directory, "images.json");
  const asked: Slots = { ...(agent ? { agent } : {}), ...(module ? { module } : {}) };
  const isAsked = Object.keys(asked).length > 0;
  const isKept = existsSync(path);
  const usual = room === 2 ? BOTH : ONE;
  const first = isAsked ? asked : usual;
  const slots = isKept ? (JSON.parse(readFileSync(path, "utf8")) as Slots) : first;
  if (isAsked && (slots.agent !== agent || slots.module !== module)) {
    const images = Object.values(slots).join(" and ");
    throw new CommandFailure(
      `the board in ${directory} has ${images}; choose another board or --dir`,
    );
  }
  if (Object.keys(slots).length > room) {
    throw new CommandFailure("this board has room for one image: --agent or --module, not both");
  }
  if (!isKept) writeWholeFile(path, `${JSON.stringify(slots)}\n`);
  return slots;
}

/** Tells one listener how a line comes and goes. */
class Interruptions {
  private listener: (event: Interruption) => void = () => {};

  tell(event: Interruption): void {
    this.listener(event);
  }

  /** The same line, whose end is told here too; `words` is what else is known of the reason. */
  watch(line: ByteTransport, isFinal: boolean, words = (): string => ""): ByteTransport {
    return {
      write: (bytes) => line.write(bytes),
      onBytes: (receive) => line.onBytes(receive),
      onClose: (closed) =>
        line.onClose((cause) => {
          const reason = [cause, words().trim()].filter((text) => text !== "").join(": ");
          closed(reason);
          this.tell({ type: "ended", reason, isFinal });
        }),
      close: () => line.close(),
    };
  }

  port(transport: ByteTransport, close: () => Promise<void>): OpenedPort {
    const onInterruption = (listener: (event: Interruption) => void): void => {
      this.listener = listener;
    };
    return { transport, onInterruption, close };
  }
}
