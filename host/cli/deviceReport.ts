// SPDX-License-Identifier: Apache-2.0
// florin device list and info: the ports of this computer, and what a board tells of itself in SYNC
// and STATUS (docs/link.md).
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
import { type BoardInformation, Channel, LINK_VERSION } from "../link/protocol.ts";
import { projectFile } from "../projectFile.ts";
import { BoardRequest, decodeStatus, type ModuleStatus } from "../simulator/management.ts";
import { openPort, type PortOptions } from "./devicePort.ts";

/** How long a board that is synchronised may take to tell its status. */
const STATUS_TIMEOUT_MS = 5000;

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
  modules: {
    half: "agent" | "module";
    image: string;
    /** SHA-256 of the image. */
    hash: string;
    /** True if SHA256SUMS announces this image. */
    isRelease: boolean;
    isStopped: boolean;
    starts: number;
    failures: number;
    /** Source position of the last failed assertion; null for none. */
    lastFailure: { line: number; column: number } | null;
  }[];
  /** Erasures of the most worn page; null where the board does not tell. */
  flashWear: number | null;
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
      const board = await link.open();
      return reportOf(options.port, board, await askStatus(link));
    } finally {
      link.close();
    }
  } finally {
    await port.close();
  }
}

function askStatus(link: LinkClient): Promise<ModuleStatus[]> {
  return new Promise((resolve, reject) => {
    const timer = systemClock.after(STATUS_TIMEOUT_MS, () =>
      fail(`it told nothing in ${STATUS_TIMEOUT_MS} ms`),
    );
    const fail = (reason: string): void => {
      timer.cancel();
      reject(new Error(`The board does not tell its status: ${reason}.`));
    };
    link.onMessage((channel, id, body) => {
      if (channel !== Channel.BOARD || id !== asked) return;
      timer.cancel();
      const status = decodeStatus(body);
      if (status === null) fail("its answer is malformed");
      else resolve(status);
    });
    link.onEvent((event) => {
      if (event.type === "down") fail(event.reason);
      else if (event.type === "error" && event.id === asked) fail(`it answers ERROR ${event.code}`);
    });
    const asked = link.newRequestId();
    link.send(Channel.BOARD, Uint8Array.of(BoardRequest.STATUS), asked);
  });
}

function reportOf(port: string, board: BoardInformation, status: ModuleStatus[]): DeviceReport {
  const announced = announcedHashes();
  const modules = board.modules.map(({ channel, imageHash, imageName, starts }) => {
    const hash = Buffer.from(imageHash).toString("hex");
    const told = status.find((candidate) => candidate.channel === channel);
    const { line = 0, column = 0 } = told ?? {};
    return {
      half: channel === Channel.AGENT ? ("agent" as const) : ("module" as const),
      image: imageName,
      hash,
      isRelease: announced.get(hash) === imageName,
      isStopped: told?.isStopped ?? false,
      starts: told?.starts ?? starts,
      failures: told?.panics ?? 0,
      lastFailure: line === 0 ? null : { line, column },
    };
  });
  const { boardName, bootCounter, isSimulated, messageLimit } = board;
  const linkVersion = LINK_VERSION;
  // Link version 1 has no field for wear.
  const flashWear = null;
  const own = { board: boardName, isSimulated, bootCounter, linkVersion, messageLimit };
  return { port, ...own, modules, flashWear };
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
  const { board, bootCounter, flashWear, isSimulated, linkVersion, messageLimit } = report;
  const kind = isSimulated ? " (simulated: no money that others should take)" : "";
  return [
    `board         ${board}${kind}`,
    `boot counter  ${bootCounter}`,
    `link          version ${linkVersion}, messages up to ${messageLimit} bytes`,
    `flash wear    ${flashWear ?? "not told by this board"}`,
    ...report.modules.flatMap((module) => {
      const { failures, half, hash, image, isRelease, isStopped, lastFailure, starts } = module;
      const at = lastFailure === null ? "" : `, last at ${lastFailure.line}:${lastFailure.column}`;
      const state = isStopped ? "stopped" : "running";
      return [
        `${half.padEnd(12)}  ${image}, ${isRelease ? "as SHA256SUMS announces" : "not in SHA256SUMS"}`,
        `${" ".repeat(14)}${hash}`,
        `${" ".repeat(14)}${state}; starts ${starts}, failures ${failures}${at}`,
      ];
    }),
  ];
}
