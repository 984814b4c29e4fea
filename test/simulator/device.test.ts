// SPDX-License-Identifier: Apache-2.0
// Whole devices over simulated boards with echo images: commands, failures, halves, and peers over
// real WebSockets on this computer.
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { listenForPeers, type PeerListener } from "../../host/device/communications.ts";
import { openDevice } from "../../host/device/device.ts";
import { peerPair } from "../../host/device/peer.ts";
import type { DeviceEvent, TransactionDevice } from "../../host/device/types.ts";
import { systemClock } from "../../host/link/clock.ts";
import { inProcessPair } from "../../host/link/transport.ts";
import { SimulatedBoard } from "../../host/simulator/board.ts";
import type { BoardOptions } from "../../host/simulator/types.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";
import { Echo, echoImage, pack, readEcho, SECRET, START_MS } from "./echoBoard.ts";

const toClose: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of toClose.splice(0).reverse()) await item.close();
});

interface Bench {
  clock: VirtualClock;
  board: SimulatedBoard;
  device: TransactionDevice;
  events: DeviceEvent[];
}

async function bench(options: Partial<BoardOptions> = {}): Promise<Bench> {
  const clock = new VirtualClock(START_MS);
  const board = new SimulatedBoard({
    secret: SECRET,
    agent: echoImage("agent"),
    module: echoImage("module"),
    random: { kind: "seeded", seed: "device" },
    clock,
    ...options,
  });
  board.powerOn();
  const device = await openDevice({ transport: board.connect(), clock });
  const events: DeviceEvent[] = [];
  device.onEvent((event) => events.push(event));
  toClose.push(board, device);
  return { clock, board, device, events };
}

/** A PEER body the echo image is told to send: it begins as every peer-body does. */
const peerBody = (tag: number, text: number[]): Uint8Array =>
  encodeCbor([4, new Uint8Array(8).fill(tag), Uint8Array.from(text)]);

/** Waits until `condition` holds; fails the test by its own time limit. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Messages of the echo image that show what came from elsewhere: [port, ...body]. */
const shown = (events: DeviceEvent[]): Uint8Array[] =>
  events.flatMap((event) => (event.type === "message" ? [event.body] : []));

