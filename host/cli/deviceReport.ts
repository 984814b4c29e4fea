// SPDX-License-Identifier: Apache-2.0
// florin device list and info: the ports of this computer, and what a board tells of itself and
// signs (docs/link.md, "Channel 1").
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SerialPort } from "serialport";
import {
  describeEmulated,
  emulatedBoardNames,
  missingPrograms,
} from "../device/boardDescription.ts";
import { systemClock } from "../link/clock.ts";
import { LinkClient } from "../link/linkClient.ts";
import { Channel, LINK_VERSION } from "../link/protocol.ts";
import { projectFile } from "../projectFile.ts";
import { type BoardIdentity, verifyIdentity } from "../simulator/boardIdentity.ts";
import {
  BoardRequest,
  decodeStatus,
  decodeWear,
  type ModuleStatus,
  type ModuleWear,
} from "../simulator/management.ts";
import { type Closure, closureOf, closureSentence } from "../application/closedModule.ts";
import { askBoard, askHalf } from "../device/boardRequests.ts";
import type { Target } from "../device/types.ts";
import { openPort, type PortOptions } from "./devicePort.ts";

export interface PortList {
  serialPorts: { port: string; maker: string | null; serialNumber: string | null }[];
  emulatedBoards: { port: string; slots: number; missing: string[]; packages: string }[];
  /** Boards that this computer played before, in the directory. */
  keptBoards: { name: string; images: string[] }[];
}

export interface DeviceReport {
  port: string;
  board: string;
  isSimulated: boolean;
  bootCounter: number;
  linkVersion: number;
  /** Most bytes of one message. */
  messageLimit: number;
  /** Ed25519 public key of the board, which signed all of this but state and wear. */
  boardKey: string;
  modules: {
    half: "agent" | "module";
    image: string;
    version: number;
    /** SHA-256 of the image. */
    hash: string;
    /** True if SHA256SUMS announces this image. */
    isRelease: boolean;
    isStopped: boolean;
    /** Why it does not open its journal; null where it does. */
    closure: Closure | null;
    /** A newer image ran here: this one is not started. */
    isOutdated: boolean;
    starts: number;
    failures: number;
    /** Source position of the last failed assertion; null for none. */
    lastFailure: { line: number; column: number } | null;
    /** Erasures of its flash: of all pages, and of the one erased most; null where not counted. */
    flashWear: { total: number; most: number } | null;
  }[];
  /** Public key of the signer whose images the board takes. */
  signer: string;
}

/** Lists the ports that --port takes here. */
export async function listPorts(directory: string): Promise<PortList> {
  const emulatedBoards = emulatedBoardNames().map((name) => {
    const description = describeEmulated(name);
    const { packages, slots } = description;
    return { port: `qemu:${name}`, slots, missing: missingPrograms(description), packages };
  });
  const keptBoards = keptFolders(directory).map((name) => {
    const text = readFileSync(join(directory, name, "images.json"), "utf8");
    return { name, images: Object.values(JSON.parse(text) as Record<string, string>) };
  });
  return { serialPorts: await listSerialPorts(), emulatedBoards, keptBoards };
}

async function listSerialPorts(): Promise<PortList["serialPorts"]> {
  try {
    const found = await SerialPort.list();
    return found.map(({ path, manufacturer, serialNumber }) => {
      return { port: path, maker: manufacturer ?? null, serialNumber: serialNumber ?? null };
    });
  } catch (error) {
    // serialport asks udevadm on Linux, which small systems do without: then the names must do.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const names = readdirSync("/dev").filter((name) => /^tty(?:ACM|USB|AMA)\d+$/.test(name));
    return names.sort().map((name) => ({ port: `/dev/${name}`, maker: null, serialNumber: null }));
  }
}

function keptFolders(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .sort()
    .filter((name) => existsSync(join(directory, name, "images.json")));
}

/** Asks the board at a port what it is. */
export async function deviceReport(options: PortOptions): Promise<DeviceReport> {
  const port = await openPort(options);
  try {
    const link = new LinkClient({ transport: port.transport, clock: systemClock });
    try {
      await link.open();
      return await reportOver(link, options.port);
    } finally {
      link.close();
    }
  } finally {
    await port.close();
  }
}

/**
 * Asks the board of an open link what it is.
 * @throws {Error} where it does not answer, or not as itself
 */
export async function reportOver(link: LinkClient, port: string): Promise<DeviceReport> {
  const ask = (request: number): Promise<Uint8Array> =>
    askBoard(link, systemClock, Uint8Array.of(request));
  const status = decodeStatus(await ask(BoardRequest.STATUS));
  const wear = decodeWear(await ask(BoardRequest.WEAR));
  const identity = verifyIdentity(await ask(BoardRequest.IDENTITY), link.nonce);
  if (status === null || wear === null) throw new Error("The board's answer is malformed.");
  if (identity === null) {
    throw new Error("The board's signature of its identity is wrong: do not trust this board.");
  }
  const report = reportOf(port, identity, status, wear);
  for (const module of report.modules) {
    if (module.isStopped || module.isOutdated) continue;
    const device = {
      command: (half: Target, body: Uint8Array) => askHalf(link, systemClock, half, body),
    };
    module.closure = await closureOf(device, module.half);
  }
  return report;
}

