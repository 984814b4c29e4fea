// SPDX-License-Identifier: Apache-2.0
// florin device as people run it, at simulated boards that are kept in a directory: what is listed,
// told, watched and refused. At emulated boards it is tested in test/boards.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { connectPeer } from "../../host/device/communications.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(...words: string[]) {
  const child = spawn(process.execPath, ["bin/florin.js", "device", ...words, "--dir", folder]);
  const finished = new Promise<Finished>((resolve) => {
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, finished };
}

const device = (...words: string[]) => start(...words).finished;
const info = (...words: string[]) => device("info", "--json", ...words);

function hashOf(image: string): string {
  const bytes = readFileSync(`build/firmware/${image}.wasm`);
  return createHash("sha256").update(bytes).digest("hex");
}

test("info tells the images with their hashes, and counts the times it was switched on", async () => {
  for (const bootCounter of [1, 2]) {
    const { code, stdout } = await info("--port", "sim:alice");
    expect(code).toBe(0);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ board: "simulator", isSimulated: true, bootCounter });
    expect(told.flashWear).toBeNull();
    const modules = [
      { half: "agent", image: "customer-agent", hash: hashOf("customer-agent") },
      { half: "module", image: "transaction-module", hash: hashOf("transaction-module") },
    ];
    const state = { isRelease: true, isStopped: false, starts: 1, failures: 0, lastFailure: null };
    expect(told.modules).toEqual(modules.map((module) => ({ ...module, ...state })));
  }
});

test("a board keeps its images: others are refused, none need be named", async () => {
  const first = await info("--port", "sim:teller", "--module", "teller-module");
  expect(JSON.parse(first.stdout).modules).toHaveLength(1);
  const other = await info("--port", "sim:teller", "--module", "generator-module");
  expect(other.code).toBe(2);
  expect(JSON.parse(other.stdout).error).toContain("has teller-module");
  const again = await info("--port", "sim:teller");
  expect(JSON.parse(again.stdout).modules).toMatchObject([{ image: "teller-module" }]);
});

test("list names the emulated boards, and those kept in the directory", async () => {
  await info("--port", "sim:listed");
  const { code, stdout } = await device("list", "--json");
  expect(code).toBe(0);
  const list = JSON.parse(stdout);
  expect(list.emulatedBoards).toMatchObject([
    { port: "qemu:mps2-an505", slots: 2 },
    { port: "qemu:netduinoplus2", slots: 1 },
  ]);
  expect(list.serialPorts).toBeInstanceOf(Array);
  const images = ["customer-agent", "transaction-module"];
  expect(list.keptBoards).toContainEqual({ name: "listed", images });
  expect((await device("list")).stdout).toContain("qemu:netduinoplus2  an agent or a module");
});

test("run is the board's host: devices connect to it, and it ends in order when told to", async () => {
  const { child, finished } = start("run", "--port", "sim:bruno", "--json");
  const url = await new Promise<string>((found) => {
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      const match = /ws:[^"]+/.exec(output);
      if (match !== null) found(match[0]);
    });
  });
  const busy = await info("--port", "sim:bruno");
  expect(busy.code).toBe(3);
  expect(JSON.parse(busy.stdout).error).toMatch(/^Process \d+ uses the data directory/);
  const connected = new Promise((heard) => {
    child.stdout.on("data", (chunk) => String(chunk).includes("peerConnected") && heard(true));
  });
  const peer = await connectPeer(url);
  await connected;
  child.kill("SIGTERM");
  const { code, stdout } = await finished;
  peer.close();
  expect(code).toBe(0);
  const events = stdout.trimEnd().split("\n");
  expect(events.map((line) => JSON.parse(line).event)).toEqual(
    expect.arrayContaining(["attached", "listening", "peerConnected"]),
  );
  expect((await info("--port", "sim:bruno")).code).toBe(0);
});

test("log ends by itself where a time is given", async () => {
  const { code, stdout } = await device("log", "--port", "sim:chiara", "--seconds", "1");
  expect(code).toBe(0);
  expect(stdout).toMatch(/attached +simulator with customer-agent and transaction-module/);
});

test.each([
  [["info", "--port", "alice"], 2, 'not "alice"'],
  [["info", "--port", "sim:../alice"], 2, "--port takes"],
  [["info", "--port", "qemu:none"], 3, "there is no board none"],
  [["info", "--port", "qemu:../boards"], 3, "there is no board ../boards"],
  [["info", "--port", "/dev/florin-no-such-port"], 3, "Cannot open the serial port"],
  [["info", "--port", "/dev/ttyACM0", "--module", "teller-module"], 2, "leave out --agent"],
  [["info", "--port", "sim:dora", "--module", "customer-agent"], 2, "Allowed choices"],
  [["log", "--port", "sim:dora", "--seconds", "soon"], 2, "--seconds takes"],
  [["run", "--port", "sim:dora", "--listen", "65536"], 2, "--listen takes"],
  [["info"], 2, "--port"],
])("a wrong order is refused in one sentence: %j", async (words, code, text) => {
  const refused = await device(...words);
  expect(refused.code).toBe(code);
  expect(refused.stderr).toContain(text);
  expect(refused.stderr).not.toContain("    at ");
  expect(existsSync(join(folder, "dora"))).toBe(false);
});

test("a board with room for one image refuses two, and is not begun with them", async () => {
  const words = ["--agent", "customer-agent", "--module", "transaction-module"];
  const { code, stderr } = await device("info", "--port", "qemu:netduinoplus2", ...words);
  expect(code).toBe(2);
  expect(stderr).toContain("room for one image");
  expect(existsSync(join(folder, "netduinoplus2", "images.json"))).toBe(false);
});
