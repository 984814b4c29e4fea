// SPDX-License-Identifier: Apache-2.0
// The part of the package ws that mailboxes and their callers use, in memory, in one queue. Of an
// address ws://CALLER.BOX:PORT the first name says whose line it is; each message of a host is a
// line at which it may be killed, and what is for a dead host is lost.
import { EventEmitter } from "node:events";
import type { HostProcess } from "./process.ts";

/** All sockets of a world. */
export class WebNet {
  /** The hosts that live now, by name. */
  readonly hosts = new Map<string, HostProcess>();
  readonly servers = new Map<number, WebSocketServer>();
  readonly sockets = new Set<WebSocket>();
  private readonly queue: (() => void)[] = [];

  enqueue(work: () => void): void {
    this.queue.push(work);
  }

  /** Does the next thing that waits; false where nothing does. */
  next(): boolean {
    const work = this.queue.shift();
    work?.();
    return work !== undefined;
  }

  /** A host is gone, and with it what it listened to and its lines. */
  bury(process: HostProcess): void {
    for (const [port, { owner }] of this.servers) if (owner === process) this.servers.delete(port);
    for (const socket of this.sockets) if (socket.owner === process) socket.terminate();
  }
}

let net = new WebNet();

/** The net that sockets are made in from now on. */
export function useWebNet(fresh: WebNet): void {
  net = fresh;
}

export class WebSocket extends EventEmitter {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 3;
  readonly owner: HostProcess;
  readyState: number;
  private peer: WebSocket | undefined;

  /** @param called the end of who was called; absent for a caller, whom the address names */
  constructor(url: string, _options?: unknown, called?: { owner: HostProcess; peer: WebSocket }) {
    super();
    net.sockets.add(this);
    const { hostname, port } = new URL(url);
    this.owner = called?.owner ?? net.hosts.get(hostname.split(".")[0]!)!;
    this.peer = called?.peer;
    this.readyState = called === undefined ? WebSocket.CONNECTING : WebSocket.OPEN;
    if (called === undefined) net.enqueue(() => this.dial(Number(port)));
  }

  send(data: Uint8Array): void {
    const bytes = Buffer.from(data);
    this.owner.does("send", () => {
      const { peer } = this;
      net.enqueue(() => peer?.hear("message", bytes));
    });
  }

  close(): void {
    this.terminate();
  }

  terminate(): void {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    net.sockets.delete(this);
    net.enqueue(() => {
      if (this.owner.isAlive) this.emit("close");
    });
    // What was sent before still arrives there, also from a host that was killed.
    net.enqueue(() => this.peer?.terminate());
  }

  private dial(port: number): void {
    const server = net.servers.get(port);
    if (this.readyState === WebSocket.CLOSED) return;
    if (!server?.owner.isAlive) {
      this.terminate();
      return;
    }
    this.peer = new WebSocket("ws://called", {}, { owner: server.owner, peer: this });
    this.readyState = WebSocket.OPEN;
    server.clients.add(this.peer);
    server.emit("connection", this.peer);
    this.hear("open");
  }

  private hear(event: "open" | "message", bytes?: Buffer): void {
    if (this.owner.isAlive && this.readyState === WebSocket.OPEN) this.emit(event, bytes);
  }
}

export class WebSocketServer extends EventEmitter {
  readonly clients = new Set<WebSocket>();
  readonly owner: HostProcess;
  private readonly port: number;

  constructor({ host, port }: { host: string; port: number }) {
    super();
    this.owner = net.hosts.get(host)!;
    this.port = port;
    net.servers.set(port, this);
    queueMicrotask(() => this.emit("listening"));
  }

  address(): { port: number } {
    return { port: this.port };
  }

  close(callback: () => void): void {
    if (net.servers.get(this.port) === this) net.servers.delete(this.port);
    callback();
  }
}
