// SPDX-License-Identifier: Apache-2.0
// A tap on a serial line: the messages that cross it, joined from their frames, without what
// belongs to the line alone (acknowledgements, repetitions, KEEPALIVE, SYNC); and what each channel
// costs, in bytes of the line.
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
/** Of a frame on the line beside its payload: head, checksum, COBS, the zeros around it. */
const FRAME_OVERHEAD = 11;

/** Joins the messages of one direction. */
class Direction {
  private readonly reader = newFrameReader();
  private readonly statistics = newLinkStatistics();
  private channels: ChannelState[] = CHANNELS.map(newChannel);
  /**
   * By channel: bytes of the frames that brought something new, and of one acknowledgement for
   * each. Repetitions and KEEPALIVE, whose number is the clock's, are not in it.
   */
  readonly bytes = new Map<number, number>();
  keepalives = 0;

  take(bytes: Uint8Array): Omit<TappedMessage, "toBoard">[] {
    return readFrames(this.reader, bytes, this.statistics).flatMap((frame) => this.join(frame));
  }

  private join(frame: Frame): Omit<TappedMessage, "toBoard">[] {
    if (frame.kind === FrameKind.KEEPALIVE) {
      this.keepalives += 1;
      return [];
    }
    // Sequence bits begin anew.
    if (frame.kind === FrameKind.SYNC) this.channels = CHANNELS.map(newChannel);
    const channel = this.channels.find(({ channel: number }) => number === frame.channel);
    const isMessage = frame.kind === FrameKind.DATA || frame.kind === FrameKind.ERROR;
    if (channel === undefined || !isMessage) return [];
    const taken = takeFrame(channel, frame, MESSAGE_LIMIT);
    if (taken === "duplicate") return [];
    const before = this.bytes.get(frame.channel) ?? 0;
    this.bytes.set(frame.channel, before + frame.payload.length + 2 * FRAME_OVERHEAD);
    if (typeof taken === "string") return [];
    const { id, body } = taken;
    return [{ channel: frame.channel, id, body: Buffer.from(body).toString("hex") }];
  }
}

/** The line, and all that crossed it. */
export class Tap implements ByteTransport {
  readonly messages: TappedMessage[] = [];
  /** Told of each message as it crosses, before it goes on. */
  watch: (message: TappedMessage) => void = () => {};
  private readonly line: ByteTransport;
  private readonly toBoard = new Direction();
  private readonly fromBoard = new Direction();

  constructor(line: ByteTransport) {
    this.line = line;
  }

  /** Bytes of the line that a channel took so far, both ways. */
  bytesOf(channel: number): number {
    return (this.toBoard.bytes.get(channel) ?? 0) + (this.fromBoard.bytes.get(channel) ?? 0);
  }

  get keepalives(): number {
    return this.fromBoard.keepalives;
  }

  write(bytes: Uint8Array): void {
    for (const one of this.toBoard.take(bytes)) this.note({ toBoard: true, ...one });
    this.line.write(bytes);
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.line.onBytes((bytes) => {
      for (const one of this.fromBoard.take(bytes)) this.note({ toBoard: false, ...one });
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

  private note(message: TappedMessage): void {
    this.messages.push(message);
    this.watch(message);
  }
}
