// SPDX-License-Identifier: Apache-2.0
// A connection between two transaction devices (Fig. 5: merchant network 134), as the device host
// sees it; communications.ts makes them of WebSockets, and a pair in this process serves tests.
import { Channel, type ModuleChannel } from "../link/protocol.ts";

/** One counterpart. What travels is sealed by the agents or modules; the connection reads none. */
export interface PeerConnection {
  /** Who is at the other end, for people: a URL or an address. Not proven by anything. */
  readonly description: string;
  /** Sends one body for the other device's agent or module. After a close it does nothing. */
  send(channel: ModuleChannel, body: Uint8Array): void;
  /** Registers the one receiver; bodies that came before are handed over at once. */
  onBody(receive: (channel: ModuleChannel, body: Uint8Array) => void): void;
  /** Registers the one listener for the end of the connection. */
  onClose(closed: (reason: string) => void): void;
  close(): void;
}

/** True for a number that names an agent's or a module's channel. */
export function isModuleChannel(value: unknown): value is ModuleChannel {
  return value === Channel.AGENT || value === Channel.MODULE;
}
