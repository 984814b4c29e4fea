// SPDX-License-Identifier: Apache-2.0
// A transaction device's host (Fig. 3): the shell that puts link, message manager and peer
// connections together. What is decided is decided in messageManager.ts.
import type { Clock, Timer } from "../link/clock.ts";
import { LinkClient, type LinkEvent } from "../link/linkClient.ts";
import { type BoardInformation, Channel, LinkError } from "../link/protocol.ts";
import type { ByteTransport } from "../link/transport.ts";
import { connectPeer } from "./communications.ts";
import {
  channelOf,
  type MessageManager,
  type MessageManagerEffect,
  type MessageManagerEvent,
  messageManagerStep,
  newMessageManager,
  targetOf,
} from "./messageManager.ts";
import type { PeerConnection } from "./peer.ts";
import {
  CommandError,
  type CommandOptions,
  type ConnectionId,
  type DeviceEvent,
  type Target,
  type TransactionDevice,
} from "./types.ts";

const COMMAND_TIMEOUT_MS = 30_000;

/** What the board's refusals mean, for people. */
const REFUSALS: Record<number, string> = {
  [LinkError.BUSY]: "the device has no room for the message now",
  [LinkError.NO_CHANNEL]: "the board has no such half",
  [LinkError.TOO_LONG]: "the message is too long for the device",
  [LinkError.STOPPED]: "the image fails at each start: switch the board off and on",
  [LinkError.BAD_MESSAGE]: "the board does not understand the message",
};

export interface DeviceOptions {
  /** Whose device this is, for traces. */
  owner?: string;
  transport: ByteTransport;
  clock: Clock;
  /** 8 random bytes for the link, given in tests for repeatable bytes. */
  nonce?: Uint8Array;
  /** How long to wait for the board at first; 5,000 if absent. */
  openTimeoutMs?: number;
}

interface WaitingCommand {
  target: Target;
  timeoutMs: number;
  timer: Timer;
  resolve(body: Uint8Array): void;
  reject(error: CommandError): void;
}

/** Opens the link to a board and gives the device behind it; rejects if no board answers. */
export async function openDevice(options: DeviceOptions): Promise<TransactionDevice> {
  const device = new Device(options);
  await device.open(options.openTimeoutMs);
  return device;
}

class Device implements TransactionDevice {
  private readonly link: LinkClient;
  private readonly clock: Clock;
  private readonly manager: MessageManager;
  private readonly connections = new Map<ConnectionId, PeerConnection>();
  private readonly commands = new Map<number, WaitingCommand>();
  private readonly listeners = new Set<(event: DeviceEvent) => void>();
  private nextConnection: ConnectionId = 1;

  constructor(options: DeviceOptions) {
    this.clock = options.clock;
    this.manager = newMessageManager(options.owner);
    this.link = new LinkClient(options);
    this.link.onMessage((channel, id, body) => {
      if (channel === Channel.LOG) this.tell({ type: "log", text: printable(body) });
      else this.take({ type: "fromBoard", channel, id, body });
    });
    this.link.onEvent((event) => this.takeLink(event));
  }

  async open(timeoutMs?: number): Promise<void> {
    try {
      await this.link.open(timeoutMs);
    } catch (error) {
      this.link.close();
      throw error;
    }
  }

  get board(): BoardInformation {
    // Set before `openDevice` gives the device away.
    return this.link.board!;
  }

