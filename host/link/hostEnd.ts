// SPDX-License-Identifier: Apache-2.0
// The host's end of the link (docs/link.md) as an event machine: `hostEndStep` takes one event,
// changes the state, which is plain data, and gives the effects in order. Nothing here waits.
import {
  acknowledgementOf,
  allowMoreTime,
  type ChannelState,
  cutShort,
  dropFirst,
  hasBegun,
  isLastFrameSent,
  newChannel,
  repeatFrame,
  sendNext,
  takeAcknowledgement,
  takeFrame,
} from "./channel.ts";
import {
  encodeSingle,
  type Frame,
  type FrameReader,
  newFrameReader,
  newLinkStatistics,
  readFrames,
} from "./frame.ts";
import {
  type BoardInformation,
  Channel,
  FIRST_RETRY_MS,
  FrameKind,
  LinkError,
  type LinkStatistics,
  LONGEST_RETRY_MS,
  MESSAGE_LIMIT,
} from "./protocol.ts";
import { decodeSyncAnswer, encodeSyncRequest, nextNonce, NO_NONCE, sameBytes } from "./sync.ts";

/** State of the host's end; plain data. */
export interface HostEnd {
  phase: "closed" | "synchronising" | "open";
  /** Nonce of the SYNC that was last sent. Each synchronisation raises it by one. */
  nonce: Uint8Array;
  syncRetryMs: number;
  syncDeadlineMs: number;
  /** What the board told when the link last came up, or null before. */
  board: BoardInformation | null;
  reader: FrameReader;
  channels: ChannelState[];
  statistics: LinkStatistics;
}

export type HostEndEvent = { nowMs: number } & (
  | { type: "open" }
  | { type: "bytes"; bytes: Uint8Array }
  | { type: "send"; channel: number; id: number; body: Uint8Array }
  | { type: "cancel"; channel: number; id: number }
  | { type: "time" }
  | { type: "close" }
);

export type HostEndEffect =
  | { type: "write"; bytes: Uint8Array }
  /** The board answered SYNC; `rebooted` if it was switched on since the link was last up. */
  | { type: "up"; board: BoardInformation; rebooted: boolean }
  /** The link is lost and is being sought again; messages received in part are gone. */
  | { type: "down"; reason: string }
  /** A message was not taken whole; `mayHaveArrived` if its last frame was sent. */
  | { type: "failed"; channel: number; id: number; reason: string; mayHaveArrived: boolean }
  | { type: "message"; channel: number; id: number; body: Uint8Array }
  /** An ERROR in the place of an answer; `detail` is what follows its code. */
  | { type: "error"; channel: number; id: number; code: number; detail: Uint8Array }
  /** The board is at work on request `id`: whoever waits for it waits on. */
  | { type: "working"; channel: number; id: number; reason: number };

/** Makes a closed end. `nonce` is 8 random bytes, so that no earlier program's are repeated. */
export function newHostEnd(nonce: Uint8Array): HostEnd {
  return {
    phase: "closed",
    nonce: nonce.slice(),
    syncRetryMs: 0,
    syncDeadlineMs: 0,
    board: null,
    reader: newFrameReader(),
    channels: [Channel.BOARD, Channel.AGENT, Channel.MODULE, Channel.LOG].map(newChannel),
    statistics: newLinkStatistics(),
  };
}

/** When the machine wants a "time" event, or null. */
export function hostEndDeadlineMs(state: HostEnd): number | null {
  if (state.phase === "closed") return null;
  if (state.phase === "synchronising") return state.syncDeadlineMs;
  const deadlines = state.channels.flatMap((channel) => channel.deadlineMs ?? []);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}

/** Takes one event; changes `state` and gives what is to be done, in order. */
export function hostEndStep(state: HostEnd, event: HostEndEvent): HostEndEffect[] {
  const effects: HostEndEffect[] = [];
  switch (event.type) {
    case "open":
      if (state.phase === "closed") synchronise(state, event.nowMs, effects);
      break;
    case "close":
      if (state.phase !== "closed") {
        state.phase = "closed";
        failAll(state, "the link was closed", effects);
      }
      break;
    case "send":
      enqueue(state, event.channel, event.id, event.body, effects);
      break;
    case "cancel":
      cancel(state, event.channel, event.id, effects);
      break;
    case "bytes":
      for (const frame of readFrames(state.reader, event.bytes, state.statistics)) {
        if (state.phase !== "closed") takeHostFrame(state, frame, event.nowMs, effects);
      }
      break;
    case "time":
      takeTime(state, event.nowMs, effects);
      break;
  }
  if (state.phase === "open") {
    for (const channel of state.channels) {
      const bytes = sendNext(channel, event.nowMs);
      if (bytes !== null) write(state, bytes, effects);
    }
  }
  return effects;
}

