// SPDX-License-Identifier: Apache-2.0
// florin device as people run it, at simulated boards that are kept in a directory: what is listed,
// told, watched and refused. At emulated boards it is tested in test/boards.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    expect(told.boardKey).toMatch(/^[0-9a-f]{64}$/);
    const modules = [
      { half: "agent", image: "customer-agent", hash: hashOf("customer-agent") },
      { half: "module", image: "transaction-module", hash: hashOf("transaction-module") },
    ];
    const state = { isRelease: true, isStopped: false, isOutdated: false, closure: null };
    const flash = { starts: 1, failures: 0, lastFailure: null, flashWear: expect.any(Object) };
    expect(told.modules).toEqual(
      modules.map((module) => ({ ...module, version: 1, ...state, ...flash })),
    );
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

/** Signs an image of the build by scripts/sign-image.mjs; gives the file. */
function sign(image: string, version: number, ...words: string[]): string {
  const out = join(folder, `${image}.${version}.florin`);
  const script = ["scripts/sign-image.mjs", image, "--version", String(version), "--out", out];
  const { status, stderr } = spawnSync(process.execPath, [...script, ...words]);
  if (status !== 0) throw new Error(String(stderr));
  return out;
}

test("flash loads a signed image, newer ones only; keys stay and the next start runs it", async () => {
  const port = ["--port", "sim:flashed"];
  const before = JSON.parse((await info(...port)).stdout);
  // Version 2 has other bytes: the transaction module with an empty custom section behind it.
  const wasm = join(folder, "next.wasm");
  const bytes = readFileSync("build/firmware/transaction-module.wasm");
  writeFileSync(wasm, Buffer.concat([bytes, Buffer.from([0, 2, 1, 0x76])]));
  const next = sign("transaction-module", 2, "--image", wasm);
  const flashed = await device("flash", next, ...port, "--json");
  expect(flashed.stderr).toContain("transaction-module: version 1 to 2");
  expect(flashed.code).toBe(0);
  const after = JSON.parse(flashed.stdout);
  expect(after.modules.map(({ version }: { version: number }) => version)).toEqual([1, 2]);
  expect(after.modules[1]).toMatchObject({ isRelease: false, isStopped: false });
  expect(after.boardKey).toBe(before.boardKey);
  const started = JSON.parse((await info(...port)).stdout);
  expect(started.modules[1]).toMatchObject({ version: 2, hash: after.modules[1].hash, starts: 1 });

  const older = await device("flash", sign("transaction-module", 1), ...port);
  expect(older.code).toBe(1);
  expect(older.stderr).toContain("it never goes back");
  const other = await device("flash", sign("teller-module", 3), ...port);
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("is teller-module, and the board at sim:flashed runs");
  const key = join(folder, "key");
  writeFileSync(key, "07".repeat(32));
  const foreign = await device("flash", sign("transaction-module", 3, "--key", key), ...port);
  expect(foreign.code).toBe(1);
  expect(foreign.stderr).toContain("not signed by the signer");
  expect((await device("flash", wasm, ...port)).stderr).toContain("is no signed image");
  expect(JSON.parse((await info(...port)).stdout).modules[1].version).toBe(2);
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

test("a board with an older copy of its flash says so, and reads out what it can prove", async () => {
  const port = ["--port", "sim:closed"];
  const flash = join(folder, "closed", "module.flash");
  await info(...port);
  const old = readFileSync(flash);
  await info(...port);
  writeFileSync(flash, old);
  const { code, stdout } = await info(...port);
  expect(code).toBe(0);
  const [agent, module] = JSON.parse(stdout).modules;
  expect(agent.closure).toBeNull();
  expect(module.closure).toMatchObject({ reason: "rolled back", damage: null });
  expect(module.closure.counter).toBeGreaterThan(module.closure.sealed);
  expect((await device("info", ...port)).stdout).toMatch(
    /does not open: its flash is an older copy .*; put the newest copy back/,
  );
  const out = join(folder, "closed.json");
  const told = await device("evidence", ...port, "--out", out);
  expect([told.code, told.stdout]).toEqual([0, expect.stringContaining(`written to ${out}`)]);
  const evidence = JSON.parse(readFileSync(out, "utf8"));
  expect(evidence.halves.map(({ half }: { half: string }) => half)).toEqual(["agent", "module"]);
  expect(evidence.halves[1].closure.reason).toBe("rolled back");
});
