// SPDX-License-Identifier: Apache-2.0
// One party of a test with boards: an emulated or a simulated board, the device that its owner has
// opened on it, and the owner's host.
import type { BoardSlots } from "../../host/device/boardProgram.ts";
import { openDevice } from "../../host/device/device.ts";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { peerPair } from "../../host/device/peer.ts";
import type { Target, TransactionDevice } from "../../host/device/types.ts";
import { systemClock } from "../../host/link/clock.ts";
import { openReplugTransport } from "../../host/link/replugTransport.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { filled, type Host } from "../../host/torture/agentWorld.ts";
import { id, type TestAgency } from "../../host/torture/testAgency.ts";
import type { SimulatedBoard } from "../../host/simulator/board.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import type { Role } from "../../host/trust/certificates.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { BOARD, boardDirectory, seededBoard, simulatedTwin } from "./emulated.ts";
import { Tap } from "./tap.ts";

/** Payment-states (docs/protocol.cddl section 8). */
export const ABORTED = 1;
export const COMMITTED = 2;
export const RUNNING = 4;
/** Longer than a loaded machine takes for anything: a defect is waited for, never a speed. */
export const PATIENCE_MS = 180_000;

/** How a party's board is made. */
export interface PartyOptions {
  /** More words for the emulator; null for a simulated board. */
  emulator: string[] | null;
  /** The simulated board, where it is there already. */
  simulated?: SimulatedBoard;
  board?: string;
  /** Opens an emulated board's line, behind the tap; as the board is if absent. */
  openLine?: (board: EmulatedBoard) => Promise<ByteTransport>;
}

/** A party's board, with its device open. */
export class Party {
  readonly tap: Tap;
  readonly device: TransactionDevice;
  /** All that agent and module told the host. */
  readonly heard: unknown[][] = [];
  /** What the host does with a message: commands to give in return. */
  host: Host = () => [];
  /** Null for a simulated board. */
  readonly emulated: EmulatedBoard | null;
  /** Where an emulated board has its files. */
  directory = "";
  private readonly end: () => Promise<void>;

  private constructor(
    tap: Tap,
    device: TransactionDevice,
    emulated: EmulatedBoard | null,
    end: () => Promise<void>,
  ) {
    this.tap = tap;
    this.device = device;
    this.emulated = emulated;
    this.end = end;
    device.onEvent((event) => {
      if (event.type !== "message") return;
      const message = decodeCbor(event.body) as unknown[];
      this.heard.push(message);
      for (const command of this.host(message, event.target)) this.tell(event.target, ...command);
    });
  }

  static async open(seed: string, slots: BoardSlots, options: PartyOptions): Promise<Party> {
    const openLine = options.openLine ?? ((board: EmulatedBoard) => board.openLine());
    if (options.emulator === null) {
      const board = options.simulated ?? simulatedTwin(slots, seed);
      board.powerOn();
      return Party.on(board.connect(), null, async () => board.close());
    }
    const directory = boardDirectory();
    const boardName = options.board ?? BOARD;
    const board = await seededBoard(slots, directory.path, seed, options.emulator, boardName);
    await board.powerOn();
    const line = await openReplugTransport(() => openLine(board), systemClock);
    const party = await Party.on(line, board, async () => {
      await board.powerOff();
      directory.remove();
    });
    party.directory = directory.path;
    return party;
  }

  async ask(target: Target, ...command: unknown[]): Promise<unknown[]> {
    return decodeCbor(await this.device.command(target, encodeCbor(command))) as unknown[];
  }

  tell(target: Target, ...command: unknown[]): void {
    this.device.send(target, encodeCbor(command));
  }

  async certify(agency: TestAgency, target: Target, name: string, role: Role, device: string) {
    const [, signing, sealing] = (await this.ask(target, 2)) as [number, Uint8Array, Uint8Array];
    const nothing = new Uint8Array(0);
    await this.ask(
      target,
      3,
      sealToKey(sealing, "florin/possession", nothing, filled(9, 32), filled(8, 32)),
    );
    const claims = { ...agency.claims(name, role, { signing, sealing }), device: id(device) };
    const roots = [agency.agentRoot, agency.moduleRoot].map((root) => [root.id, root.key]);
    const answer = await this.ask(target, 4, decodeCbor(agency.chain(claims)), ...roots);
    if (answer[0] !== 4) throw new Error(`${name} does not take its chain: ${String(answer)}.`);
  }

  /** [spendable, in doubt or promised] in minor units. */
  async balance(unit = "EUR"): Promise<[number, number]> {
    const [, rows] = (await this.ask("module", 80)) as [
      number,
      [string, number, number, number, number][],
    ];
    const row = rows.find(([name]) => name === unit);
    return row === undefined ? [0, 0] : [row[1] + row[3], row[2] + row[4]];
  }

  /** Outcome of a command that the host was told last; 0 for no word. */
  stateOf(command: Uint8Array): number {
    const told = this.heard.filter(
      ([number, of]) => number === 29 && Buffer.compare(of as Uint8Array, command) === 0,
    );
    return (told.at(-1)?.[2] as number | undefined) ?? 0;
  }

  async close(): Promise<void> {
    this.device.close();
    await this.end();
  }

  private static async on(
    line: ByteTransport,
    emulated: EmulatedBoard | null,
    end: () => Promise<void>,
  ): Promise<Party> {
    const tap = new Tap(line);
    const nonce = new Uint8Array(8).fill(3);
    const device = await openDevice({ transport: tap, clock: systemClock, nonce });
    return new Party(tap, device, emulated, end);
  }
}

/** True for an outcome that stays. */
export const isFinal = (state: number): boolean => state === ABORTED || state === COMMITTED;

/** Waits until it holds; rejects when that takes too long. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

/** Joins two devices by a connection. */
export function connect(a: Party, b: Party): void {
  const [left, right] = peerPair("a", "b");
  a.device.accept(left);
  b.device.accept(right);
}