function channelOf(state: HostEnd, channel: number): ChannelState | undefined {
  return state.channels.find((candidate) => candidate.channel === channel);
}

function write(state: HostEnd, bytes: Uint8Array, effects: HostEndEffect[]): void {
  state.statistics.bytesSent += bytes.length;
  state.statistics.framesSent += 1;
  effects.push({ type: "write", bytes });
}

function synchronise(state: HostEnd, nowMs: number, effects: HostEndEffect[]): void {
  state.phase = "synchronising";
  state.syncRetryMs = FIRST_RETRY_MS;
  state.nonce = nextNonce(state.nonce);
  writeSync(state, nowMs, effects);
}

function writeSync(state: HostEnd, nowMs: number, effects: HostEndEffect[]): void {
  state.syncDeadlineMs = nowMs + state.syncRetryMs;
  const payload = encodeSyncRequest(state.nonce);
  write(state, encodeSingle(FrameKind.SYNC, Channel.LINK, 0, payload), effects);
}

function takeTime(state: HostEnd, nowMs: number, effects: HostEndEffect[]): void {
  if (state.phase === "synchronising" && nowMs >= state.syncDeadlineMs) {
    state.syncRetryMs = Math.min(state.syncRetryMs * 2, LONGEST_RETRY_MS);
    writeSync(state, nowMs, effects);
  }
  if (state.phase !== "open") return;
  for (const channel of state.channels) {
    const repeated = repeatFrame(channel, nowMs, state.statistics);
    if (repeated === "down") {
      goDown(state, "the board does not acknowledge", nowMs, effects);
      return;
    }
    if (repeated !== null) write(state, repeated, effects);
  }
}

function goDown(state: HostEnd, reason: string, nowMs: number, effects: HostEndEffect[]): void {
  failAll(state, reason, effects);
  effects.push({ type: "down", reason });
  synchronise(state, nowMs, effects);
}

/** Empties all channels and tells of each message that it failed. */
function failAll(state: HostEnd, reason: string, effects: HostEndEffect[]): void {
  for (const channel of state.channels) {
    for (const [index, message] of channel.queue.entries()) {
      if (message.isCutShort) continue;
      const mayHaveArrived = index === 0 && isLastFrameSent(channel);
      fail(channel.channel, message.id, reason, mayHaveArrived, effects);
    }
    Object.assign(channel, newChannel(channel.channel));
  }
}

function fail(
  channel: number,
  id: number,
  reason: string,
  mayHaveArrived: boolean,
  effects: HostEndEffect[],
): void {
  effects.push({ type: "failed", channel, id, reason, mayHaveArrived });
}

function enqueue(
  state: HostEnd,
  number: number,
  id: number,
  body: Uint8Array,
  effects: HostEndEffect[],
): void {
  const limit = Math.min(MESSAGE_LIMIT, state.board?.messageLimit ?? MESSAGE_LIMIT);
  const channel = channelOf(state, number);
  if (channel === undefined) fail(number, id, `there is no channel ${number}`, false, effects);
  else if (body.length > limit) {
    const reason = `a message has at most ${limit} bytes, this one ${body.length}`;
    fail(number, id, reason, false, effects);
  } else channel.queue.push({ kind: FrameKind.DATA, id, body: body.slice() });
}

function cancel(state: HostEnd, number: number, id: number, effects: HostEndEffect[]): void {
  const channel = channelOf(state, number);
  if (channel === undefined) return;
  const index = channel.queue.findIndex((message) => message.id === id && !message.isCutShort);
  const isUnderWay = index === 0 && hasBegun(channel);
  if (index >= 0 && !isUnderWay) channel.queue.splice(index, 1);
  else if (state.phase === "open") {
    write(state, encodeSingle(FrameKind.CANCEL, number, id, new Uint8Array(0)), effects);
  }
  // A request that left whole may have begun: its answer, or the absence of one, will tell.
  if (index >= 0 && (!isUnderWay || cutShort(channel))) {
    fail(number, id, "the request was cancelled", false, effects);
  }
}

