// SPDX-License-Identifier: Apache-2.0
// The board's end of the link (docs/link.md) as an event machine, for the simulated board. It does
// only what a small board in C does too: one frame buffer and one message buffer per channel.
import {
  acknowledgementOf,
  allowMoreTime,
  type ChannelState,
  hasBegun,
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
  FrameKind,
  LinkError,
  type LinkStatistics,
  OUTBOX_HEADER,
  OUTBOX_SIZE,
} from "./protocol.ts";
import { decodeSyncRequest, encodeSyncAnswer, NO_NONCE, sameBytes } from "./sync.ts";

/** State of the board's end; plain data. */
export interface BoardEnd {
  information: BoardInformation;
  /** Nonce of the SYNC that opened the link; null while it is not synchronised. */
  nonce: Uint8Array | null;
  reader: FrameReader;
  /** The board's own channel and those of its modules. */
  channels: ChannelState[];
  statistics: LinkStatistics;
  /** Messages that found no room to wait in. */
  lostMessages: number;
}

export type BoardEndEvent = { nowMs: number } & (
  | { type: "start" }
  | { type: "bytes"; bytes: Uint8Array }
  /** A module sends: `id` is the request it handles, 0 for none. */
  | { type: "send"; channel: number; id: number; body: Uint8Array }
  /** An ERROR in the place of an answer: the code, then what belongs to it. */
  | { type: "fail"; channel: number; id: number; body: Uint8Array }
  /** Work on request `id` takes long; sent every 100 ms by the board, not by the module. */
  | { type: "keepalive"; channel: number; id: number; reason: number }
  | { type: "time" }
);

export type BoardEndEffect =
  | { type: "write"; bytes: Uint8Array }
  /** A whole request for a module, or for the board itself on channel BOARD. */
  | { type: "message"; channel: number; id: number; body: Uint8Array }
  /** The host does not want request `id` any more: drop it if it has not begun. */
  | { type: "cancelled"; channel: number; id: number };

export function newBoardEnd(information: BoardInformation): BoardEnd {
  const channels = [Channel.BOARD, ...information.modules.map((module) => module.channel)];
  return {
    information,
    nonce: null,
    reader: newFrameReader(),
    channels: channels.map(newChannel),
    statistics: newLinkStatistics(),
    lostMessages: 0,
  };
}

/** When the machine wants a "time" event, or null. */
export function boardEndDeadlineMs(state: BoardEnd): number | null {
  const deadlines = state.channels.flatMap((channel) => channel.deadlineMs ?? []);
  return deadlines.length === 0 ? null : Math.min(...deadlines);
}

/** Takes one event; changes `state` and gives what is to be done, in order. */
export function boardEndStep(state: BoardEnd, event: BoardEndEvent): BoardEndEffect[] {
  const effects: BoardEndEffect[] = [];
  switch (event.type) {
    case "start":
      writeStart(state, effects);
      break;
    case "send":
      enqueue(state, FrameKind.DATA, event.channel, event.id, event.body);
      break;
    case "fail":
      enqueue(state, FrameKind.ERROR, event.channel, event.id, event.body);
      break;
    case "keepalive":
      if (state.nonce !== null) {
        const payload = Uint8Array.of(event.reason);
        const { channel, id } = event;
        write(state, encodeSingle(FrameKind.KEEPALIVE, channel, id, payload), effects);
      }
      break;
    case "bytes":
      for (const frame of readFrames(state.reader, event.bytes, state.statistics)) {
        takeBoardFrame(state, frame, event.nowMs, effects);
      }
      break;
    case "time":
      takeTime(state, event.nowMs, effects);
      break;
  }
  if (state.nonce !== null) {
    for (const channel of state.channels) {
      const bytes = sendNext(channel, event.nowMs);
      if (bytes !== null) write(state, bytes, effects);
    }
  }
  return effects;
}

function write(state: BoardEnd, bytes: Uint8Array, effects: BoardEndEffect[]): void {
  state.statistics.bytesSent += bytes.length;
  state.statistics.framesSent += 1;
  effects.push({ type: "write", bytes });
}

function writeLink(
  state: BoardEnd,
  kind: FrameKind,
  id: number,
  payload: Uint8Array,
  effects: BoardEndEffect[],
): void {
  write(state, encodeSingle(kind, Channel.LINK, id, payload), effects);
}

/** SYNC unasked, for a host that waits and for one that does not know that the link ended. */
function writeStart(state: BoardEnd, effects: BoardEndEffect[]): void {
  writeLink(state, FrameKind.SYNC, 0, encodeSyncAnswer(NO_NONCE, state.information), effects);
}

