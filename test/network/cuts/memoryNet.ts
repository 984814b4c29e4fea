// SPDX-License-Identifier: Apache-2.0
// The part of node:net that the card network's shells use, in memory: what was written waits in one
// queue, and whoever drives the world takes it out, in turn or as a fault wants it. Each write of a
// host is a line at which it may be killed; what is delivered to a dead host is lost.
import { EventEmitter } from "node:events";
import type { HostProcess } from "./process.ts";

/** What happens to one message on its way. */
export const LINE_FAULTS = ["lost", "twice", "late", "behind", "again", "flipped"] as const;
export type LineFault = (typeof LINE_FAULTS)[number];

/** Longer than anybody waits for an answer to a hold. */
const LATE_MS = 60_000;

interface Letter {
  readonly to: MemorySocket;
  readonly bytes: Buffer;
}

/** All lines and listeners of a world. */
export class Net {
  /** Who calls and who listens, by port: the hosts that live now. */
  readonly callers = new Map<number, HostProcess>();
  readonly listeners = new Map<number, HostProcess>();
  /** Messages that were sent so far. */
  sent = 0;
  readonly servers = new Map<number, MemoryServer>();
  readonly sockets = new Set<MemorySocket>();
  private queue: (() => void)[] = [];
  /** Waits for the next message that is sent to the same socket. */
  private heldBack: Letter | undefined;
  private readonly faultAt: number;
  private readonly fault: LineFault | undefined;

  /** @param faultAt number of the message, from 1, that `fault` happens to */
  constructor(faultAt = 0, fault?: LineFault) {
    this.faultAt = faultAt;
    this.fault = fault;
  }

  /** Does the next thing that waits; false where nothing does. */
  next(): boolean {
    const work = this.queue.shift();
    work?.();
    return work !== undefined;
  }

  enqueue(work: () => void): void {
    this.queue.push(work);
  }

  /** A host is gone: its listeners are, and its lines break. */
  bury(process: HostProcess): void {
    for (const [port, { owner }] of this.servers) if (owner === process) this.servers.delete(port);
    for (const socket of this.sockets) if (socket.owner === process) socket.destroy();
  }

  post(to: MemorySocket, piece: Uint8Array): void {
    this.sent += 1;
    const letter = { to, bytes: Buffer.from(piece) };
    const fault = this.sent === this.faultAt ? this.fault : undefined;
    const behind = this.heldBack?.to === to ? this.heldBack : undefined;
    if (behind !== undefined) this.heldBack = undefined;
    if (fault === "flipped") letter.bytes[letter.bytes.length >> 1]! ^= 4;
    if (fault === "behind") this.heldBack = letter;
    if (fault === "late" || fault === "again" || fault === "behind") {
      setTimeout(() => {
        if (fault !== "behind" || this.heldBack === letter) this.deliver(letter);
      }, LATE_MS);
    }
    const isNow = fault !== "lost" && fault !== "late" && fault !== "behind";
    if (isNow) this.enqueue(() => this.deliver(letter));
    if (fault === "twice") this.enqueue(() => this.deliver(letter));
    if (behind !== undefined) this.enqueue(() => this.deliver(behind));
  }

  private deliver({ to, bytes }: Letter): void {
    // A late one comes on the line that is there by then.
    const open = to.isOpen ? to : [...this.sockets].find((other) => other.isSameLine(to));
    open?.hear("data", bytes);
  }
}

let net = new Net();

/** The net that sockets are made in from now on. */
export function useNet(fresh: Net): void {
  net = fresh;
}

class MemorySocket extends EventEmitter {
  readonly owner: HostProcess;
  readonly writableLength = 0;
  peer: MemorySocket | undefined;
  isOpen = true;
  private readonly port: number;
  private readonly isServed: boolean;
  private idle: NodeJS.Timeout | undefined;

  constructor(owner: HostProcess, port: number, isServed: boolean) {
    super();
    this.owner = owner;
    this.port = port;
    this.isServed = isServed;
    net.sockets.add(this);
  }

  isSameLine(other: MemorySocket): boolean {
    return this.isOpen && this.port === other.port && this.isServed === other.isServed;
  }

  hear(event: "data" | "connect" | "error" | "close", content?: Buffer): void {
    if (this.owner.isAlive && (this.isOpen || event === "close")) this.emit(event, content);
  }

  write(bytes: Uint8Array): void {
    const { peer } = this;
    this.owner.does("send", () => {
      if (peer?.isOpen) net.post(peer, bytes);
    });
  }

  setTimeout(pauseMs: number, callback?: () => void): void {
    clearTimeout(this.idle);
    if (pauseMs > 0 && callback) this.idle = setTimeout(callback, pauseMs);
  }

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    clearTimeout(this.idle);
    net.sockets.delete(this);
    net.enqueue(() => this.hear("close"));
    // What was written before still arrives there, also from a host that was killed.
    net.enqueue(() => this.peer?.destroy());
  }
}

class MemoryServer extends EventEmitter {
  maxConnections = 0;
  owner: HostProcess | undefined;
  private readonly accept: (socket: MemorySocket) => void;
  private port = 0;

  constructor(accept: (socket: MemorySocket) => void) {
    super();
    this.accept = accept;
  }

  listen(port: number, _host: string, callback: () => void): void {
    [this.port, this.owner] = [port, net.listeners.get(port)];
    net.servers.set(port, this);
    callback();
  }

  address(): { port: number } {
    return { port: this.port };
  }

  /** A caller comes; undefined where nobody listens any more. */
  answer(): MemorySocket | undefined {
    if (!this.owner?.isAlive) return undefined;
    const socket = new MemorySocket(this.owner, this.port, true);
    this.accept(socket);
    return socket;
  }

  close(callback: () => void): void {
    if (net.servers.get(this.port) === this) net.servers.delete(this.port);
    callback();
  }
}

export function createServer(accept: (socket: MemorySocket) => void): MemoryServer {
  return new MemoryServer(accept);
}

export function connect(port: number, _host: string): MemorySocket {
  const socket = new MemorySocket(net.callers.get(port)!, port, false);
  net.enqueue(() => {
    if (!socket.isOpen) return;
    socket.peer = net.servers.get(port)?.answer();
    if (socket.peer !== undefined) socket.peer.peer = socket;
    socket.hear(socket.peer === undefined ? "error" : "connect");
  });
  return socket;
}
