// SPDX-License-Identifier: Apache-2.0
// The listening end of authenticated links, a thin shell: frames in and out, limits, and which
// connection belongs to which link. A connection is of the link whose key its first message fits.
import { createServer, type Socket } from "node:net";
import { FrameReader, frame } from "./framing.ts";
import { isAuthentic } from "./messageAuthentication.ts";

export interface LinkServerOptions {
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  /** Keys by link name. */
  readonly links: Readonly<Record<string, Uint8Array>>;
  /** A message on a link; its authentication is the receiver's to check, each time. */
  readonly onMessage: (link: string, bytes: Uint8Array) => void;
}

export interface LinkServer {
  readonly port: number;
  /** Dropped before any link was known, and connections closed for broken framing. */
  readonly counters: { strangers: number; broken: number };
  /** Sends on every open connection of the link; false when there is none. */
  send(link: string, bytes: Uint8Array): boolean;
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 1000;
/** Who has not sent one authentic message by then is no peer. */
const INTRODUCTION_MS = 10_000;
/** A peer that reads so slowly that this much piles up is cut off; it will ask again. */
const MAX_BACKLOG_BYTES = 1 << 20;

/** Starts to listen. @throws {Error} when the port is taken */
export async function listenForLinks(options: LinkServerOptions): Promise<LinkServer> {
  const counters = { strangers: 0, broken: 0 };
  // The link of each connection, undefined until its first authentic message.
  const connections = new Map<Socket, string | undefined>();

  const accept = (socket: Socket, bytes: Uint8Array) => {
    const link = connections.get(socket) ?? linkOf(options.links, bytes);
    if (link === undefined) {
      counters.strangers++;
      return;
    }
    connections.set(socket, link);
    socket.setTimeout(0);
    options.onMessage(link, bytes);
  };

  const server = createServer((socket) => {
    const reader = new FrameReader();
    connections.set(socket, undefined);
    socket.setTimeout(INTRODUCTION_MS, () => socket.destroy());
    socket.on("data", (piece) => {
      const { messages, broken } = reader.push(piece);
      for (const message of messages) accept(socket, message);
      if (!broken) return;
      counters.broken++;
      socket.destroy();
    });
    // A broken connection needs no more than forgetting: requests are repeated by the outbox.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => connections.delete(socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP port to listen on");

  return {
    port: address.port,
    counters,
    // To all connections of the link, not the last: a replayed greeting must not divert answers.
    send(link, bytes) {
      const sockets = [...connections].filter(([, name]) => name === link);
      for (const [socket] of sockets) {
        if (socket.writableLength > MAX_BACKLOG_BYTES) socket.destroy();
        else socket.write(frame(bytes));
      }
      return sockets.length > 0;
    },
    close() {
      for (const socket of connections.keys()) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function linkOf(links: Readonly<Record<string, Uint8Array>>, bytes: Uint8Array) {
  return Object.keys(links).find((name) => isAuthentic(bytes, links[name]!));
}
