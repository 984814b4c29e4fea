// SPDX-License-Identifier: Apache-2.0
// A line that is opened anew whenever it ends: a cable pulled out and put back, a board whose
// serial port goes and comes with its power. What was under way is lost, as on any bad line: the
// link repeats it, or finds by SYNC that the board was switched on meanwhile.
import type { Clock, Timer } from "./clock.ts";
import type { ByteTransport } from "./transport.ts";

const RETRY_MS = 200;

/**
 * Opens a line and keeps it open until `close`. Rejects if it cannot be opened at first, with the
 * reason of `open`.
 */
export async function openReplugTransport(
  open: () => Promise<ByteTransport>,
  clock: Clock,
): Promise<ByteTransport> {
  const transport = new ReplugTransport(open, clock);
  transport.take(await open());
  return transport;
}

class ReplugTransport implements ByteTransport {
  private readonly open: () => Promise<ByteTransport>;
  private readonly clock: Clock;
  private line: ByteTransport | null = null;
  private timer: Timer | null = null;
  private isClosed = false;
  private receive: (bytes: Uint8Array) => void = () => {};
  private closed: (reason: string) => void = () => {};
  private replugged: () => void = () => {};

  constructor(open: () => Promise<ByteTransport>, clock: Clock) {
    this.open = open;
    this.clock = clock;
  }

  /** Uses a line that was opened. */
  take(line: ByteTransport): void {
    if (this.isClosed) {
      line.close();
      return;
    }
    this.line = line;
    line.onBytes((bytes) => this.receive(bytes));
    line.onClose(() => {
      if (this.line !== line) return;
      this.line = null;
      this.retry();
    });
  }

  write(bytes: Uint8Array): void {
    this.line?.write(bytes);
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.receive = receive;
  }

  onClose(closed: (reason: string) => void): void {
    this.closed = closed;
  }

  onReplugged(replugged: () => void): void {
    this.replugged = replugged;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.timer?.cancel();
    const { line } = this;
    this.line = null;
    line?.close();
    this.closed("closed");
  }

  private retry(): void {
    if (this.isClosed) return;
    this.timer = this.clock.after(RETRY_MS, () => {
      this.open().then(
        (line) => {
          this.take(line);
          this.replugged();
        },
        () => this.retry(),
      );
    });
  }
}
