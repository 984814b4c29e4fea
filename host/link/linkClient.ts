// SPDX-License-Identifier: Apache-2.0
// The shell around the host's end of the link: a transport, a clock and callbacks. It holds no
// protocol of its own; hostEnd.ts does.
import type { Clock, Timer, Untimed } from "./clock.ts";
import {
  type HostEnd,
  hostEndDeadlineMs,
  type HostEndEffect,
  type HostEndEvent,
  hostEndStep,
  newHostEnd,
} from "./hostEnd.ts";
import { type BoardInformation, Channel, type LinkStatistics } from "./protocol.ts";
import type { ByteTransport } from "./transport.ts";

/** The request STATUS of channel 1 (docs/link.md). */
const STATUS = Uint8Array.of(1);

/** What the link tells beside messages; see HostEndEffect for each. */
export type LinkEvent = Exclude<HostEndEffect, { type: "write" | "message" }>;

export interface LinkClientOptions {
  transport: ByteTransport;
  clock: Clock;
  /** 8 random bytes; drawn from the system if absent. Given in tests, for repeatable bytes. */
  nonce?: Uint8Array;
}

/** A host's end of a link to one board. */
export class LinkClient {
  private state: HostEnd;
  private readonly transport: ByteTransport;
  private readonly clock: Clock;
  private timer: Timer | null = null;
  private nextId = 1;
  /** Events that came while effects were carried out; they wait so that order is kept. */
  private readonly waiting: HostEndEvent[] = [];
  private isBusy = false;
  private messageListener: (channel: number, id: number, body: Uint8Array) => void = () => {};
  private bootListener: (bootCounter: number) => void = () => {};
  private eventListener: (event: LinkEvent) => void = () => {};
  /** The request by which a replugged line is tried, or null. */
  private probeId: number | null = null;
  private openWaiter: { settle: (result: BoardInformation | Error) => void } | null = null;

  constructor(options: LinkClientOptions) {
    this.transport = options.transport;
    this.clock = options.clock;
    this.state = newHostEnd(options.nonce ?? crypto.getRandomValues(new Uint8Array(8)));
    this.transport.onBytes((bytes) => this.take({ type: "bytes", bytes }));
    this.transport.onClose((reason) => this.closed(reason));
    this.transport.onReplugged?.(() => this.probe());
  }

  /** Synchronises with the board; rejects if none answers in `timeoutMs`. Goes on trying alone. */
  open(timeoutMs = 5000): Promise<BoardInformation> {
    if (this.state.phase === "open") return Promise.resolve(this.state.board!);
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(timeoutMs, () =>
        this.openWaiter?.settle(
          new Error(`No board answered on the link in ${timeoutMs} ms: is it connected and on?`),
        ),
      );
      this.openWaiter = {
        settle: (result) => {
          timer.cancel();
          this.openWaiter = null;
          if (result instanceof Error) reject(result);
          else resolve(result);
        },
      };
      this.take({ type: "open" });
    });
  }

  /** Queues a message and gives its request id, a new one unless `id` is given. */
  send(channel: number, body: Uint8Array, id: number = this.newRequestId()): number {
    this.take({ type: "send", channel, id, body });
    return id;
  }

  /** A request id not used in the last 65,534 requests. */
  newRequestId(): number {
    const id = this.nextId;
    this.nextId = id === 0xffff ? 1 : id + 1;
    return id;
  }

  /** Asks the board to drop a request that it has not begun. */
  cancel(channel: number, id: number): void {
    this.take({ type: "cancel", channel, id });
  }

  /** Registers the one listener for messages of the board: answers, and unasked ones with id 0. */
  onMessage(listener: (channel: number, id: number, body: Uint8Array) => void): void {
    this.messageListener = listener;
  }

  /** Registers the one listener told that the board was switched on since the link was last up. */
  onBoot(listener: (bootCounter: number) => void): void {
    this.bootListener = listener;
  }

  /** Registers the one listener for the state of the link and of requests. */
  onEvent(listener: (event: LinkEvent) => void): void {
    this.eventListener = listener;
  }

  get statistics(): LinkStatistics {
    return { ...this.state.statistics };
  }

  /** What the board told when the link last came up; null before. */
  get board(): BoardInformation | null {
    return this.state.board;
  }

  /** Nonce of the SYNC that opened the link last. */
  get nonce(): Uint8Array {
    return this.state.nonce.slice();
  }

  /** Ends the link and the transport; messages under way fail. */
  close(): void {
    this.transport.close();
    this.closed("the link was closed");
  }

  /** A copy of the whole state, for a snapshot of a simulated world. */
  snapshot(): { end: HostEnd; nextId: number } {
    return structuredClone({ end: this.state, nextId: this.nextId });
  }

  /** Goes back to a state that `snapshot` gave. */
  restore(snapshot: { end: HostEnd; nextId: number }): void {
    const { end, nextId } = structuredClone(snapshot);
    this.state = end;
    this.nextId = nextId;
    this.arm();
  }

  /**
   * Asks the board for its status, which only a board answers that has not been switched off since
   * the link came up: any other tells that it is not synchronised, and the link is sought anew.
   */
  private probe(): void {
    if (this.state.phase !== "open" || this.probeId !== null) return;
    this.probeId = this.newRequestId();
    this.take({ type: "send", channel: Channel.BOARD, id: this.probeId, body: STATUS });
  }

  /** True for what is said of the probe alone; nobody else asked. */
  private isOfProbe(effect: HostEndEffect): boolean {
    if (effect.type !== "message" && effect.type !== "failed") return false;
    if (effect.channel !== Channel.BOARD || effect.id !== this.probeId) return false;
    this.probeId = null;
    return true;
  }

  private closed(reason: string): void {
    this.take({ type: "close" });
    this.openWaiter?.settle(new Error(`The link's transport ended: ${reason}.`));
  }

  private take(event: Untimed<HostEndEvent>): void {
    this.waiting.push({ ...event, nowMs: this.clock.nowMs() } as HostEndEvent);
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
        for (const effect of hostEndStep(this.state, next)) this.carryOut(effect);
      }
    } finally {
      this.isBusy = false;
      this.arm();
    }
  }

  private carryOut(effect: HostEndEffect): void {
    if (effect.type === "write") this.transport.write(effect.bytes);
    else if (this.isOfProbe(effect)) return;
    else if (effect.type === "message")
      this.messageListener(effect.channel, effect.id, effect.body);
    else {
      // What was asked before the link went down is answered no more.
      if (effect.type === "down") this.probeId = null;
      if (effect.type === "up" && effect.rebooted) this.bootListener(effect.board.bootCounter);
      this.eventListener(effect);
      if (effect.type === "up") this.openWaiter?.settle(effect.board);
    }
  }

  private arm(): void {
    this.timer?.cancel();
    const deadlineMs = hostEndDeadlineMs(this.state);
    this.timer =
      deadlineMs === null
        ? null
        : this.clock.after(deadlineMs - this.clock.nowMs(), () => this.take({ type: "time" }));
  }
}
