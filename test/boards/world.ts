// SPDX-License-Identifier: Apache-2.0
// Two persons who pay one another, a teller and a generator, with real time: the persons' agents
// and modules on emulated boards or on simulated ones, all else simulated. One seed for both kinds.
import type { BoardSlots } from "../../host/device/boardProgram.ts";
import { openDevice } from "../../host/device/device.ts";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { peerPair } from "../../host/device/peer.ts";
import type { Target, TransactionDevice } from "../../host/device/types.ts";
import { systemClock } from "../../host/link/clock.ts";
import { openReplugTransport } from "../../host/link/replugTransport.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { BOARD, boardDirectory, seededBoard, simulatedTwin } from "./emulated.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { id, TestAgency } from "../../host/torture/testAgency.ts";
import { Tap } from "./tap.ts";

export const ABORTED = 1;
export const COMMITTED = 2;
export const FUNDS_MINOR = 5_000;
const PATIENCE_MS = 60_000;
const PERSON: BoardSlots = { agent: "customer-agent", module: "transaction-module" };

/** A party's board, with its device open. */
export class Party {
  readonly tap: Tap;
  readonly device: TransactionDevice;
  readonly heard: unknown[][] = [];
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
      if (event.type === "message") this.heard.push(decodeCbor(event.body) as unknown[]);
    });
  }

  /** `emulator`: more words for the emulator, or null for a simulated board. */
  static async open(
    seed: string,
    slots: BoardSlots,
    emulator: string[] | null,
    boardName = BOARD,
  ): Promise<Party> {
    if (emulator === null) {
      const board = simulatedTwin(slots, seed);
      board.powerOn();
      return Party.on(board.connect(), null, async () => board.close());
    }
    const directory = boardDirectory();
    const board = await seededBoard(slots, directory.path, seed, emulator, boardName);
    await board.powerOn();
    const line = await openReplugTransport(() => board.openLine(), systemClock);
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

  /** [spendable, in doubt] in euro cents. */
  async balance(): Promise<[number, number]> {
    const [, rows] = (await this.ask("module", 80)) as [number, [string, number, number][]];
    const row = rows.find(([unit]) => unit === "EUR");
    return row === undefined ? [0, 0] : [row[1], row[2]];
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

/** Waits until it holds; rejects after a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

/** Payer with FUNDS_MINOR and payee, connected. */
export class BoardWorld {
  readonly payer: Party;
  readonly payee: Party;

  private constructor(payer: Party, payee: Party) {
    this.payer = payer;
    this.payee = payee;
  }

  /** `words`: more words for the emulator. */
  static async make(
    isEmulated: boolean,
    words: string[] = [],
    boardName = BOARD,
    engine: Pick<BoardSlots, "engine"> = {},
  ): Promise<BoardWorld> {
    const emulator = isEmulated ? words : null;
    const slots = { ...PERSON, ...engine };
    const payer = await Party.open("payer", slots, emulator, boardName);
    const payee = await Party.open("payee", slots, emulator, boardName);
    const agency = new TestAgency();
    for (const [party, letter] of [
      [payer, "P"],
      [payee, "Q"],
    ] as const) {
      const device = `device-${letter}`;
      await party.certify(agency, "agent", `agent-${letter}`, Role.CUSTOMER, device);
      await party.certify(agency, "module", `modul-${letter}`, Role.TRANSACTION, device);
      await party.ask("agent", 5);
    }
    await fund(payer, agency);
    const world = new BoardWorld(payer, payee);
    world.connect();
    return world;
  }

  /** Brings the two devices together anew. */
  connect(): void {
    for (const { device } of [this.payer, this.payee]) device.disconnect();
    connect(this.payer, this.payee);
  }

  /** Pays and waits for the payer's outcome. */
  async pay(command: Uint8Array, amountMinor: number): Promise<void> {
    this.payer.tell("agent", 60, command, amountMinor, "EUR");
    await until("the payment's outcome", () => isFinal(this.payer.stateOf(command)));
  }

  /** Waits until nothing has crossed the lines for half a second. */
  async settle(): Promise<void> {
    const count = () => this.payer.tap.messages.length + this.payee.tap.messages.length;
    for (let before = -1; before !== count(); ) {
      before = count();
      await new Promise((wake) => setTimeout(wake, 500));
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.payer.close(), this.payee.close()]);
  }
}

function connect(a: Party, b: Party): void {
  const [left, right] = peerPair("a", "b");
  a.device.accept(left);
  b.device.accept(right);
}

/** A bank that grants and notes everything gives the payer its funds, and closes. */
export async function fund(payer: Party, agency: TestAgency): Promise<void> {
  const teller = await Party.open("teller", { module: "teller-module" }, null);
  const generator = await Party.open("generator", { module: "generator-module" }, null);
  for (const [party, name, role] of [
    [teller, "modul-T", Role.TELLER],
    [generator, "modul-G", Role.GENERATOR],
  ] as const) {
    await party.certify(agency, "module", name, role, name);
    party.device.onEvent((event) => {
      if (event.type !== "message") return;
      const [number, first, second] = decodeCbor(event.body) as unknown[];
      if (number === 82) party.tell("module", 83, second, true);
      if (number === 84) party.tell("module", 85, first);
    });
  }
  connect(teller, generator);
  teller.tell("module", 81, filled(1), 2, FUNDS_MINOR, "EUR", null);
  await until("the teller's funds", () => teller.stateOf(filled(1)) === COMMITTED);
  teller.device.disconnect();
  connect(payer, teller);
  payer.tell("module", 81, filled(2), 1, FUNDS_MINOR, "EUR", "12345678");
  await until("the withdrawal", () => payer.stateOf(filled(2)) === COMMITTED);
  payer.device.disconnect();
  await Promise.all([teller.close(), generator.close()]);
}