describe("commands", () => {
  test("to both halves, several at a time", async () => {
    const { device } = await bench();
    const answers = await Promise.all([
      device.command("agent", pack([Echo.ECHO, 1])),
      device.command("module", pack([Echo.ECHO, 2])),
      device.command("agent", pack([Echo.ECHO, 3])),
    ]);
    expect(answers.map((answer) => readEcho(answer).data[0])).toEqual([1, 2, 3]);
  });

  test("a failing image rejects its command and is told; the next command works", async () => {
    const { device, events } = await bench();
    const failed = device.command("agent", pack([Echo.TRAP]));
    await expect(failed).rejects.toMatchObject({ name: "CommandError", mayHaveRun: true });
    expect(events).toEqual([{ type: "restarted", target: "agent", isStopped: false }]);
    await device.command("agent", pack([Echo.ECHO]));
  });

  test("an image that cannot start: told once, its commands are refused", async () => {
    const { device, events } = await bench();
    const failed = device.command("agent", pack([Echo.FAIL_BOOTS]));
    expect(readEcho(await failed).status).toBe(0);
    expect(events.at(-1)).toEqual({ type: "restarted", target: "agent", isStopped: true });
    const refused = device.command("agent", pack([Echo.ECHO]));
    await expect(refused).rejects.toMatchObject({ mayHaveRun: false });
    await expect(refused).rejects.toThrow("fails at each start");
  });

  test("no answer in time: rejected, not before, and the device may have acted", async () => {
    const { clock, device, events } = await bench();
    const slow = device.command("agent", pack([Echo.TO_OWN, 5]), { timeoutMs: 400 });
    let isOver = false;
    slow.catch(() => {
      isOver = true;
    });
    clock.advance(399);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    clock.advance(1);
    await expect(slow).rejects.toThrow("did not answer in 400 ms");
    await expect(slow).rejects.toMatchObject({ mayHaveRun: true });
    expect(shown(events)).toEqual([pack([2, 5])]);
  });

  test("a board that is off: what never left is known not to have run", async () => {
    const { clock, board, device, events } = await bench();
    board.powerOff();
    const first = device.command("agent", pack([Echo.ECHO]), { timeoutMs: 60_000 });
    const firstFails = expect(first).rejects.toMatchObject({ mayHaveRun: true });
    clock.advance(10_000);
    await firstFails;
    const second = device.command("agent", pack([Echo.ECHO]), { timeoutMs: 1_000 });
    const secondFails = expect(second).rejects.toMatchObject({ mayHaveRun: false });
    clock.advance(1_000);
    await secondFails;
    board.powerOn();
    expect(events.map(({ type }) => type)).toEqual(["linkDown", "linkUp"]);
    expect(events.at(-1)).toMatchObject({ rebooted: true, board: { bootCounter: 2 } });
    await device.command("agent", pack([Echo.ECHO]));
  });

  test("no board at all: opening fails with a sentence", async () => {
    const clock = new VirtualClock(START_MS);
    const [transport] = inProcessPair();
    const opening = openDevice({ transport, clock, openTimeoutMs: 700 });
    const fails = expect(opening).rejects.toThrow("No board answered on the link in 700 ms");
    clock.advance(700);
    await fails;
    expect(clock.nextTimerMs()).toBeNull();
  });

  test("a module alone: the device says that it has no agent", async () => {
    const clock = new VirtualClock(START_MS);
    const random = { kind: "seeded", seed: "alone" } as const;
    const module = echoImage();
    const board = new SimulatedBoard({ secret: SECRET, module, random, clock });
    board.powerOn();
    const device = await openDevice({ transport: board.connect(), clock });
    expect(device.board.modules.map(({ imageName }) => imageName)).toEqual(["echo"]);
    await expect(device.command("agent", pack([1]))).rejects.toThrow("no trusted agent");
  });

  test("closing rejects what waits", async () => {
    const { device } = await bench();
    const waiting = device.command("agent", pack([Echo.TO_PEER, 1]));
    device.close();
    await expect(waiting).rejects.toThrow("the device was closed");
  });
});

test("what one half says to the other crosses the link and arrives", async () => {
  const { device, events } = await bench();
  device.send("agent", pack([Echo.TO_OWN, 1, 2]));
  device.send("module", pack([Echo.TO_OWN, 3]));
  expect(events).toEqual([
    { type: "message", target: "module", body: pack([2, 1, 2]) },
    { type: "message", target: "agent", body: pack([2, 3]) },
  ]);
});

test("devices joined in this process: both kinds of sessions, and the loss of the peer", async () => {
  const [left, right] = [await bench(), await bench()];
  const [toRight, toLeft] = peerPair("left", "right");
  left.device.accept(toRight);
  right.device.accept(toLeft);
  left.device.send("agent", pack([Echo.TO_PEER], peerBody(1, [7])));
  left.device.send("module", pack([Echo.TO_PEER], peerBody(2, [8])));
  expect(right.events.slice(1)).toEqual([
    { type: "message", target: "agent", body: pack([1], peerBody(1, [7])) },
    { type: "message", target: "module", body: pack([1], peerBody(2, [8])) },
  ]);
  left.device.disconnect();
  expect(right.events.at(-1)).toMatchObject({
    type: "peerLost",
    reason: "closed by the other device",
    sessionTags: ["01".repeat(8), "02".repeat(8)],
  });
});