function takeHostFrame(
  state: HostEnd,
  frame: Frame,
  nowMs: number,
  effects: HostEndEffect[],
): void {
  if (frame.channel === Channel.LINK) {
    takeLinkFrame(state, frame, nowMs, effects);
    return;
  }
  const channel = channelOf(state, frame.channel);
  // The line keeps order: all that comes before the answer to SYNC is of an earlier time.
  if (state.phase !== "open" || channel === undefined) {
    state.statistics.droppedUnexpected += 1;
    return;
  }
  switch (frame.kind) {
    case FrameKind.ACK:
      if (!takeAcknowledgement(channel, frame)) state.statistics.duplicates += 1;
      break;
    case FrameKind.DATA:
    case FrameKind.ERROR:
      takeMessageFrame(state, channel, frame, effects);
      break;
    case FrameKind.KEEPALIVE: {
      allowMoreTime(channel, nowMs);
      const reason = frame.payload[0] ?? 0;
      effects.push({ type: "working", channel: frame.channel, id: frame.id, reason });
      break;
    }
    default:
      state.statistics.droppedUnexpected += 1;
  }
}

function takeMessageFrame(
  state: HostEnd,
  channel: ChannelState,
  frame: Frame,
  effects: HostEndEffect[],
): void {
  write(state, acknowledgementOf(frame), effects);
  const taken = takeFrame(channel, frame, MESSAGE_LIMIT);
  if (taken === "duplicate") state.statistics.duplicates += 1;
  else if (taken === "too-long") state.statistics.droppedUnexpected += 1;
  else if (taken !== "taken") {
    const { channel: number, id, body } = taken;
    if (taken.kind === FrameKind.DATA) effects.push({ type: "message", channel: number, id, body });
    else {
      const code = body[0] ?? 0;
      effects.push({ type: "error", channel: number, id, code, detail: body.slice(1) });
    }
  }
}

/** Channel 0: answers to SYNC, a board's unasked SYNC at its start, errors about the link. */
function takeLinkFrame(
  state: HostEnd,
  frame: Frame,
  nowMs: number,
  effects: HostEndEffect[],
): void {
  if (frame.kind === FrameKind.SYNC) {
    const answer = decodeSyncAnswer(frame.payload);
    if (answer === null) state.statistics.droppedUnexpected += 1;
    else takeSyncAnswer(state, answer.nonce, answer.board, nowMs, effects);
  } else if (frame.kind === FrameKind.ERROR && state.phase === "open") {
    takeLinkError(state, frame, nowMs, effects);
  } else state.statistics.droppedUnexpected += 1;
}

function takeSyncAnswer(
  state: HostEnd,
  nonce: Uint8Array,
  board: BoardInformation,
  nowMs: number,
  effects: HostEndEffect[],
): void {
  const isAnswer = sameBytes(nonce, state.nonce);
  if (state.phase === "open") {
    // A second answer to the same SYNC is harmless, unless another life of the board sent it.
    const isSameLife = board.bootCounter === state.board?.bootCounter;
    if (isAnswer && isSameLife) state.statistics.duplicates += 1;
    else if (isAnswer || sameBytes(nonce, NO_NONCE)) {
      const reason = isSameLife ? "the board gave the link up" : "the board was switched on";
      goDown(state, reason, nowMs, effects);
    } else state.statistics.droppedUnexpected += 1;
  } else if (isAnswer) {
    const rebooted = state.board !== null && state.board.bootCounter !== board.bootCounter;
    state.phase = "open";
    state.board = board;
    effects.push({ type: "up", board, rebooted });
  } else if (sameBytes(nonce, NO_NONCE)) {
    // The board has just started: no need to wait for the next repetition.
    writeSync(state, nowMs, effects);
  } else state.statistics.droppedUnexpected += 1;
}

function takeLinkError(
  state: HostEnd,
  frame: Frame,
  nowMs: number,
  effects: HostEndEffect[],
): void {
  const [code, number] = frame.payload;
  if (code === LinkError.NOT_SYNCHRONISED) {
    goDown(state, "the board was restarted", nowMs, effects);
    return;
  }
  const channel = number === undefined ? undefined : channelOf(state, number);
  const message = channel?.queue[0];
  if (code !== LinkError.NO_CHANNEL || channel === undefined || message?.id !== frame.id) {
    state.statistics.droppedUnexpected += 1;
    return;
  }
  dropFirst(channel);
  const detail = new Uint8Array(0);
  effects.push({ type: "error", channel: channel.channel, id: frame.id, code, detail });
}
