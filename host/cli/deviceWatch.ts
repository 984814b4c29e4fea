// SPDX-License-Identifier: Apache-2.0
// florin device run and log: stays at a board and prints what happens there; run is also its host,
// which other devices connect to.
import { listenForPeers } from "../device/communications.ts";
import { openDevice } from "../device/device.ts";
import type { DeviceEvent } from "../device/types.ts";
import { systemClock } from "../link/clock.ts";
import type { BoardInformation } from "../link/protocol.ts";
import { type Interruption, openPort, type PortOptions } from "./devicePort.ts";
import { CommandFailure, ExitCode, say } from "./output.ts";

const LOCAL_HOST = "127.0.0.1";

export interface WatchOptions extends PortOptions {
  json?: boolean;
  /** Ends by itself after so many seconds. */
  seconds?: string;
}

export interface RunOptions extends WatchOptions {
  /** Port on this computer where other devices connect; any free one if absent. */
  listen?: string;
}

/** Prints what happens at a board until it is told to stop. */
export async function logDevice(options: WatchOptions): Promise<void> {
  await watch(options, null);
}

/** The same, and lets other devices connect. */
export async function runDevice(options: RunOptions): Promise<void> {
  const text = options.listen ?? "0";
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new CommandFailure(`--listen takes a port from 0 to 65535, not "${text}"`);
  }
  await watch(options, Number(text));
}

async function watch(options: WatchOptions, listenPort: number | null): Promise<void> {
  const endMs = millisecondsOf(options.seconds);
  const tell = (event: string, text: string): void => {
    const at = new Date(systemClock.epochMs()).toISOString();
    say(options.json ? JSON.stringify({ at, event, text }) : `${at}  ${event.padEnd(12)}  ${text}`);
  };
  const port = await openPort(options);
  try {
    const device = await openDevice({ transport: port.transport, clock: systemClock });
    const ended = new Promise<never>((_, fail) => {
      port.onInterruption((event) => {
        if (event.type === "ended" && event.isFinal) {
          fail(new CommandFailure(`the board went off: ${event.reason}`, ExitCode.FAILED));
        } else tell(...interruptionText(event));
      });
    });
    // Closing the port ends the line too, when nobody waits for that any more.
    ended.catch(() => {});
    device.onEvent((event) => tell(event.type, eventText(event)));
    const listener =
      listenPort === null
        ? null
        : await listenForPeers({ host: LOCAL_HOST, port: listenPort }, (peer) => {
            device.accept(peer);
          });
    try {
      tell("attached", boardText(device.board));
      if (listener !== null) tell("listening", `ws://${LOCAL_HOST}:${listener.port}`);
      await Promise.race([ended, stopped(endMs)]);
    } finally {
      await listener?.close();
      device.close();
    }
  } finally {
    await port.close();
  }
}

function millisecondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text) * 1000;
  throw new CommandFailure(`--seconds takes a whole number above 0, not "${text}"`);
}

/** Resolves when a person or the time says that it is enough. */
function stopped(endMs: number | null): Promise<void> {
  return new Promise((stop) => {
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    if (endMs !== null) systemClock.after(endMs, stop);
  });
}

function interruptionText(event: Interruption): [string, string] {
  if (event.type === "back") return ["replugged", "the serial port is back"];
  return ["unplugged", `${event.reason}; waiting for the port to come back`];
}

function boardText({ boardName, bootCounter, modules }: BoardInformation): string {
  const images = modules.map(({ imageName }) => imageName).join(" and ");
  return `${boardName} with ${images}, switched on ${bootCounter} times`;
}

function eventText(event: DeviceEvent): string {
  switch (event.type) {
    case "log":
      return event.text;
    case "linkUp":
      return `${boardText(event.board)}${event.rebooted ? ": it was switched off meanwhile" : ""}`;
    case "linkDown":
      return `${event.reason}; the board is being sought`;
    case "restarted":
      return event.isStopped
        ? `the ${event.target} fails at each start: switch the board off and on`
        : `the ${event.target} failed and was started anew`;
    case "peerConnected":
      return `${event.connection}: ${event.description}`;
    case "peerLost":
      return `${event.connection}: ${event.reason}`;
    case "message":
      return `the ${event.target} tells its host ${event.body.length} bytes`;
    case "unsent":
      return `a message did not reach the ${event.target}: ${event.reason}`;
  }
}
