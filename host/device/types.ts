// SPDX-License-Identifier: Apache-2.0
// A transaction device as applications see it (Fig. 3): an agent and a money module behind one
// host, with connections to other devices. device.ts makes one over a link.
import type { BoardInformation, LinkStatistics } from "../link/protocol.ts";
import type { PeerConnection } from "./peer.ts";

/** Which half of the device a command or event belongs to. */
export type Target = "agent" | "module";

/** Number of a peer connection, unique within one device and never used again. */
export type ConnectionId = number;

/** What the device tells its applications without being asked. */
export type DeviceEvent =
  /** The agent or module speaks: a HOST message that answers no open command. */
  | { type: "message"; target: Target; body: Uint8Array }
  /** A message of `send` did not reach the device, or may not have. */
  | { type: "unsent"; target: Target; reason: string; mayHaveArrived: boolean }
  /** An image failed and was started anew, or cannot be started: its open commands failed. */
  | { type: "restarted"; target: Target; isStopped: boolean }
  /** The link is up; `rebooted` if the board was switched on since it was last up. */
  | { type: "linkUp"; board: BoardInformation; rebooted: boolean }
  /** The link is down and is being sought again; all open commands failed. */
  | { type: "linkDown"; reason: string }
  /** A log line of the board, as printable ASCII. */
  | { type: "log"; text: string }
  | { type: "peerConnected"; connection: ConnectionId; description: string }
  /** A connection ended; `sessionTags` (16 hex digits each) are the sessions that ran over it. */
  | { type: "peerLost"; connection: ConnectionId; reason: string; sessionTags: string[] };

/** A command's answer did not come; `mayHaveRun` tells whether the device may have acted on it. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly mayHaveRun: boolean;

  constructor(message: string, mayHaveRun: boolean) {
    super(message);
    this.mayHaveRun = mayHaveRun;
  }
}

/** Which peer a command's new sessions go to, where the device has more than one. */
export interface CommandOptions {
  connection?: ConnectionId;
  /** Milliseconds without an answer or a sign of work before it fails; 30,000 if absent. */
  timeoutMs?: number;
}

/** A message between a device and another that the message manager did not carry, by cause. */
export interface MessageManagerStatistics {
  /** PEER bodies without a readable session tag. */
  droppedUnreadable: number;
  /** PEER bodies whose session tag belongs to another connection. */
  droppedForeignTag: number;
  /** PEER bodies from the device with no connection to carry them. */
  droppedNoConnection: number;
  /** Messages with an unknown port, or for a half that this device does not have. */
  droppedUnroutable: number;
}

/** One transaction device. */
export interface TransactionDevice {
  /** What the board told of itself when the link last came up. */
  readonly board: BoardInformation;
  /**
   * Sends one HOST message and gives the first HOST message that answers it; later ones with the
   * same id come as events. Rejects with CommandError.
   */
  command(target: Target, body: Uint8Array, options?: CommandOptions): Promise<Uint8Array>;
  /** Sends one HOST message without waiting; whatever answers it comes as "message" events. */
  send(target: Target, body: Uint8Array, options?: Pick<CommandOptions, "connection">): void;
  /** Adds a listener; the returned function removes it. */
  onEvent(listener: (event: DeviceEvent) => void): () => void;
  /** Connects to the device that listens at a ws: or wss: URL. */
  connect(url: string): Promise<ConnectionId>;
  /** Takes a connection that a listener accepted, or one end of a pair in this process. */
  accept(connection: PeerConnection): ConnectionId;
  /**
   * Takes one end of a pair as the way to a mailbox: what the module says about a payment in doubt
   * goes there where the other device is not connected.
   */
  attachMail(connection: PeerConnection): ConnectionId;
  /** Ends one connection, or all of them. */
  disconnect(connection?: ConnectionId): void;
  /** Ends the connections and the link. */
  close(): void;
  statistics(): { link: LinkStatistics; messageManager: MessageManagerStatistics };
}
