// SPDX-License-Identifier: Apache-2.0
// A simulated board with the echo image, versions of that image, signed, and an update of it step by
// step (docs/link.md, "Loading an image").
import {
  DATA_SIZE,
  decodeUpdateAnswer,
  encodeUpdate,
  type UpdateMessage,
  UpdateRequest,
  UpdateStatus,
} from "../../host/simulator/imageUpdate.ts";
import type { BoardOptions, ImageDescription } from "../../host/simulator/types.ts";
import { signImage, type SignedImage } from "../../host/trust/imageRelease.ts";
import { buildRelease, DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
import { EchoBench, echoImage, MODULE, pack } from "./echoBoard.ts";

export const { signer } = buildRelease();
export const NAME = "echo module";
export const LABEL = new TextEncoder().encode("florin/journal");
export const WORD = pack([1, 2, 3, 4, 5, 6, 7, 8]);
export const OTHER_SEED = new Uint8Array(32).fill(7);

/** The echo image with a custom section that tells a number: other bytes, the same program. */
export function bytesOf(number: number): Uint8Array {
  return pack(echoImage().bytes, [0, 3, 1, 0x76, number]);
}

export function builtIn(version: number, minimumVersion = 1): ImageDescription {
  return { bytes: bytesOf(version), name: NAME, version, minimumVersion, signer };
}

export function signed(version: number, options: Partial<Parameters<typeof signImage>[0]> = {}) {
  return signImage(
    { name: NAME, version, minimumVersion: 1, ...options },
    bytesOf(version),
    DEVELOPMENT_SEED,
  );
}

export function bench(options: Partial<BoardOptions> = {}): EchoBench {
  return new EchoBench({ module: builtIn(1), ...options });
}

/** Asks the board; its answer comes within the call. */
export function ask(at: EchoBench, message: UpdateMessage) {
  at.heard.length = 0;
  at.link.send(1, encodeUpdate(message));
  const said = at.heard.find(({ channel }) => channel === 1);
  return said === undefined ? null : decodeUpdateAnswer(pack([said.port], said.body));
}

export const begin = (at: EchoBench, { statement }: SignedImage) =>
  ask(at, { request: UpdateRequest.BEGIN, channel: MODULE, statement })?.status;
export const finish = (at: EchoBench) =>
  ask(at, { request: UpdateRequest.END, channel: MODULE })?.status;

/** Sends DATA up to `endBytes`, as far as the board goes along; the last status. */
export function data(at: EchoBench, bytes: Uint8Array, offset = 0, endBytes = bytes.length) {
  let status: UpdateStatus | undefined;
  for (let done = offset; done < endBytes; done += DATA_SIZE) {
    const part = bytes.slice(done, done + DATA_SIZE);
    status = ask(at, {
      request: UpdateRequest.DATA,
      channel: MODULE,
      offset: done,
      bytes: part,
    })?.status;
    if (status !== UpdateStatus.TAKEN) break;
  }
  return status;
}

export function update(at: EchoBench, image: SignedImage): UpdateStatus | undefined {
  const begun = begin(at, image);
  if (begun !== UpdateStatus.TAKEN) return begun;
  data(at, image.bytes);
  return finish(at);
}

/** What SYNC tells of the module, on a new link. */
export async function told(at: EchoBench) {
  const board = await at.link.open();
  return board.modules.find(({ channel }) => channel === MODULE)!;
}
export const versionOf = (at: EchoBench): number =>
  at.board.snapshot().linkEnd?.information.modules[1]?.imageVersion ?? -1;