function reportOf(
  port: string,
  { key, board, signer: signerKey }: BoardIdentity & { key: Uint8Array },
  status: ModuleStatus[],
  wear: ModuleWear[],
): DeviceReport {
  const announced = announcedHashes();
  const modules = board.modules.map(({ channel, imageHash, imageName, imageVersion, starts }) => {
    const hash = Buffer.from(imageHash).toString("hex");
    const told = status.find((candidate) => candidate.channel === channel);
    const { line = 0, column = 0 } = told ?? {};
    return {
      half: channel === Channel.AGENT ? ("agent" as const) : ("module" as const),
      image: imageName,
      version: imageVersion,
      hash,
      isRelease: announced.get(hash) === imageName,
      isStopped: told?.isStopped ?? false,
      closure: null,
      isOutdated: told?.isOutdated ?? false,
      starts: told?.starts ?? starts,
      failures: told?.panics ?? 0,
      lastFailure: line === 0 ? null : { line, column },
      flashWear: wear.find((candidate) => candidate.channel === channel)?.erasures ?? null,
    };
  });
  const { boardName, bootCounter, isSimulated, messageLimit } = board;
  const own = { board: boardName, isSimulated, bootCounter, linkVersion: LINK_VERSION };
  const boardKey = Buffer.from(key).toString("hex");
  const signer = Buffer.from(signerKey).toString("hex");
  return { port, ...own, messageLimit, boardKey, modules, signer };
}

/** Images by the hashes of SHA256SUMS. */
function announcedHashes(): Map<string, string> {
  const lines = readFileSync(projectFile("SHA256SUMS"), "utf8").trimEnd().split("\n");
  return new Map(
    lines.map((line) => {
      const [hash = "", file = ""] = line.split("  ");
      return [hash, file.replace(/^.*\//, "").replace(/\.wasm$/, "")];
    }),
  );
}

/** The list for people. */
export function portLines(list: PortList): string[] {
  const serial = list.serialPorts.map(({ port, maker, serialNumber }) =>
    [port, maker, serialNumber].filter((word) => word !== null).join("  "),
  );
  const emulated = list.emulatedBoards.map(({ port, missing, packages, slots }) => {
    const room = slots === 2 ? "an agent, a module or both" : "an agent or a module";
    const need =
      missing.length === 0 ? "" : `; needs ${missing.join(", ")}: apt-get install ${packages}`;
    return `${port}  ${room}${need}`;
  });
  const kept = list.keptBoards.map(({ name, images }) => `${name}  ${images.join(", ")}`);
  const block = (title: string, lines: string[]): string[] => [
    title,
    ...(lines.length === 0 ? ["  none"] : lines.map((line) => `  ${line}`)),
  ];
  return [
    ...block("Serial ports", serial),
    ...block("Emulated boards", emulated),
    ...block("Boards kept here (sim:NAME)", kept),
  ];
}

/** The report for people. */
export function deviceLines(report: DeviceReport): string[] {
  const { board, boardKey, bootCounter, isSimulated, linkVersion, messageLimit, signer } = report;
  const kind = isSimulated ? " (simulated: no money that others should take)" : "";
  return [
    `board         ${board}${kind}`,
    `board key     ${boardKey}`,
    `boot counter  ${bootCounter}`,
    `link          version ${linkVersion}, messages up to ${messageLimit} bytes`,
    `image signer  ${signer}`,
    ...report.modules.flatMap((module) => {
      const { failures, flashWear, half, hash, image, isRelease, lastFailure, starts } = module;
      const at = lastFailure === null ? "" : `, last at ${lastFailure.line}:${lastFailure.column}`;
      const announced = isRelease ? "as SHA256SUMS announces" : "not in SHA256SUMS";
      const wear =
        flashWear === null
          ? "not told by this board"
          : `${flashWear.total} erasures, ${flashWear.most} of the page erased most`;
      return [
        `${half.padEnd(12)}  ${image} version ${module.version}, ${announced}`,
        `${" ".repeat(14)}${hash}`,
        `${" ".repeat(14)}${stateOf(module)}; starts ${starts}, failures ${failures}${at}`,
        `${" ".repeat(14)}flash wear: ${wear}`,
      ];
    }),
  ];
}

function stateOf({
  closure,
  half,
  isOutdated,
  isStopped,
}: DeviceReport["modules"][number]): string {
  if (isOutdated) return "not started: a newer version ran here";
  if (closure !== null) return closureSentence("this board", { ...closure, half });
  return isStopped ? "stopped" : "running";
}
