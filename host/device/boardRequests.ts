// SPDX-License-Identifier: Apache-2.0
// Requests of a host to the board itself (docs/link.md, "Channel 1"): asked over a link that is
// open, and an image loaded by BEGIN, DATA and END.
import type { Clock } from "../link/clock.ts";
import type { LinkClient } from "../link/linkClient.ts";
import { Channel, Port } from "../link/protocol.ts";
import {
  DATA_SIZE,
  decodeUpdateAnswer,
  encodeUpdate,
  type UpdateAnswer,
  type UpdateMessage,
  UpdateRequest,
  UpdateStatus,
} from "../simulator/imageUpdate.ts";
import { channelOf } from "./messageManager.ts";
import type { Target } from "./types.ts";
import type { SignedImage } from "../trust/imageRelease.ts";

/** How long a board may take for one answer, work on flash included. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The board answered, and refused. */
export class BoardRefusal extends Error {
  override readonly name = "BoardRefusal";
  /** The code of an ERROR; null where an answer says why. */
  readonly code: number | null;

  constructor(message: string, code: number | null = null) {
    super(message);
    this.code = code;
  }
}

/**
 * Asks the board and gives its answer. It takes over the link's listeners.
 * @throws {BoardRefusal} where the board answers ERROR
 * @throws {Error} where it does not answer, or the link goes down
 */
export function askBoard(link: LinkClient, clock: Clock, body: Uint8Array): Promise<Uint8Array> {
  return askChannel(link, clock, Channel.BOARD, body);
}

/** A command of the owner's host to the agent or module behind an open link, as `askBoard`. */
export async function askHalf(
  link: LinkClient,
  clock: Clock,
  half: Target,
  body: Uint8Array,
): Promise<Uint8Array> {
  const message = Uint8Array.of(Port.HOST, ...body);
  return (await askChannel(link, clock, channelOf(half), message)).slice(1);
}

function askChannel(
  link: LinkClient,
  clock: Clock,
  asked: number,
  body: Uint8Array,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const request = link.newRequestId();
    const fail = (error: Error): void => {
      timer.cancel();
      reject(error);
    };
    const timer = clock.after(ANSWER_TIMEOUT_MS, () =>
      reject(new Error(`The board answered nothing in ${ANSWER_TIMEOUT_MS} ms.`)),
    );
    link.onMessage((channel, id, answer) => {
      if (channel !== asked || id !== request) return;
      timer.cancel();
      resolve(answer);
    });
    link.onEvent((event) => {
      if (event.type === "down") fail(new Error(`The link went down: ${event.reason}.`));
      else if (event.type === "error" && event.id === request) {
        fail(new BoardRefusal(`The board answers ERROR ${event.code}.`, event.code));
      }
    });
    link.send(asked, body, request);
  });
}

/** Why a board does not take an image, as a sentence. */
export function refusalOf(status: UpdateStatus): string {
  switch (status) {
    case UpdateStatus.NOT_SIGNED:
      return "the image is not signed by the signer whose images this board takes";
    case UpdateStatus.OLDER:
      return "the board has run a newer image, or another one of this version; it never goes back";
    case UpdateStatus.OTHER_NAME:
      return "the board runs an image of another name there";
    case UpdateStatus.OTHER_PURSE:
      return "its minimum version is another one: the board would leave its purse behind";
    case UpdateStatus.TOO_LONG:
      return "the image is too long for the board";
    case UpdateStatus.BUILT_IN:
      return "its images are part of the board's program: build it with the new image and load it \
with the board's own tool (boards/README.md)";
    case UpdateStatus.DAMAGED:
      return "what arrived is not the image that was signed, or none that the board can run";
    default:
      return "the board lost what had arrived: try again";
  }
}

/**
 * Loads a signed image and has it started; what a broken line interrupted goes on where it was.
 * `progress` gets the bytes that the board has, of all.
 * @throws {BoardRefusal} with the reason, where the board does not take it: the old image runs on
 */
export async function loadSignedImage(
  link: LinkClient,
  clock: Clock,
  channel: number,
  { statement, bytes }: SignedImage,
  progress: (doneBytes: number, allBytes: number) => void = () => {},
): Promise<void> {
  const ask = async (message: UpdateMessage): Promise<UpdateAnswer> => {
    const answer = decodeUpdateAnswer(await askBoard(link, clock, encodeUpdate(message)));
    if (answer === null) throw new Error("The board's answer is malformed.");
    if (answer.status === UpdateStatus.TAKEN) return answer;
    throw new BoardRefusal(`The board does not take the image: ${refusalOf(answer.status)}.`);
  };
  let { offset } = await ask({ request: UpdateRequest.BEGIN, channel, statement });
  while (offset < bytes.length) {
    progress(offset, bytes.length);
    const part = bytes.subarray(offset, offset + DATA_SIZE);
    const answer = await ask({ request: UpdateRequest.DATA, channel, offset, bytes: part });
    if (answer.offset <= offset) throw new Error("The board takes no more of the image.");
    offset = answer.offset;
  }
  progress(offset, bytes.length);
  await ask({ request: UpdateRequest.END, channel });
}