function enqueue(
  state: BoardEnd,
  kind: typeof FrameKind.DATA | typeof FrameKind.ERROR,
  number: number,
  id: number,
  body: Uint8Array,
): void {
  const channel = state.channels.find((candidate) => candidate.channel === number);
  const size = OUTBOX_HEADER + body.length;
  if (channel === undefined || size > OUTBOX_SIZE - waitingBytes(channel)) state.lostMessages += 1;
  else channel.queue.push({ kind, id, body: body.slice() });
}

/** Room that messages take which wait to leave. */
function waitingBytes(channel: ChannelState): number {
  return channel.queue.reduce((sum, { body }) => sum + OUTBOX_HEADER + body.length, 0);
}

/** Starts all channels anew; keeps what modules say unasked and have not begun to say. */
function restartChannels(state: BoardEnd): void {
  for (const channel of state.channels) {
    const kept = channel.queue.slice(hasBegun(channel) ? 1 : 0).filter(({ id }) => id === 0);
    Object.assign(channel, newChannel(channel.channel), { queue: kept });
  }
}

function takeTime(state: BoardEnd, nowMs: number, effects: BoardEndEffect[]): void {
  for (const channel of state.channels) {
    const repeated = repeatFrame(channel, nowMs, state.statistics);
    if (repeated === "down") {
      // Nobody listens: wait for the next SYNC. A host that does listen learns of the loss now.
      state.nonce = null;
      restartChannels(state);
      writeStart(state, effects);
      return;
    }
    if (repeated !== null) write(state, repeated, effects);
  }
}

function takeBoardFrame(
  state: BoardEnd,
  frame: Frame,
  nowMs: number,
  effects: BoardEndEffect[],
): void {
  if (frame.channel === Channel.LINK) {
    takeSync(state, frame, effects);
    return;
  }
  if (state.nonce === null) {
    // Only DATA is answered: a good frame that waits for an acknowledgement it will never get.
    state.statistics.droppedUnexpected += 1;
    if (frame.kind !== FrameKind.DATA) return;
    const payload = Uint8Array.of(LinkError.NOT_SYNCHRONISED);
    writeLink(state, FrameKind.ERROR, frame.id, payload, effects);
    return;
  }
  const channel = state.channels.find((candidate) => candidate.channel === frame.channel);
  if (channel === undefined) {
    state.statistics.droppedUnexpected += 1;
    if (frame.kind !== FrameKind.DATA) return;
    const payload = Uint8Array.of(LinkError.NO_CHANNEL, frame.channel);
    writeLink(state, FrameKind.ERROR, frame.id, payload, effects);
    return;
  }
  switch (frame.kind) {
    case FrameKind.ACK:
      if (!takeAcknowledgement(channel, frame)) state.statistics.duplicates += 1;
      break;
    case FrameKind.DATA:
      takeRequestFrame(state, channel, frame, effects);
      break;
    case FrameKind.CANCEL:
      if (channel.joining?.id === frame.id) channel.joining = null;
      effects.push({ type: "cancelled", channel: channel.channel, id: frame.id });
      break;
    case FrameKind.KEEPALIVE:
      allowMoreTime(channel, nowMs);
      break;
    default:
      state.statistics.droppedUnexpected += 1;
  }
}

function takeSync(state: BoardEnd, frame: Frame, effects: BoardEndEffect[]): void {
  const nonce = frame.kind === FrameKind.SYNC ? decodeSyncRequest(frame.payload) : null;
  if (nonce === null) {
    state.statistics.droppedUnexpected += 1;
    return;
  }
  // A repeated SYNC is answered again but changes nothing: the host may be sending already.
  if (state.nonce === null || !sameBytes(state.nonce, nonce)) {
    state.nonce = nonce;
    restartChannels(state);
  }
  const payload = encodeSyncAnswer(nonce, state.information);
  writeLink(state, FrameKind.SYNC, 0, payload, effects);
}

function takeRequestFrame(
  state: BoardEnd,
  channel: ChannelState,
  frame: Frame,
  effects: BoardEndEffect[],
): void {
  // Its answer might find no room: it stays unacknowledged, and is sent again.
  const isNew = frame.sequence === channel.receiveSequence;
  if (isNew && 4 * waitingBytes(channel) > OUTBOX_SIZE) return;
  write(state, acknowledgementOf(frame), effects);
  const taken = takeFrame(channel, frame, state.information.messageLimit);
  if (taken === "duplicate") state.statistics.duplicates += 1;
  else if (taken === "too-long") {
    const body = Uint8Array.of(LinkError.TOO_LONG);
    enqueue(state, FrameKind.ERROR, channel.channel, frame.id, body);
  } else if (taken !== "taken") {
    effects.push({ type: "message", channel: taken.channel, id: taken.id, body: taken.body });
  }
}
