// SPDX-License-Identifier: Apache-2.0
// The simulated board: the board contract (assembly/board.ts) in TypeScript, for one agent or money
// module or a pair of them, behind the same link as any board. All of it runs within the call that
// brings an event; its whole state can be copied and put back.
import {
  type BoardEnd,
  boardEndDeadlineMs,
  type BoardEndEffect,
  type BoardEndEvent,
  boardEndStep,
  newBoardEnd,
} from "../link/boardEnd.ts";
import type { Timer, Untimed } from "../link/clock.ts";
import { newLinkStatistics } from "../link/frame.ts";
import {
  type BoardInformation,
  Channel,
  LinkError,
  type LinkStatistics,
  MESSAGE_LIMIT,
  type ModuleChannel,
  Port,
} from "../link/protocol.ts";
import { type ByteTransport, inProcessPair } from "../link/transport.ts";
import { encodeIdentity } from "./boardIdentity.ts";
import { deriveBoardSeed } from "./deviceKey.ts";
import { loadImage } from "./image.ts";
import { answerManagement } from "./management.ts";
import {
  type ModuleSnapshot,
  type ModuleSurroundings,
  PowerCut,
  SimulatedModule,
} from "./simulatedModule.ts";
import { memoryStorage } from "./storage.ts";
import type {
  BoardOptions,
  BoardStatistics,
  BoardStorage,
  ImageDescription,
  ModuleStorage,
} from "./types.ts";

/** A whole board between two events. It refers to images by being restored to the same board. */
export interface BoardSnapshot {
  isOn: boolean;
  bootCounter: bigint;
  operations: number;
  isClockUnknown: boolean;
  isRandomDead: boolean;
  linkEnd: BoardEnd | null;
  modules: ModuleSnapshot[];
}

export class SimulatedBoard {
  /** Set to make `clock` tell -1, as a board does that lost the time. */
  isClockUnknown = false;
  /** Set to make `random` fail, as a source does that fails its health test. */
  isRandomDead = false;
  readonly statistics: BoardStatistics = {
    panics: 0,
    powerCuts: 0,
    flashBytesWritten: 0,
    pagesErased: 0,
    counterRaises: 0,
  };
  private readonly options: BoardOptions;
  private readonly storage: BoardStorage;
  private readonly modules: SimulatedModule[] = [];
  private linkEnd: BoardEnd | null = null;
  /** Bytes over all the times the board was on. */
  private readonly linkTotals: LinkStatistics = newLinkStatistics();
  private transport: ByteTransport | null = null;
  /** Bytes to leave when the present event is over. */
  private outgoing: Uint8Array[] = [];
  /** Work that came while an event was handled. */
  private readonly waiting: (() => void)[] = [];
  private isBusy = false;
  /** The request being handled, and by whom; 0 for none. */
  private current: { channel: number; id: number } = { channel: 0, id: 0 };
  private operations = 0;
  private bootCounter: bigint;
  private timer: Timer | null = null;

  /** Makes a board that is off. */
  constructor(options: BoardOptions) {
    if (options.secret.length !== 32) throw new Error("A board's secret has 32 bytes.");
    this.options = options;
    this.storage = options.storage ?? memoryStorage();
    this.bootCounter = this.storage.bootCounter.load();
    this.addModule(Channel.AGENT, options.agent, this.storage.agent);
    this.addModule(Channel.MODULE, options.module, this.storage.module);
    if (this.modules.length === 0) throw new Error("A board needs an agent, a module or both.");
  }

  get isOn(): boolean {
    return this.linkEnd !== null;
  }

  /** Plugs in a cable and gives the host's end of it; an earlier cable is pulled out. */
  connect(): ByteTransport {
    this.transport?.close();
    const [board, host] = inProcessPair();
    this.transport = board;
    board.onBytes((bytes) => this.event({ type: "bytes", bytes }));
    board.onClose(() => {
      if (this.transport === board) this.transport = null;
    });
    return host;
  }

  /** Switches the board on: the images start from their flash. */
  powerOn(): void {
    this.handle(() => {
      if (this.isOn) return;
      this.bootCounter += 1n;
      this.storage.bootCounter.store(this.bootCounter);
      this.linkEnd = newBoardEnd(this.information());
      this.linkEnd.statistics = this.linkTotals;
      this.options.observer?.power?.(true);
      for (const module of this.modules) module.powerOn();
      this.link({ type: "start" });
    });
  }

