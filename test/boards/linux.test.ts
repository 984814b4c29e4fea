// SPDX-License-Identifier: Apache-2.0
// The runtime as a process of this computer (boards/linux) with each engine: the board contract and
// a payment, message for message as on the simulator; and with wasm3 signed images over the link,
// the power cut in between. wasm3 is tried where WASM3_DIR names a checkout of it.
import { describe, expect, test } from "vitest";
import { askBoard, BoardRefusal, loadSignedImage } from "../../host/device/boardRequests.ts";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { systemClock } from "../../host/link/clock.ts";
import { verifyIdentity } from "../../host/simulator/boardIdentity.ts";
import { BoardRequest, decodeStatus } from "../../host/simulator/management.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { Random } from "../../host/torture/random.ts";
import { signImage } from "../../host/trust/imageRelease.ts";
import { buildRelease, DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
import { Echo, pack } from "../simulator/echoBoard.ts";
import { readFileSync, writeFileSync } from "node:fs";
import { AGENT, host, MODULE, REQUESTS } from "./contractRequests.ts";
import { boardDirectory, Listener, seededBoard, simulatedTwin } from "./emulated.ts";
import { COMMITTED, type Party, until } from "./party.ts";
import { PaymentWorld } from "./world.ts";

const LINUX = "linux";
const ECHO = { agent: "echo", module: "echo" };
const WASM3 = { engine: "wasm3" } as const;
const engines: [string, { engine?: "wasm3" }][] = [["wasm2c", {}]];
if (process.env.WASM3_DIR) engines.push(["wasm3", WASM3]);
else process.stdout.write("wasm3 is not tried: WASM3_DIR names no checkout of it\n");

/** A board that is on, and its link; `end` takes both away. */
async function open(slots: Parameters<typeof seededBoard>[0], directory: string) {
  return start(await seededBoard(slots, directory, "linux", [], LINUX));
}

async function start(board: EmulatedBoard) {
  await board.powerOn();
  const listener = new Listener(await board.openLine());
  await listener.link.open();
  const end = async (): Promise<void> => {
    listener.link.close();
    await board.powerOff();
  };
  return { listener, end };
}

describe.each(engines)("%s", (_, engine) => {
  test("says what the simulator says to every request of the board contract", async () => {
    const directory = boardDirectory();
    const simulated = simulatedTwin(ECHO, "linux");
    simulated.powerOn();
    const here = new Listener(simulated.connect());
    await here.link.open();
    const { listener: there, end } = await open({ ...ECHO, ...engine }, directory.path);
    expect(there.link.board).toMatchObject({ modules: here.link.board!.modules });
    for (const [channel, body] of Object.values(REQUESTS).flat()) {
      expect(await there.ask(channel, body)).toEqual(await here.ask(channel, body));
    }
    await end();
    directory.remove();
  });

  test("pays as the simulator does, byte for byte", async () => {
    const worlds = [
      await PaymentWorld.make({ isEmulated: true, board: LINUX, ...engine }),
      await PaymentWorld.make({ isEmulated: false }),
    ];
    for (const world of worlds) {
      const { amountMinor } = world;
      await world.carryOut(filled(21));
      await until("the money", async () => (await world.second.balance())[0] === amountMinor);
      await world.settle();
      expect(world.first.stateOf(filled(21))).toBe(COMMITTED);
    }
    // Of each port in order; how often a test asked for the balance depends on the machine.
    const said = ({ tap }: Party, channel: number) =>
      tap.messages
        .filter((message) => message.channel === channel && !message.toBoard)
        .map(({ body }) => body)
        .filter((body) => !/^008[0-9a-f]1850/.test(body))
        .sort((one, other) => Number(one.slice(0, 2)) - Number(other.slice(0, 2)));
    const [there, here] = worlds as [PaymentWorld, PaymentWorld];
    for (const who of ["first", "second"] as const) {
      for (const channel of [AGENT, MODULE]) {
        expect(said(there[who], channel).length).toBeGreaterThan(10);
        expect(said(there[who], channel)).toEqual(said(here[who], channel));
      }
    }
    await Promise.all(worlds.map((world) => world.close()));
  });

  test("signs what it tells in SYNC", async () => {
    const directory = boardDirectory();
    const { listener, end } = await open({ ...ECHO, ...engine }, directory.path);
    const answer = await askBoard(listener.link, systemClock, pack([BoardRequest.IDENTITY]));
    const identity = verifyIdentity(answer, listener.link.nonce);
    expect(identity?.board).toEqual(listener.link.board);
    expect(identity?.signer).toEqual(buildRelease().signer);
    const simulated = simulatedTwin(ECHO, "linux");
    simulated.powerOn();
    const twin = new Listener(simulated.connect());
    await twin.link.open();
    const other = await askBoard(twin.link, systemClock, pack([BoardRequest.IDENTITY]));
    expect(verifyIdentity(other, twin.link.nonce)?.key).toEqual(identity?.key);
    await end();
    directory.remove();
  });
});

function imagesOverTheLink(): void {
  const label = new TextEncoder().encode("florin/journal");
  const bytes = new Uint8Array(readFileSync("build/firmware/echo.wasm"));
  /** The echo image with a custom section that tells a number: other bytes, the same program. */
  const signed = (version: number, seed = DEVELOPMENT_SEED, name = "echo", minimumVersion = 1) => {
    const about = { name, version, minimumVersion };
    return signImage(about, pack(bytes, [0, 3, 1, 0x76, version]), seed);
  };
  const slots = { ...ECHO, ...WASM3 };
  const load = (listener: Listener, image: ReturnType<typeof signed>) =>
    loadSignedImage(listener.link, systemClock, MODULE, image);
  const versionOf = ({ link }: Listener) =>
    link.board!.modules.find(({ channel }) => channel === MODULE)!.imageVersion;

  test("newer ones are taken and keep keys and flash; all others are refused", async () => {
    const directory = boardDirectory();
    const first = await open(slots, directory.path);
    const key = (await first.listener.ask(MODULE, host(Echo.DEVICE_KEY, label))).body;
    await load(first.listener, signed(2));
    await first.end();

    const second = await open(slots, directory.path);
    expect(versionOf(second.listener)).toBe(2);
    expect((await second.listener.ask(MODULE, host(Echo.DEVICE_KEY, label))).body).toBe(key);
    for (const [image, reason] of [
      [signed(1), "it never goes back"],
      [signed(3, new Uint8Array(32).fill(7)), "not signed"],
      [signed(3, DEVELOPMENT_SEED, "other"), "another name"],
      [signed(3, DEVELOPMENT_SEED, "echo", 2), "leave its purse behind"],
      [{ ...signed(3), bytes: signed(4).bytes }, "not the image that was signed"],
      [{ ...signed(3), statement: signed(3).statement.slice(1) }, "not signed"],
    ] as const) {
      await expect(load(second.listener, image)).rejects.toThrow(BoardRefusal);
      await expect(load(second.listener, image)).rejects.toThrow(reason);
    }
    await load(second.listener, signed(3));
    await load(second.listener, signed(3));
    await second.end();

    // The simulator's board finds the same banks in the same directory, and an older copy of the
    // banks is not run.
    const third = await open(slots, directory.path);
    expect(versionOf(third.listener)).toBe(3);
    await third.end();
    writeFileSync(`${directory.path}/module.bank0`, new Uint8Array(131072).fill(0xff));
    writeFileSync(`${directory.path}/module.bank1`, new Uint8Array(131072).fill(0xff));
    const fourth = await open(slots, directory.path);
    const status = await askBoard(fourth.listener.link, systemClock, pack([BoardRequest.STATUS]));
    expect(decodeStatus(status)?.[1]).toMatchObject({ isOutdated: true, starts: 0 });
    await load(fourth.listener, signed(4));
    await fourth.end();
    directory.remove();
  });

  test("killed at random moments of an update, the board has the old image or the new one", async () => {
    const random = new Random(11);
    const directory = boardDirectory();
    const board = await seededBoard(slots, directory.path, "linux", [], LINUX);
    let before = 1;
    for (let version = 2; version < 32; version += 1) {
      const cut = await start(board);
      expect(versionOf(cut.listener)).toBe(before);
      const loading = load(cut.listener, signed(version)).catch(() => {});
      const moment = new Promise((wake) => setTimeout(wake, random.below(25)));
      await Promise.race([loading, moment]);
      await cut.end();
      const after = await start(board);
      const found = versionOf(after.listener);
      expect([before, version]).toContain(found);
      expect((await after.listener.ask(MODULE, host(Echo.ECHO, [9]))).kind).toBe("message");
      if (found < version) await load(after.listener, signed(version));
      await after.end();
      before = version;
    }
    directory.remove();
  });
}

// Not a skipped test where wasm3 is not there: CI never has it, and says so in boards/README.md.
if (engines.length > 1) describe("images over the link, under wasm3", imagesOverTheLink);
