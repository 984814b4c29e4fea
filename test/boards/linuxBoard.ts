// SPDX-License-Identifier: Apache-2.0
// The board that is a process of this computer (boards/linux), with its standard input and output
// as the line. Ending the process is cutting the power.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { resolve } from "node:path";
import { EmulatedBoard, type EmulatedBoardOptions } from "../../host/device/emulatedBoard.ts";
import type { ByteTransport } from "../../host/link/transport.ts";

export class LinuxBoard extends EmulatedBoard {
  private child: ChildProcessWithoutNullStreams | null = null;
  private said = "";
  private readonly own: EmulatedBoardOptions;

  constructor(options: EmulatedBoardOptions) {
    super(options);
    this.own = options;
  }

  override get isOn(): boolean {
    return this.child !== null;
  }

  override get output(): string {
    return this.said;
  }

  override async powerOn(): Promise<void> {
    if (this.child !== null) return;
    const child = spawn(resolve(this.own.program), { cwd: this.own.directory });
    this.child = child;
    this.said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      this.said += chunk.toString();
    });
    // What is written after the board went off is lost, as on any line.
    child.stdin.on("error", () => {});
    child.once("exit", () => {
      if (this.child === child) this.child = null;
    });
  }

  override async openLine(): Promise<ByteTransport> {
    const { child } = this;
    if (child === null) throw new Error("the board is off");
    return {
      write: (bytes) => void child.stdin.write(bytes),
      onBytes: (receive) => void child.stdout.on("data", receive),
      onClose: (closed) => void child.once("exit", () => closed("the board went off")),
      close: () => {},
    };
  }

  override async powerOff(): Promise<void> {
    const { child } = this;
    if (child === null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    this.child = null;
    child.kill("SIGKILL");
    await ended;
  }
}
