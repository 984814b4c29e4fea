// SPDX-License-Identifier: Apache-2.0
// A board's serial port goes away in the middle of a payment and comes back, as a USB cable that is
// pulled out and put in: what was under way arrives once, and the payment goes on to its end.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../host/link/clock.ts";
import { openReplugTransport } from "../../host/link/replugTransport.ts";
import { openSerialTransport } from "../../host/link/serialTransport.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { Echo, pack } from "../simulator/echoBoard.ts";
import { boardDirectory, Listener, seededBoard } from "./emulated.ts";
import { COMMITTED, isFinal, until } from "./party.ts";
import { FUNDS_MINOR, PaymentWorld } from "./world.ts";

const PROGRAM = "build/boards/cable";
const FLAGS = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror"];
const HOST = 0;
const AGENT = 2;

/** A cable to a board that is on. */
class Cable {
  readonly port: string;
  private readonly child: ChildProcess;
  private said = "";

  constructor(board: EmulatedBoard, port: string) {
    this.port = port;
    const terminal = /redirected to (\/dev\/\S+)\s/.exec(board.output)?.[1] ?? "";
    this.child = spawn(PROGRAM, [terminal, port], { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout?.on("data", (chunk) => {
      this.said += chunk;
    });
  }

  async isReady(): Promise<void> {
    await until("the cable", () => this.said.startsWith("in\n"));
  }

  async unplug(): Promise<void> {
    await this.order("out");
  }

  async plugIn(): Promise<void> {
    await this.order("in");
  }

  end(): void {
    this.child.stdin?.end();
  }

  private async order(word: string): Promise<void> {
    this.said = "";
    this.child.stdin?.write(`${word}\n`);
    await until(`the cable to be ${word}`, () => this.said === `${word}\n`);
  }
}

beforeAll(() => {
  mkdirSync("build/boards", { recursive: true });
  execFileSync("cc", [...FLAGS, "test/boards/cable.c", "-o", PROGRAM]);
});

const folder = boardDirectory();
afterAll(() => folder.remove());

describe("a serial port that goes and comes back", () => {
  const directory = boardDirectory();
  let board: EmulatedBoard;
  let cable: Cable;
  let listener: Listener;
  beforeEach(async () => {
    board = await seededBoard({ agent: "echo" }, directory.path, "replug");
    await board.powerOn();
    cable = new Cable(board, `${folder.path}/echo`);
    await cable.isReady();
    const open = () => openSerialTransport(cable.port);
    listener = new Listener(await openReplugTransport(open, systemClock));
    await listener.link.open();
  });
  afterEach(async () => {
    listener.link.close();
    cable.end();
    await board.powerOff();
    rmSync(cable.port, { force: true });
  });
  afterAll(() => directory.remove());

  test("what was asked while it was away is answered once", async () => {
    await cable.unplug();
    const id = listener.link.send(AGENT, pack([HOST, Echo.ECHO, 7]));
    await new Promise((wake) => setTimeout(wake, 700));
    expect(listener.said).toEqual([]);
    await cable.plugIn();
    await listener.until(() => listener.said.length > 0);
    await listener.ask(AGENT, pack([HOST, Echo.COUNTS]));
    expect(listener.said.filter((said) => said.id === id)).toHaveLength(1);
    expect(listener.link.board?.bootCounter).toBe(1);
  });

  test("away for so long that the link was given up, it is found again", async () => {
    await cable.unplug();
    listener.link.send(AGENT, pack([HOST, Echo.ECHO, 7]));
    await new Promise((wake) => setTimeout(wake, 8_000));
    await cable.plugIn();
    const answer = async () => (await listener.ask(AGENT, pack([HOST, Echo.COUNTS]))).kind;
    expect(await answer()).toBe("message");
  });
});

describe("in the middle of a payment", () => {
  let world: PaymentWorld;
  let cable: Cable;
  let orders = 0;
  let paidMinor = 0;
  beforeAll(async () => {
    let payer: EmulatedBoard | null = null;
    world = await PaymentWorld.make({
      isEmulated: true,
      openLine: async (board) => {
        // The payer's line alone is the cable's.
        if (payer !== null && board !== payer) return board.openLine();
        if (payer === null) {
          payer = board;
          cable = new Cable(board, `${folder.path}/payer`);
          await cable.isReady();
        }
        return openSerialTransport(cable.port);
      },
    });
  });
  afterAll(async () => {
    await world.close();
    cable.end();
  });

  test.each([2, 8, 14, 20])("unplugged at the board's message %i", async (message) => {
    let count = 0;
    let isOut = false;
    world.first.tap.watch = ({ toBoard }) => {
      if (!toBoard) count += 1;
      if (count < message) return;
      world.first.tap.watch = () => {};
      void cable.unplug().then(() => {
        isOut = true;
      });
    };
    orders += 1;
    const command = filled(20 + orders);
    world.order(command);
    await until("the cable to be out", () => isOut);
    await new Promise((wake) => setTimeout(wake, 400));
    await cable.plugIn();
    await until("the payment's outcome", () => isFinal(world.first.stateOf(command)));
    const { isCommitted, money } = await world.rest(command);
    if (isCommitted) paidMinor += world.amountMinor;
    expect(money).toEqual([FUNDS_MINOR - paidMinor, paidMinor]);
    // So short an absence costs nothing but time.
    expect(isCommitted).toBe(true);
  });

  test("the device pays on", async () => {
    const command = filled(1);
    await world.carryOut(command);
    expect(world.first.stateOf(command)).toBe(COMMITTED);
  });
});
