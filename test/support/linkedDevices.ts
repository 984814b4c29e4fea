// SPDX-License-Identifier: Apache-2.0
// Two persons' devices as they are in a pocket: release images on simulated boards, real links,
// real hosts, a connection between them; and a middle man on one cable who sees every frame.
import { openDevice } from "../../host/device/device.ts";
import { peerPair } from "../../host/device/peer.ts";
import type { Target, TransactionDevice } from "../../host/device/types.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { firmwareImage } from "../../host/economy/partyDevice.ts";
import { SimulatedBoard } from "../../host/simulator/board.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { sealToKey } from "../../host/trust/hpke.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

/** Kind of an agent's log entry, and its state (docs/protocol.cddl section 8, command 9). */
const PAYMENT_RECEIVED = 3;
const COMMITTED = 2;

/** Frames that one end of the cable wrote in one go. */
export interface Chunk {
  toBoard: boolean;
  bytes: Uint8Array;
}

/** What becomes of a chunk; nothing is kept from the link's own repair. */
export type CableFault = (chunk: Chunk, cable: Cable) => Uint8Array[];

/** A cable with a middle man. */
export class Cable implements ByteTransport {
  fault: CableFault = ({ bytes }) => [bytes];
  /** All that was written since it was plugged in. */
  readonly log: Chunk[] = [];
  /** What is handed over behind the next chunk of the same direction. */
  private readonly held: Chunk[] = [];
  private readonly inner: ByteTransport;
  private receive: (bytes: Uint8Array) => void = () => {};

  constructor(inner: ByteTransport) {
    this.inner = inner;
    inner.onBytes((bytes) => this.pass({ toBoard: false, bytes }));
  }

  write(bytes: Uint8Array): void {
    this.pass({ toBoard: true, bytes: bytes.slice() });
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.receive = receive;
  }

  onClose(closed: (reason: string) => void): void {
    this.inner.onClose(closed);
  }

  close(): void {
    this.inner.close();
  }

  /** Keeps a chunk back until behind the next one of its direction. */
  hold(chunk: Chunk): void {
    this.held.push(chunk);
  }

  private pass(chunk: Chunk): void {
    this.log.push(chunk);
    const passed = this.fault(chunk, this);
    const due = this.held.filter((held) => held !== chunk && held.toBoard === chunk.toBoard);
    for (const held of due) this.held.splice(this.held.indexOf(held), 1);
    for (const bytes of [...passed, ...due.map((held) => held.bytes)]) {
      if (chunk.toBoard) this.inner.write(bytes);
      else this.receive(bytes);
    }
  }
}

/** A board, and the device that its owner has opened on it. */
class Party {
  readonly board: SimulatedBoard;
  cable!: Cable;
  device!: TransactionDevice;
  readonly heard: unknown[][] = [];
  private opened = 0;
  private readonly clock: VirtualClock;

  constructor(name: string, clock: VirtualClock, images: [string | null, string]) {
    this.clock = clock;
    const [agent, module] = images;
    this.board = new SimulatedBoard({
      name,
      secret: filled(name.length, 32),
      random: { kind: "seeded", seed: name },
      clock,
      ...(agent === null ? {} : { agent: firmwareImage(agent as "customer-agent", false) }),
      module: firmwareImage(module as "transaction-module", false),
    });
    this.board.powerOn();
  }

  /** Plugs a new cable in and opens the link. */
  async open(): Promise<void> {
    this.heard.length = 0;
    this.cable = new Cable(this.board.connect());
    this.device = await openDevice({
      transport: this.cable,
      clock: this.clock,
      // Each host's own, also after the board went back in time.
      nonce: new Uint8Array(new Uint32Array([++this.opened, 7]).buffer),
    });
    this.device.onEvent((event) => {
      if (event.type === "message") this.heard.push(decodeCbor(event.body) as unknown[]);
    });
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
    const box = sealToKey(sealing, "florin/possession", nothing, filled(9, 32), filled(8, 32));
    await this.ask(target, 3, box);
    const claims = { ...agency.claims(name, role, { signing, sealing }), device: id(device) };
    const { agentRoot, moduleRoot } = agency;
    const roots = [
      [agentRoot.id, agentRoot.key],
      [moduleRoot.id, moduleRoot.key],
    ];
    const answer = await this.ask(target, 4, decodeCbor(agency.chain(claims)), ...roots);
    if (answer[0] !== 4) throw new Error(`${name} does not take its chain: ${String(answer)}.`);
  }

