// SPDX-License-Identifier: Apache-2.0
// Connections from one device to others, kept open for a while after use: the payer is done before
// the payee, whose last messages still need the line; and the next order often goes the same way.
import type { ConnectionId, TransactionDevice } from "../device/types.ts";
import type { Clock, Timer } from "../link/clock.ts";

const IDLE_MS = 10_000;

interface Line {
  connection: ConnectionId;
  users: number;
  idle: Timer | null;
}

export class PeerLines {
  private readonly device: TransactionDevice;
  private readonly clock: Clock;
  private readonly lines = new Map<string, Line>();

  constructor(device: TransactionDevice, clock: Clock) {
    this.device = device;
    this.clock = clock;
    device.onEvent((event) => {
      if (event.type !== "peerLost") return;
      for (const [url, line] of this.lines) {
        if (line.connection === event.connection) this.lines.delete(url);
      }
    });
  }

  /** Does some work over a connection to `url`; rejects when nobody listens there. */
  async use<Result>(
    url: string,
    work: (connection: ConnectionId) => Promise<Result>,
  ): Promise<Result> {
    let line = this.lines.get(url);
    if (line === undefined) {
      line = { connection: await this.device.connect(url), users: 0, idle: null };
      this.lines.set(url, line);
    }
    const used = line;
    used.idle?.cancel();
    used.users += 1;
    try {
      return await work(used.connection);
    } finally {
      used.users -= 1;
      if (used.users === 0) used.idle = this.clock.after(IDLE_MS, () => this.end(url, used));
    }
  }

  private end(url: string, line: Line): void {
    if (line.users > 0) return;
    if (this.lines.get(url) === line) this.lines.delete(url);
    this.device.disconnect(line.connection);
  }
}
