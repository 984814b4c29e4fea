// SPDX-License-Identifier: Apache-2.0
// florin device at an emulated board: played by the command itself, and on a serial port of the
// system that it knows nothing else of (the emulator's pseudo-terminal).
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeSignedImage, signImage } from "../../host/trust/imageRelease.ts";
import { buildRelease, DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
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

const AGENT = { half: "agent", image: "customer-agent" };
const MODULE = { half: "module", image: IMAGE };
const hashOf = (image: string) =>
  createHash("sha256")
    .update(readFileSync(`build/firmware/${image}.wasm`))
    .digest("hex");

test.each([
  [BOARD, [MODULE]],
  ["mps2-an505", [AGENT, MODULE]],
])("info plays %s, whose boots last in its directory", async (board, halves) => {
  const release = buildRelease();
  const signer = Buffer.from(release.signer).toString("hex");
  const { version } = release;
  const keys = new Set<string>();
  let erasures = 0;
  for (const bootCounter of [1, 2]) {
    const told = await info(`qemu:${board}`);
    expect(told).toMatchObject({ board, bootCounter, signer });
    const images = halves.map((half) => {
      const release = { version, hash: hashOf(half.image), isRelease: true, isOutdated: false };
      return { ...half, ...release };
    });
    expect(told.modules).toMatchObject(images);
    expect(told.modules[0].flashWear.total).toBeGreaterThanOrEqual(erasures);
    erasures = told.modules[0].flashWear.total;
    keys.add(told.boardKey);
  }
  expect(keys.size).toBe(1);
});

test("images that are part of the program are not loaded over the link, and never go back", async () => {
  const { version } = buildRelease();
  const storage = boardDirectory();
  const image = join(storage.path, "next.florin");
  const bytes = new Uint8Array(readFileSync(`build/firmware/${IMAGE}.wasm`));
  const about = { name: IMAGE, version: version + 1, minimumVersion: 1 };
  writeFileSync(image, encodeSignedImage(signImage(about, bytes, DEVELOPMENT_SEED)));
  const flash = start("flash", image, "--port", `qemu:${BOARD}`, "--dir", folder.path);
  expect((await flash.finished).code).toBe(1);
  expect(flash.output.stderr).toContain("its images are part of the board's program");

  const board = await seededBoard({ module: IMAGE }, storage.path, "older", [], BOARD);
  writeFileSync(join(storage.path, "module.version"), `${version + 1}\n`);
  try {
    await board.powerOn();
    const told = await info(/redirected to (\/dev\/\S+)\s/.exec(board.output)?.[1] ?? "");
    expect(told.modules).toMatchObject([{ isOutdated: true, isStopped: true, starts: 0 }]);
  } finally {
    await board.powerOff();
    storage.remove();
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

test("run on mps2-an505 ends with a sentence when the emulator is killed", async () => {
  const run = start("run", "--port", "qemu:mps2-an505", "--dir", folder.path, "--json");
  await said(run, "listening");
  const { pid } = run.child;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  expect(children).toHaveLength(1);
  process.kill(Number(children[0]), "SIGKILL");
  expect((await run.finished).code).toBe(3);
  expect(run.output.stderr).toContain("florin: the board went off");
});
