// SPDX-License-Identifier: Apache-2.0
// Communications of Fig. 3 over WebSockets (RFC 6455): one connection is one counterpart, and one
// binary message is the deterministic CBOR array [ 2 / 3, bstr ]: who it is for, 2 the agent and
// 3 the money module (a bare session), and the body.
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { MESSAGE_LIMIT } from "../link/protocol.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { type BodyListener, isModuleChannel, type PeerConnection } from "./peer.ts";

/** A body of MESSAGE_LIMIT bytes and the heads around it. */
const FRAME_LIMIT = MESSAGE_LIMIT + 16;
const CONNECT_TIMEOUT_MS = 10_000;
const PROTOCOL_NAME = "florin.1";

/** Close codes of RFC 6455 section 7.4.1. */
const NORMAL_CLOSURE = 1000;
const INVALID_DATA = 1007;
const TRY_AGAIN_LATER = 1013;

/** How often a peer is asked for a sign of life; without one until the next time it is gone. */
const HEARTBEAT_MS = 30_000;

/** Bodies kept for a receiver that is not registered yet. */
const EARLY_LIMIT = 16;

export interface PeerListener {
  /** The port that is listened on. */
  readonly port: number;
  /** Ends the listening and the connections it accepted. */
  close(): Promise<void>;
}

/** Connects to a device that listens at a ws: or wss: URL. */
export function connectPeer(url: string): Promise<PeerConnection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, PROTOCOL_NAME, {
      maxPayload: FRAME_LIMIT,
      handshakeTimeout: CONNECT_TIMEOUT_MS,
      perMessageDeflate: false,
    });
    // Before the peer is known to be there, so that no message it sends at once is missed.
    const connection = connectionOf(socket, url);
    socket.once("open", () => resolve(connection));
    socket.once("error", (error) =>
      reject(new Error(`Cannot connect to the device at ${url}: ${error.message}`)),
    );
  });
}

/**
 * Listens for devices; `port` 0 takes any free port. `accept` gets each connection and the path
 * that it asked for, such as "/". A peer that
 * gives no sign of life between two heartbeats, 30,000 ms apart if absent, is disconnected.
 */
export function listenForPeers(
  options: { host: string; port: number; heartbeatMs?: number },
  accept: (connection: PeerConnection, path: string) => void,
): Promise<PeerListener> {
  return new Promise((resolve, reject) => {
    const { host, port, heartbeatMs } = options;
    const server = new WebSocketServer({
      host,
      port,
      maxPayload: FRAME_LIMIT,
      perMessageDeflate: false,
    });
    server.on("connection", (socket, request) => {
      const { remoteAddress, remotePort } = request.socket;
      const from = `${remoteAddress}:${remotePort}`;
      accept(connectionOf(socket, from, heartbeatMs), request.url ?? "/");
    });
    const where = `${host}:${port}`;
    server.once("error", (error) =>
      reject(new Error(`Cannot listen for devices on ${where}: ${error.message}`)),
    );
    server.once("listening", () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            for (const socket of server.clients) socket.terminate();
            server.close(() => closed());
          }),
      }),
    );
  });
}

function connectionOf(
  socket: WebSocket,
  description: string,
  heartbeatMs: number = HEARTBEAT_MS,
): PeerConnection {
  let receive: BodyListener | null = null;
  let closed: (reason: string) => void = () => {};
  let endReason: string | null = null;
  const early: Parameters<BodyListener>[] = [];
  socket.on("message", (data, isBinary) => {
    const item = isBinary ? decodeCbor(toBytes(data)) : undefined;
    const [channel, body] = Array.isArray(item) && item.length === 2 ? item : [];
    if (!isModuleChannel(channel) || !(body instanceof Uint8Array) || body.length === 0) {
      socket.close(INVALID_DATA, "not [ 2 / 3, bstr ]");
    } else if (receive === null && early.length === EARLY_LIMIT) {
      socket.close(TRY_AGAIN_LATER, "nobody listens yet");
    } else if (receive === null) early.push([channel, body]);
    else receive(channel, body);
  });
  // A peer that lost its network closes nothing: without this its connection would stay for ever.
  let isAlive = true;
  socket.on("pong", () => {
    isAlive = true;
  });
  const heartbeat = setInterval(() => {
    if (!isAlive) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) {
      isAlive = false;
      socket.ping();
    }
  }, heartbeatMs);
  // An error is always followed by the close that is told.
  socket.on("error", () => {});
  socket.on("close", (code, text) => {
    clearInterval(heartbeat);
    endReason = code === NORMAL_CLOSURE ? "closed" : `closed (${code} ${text})`.replace(" )", ")");
    closed(endReason);
  });
  return {
    description,
    send: (channel, body) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(encodeCbor([channel, body]));
    },
    onBody: (listener) => {
      receive = listener;
      for (const [channel, body] of early.splice(0)) listener(channel, body);
    },
    onClose: (listener) => {
      closed = listener;
      if (endReason !== null) listener(endReason);
    },
    close: () => socket.close(NORMAL_CLOSURE),
  };
}

function toBytes(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return new Uint8Array(Buffer.concat(data));
  return new Uint8Array(data);
}
