// SPDX-License-Identifier: Apache-2.0
// The calling end of a link, a thin shell: connects, connects again when the line breaks, frames.
import { connect, type Socket } from "node:net";
import { FrameReader, frame } from "./framing.ts";

export interface LinkClientOptions {
  readonly host: string;
  readonly port: number;
  readonly onMessage: (bytes: Uint8Array) => void;
  readonly onConnected: () => void;
  readonly onDisconnected: () => void;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5000;
/** A peer that reads so slowly that this much piles up is hung up on, and called again. */
const MAX_BACKLOG_BYTES = 1 << 20;

/** One link that keeps itself connected until it is closed. */
export class LinkClient {
  private readonly options: LinkClientOptions;
  private socket: Socket | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private connected = false;
  private closed = false;

  constructor(options: LinkClientOptions) {
    this.options = options;
    this.dial();
  }

  /** Sends a message; false when the line is down: it is lost then, and to be repeated. */
  send(bytes: Uint8Array): boolean {
    if (!this.connected || this.socket === undefined) return false;
    if (this.socket.writableLength > MAX_BACKLOG_BYTES) {
      this.socket.destroy();
      return false;
    }
    this.socket.write(frame(bytes));
    return true;
  }

  /** Closes the link for good. */
  close(): void {
    this.closed = true;
    clearTimeout(this.retryTimer);
    this.socket?.destroy();
  }

  private dial(): void {
    const reader = new FrameReader();
    const socket = connect(this.options.port, this.options.host);
    this.socket = socket;
    socket.on("connect", () => {
      this.connected = true;
      this.retryMs = FIRST_RETRY_MS;
      this.options.onConnected();
    });
    socket.on("data", (piece) => {
      const { messages, broken } = reader.push(piece);
      for (const message of messages) this.options.onMessage(message);
      if (broken) socket.destroy();
    });
    // "close" follows every error, and there the line is dialled again.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.hangUp());
  }

  private hangUp(): void {
    if (this.connected) {
      this.connected = false;
      this.options.onDisconnected();
    }
    if (this.closed) return;
    this.retryTimer = setTimeout(() => this.dial(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }
}
