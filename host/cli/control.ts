// SPDX-License-Identifier: Apache-2.0
// How other terminals reach a running economy: one JSON object per line over a local socket in its
// directory, which only its owner may open. One process owns the directory; all others ask it.
import { createHash } from "node:crypto";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { CommandFailure, ExitCode } from "./output.ts";

/** Longest path of a local socket that every system takes. */
const LONGEST_SOCKET_PATH = 100;
/** Longest line that either side takes, in characters. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** What is asked: a command's name and its options. */
export interface ControlRequest {
  command: string;
  options: Record<string, unknown>;
}

/** What is answered: a value, or one sentence and the exit code that belongs to it. */
export type ControlAnswer =
  | { ok: true; value: unknown }
  | { ok: false; message: string; exitCode: number };

/** The socket of a directory; a name in the temporary folder where the path would be too long. */
export function socketPath(directory: string): string {
  const path = join(resolve(directory), "control.sock");
  if (path.length <= LONGEST_SOCKET_PATH) return path;
  const digest = createHash("sha256").update(resolve(directory)).digest("hex").slice(0, 24);
  return join(tmpdir(), `florin-${digest}.sock`);
}

/** Serves requests until the server is closed. The directory's lock is held by the caller. */
export function serveControl(
  directory: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<Server> {
  const path = socketPath(directory);
  // Left by a process that was killed: the lock tells that nobody listens on it any more.
  if (existsSync(path)) rmSync(path);
  const server = createServer((socket) => serveSocket(socket, answer));
  return new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      done(server);
    });
  });
}

function serveSocket(socket: Socket, answer: (request: ControlRequest) => Promise<unknown>): void {
  socket.on("error", () => socket.destroy());
  const lines = createInterface({ input: socket });
  lines.on("line", (line) => {
    handle(line, answer).then((result) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(result)}\n`);
    });
  });
  lines.on("error", () => socket.destroy());
}

async function handle(
  line: string,
  answer: (request: ControlRequest) => Promise<unknown>,
): Promise<ControlAnswer> {
  try {
    const request = JSON.parse(line) as Partial<ControlRequest>;
    const { command, options } = request;
    if (typeof command !== "string" || typeof options !== "object" || options === null) {
      throw new CommandFailure("the request is malformed");
    }
    return { ok: true, value: await answer({ command, options }) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof CommandFailure ? error.exitCode : ExitCode.FAILED;
    return { ok: false, message, exitCode };
  }
}

/**
 * Asks the economy that runs in a directory.
 * @throws {CommandFailure} when none runs there, or with what it answered
 */
export function askRunning(directory: string, request: ControlRequest): Promise<unknown> {
  return new Promise((done, failed) => {
    const socket = connect(socketPath(directory));
    const end = (failure: CommandFailure) => {
      socket.destroy();
      failed(failure);
    };
    socket.once("error", () => {
      const text = `no economy runs in ${directory}; start one with: florin up --dir ${directory}`;
      end(new CommandFailure(text, ExitCode.FAILED));
    });
    socket.once("connect", () => socket.write(`${JSON.stringify(request)}\n`));
    let received = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      received += chunk;
      const end = received.indexOf("\n");
      if (end < 0 && received.length < LONGEST_LINE) return;
      socket.end();
      const answer = JSON.parse(received.slice(0, end)) as ControlAnswer;
      if (answer.ok) done(answer.value);
      else failed(new CommandFailure(answer.message, answer.exitCode));
    });
    socket.once("close", () => {
      const text = `the economy in ${directory} stopped before it answered; start it and look again`;
      failed(new CommandFailure(text, ExitCode.FAILED));
    });
  });
}
