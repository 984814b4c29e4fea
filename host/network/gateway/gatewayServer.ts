// SPDX-License-Identifier: Apache-2.0
// The gateway's WebSocket shell: sockets around gateway.ts, with limits on what they may send.
import type { AddressInfo } from "node:net";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { type GatewayEvent, type GatewayState, handleGatewayEvent } from "./gateway.ts";
import { GATEWAY_MESSAGE_BYTES } from "./messages.ts";

const CONNECTIONS = 1000;

export interface GatewayServer {
  /** The address that merchants and customers connect to. */
  readonly url: string;
  /** Takes over the agency's list of untrusted agents (ids in hexadecimal digits). */
  setUntrusted(ids: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Serves the state on a port of `host`; port 0 takes a free one.
 * @throws {Error} when the port cannot be had
 */
export async function serveGateway(
  state: GatewayState,
  address: { readonly host: string; readonly port: number },
  nowSeconds: () => number,
): Promise<GatewayServer> {
  const server = new WebSocketServer({ ...address, maxPayload: GATEWAY_MESSAGE_BYTES });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (error: NodeJS.ErrnoException) => {
      const where = `${address.host}:${address.port}`;
      const isTaken = error.code === "EADDRINUSE";
      const why = isTaken ? "the port is taken; choose another" : error.message;
      reject(new Error(`The gateway cannot listen on ${where}: ${why}.`));
    });
  });
  const sockets = new Map<number, WebSocket>();
  let connections = 0;
  const handle = (event: GatewayEvent) => {
    for (const effect of handleGatewayEvent(state, event, nowSeconds())) {
      const socket = sockets.get(effect.connection);
      if (effect.type === "send") socket?.send(effect.bytes);
      else socket?.close(1002, "not a message for a gateway");
    }
  };
  server.on("connection", (socket) => {
    if (sockets.size >= CONNECTIONS) {
      socket.close(1013, "too many connections");
      return;
    }
    connections += 1;
    const connection = connections;
    sockets.set(connection, socket);
    socket.on("message", (data: RawData) => {
      const bytes = new Uint8Array(data as Buffer);
      handle({ type: "message", connection, bytes });
    });
    // A socket that fails also closes; without a listener the error would end the process.
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(connection));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://${address.host}:${port}`,
    setUntrusted: (untrusted) => handle({ type: "list", untrusted }),
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}