  /** Takes the power away. */
  powerOff(): void {
    this.handle(() => this.losePower());
  }

  /** Switches off for good and pulls the cable; the storage stays. */
  close(): void {
    this.powerOff();
    this.transport?.close();
  }

  /** Frames and bytes of the board's end, over all the times it was on. */
  linkStatistics(): LinkStatistics {
    return { ...this.linkTotals };
  }

  /** The flash window of one module as it reads now, for tests that look at or change it. */
  flashOf(channel: ModuleChannel): SimulatedModule["flash"] {
    const module = this.moduleOn(channel);
    if (module === undefined) throw new Error(`This board has nothing on channel ${channel}.`);
    return module.flash;
  }

  /** Copies the whole state. Not to be called from a callback of the board. */
  snapshot(): BoardSnapshot {
    return {
      isOn: this.isOn,
      bootCounter: this.bootCounter,
      operations: this.operations,
      isClockUnknown: this.isClockUnknown,
      isRandomDead: this.isRandomDead,
      linkEnd: structuredClone(this.linkEnd),
      modules: this.modules.map((module) => module.snapshot()),
    };
  }

  /** Goes back to a state that `snapshot` gave for a board with the same images and storage. */
  restore(snapshot: BoardSnapshot): void {
    this.bootCounter = snapshot.bootCounter;
    this.storage.bootCounter.store(this.bootCounter);
    this.operations = snapshot.operations;
    this.isClockUnknown = snapshot.isClockUnknown;
    this.isRandomDead = snapshot.isRandomDead;
    this.linkEnd = structuredClone(snapshot.linkEnd);
    if (this.linkEnd !== null) this.linkEnd.statistics = this.linkTotals;
    for (const [index, module] of this.modules.entries()) module.restore(snapshot.modules[index]!);
    this.arm();
  }

  private addModule(
    channel: ModuleChannel,
    description: ImageDescription | undefined,
    storage: ModuleStorage,
  ): void {
    if (description === undefined) return;
    const surroundings: ModuleSurroundings = {
      options: this.options,
      statistics: this.statistics,
      nextOperation: () => this.operations++,
      isRandomDead: () => this.isRandomDead,
      clock: () => (this.isClockUnknown ? -1 : this.options.clock.epochMs()),
      started: () => {
        if (this.linkEnd !== null) this.linkEnd.information = this.information();
      },
      send: (module, port, body) => this.moduleSends(module, port, body),
      failed: (module, isStopped) => this.moduleFailed(module, isStopped),
    };
    const image = loadImage(description);
    this.modules.push(new SimulatedModule(channel, image, storage, surroundings));
  }

  private moduleOn(channel: number): SimulatedModule | undefined {
    return this.modules.find((module) => module.channel === channel);
  }

  private information(): BoardInformation {
    return {
      isSimulated: true,
      bootCounter: Number(this.bootCounter & 0xffffffffn),
      messageLimit: MESSAGE_LIMIT,
      boardName: this.options.name ?? "simulator",
      modules: this.modules.map(({ channel, starts, image }) => ({
        channel,
        starts,
        imageVersion: image.version,
        imageHash: image.hash,
        imageName: image.name,
      })),
    };
  }

  /** Signed under the nonce of the link that asks, so that it is of now. */
  private identity(): Uint8Array {
    const nonce = this.linkEnd!.nonce!;
    const seed = deriveBoardSeed(this.options.secret);
    const signer = new Uint8Array(32);
    if (this.modules[0]!.image.signer.length === 32) signer.set(this.modules[0]!.image.signer);
    return encodeIdentity(seed, nonce, { signer, board: this.information() });
  }

  private event(event: { type: "bytes"; bytes: Uint8Array } | { type: "time" }): void {
    this.handle(() => this.link(event));
  }

