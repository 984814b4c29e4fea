// SPDX-License-Identifier: Apache-2.0
// Channel 4 of docs/link.md: a board's log lines reach the host's applications, and nothing in them
// can steer a terminal.
import { expect, test } from "vitest";
import { openDevice } from "../../host/device/device.ts";
import type { DeviceEvent } from "../../host/device/types.ts";
import { boardEndStep, newBoardEnd } from "../../host/link/boardEnd.ts";
import { Channel, MESSAGE_LIMIT } from "../../host/link/protocol.ts";
import { inProcessPair } from "../../host/link/transport.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";

test("a log line is told as printable text", async () => {
  const clock = new VirtualClock(0);
  const [line, transport] = inProcessPair();
  const imageHash = new Uint8Array(32);
  const log = { channel: Channel.LOG, starts: 1, imageVersion: 1, imageHash, imageName: "log" };
  const end = newBoardEnd({
    isSimulated: true,
    bootCounter: 1,
    messageLimit: MESSAGE_LIMIT,
    boardName: "talker",
    modules: [log],
  });
  const take = (event: { type: "bytes"; bytes: Uint8Array } | { type: "send"; text: string }) => {
    const nowMs = clock.nowMs();
    const effects = boardEndStep(
      end,
      event.type === "bytes"
        ? { ...event, nowMs }
        : { type: "send", channel: 4, id: 0, body: new TextEncoder().encode(event.text), nowMs },
    );
    for (const effect of effects) if (effect.type === "write") line.write(effect.bytes);
  };
  line.onBytes((bytes) => take({ type: "bytes", bytes }));
  const device = await openDevice({ transport, clock });
  const events: DeviceEvent[] = [];
  device.onEvent((event) => events.push(event));
  take({ type: "send", text: "flash: page 3 erased" });
  take({ type: "send", text: "\u001b[2Jcleared\u0007\n" });
  device.close();
  expect(events.filter(({ type }) => type === "log")).toEqual([
    { type: "log", text: "flash: page 3 erased" },
    { type: "log", text: "?[2Jcleared??" },
  ]);
  expect(device.statistics().messageManager.droppedUnroutable).toBe(0);
});
