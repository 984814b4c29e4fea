// SPDX-License-Identifier: Apache-2.0
// One channel of one end: an alternating-bit sender and receiver that cut messages into frames and
// join them again (docs/link.md, "Channels"). At most one frame per direction awaits its
// acknowledgement, so a board needs one buffer of a frame's size per channel.
import { encodeFrame, type Frame } from "./frame.ts";
import {
  FIRST_RETRY_MS,
  FrameKind,
  type LinkStatistics,
  LONGEST_RETRY_MS,
  PAYLOAD_LIMIT,
  TRANSMISSIONS_LIMIT,
} from "./protocol.ts";

/** A message to send: DATA, or an ERROR in the place of an answer. */
export interface OutgoingMessage {
  kind: typeof FrameKind.DATA | typeof FrameKind.ERROR;
  id: number;
  body: Uint8Array;
  /** Given up after it began: it ends with the frame under way, which is not its LAST. */
  isCutShort?: boolean;
}

/** A whole message received. */
export interface IncomingMessage {
  kind: OutgoingMessage["kind"];
  channel: number;
  id: number;
  body: Uint8Array;
}

/** State of a channel; plain data. */
export interface ChannelState {
  channel: number;
  /** Messages not yet acknowledged whole; the first is being sent if `frame` is not null. */
  queue: OutgoingMessage[];
  /** Bytes of the first message in acknowledged frames. */
  acknowledged: number;
  /** The frame that awaits its acknowledgement, as sent; null for none. */
  frame: Uint8Array | null;
  framePayload: number;
  sendSequence: 0 | 1;
  transmissions: number;
  retryMs: number;
  /** When the frame is sent again, or null. */
  deadlineMs: number | null;
  receiveSequence: 0 | 1;
  /** The message being joined, or null between messages and while one too long is passed over. */
  joining: {
    kind: OutgoingMessage["kind"];
    id: number;
    parts: Uint8Array[];
    length: number;
  } | null;
}

export function newChannel(channel: number): ChannelState {
  return {
    channel,
    queue: [],
    acknowledged: 0,
    frame: null,
    framePayload: 0,
    sendSequence: 0,
    transmissions: 0,
    retryMs: FIRST_RETRY_MS,
    deadlineMs: null,
    receiveSequence: 0,
    joining: null,
  };
}

/** Sends the next frame if none awaits its acknowledgement; gives its bytes or null. */
export function sendNext(state: ChannelState, nowMs: number): Uint8Array | null {
  const message = state.queue[0];
  if (state.frame !== null || message === undefined) return null;
  const from = state.acknowledged;
  const payload = message.body.subarray(from, from + PAYLOAD_LIMIT);
  state.framePayload = payload.length;
  state.frame = encodeFrame({
    kind: message.kind,
    isFirst: from === 0,
    isLast: from + payload.length === message.body.length,
    sequence: state.sendSequence,
    channel: state.channel,
    id: message.id,
    payload,
  });
  state.transmissions = 1;
  state.retryMs = FIRST_RETRY_MS;
  state.deadlineMs = nowMs + state.retryMs;
  return state.frame;
}

/** Repeats a frame whose time is over: its bytes, null if it is not time, "down" after too many. */
export function repeatFrame(
  state: ChannelState,
  nowMs: number,
  statistics: LinkStatistics,
): Uint8Array | null | "down" {
  if (state.frame === null || state.deadlineMs === null || nowMs < state.deadlineMs) return null;
  if (state.transmissions === TRANSMISSIONS_LIMIT) return "down";
  state.transmissions += 1;
  state.retryMs = Math.min(state.retryMs * 2, LONGEST_RETRY_MS);
  state.deadlineMs = nowMs + state.retryMs;
  statistics.retransmissions += 1;
  return state.frame;
}

/** The other end is at work: its silence is no loss, so the count of repetitions starts again. */
export function allowMoreTime(state: ChannelState, nowMs: number): void {
  if (state.frame === null) return;
  state.transmissions = 1;
  state.deadlineMs = nowMs + state.retryMs;
}

/** Takes an acknowledgement; false if it acknowledges nothing that is under way. */
export function takeAcknowledgement(state: ChannelState, frame: Frame): boolean {
  const message = state.queue[0];
  if (state.frame === null || message === undefined) return false;
  if (frame.sequence !== state.sendSequence || frame.id !== message.id) return false;
  state.acknowledged += state.framePayload;
  clearFrame(state);
  state.sendSequence = state.sendSequence === 0 ? 1 : 0;
  if (state.acknowledged === message.body.length) dropFirst(state);
  return true;
}

/** Forgets the first message, sent or not. */
export function dropFirst(state: ChannelState): void {
  state.queue.shift();
  state.acknowledged = 0;
  clearFrame(state);
}

function clearFrame(state: ChannelState): void {
  state.frame = null;
  state.deadlineMs = null;
}

/** Gives up the first message after the frame under way; false if that is its last. */
export function cutShort(state: ChannelState): boolean {
  const message = state.queue[0];
  if (message === undefined || isLastFrameSent(state)) return false;
  message.body = message.body.subarray(0, state.acknowledged + state.framePayload);
  message.isCutShort = true;
  return true;
}

/** True if the first message's last frame was sent: the other end may have taken it whole. */
export function isLastFrameSent(state: ChannelState): boolean {
  const message = state.queue[0];
  if (message === undefined || state.frame === null || message.isCutShort) return false;
  return state.acknowledged + state.framePayload === message.body.length;
}

/** True if a frame of the first message may have reached the other end. */
export function hasBegun(state: ChannelState): boolean {
  return state.frame !== null || state.acknowledged > 0;
}

/**
 * Takes a DATA or sequenced ERROR frame. "duplicate" and "taken" are to be acknowledged, as is a
 * whole message; "too-long" too, and the rest of that message is passed over.
 */
export function takeFrame(
  state: ChannelState,
  frame: Frame,
  messageLimit: number,
): IncomingMessage | "duplicate" | "taken" | "too-long" {
  if (frame.sequence !== state.receiveSequence) return "duplicate";
  state.receiveSequence = state.receiveSequence === 0 ? 1 : 0;
  const kind = frame.kind as OutgoingMessage["kind"];
  if (frame.isFirst) state.joining = { kind, id: frame.id, parts: [], length: 0 };
  const joining = state.joining;
  // A later part of a message whose beginning was given up: acknowledged, so that the sender can
  // go on to its next message, and otherwise ignored.
  if (joining === null || joining.id !== frame.id || joining.kind !== kind) {
    state.joining = null;
    return "taken";
  }
  joining.parts.push(frame.payload);
  joining.length += frame.payload.length;
  if (joining.length > messageLimit) {
    state.joining = null;
    return "too-long";
  }
  if (!frame.isLast) return "taken";
  state.joining = null;
  const body = new Uint8Array(joining.length);
  let at = 0;
  for (const part of joining.parts) {
    body.set(part, at);
    at += part.length;
  }
  return { channel: state.channel, kind, id: joining.id, body };
}

/** The frame that acknowledges `frame`. */
export function acknowledgementOf(frame: Frame): Uint8Array {
  return encodeFrame({
    kind: FrameKind.ACK,
    isFirst: false,
    isLast: false,
    sequence: frame.sequence,
    channel: frame.channel,
    id: frame.id,
    payload: new Uint8Array(0),
  });
}
