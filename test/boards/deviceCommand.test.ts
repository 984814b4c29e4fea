// SPDX-License-Identifier: Apache-2.0
// florin device at an emulated board: played by the command itself, and on a serial port of the
// system that it knows nothing else of (the emulator's pseudo-terminal).
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { boardDirectory, seededBoard } from "./emulated.ts";

const BOARD = "netduinoplus2";
const IMAGE = "transaction-module";
const folder = boardDirectory();
afterAll(() => folder.remove());

function start(...words: string[]) {
  const child: ChildProcess = spawn(process.execPath, ["bin/florin.js", "device", ...words]);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const finished = new Promise<{ code: number | null }>((resolve) => {
    child.on("close", (code) => resolve({ code }));
  });
  return { child, output, finished };
}

async function said(command: ReturnType<typeof start>, text: string): Promise<void> {
  while (!command.output.stdout.includes(text)) {
    if (command.child.exitCode !== null) throw new Error(command.output.stderr);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

async function info(port: string) {
  const { finished, output } = start("info", "--port", port, "--dir", folder.path, "--json");
  const { code } = await finished;
  expect(output.stderr).not.toContain("florin:");
  expect(code).toBe(0);
  return JSON.parse(output.stdout);
}

const hash = createHash("sha256")
  .update(readFileSync(`build/firmware/${IMAGE}.wasm`))
  .digest("hex");

test("info plays an emulated board, whose boots last in its directory", async () => {
  for (const bootCounter of [1, 2]) {
    const told = await info(`qemu:${BOARD}`);
    expect(told).toMatchObject({ board: BOARD, bootCounter, flashWear: null });
    expect(told.modules).toMatchObject([{ half: "module", image: IMAGE, hash, isRelease: true }]);
  }
});

test("info and log work at a serial port, and leave the board on", async () => {
  const storage = boardDirectory();
  const board = await seededBoard({ module: IMAGE }, storage.path, "device", [], BOARD);
  try {
    await board.powerOn();
    const port = /redirected to (\/dev\/\S+)\s/.exec(board.output)?.[1] ?? "";
    expect(await info(port)).toMatchObject({ port, board: BOARD, bootCounter: 1 });
    const log = start("log", "--port", port, "--seconds", "1");
    expect((await log.finished).code).toBe(0);
    expect(log.output.stdout).toContain(`${BOARD} with ${IMAGE}, switched on 1 times`);
    expect(board.isOn).toBe(true);
  } finally {
    await board.powerOff();
    storage.remove();
  }
});

test("run ends with a sentence when the emulator is killed", async () => {
  const run = start("run", "--port", `qemu:${BOARD}`, "--dir", folder.path, "--json");
  await said(run, "listening");
  const { pid } = run.child;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  expect(children).toHaveLength(1);
  process.kill(Number(children[0]), "SIGKILL");
  expect((await run.finished).code).toBe(3);
  expect(run.output.stderr).toContain("florin: the board went off");
});
