// SPDX-License-Identifier: Apache-2.0
// One transaction device of an economy: a simulated board with the release images, its host, and a
// WebSocket endpoint where other devices reach it (Figs. 3 and 5).
import { readFileSync } from "node:fs";
import { listenForPeers, type PeerListener } from "../device/communications.ts";
import { openDevice } from "../device/device.ts";
import type { TransactionDevice } from "../device/types.ts";
import type { Clock } from "../link/clock.ts";
import type { LinkStatistics } from "../link/protocol.ts";
import { projectFile } from "../projectFile.ts";
import { buildRelease } from "../trust/releaseSigner.ts";
import type { BoardMaker, PartyBoard } from "./partyBoard.ts";
import { SimulatedBoard } from "../simulator/board.ts";
import type {
  BoardObserver,
  BoardStatistics,
  BoardStorage,
  ImageDescription,
  RandomSource,
} from "../simulator/types.ts";

/** Names of the images in build/firmware. */
export type ImageName =
  | "customer-agent"
  | "merchant-agent"
  | "authority-agent"
  | "transaction-module"
  | "teller-module"
  | "generator-module";

export interface PartyDeviceOptions {
  /** Unique in the economy, such as "Alice" or "First Bank teller". */
  name: string;
  agent?: ImageName;
  module?: ImageName;
  /** 32 bytes that the board's device keys are derived from. */
  secret: Uint8Array;
  random: RandomSource;
  clock: Clock;
  storage?: BoardStorage;
  observer?: BoardObserver;
  /** Makes the board; a simulated one if absent. */
  boardMaker?: BoardMaker;
  /** True to run the traced images. */
  isTraced: boolean;
}

/** A running device. */
export interface PartyDevice {
  name: string;
  device: TransactionDevice;
  /** Where other devices connect to. */
  url: string;
  /** As the host's end of the link counts. */
  linkStatistics(): LinkStatistics;
  /** Null for a board that is not simulated. */
  boardStatistics: BoardStatistics | null;
  close(): Promise<void>;
}

/** Everything of an economy listens on this machine alone. */
export const LOCAL_HOST = "127.0.0.1";

const imageCache = new Map<string, ImageDescription>();

/**
 * Reads one firmware image of the build.
 * @throws {Error} when it was not built
 */
export function firmwareImage(name: ImageName, isTraced: boolean): ImageDescription {
  const path = `build/firmware/${isTraced ? "traced/" : ""}${name}.wasm`;
  const cached = imageCache.get(path);
  if (cached !== undefined) return cached;
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(projectFile(path)));
  } catch {
    const option = isTraced ? " -- --traced" : "";
    throw new Error(
      `the firmware image ${name} is not built; run \`npm run build${option}\` first`,
    );
  }
  const image: ImageDescription = { bytes, name, ...buildRelease() };
  imageCache.set(path, image);
  return image;
}

/** Makes a board, switches it on, opens its link and listens for other devices. */
export async function makePartyDevice(options: PartyDeviceOptions): Promise<PartyDevice> {
  const { agent, module, boardMaker, clock, name } = options;
  const slots = { ...(agent ? { agent } : {}), ...(module ? { module } : {}) };
  const board = boardMaker
    ? await boardMaker(slots, options.secret, clock)
    : simulatedBoard(options);
  const { transport } = board;
  const device = await openDevice({ transport, clock, owner: `${name} host` });
  const listener: PeerListener = await listenForPeers({ host: LOCAL_HOST, port: 0 }, (peer) => {
    device.accept(peer);
  });
  return {
    name,
    device,
    url: `ws://${LOCAL_HOST}:${listener.port}`,
    linkStatistics: () => device.statistics().link,
    boardStatistics: board.statistics ?? null,
    close: async () => {
      await listener.close();
      device.close();
      await board.close();
    },
  };
}

function simulatedBoard(options: PartyDeviceOptions): PartyBoard {
  const { agent, module, isTraced, storage, observer, clock } = options;
  const board = new SimulatedBoard({
    name: "simulator",
    secret: options.secret,
    random: options.random,
    clock,
    ...(agent === undefined ? {} : { agent: firmwareImage(agent, isTraced) }),
    ...(module === undefined ? {} : { module: firmwareImage(module, isTraced) }),
    ...(storage === undefined ? {} : { storage }),
    ...(observer === undefined ? {} : { observer }),
  });
  const transport = board.connect();
  board.powerOn();
  return {
    transport,
    statistics: board.statistics,
    close: async () => {
      board.close();
      if (storage !== undefined && "close" in storage) (storage.close as () => void)();
    },
  };
}
