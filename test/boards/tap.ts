// SPDX-License-Identifier: Apache-2.0
// A tap on a serial line: the messages that cross it, joined from their frames, without what
// belongs to the line alone (acknowledgements, repetitions, KEEPALIVE, SYNC).
import { type ChannelState, newChannel, takeFrame } from "../../host/link/channel.ts";
import {
  type Frame,
  newFrameReader,
  newLinkStatistics,
  readFrames,
} from "../../host/link/frame.ts";
import { Channel, FrameKind, MESSAGE_LIMIT } from "../../host/link/protocol.ts";
import type { ByteTransport } from "../../host/link/transport.ts";

/** A message as it crossed the line; the body as hex. */
export interface TappedMessage {
  toBoard: boolean;
  channel: number;
  id: number;
  body: string;
}

const CHANNELS = [Channel.BOARD, Channel.AGENT, Channel.MODULE];

/** Joins the messages of one direction. */
class Direction {
  private readonly reader = newFrameReader();
  private readonly statistics = newLinkStatistics();
  private readonly channels: ChannelState[] = CHANNELS.map(newChannel);
  readonly counts = { bytes: 0, keepalives: 0 };

  take(bytes: Uint8Array): Omit<TappedMessage, "toBoard">[] {
    this.counts.bytes += bytes.length;
    return readFrames(this.reader, bytes, this.statistics).flatMap((frame) => this.join(frame));
  }

  private join(frame: Frame): Omit<TappedMessage, "toBoard">[] {
    if (frame.kind === FrameKind.KEEPALIVE) this.counts.keepalives += 1;
    const channel = this.channels.find(({ channel: number }) => number === frame.channel);
    const isMessage = frame.kind === FrameKind.DATA || frame.kind === FrameKind.ERROR;
    if (channel === undefined || !isMessage) return [];
    const taken = takeFrame(channel, frame, MESSAGE_LIMIT);
    if (typeof taken === "string") return [];
    const { id, body } = taken;
    return [{ channel: frame.channel, id, body: Buffer.from(body).toString("hex") }];
  }
}

/** The line, and all that crossed it. Made anew for each synchronisation of the link. */
export class Tap implements ByteTransport {
  readonly messages: TappedMessage[] = [];
  private readonly line: ByteTransport;
  private readonly toBoard = new Direction();
  private readonly fromBoard = new Direction();

  constructor(line: ByteTransport) {
    this.line = line;
  }

  get bytes(): { toBoard: number; fromBoard: number } {
    return { toBoard: this.toBoard.counts.bytes, fromBoard: this.fromBoard.counts.bytes };
  }

  get keepalives(): number {
    return this.fromBoard.counts.keepalives;
  }

  write(bytes: Uint8Array): void {
    for (const one of this.toBoard.take(bytes)) this.messages.push({ toBoard: true, ...one });
    this.line.write(bytes);
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.line.onBytes((bytes) => {
      for (const one of this.fromBoard.take(bytes)) this.messages.push({ toBoard: false, ...one });
      receive(bytes);
    });
  }

  onReplugged(replugged: () => void): void {
    this.line.onReplugged?.(replugged);
  }

  onClose(closed: (reason: string) => void): void {
    this.line.onClose(closed);
  }

  close(): void {
    this.line.close();
  }
}
