// SPDX-License-Identifier: Apache-2.0
// The link's names and limits, in one place for both ends. docs/link.md specifies them; the C
// implementation of the boards uses the same values.

/** Version in the two high bits of the control byte. A frame of another version is dropped. */
export const LINK_VERSION = 1;

/** Most payload bytes of one frame: decoded frames stay within one COBS block of 254 bytes. */
export const PAYLOAD_LIMIT = 244;

/** Most bytes of one message, all its fragments together (a port byte and up to 8,448 of body). */
export const MESSAGE_LIMIT = 8704;

/**
 * Bytes of messages that wait to leave a board on one channel, each with so many more: the longest
 * message, and room for short ones beside it.
 */
export const OUTBOX_SIZE = 12_288;
export const OUTBOX_HEADER = 5;

/** Header bytes before the payload, and checksum bytes after it. */
export const HEADER_SIZE = 4;
export const CHECKSUM_SIZE = 4;

/** What a frame is for; three bits of the control byte. */
export const FrameKind = {
  DATA: 0,
  ACK: 1,
  ERROR: 2,
  KEEPALIVE: 3,
  SYNC: 4,
  CANCEL: 5,
} as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** Who a message is for. Channels from 0x80 are kept for a simulator's own control. */
export const Channel = {
  LINK: 0,
  BOARD: 1,
  AGENT: 2,
  MODULE: 3,
  LOG: 4,
} as const;

/** A channel that carries the messages of a trusted agent or of a money module. */
export type ModuleChannel = typeof Channel.AGENT | typeof Channel.MODULE;

/** First byte of each message on channels AGENT and MODULE (assembly/board.ts, Port). */
export const Port = {
  /** The owner's host: commands, prompts and answers. */
  HOST: 0,
  /** The same kind of device elsewhere. */
  PEER: 1,
  /** The other half of this transaction device. */
  OWN: 2,
} as const;
export type Port = (typeof Port)[keyof typeof Port];

/** First payload byte of an ERROR frame. */
export const LinkError = {
  /** No room for the message now; the same message may be sent again later. */
  BUSY: 1,
  /** The board has nothing on that channel. */
  NO_CHANNEL: 2,
  /** The message is longer than the receiver takes. */
  TOO_LONG: 3,
  /** The image failed while it handled this message, and was started anew from its flash. */
  RESTARTED: 4,
  /** The image fails at each start; only the board's own channel answers. */
  STOPPED: 5,
  /** The board has not been synchronised since it started. */
  NOT_SYNCHRONISED: 6,
  /** The board cannot hand the message over: it has no port, or an unknown one. */
  BAD_MESSAGE: 7,
} as const;
export type LinkError = (typeof LinkError)[keyof typeof LinkError];

/** First payload byte of a KEEPALIVE frame: why the answer takes long. */
export const KeepaliveReason = {
  PROCESSING: 1,
  OWNER_NEEDED: 2,
  FLASH: 3,
} as const;
export type KeepaliveReason = (typeof KeepaliveReason)[keyof typeof KeepaliveReason];

/** First wait for an acknowledgement; it doubles with each repetition up to the longest wait. */
export const FIRST_RETRY_MS = 100;
export const LONGEST_RETRY_MS = 1000;

/** Transmissions of one frame before an end takes the link to be down. */
export const TRANSMISSIONS_LIMIT = 8;

/** What one board module tells in the answer to SYNC. */
export interface ModuleInformation {
  /** Channel that reaches it. */
  channel: number;
  /** Starts of this module since the board was switched on, 1 for the first. */
  starts: number;
  /** Version of the image, one more with each release; 0 where it has none. */
  imageVersion: number;
  /** SHA-256 of the firmware image's bytes. */
  imageHash: Uint8Array;
  /** Name of the image, at most 24 bytes of ASCII, such as "customer-agent". */
  imageName: string;
}

/** What a board tells of itself in the answer to SYNC. */
export interface BoardInformation {
  /** True for a simulated board: it holds no money that others should take. */
  isSimulated: boolean;
  /** Raised by one each time the board is switched on. */
  bootCounter: number;
  /** Most bytes of one message, to and from this board. */
  messageLimit: number;
  /** Name of the board, at most 24 bytes of ASCII. */
  boardName: string;
  modules: ModuleInformation[];
}

/** Frames and bytes seen by one end of a link. */
export interface LinkStatistics {
  bytesSent: number;
  bytesReceived: number;
  framesSent: number;
  framesReceived: number;
  /** Repetitions of a frame whose acknowledgement did not come in time. */
  retransmissions: number;
  /** Good frames received again, acknowledged and dropped. */
  duplicates: number;
  /** Frames longer than the limit, or shorter than a frame can be. */
  droppedLength: number;
  /** Frames that are not COBS. */
  droppedCobs: number;
  /** Frames whose checksum is wrong. */
  droppedChecksum: number;
  /** Frames with a good checksum that the protocol does not know or does not expect now. */
  droppedUnexpected: number;
}
