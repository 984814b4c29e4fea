// SPDX-License-Identifier: Apache-2.0
// A way that the messages of a session take: straight to the peer's host (Fig. 9), through the two
// agents (Figs. 15, 19), or to the other half of the own device for pairing.
import { Port, send } from "../board";
import { Bytes } from "../codec/bytes";
import { markStep } from "./figureSteps";

/** What a session is for; keys of one label are useless under another. */
export namespace Label {
  export const AGENT: u8 = 1;
  export const MODULE: u8 = 2;
  export const PAIR: u8 = 3;
  export const BARE: u8 = 4;
}

export abstract class Path {
  /** The one label that sessions on this path have. */
  label: u8;
  /** Exporter of the agents' session that these sessions run in (32 bytes), else null. */
  mixIn: Bytes | null = null;
  /** Whether messages go by Fig. 19, under key (TA/MM), and not by Fig. 15. */
  isEncryptedRoute: bool = false;

  constructor(label: u8) {
    this.label = label;
  }

  /** Sends one peer-body that lies in the outbox with room in front and behind. */
  abstract transmit(pointer: usize, length: i32): void;

  /** Sends the hello [ 1, tag, m1 ]: straight, since no network server stands on this path. */
  transmitHello(pointer: usize, length: i32): void {
    markStep(this.label, 0, 1466);
    markStep(this.label, 300, 1476);
    this.transmit(pointer, length);
  }
}

/** Straight to a port of the board: PEER, or OWN for pairing. */
export class PortPath extends Path {
  private port: u8;

  constructor(label: u8, port: u8) {
    super(label);
    this.port = port;
  }

  transmit(pointer: usize, length: i32): void {
    send(<i32>this.port, pointer, length);
  }
}

/** Two modules' way through their agents, in one payment between transaction devices. */
export abstract class Tunnel extends Path {
  constructor() {
    super(Label.MODULE);
  }

  /** Whether messages of this agents' session (8 bytes) belong to this tunnel. */
  abstract isOf(sessionTag: Bytes): bool;
  /**
   * R(1) xor R(2), 32 bytes, is known (552, 556): from here on key (TA/MM) is used. Whether it
   * could be made.
   */
  abstract useKey(mixed: usize): bool;
  /** Ends the tunnel's key and forgets its secrets; to be called when the payment is over. */
  abstract end(): void;
}

/** The path to peers without a tunnel: label `agent` for agents, `bare` for money modules. */
export function peerPath(label: u8): Path {
  return new PortPath(label, Port.PEER);
}