  /** [spendable, in doubt] of a unit. */
  async balance(): Promise<[number, number]> {
    const [, rows] = (await this.ask("module", 80)) as [number, [string, number, number][]];
    const row = rows.find(([unit]) => unit === "EUR");
    return row === undefined ? [0, 0] : [row[1], row[2]];
  }

  /** Sum of the payments received by the agent's log. */
  async received(): Promise<number> {
    let sum = 0;
    for (let cursor: unknown = 0; cursor !== null; ) {
      const [, next, bytes] = await this.ask("agent", 9, cursor);
      if (!(bytes instanceof Uint8Array)) break;
      const entry = decodeCbor(bytes) as unknown[];
      if (entry[2] === PAYMENT_RECEIVED && entry[3] === COMMITTED) sum += entry[8] as number;
      cursor = next;
    }
    return sum;
  }

  /** State of the command by what the agent told last; 0 for no word. */
  stateOf(command: Uint8Array): number {
    const told = this.heard.filter(
      ([number, of]) => number === 29 && Buffer.compare(of as Uint8Array, command) === 0,
    );
    return (told.at(-1)?.[2] as number | undefined) ?? 0;
  }
}

/** Payer with 50.00, payee, and the world at rest: to be gone back to with `rewind`. */
export class LinkedDevices {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly payer: Party;
  readonly payee: Party;
  private rest: (() => void) | null = null;

  private constructor() {
    this.payer = new Party("payer", this.clock, ["customer-agent", "transaction-module"]);
    this.payee = new Party("the payee", this.clock, ["customer-agent", "transaction-module"]);
  }

  static async make(): Promise<LinkedDevices> {
    const world = new LinkedDevices();
    const { payer, payee, clock } = world;
    const agency = new TestAgency();
    for (const [party, letter] of [
      [payer, "P"],
      [payee, "Q"],
    ] as const) {
      await party.open();
      await party.certify(agency, "agent", `agent-${letter}`, Role.CUSTOMER, `device-${letter}`);
      await party.certify(
        agency,
        "module",
        `modul-${letter}`,
        Role.TRANSACTION,
        `device-${letter}`,
      );
      await party.ask("agent", 5);
    }
    const teller = new Party("a teller", clock, [null, "teller-module"]);
    const generator = new Party("the generator", clock, [null, "generator-module"]);
    const bank = [
      [teller, "modul-T", Role.TELLER],
      [generator, "modul-G", Role.GENERATOR],
    ] as const;
    for (const [party, name, role] of bank) {
      await party.open();
      await party.certify(agency, "module", name, role, name);
      party.device.onEvent((event) => {
        if (event.type !== "message") return;
        const [number, first, second] = decodeCbor(event.body) as unknown[];
        if (number === 82) party.tell("module", 83, second, true);
        if (number === 84) party.tell("module", 85, first);
      });
    }
    world.connect(teller, generator);
    teller.tell("module", 81, filled(1), 2, 5_000, "EUR", null);
    clock.advance(10_000);
    teller.device.disconnect();
    world.connect(payer, teller);
    payer.tell("module", 81, filled(2), 1, 5_000, "EUR", "12345678");
    clock.advance(10_000);
    for (const party of [payer, payee, teller, generator]) party.device.close();
    for (const { board } of [teller, generator]) board.close();
    clock.advance(1_000);
    const boards = [payer.board.snapshot(), payee.board.snapshot()] as const;
    const time = clock.snapshot();
    world.rest = () => {
      clock.restore(time);
      payer.board.restore(boards[0]);
      payee.board.restore(boards[1]);
    };
    return world;
  }

  /** Back to the world at rest, with new cables and a new connection. */
  async rewind(): Promise<void> {
    for (const { device } of [this.payer, this.payee]) device.close();
    this.rest?.();
    for (const party of [this.payer, this.payee]) await party.open();
    this.connect(this.payer, this.payee);
  }

  pay(command: Uint8Array, amountMinor: number): void {
    this.payer.tell("agent", 60, command, amountMinor, "EUR");
  }

  private connect(a: Party, b: Party): void {
    const [left, right] = peerPair("a", "b");
    a.device.accept(left);
    b.device.accept(right);
  }
}