  command(target: Target, body: Uint8Array, options: CommandOptions = {}): Promise<Uint8Array> {
    const id = this.link.newRequestId();
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(timeoutMs, () => this.giveUp(id));
      this.commands.set(id, { target, timeoutMs, timer, resolve, reject });
      this.fromApplication(target, id, body, true, options.connection);
    });
  }

  send(target: Target, body: Uint8Array, options: Pick<CommandOptions, "connection"> = {}): void {
    this.fromApplication(target, this.link.newRequestId(), body, false, options.connection);
  }

  onEvent(listener: (event: DeviceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async connect(url: string): Promise<ConnectionId> {
    return this.accept(await connectPeer(url));
  }

  accept(connection: PeerConnection): ConnectionId {
    return this.add(connection, "peerConnected");
  }

  attachMail(connection: PeerConnection): ConnectionId {
    return this.add(connection, "mailConnected");
  }

  private add(connection: PeerConnection, type: "peerConnected" | "mailConnected"): ConnectionId {
    const number = this.nextConnection;
    this.nextConnection += 1;
    this.connections.set(number, connection);
    this.take({ type, connection: number });
    const { description } = connection;
    if (type === "peerConnected") this.tell({ type, connection: number, description });
    connection.onClose((reason) => {
      this.connections.delete(number);
      this.take({ type: "peerClosed", connection: number, reason });
    });
    connection.onBody((channel, body) =>
      this.take({ type: "fromPeer", connection: number, channel, body }),
    );
    return number;
  }

  disconnect(connection?: ConnectionId): void {
    for (const [number, open] of [...this.connections]) {
      if (connection === undefined || connection === number) open.close();
    }
  }

  close(): void {
    this.disconnect();
    this.link.close();
    this.take({ type: "linkDown", reason: "the device was closed" });
  }

  statistics() {
    return { link: this.link.statistics, messageManager: { ...this.manager.statistics } };
  }

  private fromApplication(
    target: Target,
    id: number,
    body: Uint8Array,
    isCommand: boolean,
    connection: ConnectionId | undefined,
  ): void {
    const chosen = connection ?? null;
    this.take({ type: "fromApplication", target, id, body, isCommand, connection: chosen });
  }

  private take(event: MessageManagerEvent): void {
    for (const effect of messageManagerStep(this.manager, event)) this.carryOut(effect);
  }

  private carryOut(effect: MessageManagerEffect): void {
    switch (effect.type) {
      case "toBoard":
        this.link.send(effect.channel, effect.body, effect.id);
        break;
      case "toPeer":
        this.connections.get(effect.connection)?.send(effect.channel, effect.body);
        break;
      case "answer":
        this.settle(effect.id)?.resolve(effect.body);
        break;
      case "commandFailed": {
        const command = this.settle(effect.id);
        const message = `The ${command?.target} did not answer: ${effect.reason}.`;
        command?.reject(new CommandError(message, effect.mayHaveRun));
        break;
      }
      case "event":
        this.tell(effect.event);
    }
  }

  private takeLink(event: LinkEvent): void {
    switch (event.type) {
      case "up": {
        const { board, rebooted } = event;
        const halves = board.modules.flatMap(({ channel }) => targetOf(channel) ?? []);
        this.take({ type: "linkUp", halves });
        this.tell({ type: "linkUp", board, rebooted });
        break;
      }
      case "down":
        this.take({ type: "linkDown", reason: event.reason });
        this.tell({ type: "linkDown", reason: event.reason });
        break;
      case "failed":
        this.take(event);
        break;
      case "error":
        this.takeBoardError(event.channel, event.id, event.code);
        break;
      case "working":
        this.restartTimer(event.id);
    }
  }

  private takeBoardError(channel: number, id: number, code: number): void {
    if (code === LinkError.RESTARTED || (code === LinkError.STOPPED && id === 0)) {
      this.take({ type: "restarted", channel, isStopped: code === LinkError.STOPPED });
    } else {
      const reason = REFUSALS[code] ?? `the board refused it with code ${code}`;
      this.take({ type: "failed", channel, id, reason, mayHaveArrived: false });
    }
  }

  private tell(event: DeviceEvent): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  /** Takes a command off the list of those that wait. */
  private settle(id: number): WaitingCommand | undefined {
    const command = this.commands.get(id);
    command?.timer.cancel();
    this.commands.delete(id);
    return command;
  }

  private restartTimer(id: number): void {
    const command = this.commands.get(id);
    if (command === undefined) return;
    command.timer.cancel();
    command.timer = this.clock.after(command.timeoutMs, () => this.giveUp(id));
  }

  private giveUp(id: number): void {
    const command = this.commands.get(id);
    if (command === undefined) return;
    // A request that had not left yet fails within this call, and is then known not to have run.
    this.link.cancel(channelOf(command.target), id);
    if (this.settle(id) === undefined) return;
    this.take({ type: "giveUp", id });
    const message = `The ${command.target} did not answer in ${command.timeoutMs} ms.`;
    command.reject(new CommandError(message, true));
  }
}

/** Text of a board for a person's terminal, which control characters could rewrite. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replace(/[^\x20-\x7e]/g, "?");
}
