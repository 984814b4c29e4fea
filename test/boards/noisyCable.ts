// SPDX-License-Identifier: Apache-2.0
// A bad cable in front of a board, from a seed: it drops, halves, repeats and damages what is
// written, and puts noise, floods and frames that nobody sent between.
import { encodeFrame } from "../../host/link/frame.ts";
import { FrameKind } from "../../host/link/protocol.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import type { Random } from "../../host/torture/random.ts";
import { FaultDealer } from "../support/faultDealer.ts";

/** A request id that no test reaches: a CANCEL of it must change nothing. */
const FOREIGN_ID = 0xfff0;
const FLOOD_SIZE = 3000;

export type CableFault =
  | "drop"
  | "half"
  | "flip"
  | "repeat"
  | "noise"
  | "flood"
  | "cancel"
  | "boot text";
const FAULTS: readonly CableFault[] = [
  ...["drop", "half", "flip", "repeat", "noise", "flood", "cancel", "boot text"],
] as CableFault[];

/** Puts a seeded fault on one frame in so many, both ways. */
export class NoisyCable implements ByteTransport {
  /** How often each fault was made. */
  readonly made = new Map<CableFault, number>();
  isNoisy = true;
  private readonly line: ByteTransport;
  private readonly random: Random;
  private readonly dealer: FaultDealer<CableFault>;
  private readonly oneIn: number;

  constructor(line: ByteTransport, random: Random, oneIn: number) {
    this.line = line;
    this.random = random;
    this.dealer = new FaultDealer(random, FAULTS);
    this.oneIn = oneIn;
  }

  write(bytes: Uint8Array): void {
    for (const part of this.pass(bytes)) this.line.write(part);
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    // Bytes come from the emulator one by one: a fault is for a frame, which a zero ends.
    let frame: number[] = [];
    this.line.onBytes((bytes) => {
      for (const byte of bytes) {
        frame.push(byte);
        if (byte !== 0 || frame.length === 1) continue;
        for (const part of this.pass(Uint8Array.from(frame))) receive(part);
        frame = [];
      }
    });
  }

  onClose(closed: (reason: string) => void): void {
    this.line.onClose(closed);
  }

  close(): void {
    this.line.close();
  }

  private pass(bytes: Uint8Array): Uint8Array[] {
    const { random } = this;
    const fault = this.isNoisy ? this.dealer.deal(this.oneIn) : null;
    if (fault === null) return [bytes];
    this.made.set(fault, (this.made.get(fault) ?? 0) + 1);
    switch (fault) {
      case "drop":
        return [];
      case "half":
        return [bytes.slice(0, random.below(bytes.length))];
      case "flip": {
        // Whatever it hits, checksum, channel or payload, the checksum is wrong then.
        const damaged = bytes.slice();
        const at = random.below(bytes.length);
        damaged[at] = damaged[at]! ^ (1 << random.below(8));
        return [damaged];
      }
      case "repeat":
        return [bytes, bytes];
      case "noise":
        return [random.bytes(1 + random.below(600)), bytes];
      case "flood":
        // Not one zero: it looks like a frame that does not end.
        return [random.bytes(FLOOD_SIZE).map((byte) => byte || 1), bytes];
      case "cancel":
        return [cancelFrame(2 + random.below(2), FOREIGN_ID + random.below(8)), bytes];
      case "boot text":
        return [new TextEncoder().encode("rst:0x1 (POWERON_RESET),boot:0x13\r\n"), bytes];
    }
  }
}

/** A CANCEL of a request. */
export function cancelFrame(channel: number, id: number): Uint8Array {
  return encodeFrame({
    kind: FrameKind.CANCEL,
    isFirst: false,
    isLast: false,
    sequence: 0,
    channel,
    id,
    payload: new Uint8Array(0),
  });
}
