// SPDX-License-Identifier: Apache-2.0
// The board's own channel (docs/link.md, "Channel 1"): it answers whatever state the images are in.
import { Channel, LinkError } from "../link/protocol.ts";
import { decodeUpdate, encodeUpdateAnswer } from "./imageUpdate.ts";
import type { SimulatedModule } from "./simulatedModule.ts";

/** First byte of a request, repeated in its answer; imageUpdate.ts has those from 5. */
export const BoardRequest = { STATUS: 1, RESTART: 2, IDENTITY: 3, WEAR: 4 } as const;

const RUNNING = 1;
const STOPPED = 2;
const OUTDATED = 3;

/** State of one module as channel 1 tells it. */
export interface ModuleStatus {
  channel: number;
  isStopped: boolean;
  /** A newer image ran here: this one is not started. */
  isOutdated: boolean;
  /** Starts since the board was switched on. */
  starts: number;
  panics: number;
  /** Source position of the last failed assertion, 0 for none or for a trap. */
  line: number;
  column: number;
}

const STATUS_SIZE = 14;

/** Erasures of one module's flash window. */
export interface ModuleWear {
  channel: number;
  /** Of all pages together, and of the one erased most; null where the board does not count. */
  erasures: { total: number; most: number } | null;
}

const WEAR_SIZE = 9;
const NOT_COUNTED = 0xffffffff;

/** Answers one request; an answer, or the code of an ERROR. `identity` makes the signed answer. */
export function answerManagement(
  modules: SimulatedModule[],
  identity: () => Uint8Array,
  request: Uint8Array,
): Uint8Array | LinkError {
  if (request.length === 1 && request[0] === BoardRequest.STATUS) return encodeStatus(modules);
  if (request.length === 2 && request[0] === BoardRequest.RESTART) {
    const module = modules.find(({ channel }) => channel === request[1]);
    if (module === undefined) return LinkError.NO_CHANNEL;
    module.restart();
    return request;
  }
  if (request.length === 1 && request[0] === BoardRequest.IDENTITY) return identity();
  if (request.length === 1 && request[0] === BoardRequest.WEAR) return encodeWear(modules);
  const update = decodeUpdate(request);
  if (update !== null) {
    const module = modules.find(({ channel }) => channel === update.channel);
    return module ? encodeUpdateAnswer(module.update(update)) : LinkError.NO_CHANNEL;
  }
  return LinkError.BAD_MESSAGE;
}

function encodeStatus(modules: SimulatedModule[]): Uint8Array {
  const answer = new Uint8Array(2 + modules.length * STATUS_SIZE);
  const view = new DataView(answer.buffer);
  answer[0] = BoardRequest.STATUS;
  answer[1] = modules.length;
  for (const [index, module] of modules.entries()) {
    const at = 2 + index * STATUS_SIZE;
    answer[at] = module.channel;
    answer[at + 1] = module.isStopped ? (module.isOutdated ? OUTDATED : STOPPED) : RUNNING;
    view.setUint32(at + 2, module.starts, true);
    view.setUint32(at + 6, module.panics, true);
    view.setUint16(at + 10, module.lastPanicAt.line, true);
    view.setUint16(at + 12, module.lastPanicAt.column, true);
  }
  return answer;
}

/** The states in an answer to STATUS, or null if it is malformed. */
export function decodeStatus(answer: Uint8Array): ModuleStatus[] | null {
  const count = answer[1] ?? 0;
  if (answer[0] !== BoardRequest.STATUS || answer.length !== 2 + count * STATUS_SIZE) return null;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  return Array.from({ length: count }, (_, index) => {
    const at = 2 + index * STATUS_SIZE;
    return {
      channel: answer[at] ?? Channel.LINK,
      isStopped: answer[at + 1] !== RUNNING,
      isOutdated: answer[at + 1] === OUTDATED,
      starts: view.getUint32(at + 2, true),
      panics: view.getUint32(at + 6, true),
      line: view.getUint16(at + 10, true),
      column: view.getUint16(at + 12, true),
    };
  });
}

function encodeWear(modules: SimulatedModule[]): Uint8Array {
  const answer = new Uint8Array(2 + modules.length * WEAR_SIZE);
  const view = new DataView(answer.buffer);
  answer[0] = BoardRequest.WEAR;
  answer[1] = modules.length;
  for (const [index, module] of modules.entries()) {
    const at = 2 + index * WEAR_SIZE;
    const { total, most } = module.flash.wearOf();
    answer[at] = module.channel;
    view.setUint32(at + 1, total, true);
    view.setUint32(at + 5, most, true);
  }
  return answer;
}

/** The numbers in an answer to WEAR, or null if it is malformed. */
export function decodeWear(answer: Uint8Array): ModuleWear[] | null {
  const count = answer[1] ?? 0;
  if (answer[0] !== BoardRequest.WEAR || answer.length !== 2 + count * WEAR_SIZE) return null;
  const view = new DataView(answer.buffer, answer.byteOffset, answer.length);
  return Array.from({ length: count }, (_, index) => {
    const at = 2 + index * WEAR_SIZE;
    const total = view.getUint32(at + 1, true);
    const most = view.getUint32(at + 5, true);
    const erasures = total === NOT_COUNTED ? null : { total, most };
    return { channel: answer[at] ?? Channel.LINK, erasures };
  });
}
