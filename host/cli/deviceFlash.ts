// SPDX-License-Identifier: Apache-2.0
// florin device flash: loads a signed image into a board that takes images over the link, and shows
// what runs afterwards (docs/link.md, "Loading an image").
import { readFileSync } from "node:fs";
import { BoardRefusal, loadSignedImage } from "../device/boardRequests.ts";
import { systemClock } from "../link/clock.ts";
import { LinkClient } from "../link/linkClient.ts";
import { decodeSignedImage, readRelease } from "../trust/imageRelease.ts";
import { type DeviceReport, reportOver } from "./deviceReport.ts";
import { openPort, type PortOptions } from "./devicePort.ts";
import { CommandFailure, ExitCode, progress } from "./output.ts";

/** Tells of progress at each such part of the image. */
const TOLD_PARTS = 10;

/**
 * Loads the image in `path` and gives the board's report afterwards.
 * @throws {CommandFailure} for a file that is no signed image, and where the board refuses it
 */
export async function flashDevice(options: PortOptions, path: string): Promise<DeviceReport> {
  const image = readImage(path);
  const port = await openPort(options);
  try {
    const link = new LinkClient({ transport: port.transport, clock: systemClock });
    try {
      const board = await link.open();
      const { name, version } = image.release;
      const slot = board.modules.find(({ imageName }) => imageName === name);
      if (slot === undefined) {
        const names = board.modules.map(({ imageName }) => imageName).join(" and ");
        throw new CommandFailure(
          `${path} is ${name}, and the board at ${options.port} runs ${names}`,
          ExitCode.REFUSED,
        );
      }
      progress(`${name}: version ${slot.imageVersion} to ${version}`);
      let told = 0;
      await loadSignedImage(link, systemClock, slot.channel, image.signed, (done, all) => {
        const part = Math.floor((done * TOLD_PARTS) / all);
        if (part > told) progress(`${done} of ${all} bytes`);
        told = part;
      });
      return await reportOver(link, options.port);
    } catch (error) {
      if (!(error instanceof BoardRefusal)) throw error;
      throw new CommandFailure(error.message, ExitCode.REFUSED);
    } finally {
      link.close();
    }
  } finally {
    await port.close();
  }
}

function readImage(path: string) {
  let file: Uint8Array;
  try {
    file = new Uint8Array(readFileSync(path));
  } catch {
    throw new CommandFailure(`cannot read ${path}`);
  }
  const signed = decodeSignedImage(file);
  const release = signed && readRelease(signed.statement);
  if (signed === undefined || release === undefined) {
    throw new CommandFailure(
      `${path} is no signed image: scripts/sign-image.mjs makes one of a WebAssembly image`,
    );
  }
  return { signed, release };
}
