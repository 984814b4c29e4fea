// SPDX-License-Identifier: Apache-2.0
// A connection between two transaction devices (Fig. 5: merchant network 134), as the device host
// sees it; communications.ts makes them of WebSockets, and a pair in this process serves tests.
import { Channel, type ModuleChannel } from "../link/protocol.ts";

/** Takes one body for this device's agent or module. */
export type BodyListener = (channel: ModuleChannel, body: Uint8Array) => void;

/** One counterpart. What travels is sealed by the agents or modules; the connection reads none. */
export interface PeerConnection {
  /** Who is at the other end, for people: a URL or an address. Not proven by anything. */
  readonly description: string;
  /** Sends one body for the other device's agent or module. After a close it does nothing. */
  send(channel: ModuleChannel, body: Uint8Array): void;
  /** Registers the one receiver; bodies that came before are handed over at once. */
  onBody(receive: BodyListener): void;
  /** Registers the one listener for the end of the connection. */
  onClose(closed: (reason: string) => void): void;
  close(): void;
}

/** True for a number that names an agent's or a module's channel. */
export function isModuleChannel(value: unknown): value is ModuleChannel {
  return value === Channel.AGENT || value === Channel.MODULE;
}

/** One end of a pair in this process; bodies go over within the call to `send`. */
class InProcessPeer implements PeerConnection {
  readonly description: string;
  private other: InProcessPeer | null = null;
  private receive: BodyListener | null = null;
  private closed: ((reason: string) => void) | null = null;
  private endReason: string | null = null;
  private readonly early: [ModuleChannel, Uint8Array][] = [];

  constructor(description: string) {
    this.description = description;
  }

  join(other: InProcessPeer): void {
    this.other = other;
  }

  send(channel: ModuleChannel, body: Uint8Array): void {
    if (this.endReason === null) this.other?.take(channel, body.slice());
  }

  onBody(receive: BodyListener): void {
    this.receive = receive;
    for (const [channel, body] of this.early.splice(0)) receive(channel, body);
  }

  onClose(closed: (reason: string) => void): void {
    this.closed = closed;
    if (this.endReason !== null) closed(this.endReason);
  }

  close(): void {
    this.end("closed");
    this.other?.end("closed by the other device");
  }

  private take(channel: ModuleChannel, body: Uint8Array): void {
    if (this.receive === null) this.early.push([channel, body]);
    else this.receive(channel, body);
  }

  private end(reason: string): void {
    if (this.endReason !== null) return;
    this.endReason = reason;
    this.closed?.(reason);
  }
}

/** Makes a connected pair of peer connections in this process. */
export function peerPair(left: string, right: string): [PeerConnection, PeerConnection] {
  const ends: [InProcessPeer, InProcessPeer] = [new InProcessPeer(right), new InProcessPeer(left)];
  ends[0].join(ends[1]);
  ends[1].join(ends[0]);
  return ends;
}