describe("WebSockets", () => {
  async function merchantWith(
    heartbeatMs?: number,
  ): Promise<{ merchant: Bench; listener: PeerListener; url: string }> {
    const merchant = await bench();
    const where = { host: "127.0.0.1", port: 0 };
    const options = heartbeatMs === undefined ? where : { ...where, heartbeatMs };
    const listener = await listenForPeers(options, (connection) =>
      merchant.device.accept(connection),
    );
    toClose.push(listener);
    return { merchant, listener, url: `ws://127.0.0.1:${listener.port}` };
  }

  test("a merchant serves two customers, each in its own session", async () => {
    const { merchant, url } = await merchantWith();
    const customers = [await bench(), await bench()];
    for (const [index, customer] of customers.entries()) {
      await customer.device.connect(url);
      customer.device.send("agent", pack([Echo.TO_PEER], peerBody(index + 1, [index])));
    }
    await until(() => shown(merchant.events).length === 2);
    // The merchant's agent answers in both sessions, the later one first.
    merchant.device.send("agent", pack([Echo.TO_PEER], peerBody(2, [20])));
    merchant.device.send("agent", pack([Echo.TO_PEER], peerBody(1, [10])));
    await until(() => customers.every(({ events }) => shown(events).length === 1));
    expect(shown(customers[0]!.events)).toEqual([pack([1], peerBody(1, [10]))]);
    expect(shown(customers[1]!.events)).toEqual([pack([1], peerBody(2, [20]))]);
    // One customer speaks in the other's session: dropped, and nobody is disturbed.
    customers[1]!.device.send("agent", pack([Echo.TO_PEER], peerBody(1, [66])));
    await until(() => merchant.device.statistics().messageManager.droppedForeignTag === 1);
    expect(shown(merchant.events).length).toBe(2);
  });

  test("the longest body goes through, and the end of a connection is told on both sides", async () => {
    const { merchant, url } = await merchantWith();
    const customer = await bench();
    await customer.device.connect(url);
    const body = peerBody(5, new Array(8400).fill(0x5a));
    customer.device.send("agent", pack([Echo.TO_PEER], body));
    await until(() => shown(merchant.events).length === 1);
    expect(shown(merchant.events)[0]).toEqual(pack([1], body));
    customer.device.disconnect();
    await until(() => merchant.events.some(({ type }) => type === "peerLost"));
    await until(() => customer.events.some(({ type }) => type === "peerLost"));
  });

  test.each([
    ["text", "hello"],
    ["another channel", encodeCbor([1, new Uint8Array(3)])],
    ["no bytes", encodeCbor([2, "text"])],
    ["an empty body", encodeCbor([2, new Uint8Array(0)])],
    ["a second spelling", Uint8Array.of(0x82, 0x18, 0x02, 0x41, 0x00)],
    ["more than one item", Uint8Array.of(0x82, 0x02, 0x41, 0x00, 0x00)],
    ["too many bytes", encodeCbor([2, new Uint8Array(9000)])],
  ])("a stranger that sends %s is closed, and nothing reaches the device", async (_, message) => {
    const { merchant, url } = await merchantWith();
    const stranger = new WebSocket(url);
    const closed = new Promise<number>((resolve) => stranger.on("close", resolve));
    stranger.on("open", () => stranger.send(message));
    expect([1007, 1009]).toContain(await closed);
    expect(shown(merchant.events)).toEqual([]);
  });

  test("a peer without a sign of life is disconnected, a living one is not", async () => {
    const { merchant, url } = await merchantWith(250);
    const customer = await bench();
    await customer.device.connect(url);
    const silent = new WebSocket(url, { autoPong: false });
    await new Promise((resolve) => silent.on("close", resolve));
    expect(merchant.events.filter(({ type }) => type === "peerConnected").length).toBe(2);
    await until(() => merchant.events.some(({ type }) => type === "peerLost"));
    customer.device.send("agent", pack([Echo.TO_PEER], peerBody(1, [1])));
    await until(() => shown(merchant.events).length === 1);
  });

  test("nobody listens: connecting fails with a sentence", async () => {
    const { listener, url } = await merchantWith();
    await listener.close();
    toClose.splice(toClose.indexOf(listener), 1);
    const customer = await bench();
    await expect(customer.device.connect(url)).rejects.toThrow(`the device at ${url}`);
  });
});

test("the computer's clock: a command in real time", async () => {
  const { device } = await bench({ clock: systemClock });
  const before = Date.now();
  const answer = readEcho(await device.command("agent", pack([Echo.CLOCK])));
  const told = Number(new DataView(answer.data.buffer).getBigInt64(0, true));
  expect(told).toBeGreaterThanOrEqual(before);
  expect(told).toBeLessThanOrEqual(Date.now());
});