  /** Runs one event to its end, then those that came meanwhile; then bytes leave, in order. */
  private handle(work: () => void): void {
    this.waiting.push(work);
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
        try {
          next();
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          this.statistics.powerCuts += 1;
          this.losePower();
        }
        const leaving = this.outgoing;
        this.outgoing = [];
        for (const bytes of leaving) this.transport?.write(bytes);
      }
    } finally {
      this.isBusy = false;
      this.arm();
    }
  }

  private losePower(): void {
    if (!this.isOn) return;
    this.linkEnd = null;
    for (const module of this.modules) module.powerOff();
    this.options.observer?.power?.(false);
  }

  private arm(): void {
    this.timer?.cancel();
    this.timer = null;
    if (this.linkEnd === null) return;
    const deadlines = this.modules.flatMap((module) => module.deadlineMs ?? []);
    const linkDeadlineMs = boardEndDeadlineMs(this.linkEnd);
    if (linkDeadlineMs !== null) deadlines.push(linkDeadlineMs);
    if (deadlines.length === 0) return;
    const delayMs = Math.min(...deadlines) - this.options.clock.nowMs();
    this.timer = this.options.clock.after(delayMs, () => this.handle(() => this.takeTime()));
  }

  private takeTime(): void {
    this.link({ type: "time" });
    for (const module of this.modules) {
      const isDue = (module.deadlineMs ?? Infinity) <= this.options.clock.nowMs();
      if (isDue) this.asRequest(module.channel, 0, () => module.tick());
    }
  }

  /** Gives one event to the board's end of the link and does what it asks for. */
  private link(event: Untimed<BoardEndEvent>): void {
    if (this.linkEnd === null) return;
    const timed = { ...event, nowMs: this.options.clock.nowMs() } as BoardEndEvent;
    for (const effect of boardEndStep(this.linkEnd, timed)) this.carryOut(effect);
  }

  private carryOut(effect: BoardEndEffect): void {
    // A request that was cancelled has either begun here, or not been received whole.
    if (effect.type === "write") this.outgoing.push(effect.bytes);
    else if (effect.type === "message") {
      const { channel, id, body } = effect;
      this.asRequest(channel, id, () => this.takeRequest(channel, id, body));
    }
  }

  /** Runs `work` with all that modules send meanwhile tagged with the request's id. */
  private asRequest(channel: number, id: number, work: () => void): void {
    const before = this.current;
    this.current = { channel, id };
    try {
      work();
    } finally {
      this.current = before;
    }
  }

  private takeRequest(channel: number, id: number, body: Uint8Array): void {
    if (channel === Channel.BOARD) {
      const answer = answerManagement(this.modules, () => this.identity(), body);
      if (typeof answer === "number") this.fail(channel, id, [answer]);
      else this.link({ type: "send", channel, id, body: answer });
      return;
    }
    const module = this.moduleOn(channel)!;
    const port = body[0];
    if (module.isStopped) this.fail(channel, id, [LinkError.STOPPED]);
    else if (port === undefined || port > Port.OWN) this.fail(channel, id, [LinkError.BAD_MESSAGE]);
    else if (!module.takes(body.length)) this.fail(channel, id, [LinkError.TOO_LONG]);
    else {
      const rest = body.subarray(1);
      const direction = "to-module";
      this.options.observer?.message?.({
        channel: module.channel,
        direction,
        port: port as Port,
        id,
        body: rest,
      });
      module.receive(port as Port, rest);
    }
  }

  private fail(channel: number, id: number, body: number[]): void {
    this.link({ type: "fail", channel, id, body: Uint8Array.from(body) });
  }

  private moduleSends(module: SimulatedModule, port: Port, body: Uint8Array): void {
    const { channel } = module;
    const id = this.current.channel === channel ? this.current.id : 0;
    this.options.observer?.message?.({ channel, direction: "from-module", port, id, body });
    const message = new Uint8Array(body.length + 1);
    message[0] = port;
    message.set(body, 1);
    this.link({ type: "send", channel, id, body: message });
  }

  private moduleFailed(module: SimulatedModule, isStopped: boolean): void {
    const code = isStopped ? LinkError.STOPPED : LinkError.RESTARTED;
    const id = this.current.channel === module.channel ? this.current.id : 0;
    this.fail(module.channel, id, [code]);
    // What the image says while it starts anew belongs to no request.
    this.current = { channel: 0, id: 0 };
  }
}
