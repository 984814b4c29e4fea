// SPDX-License-Identifier: Apache-2.0
// COBS and CRC-32 against published vectors, frames against themselves and against noise.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cobsDecode, cobsEncode } from "../../host/link/cobs.ts";
import { crc32 } from "../../host/link/crc32.ts";
import {
  encodeFrame,
  type Frame,
  newFrameReader,
  newLinkStatistics,
  readFrames,
} from "../../host/link/frame.ts";
import { PAYLOAD_LIMIT } from "../../host/link/protocol.ts";

const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (byte) => Number.parseInt(byte, 16));

/** The bytes from `first` to `last`, each one more than the one before. */
const run = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

// The encoding examples of "Consistent Overhead Byte Stuffing", en.wikipedia.org, without the
// ending zero, which is the frame's here.
const COBS_VECTORS: [number[], number[]][] = [
  [[0], [1, 1]],
  [
    [0, 0],
    [1, 1, 1],
  ],
  [
    [0, 0x11, 0],
    [1, 2, 0x11, 1],
  ],
  [
    [0x11, 0x22, 0, 0x33],
    [3, 0x11, 0x22, 2, 0x33],
  ],
  [
    [0x11, 0x22, 0x33, 0x44],
    [5, 0x11, 0x22, 0x33, 0x44],
  ],
  [
    [0x11, 0, 0, 0],
    [2, 0x11, 1, 1, 1],
  ],
  [run(1, 254), [255, ...run(1, 254)]],
  [
    [0, ...run(1, 254)],
    [1, 255, ...run(1, 254)],
  ],
  [run(1, 255), [255, ...run(1, 254), 2, 255]],
  [
    [...run(2, 255), 0],
    [255, ...run(2, 255), 1, 1],
  ],
  [
    [...run(3, 255), 0, 1],
    [254, ...run(3, 255), 2, 1],
  ],
];

describe("COBS", () => {
  test.each(COBS_VECTORS)("vector %#", (plain, encoded) => {
    expect([...cobsEncode(Uint8Array.from(plain))]).toEqual(encoded);
    expect([...cobsDecode(Uint8Array.from(encoded))!]).toEqual(plain);
  });

  test("round trip, no zero, bounded growth", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (plain) => {
        const encoded = cobsEncode(plain);
        expect(encoded.includes(0)).toBe(false);
        expect(encoded.length).toBeLessThanOrEqual(
          plain.length + 1 + Math.floor(plain.length / 254),
        );
        expect(cobsDecode(encoded)).toEqual(plain);
      }),
    );
  });

  test("refuses what is not COBS", () => {
    expect(cobsDecode(hex(""))).toBeNull();
    expect(cobsDecode(hex("00"))).toBeNull();
    expect(cobsDecode(hex("03 11"))).toBeNull();
    expect(cobsDecode(hex("03 00 11"))).toBeNull();
  });
});

test("CRC-32 of the check string (ITU-T V.42, catalogued as CRC-32/ISO-HDLC)", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

const anyFrame = fc.record({
  kind: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const, 4 as const, 5 as const),
  isFirst: fc.boolean(),
  isLast: fc.boolean(),
  sequence: fc.constantFrom(0 as const, 1 as const),
  channel: fc.nat(255),
  id: fc.nat(0xffff),
  payload: fc.uint8Array({ maxLength: PAYLOAD_LIMIT }),
});

function readAll(chunks: Uint8Array[]): { frames: Frame[]; dropped: number } {
  const reader = newFrameReader();
  const statistics = newLinkStatistics();
  const frames = chunks.flatMap((chunk) => readFrames(reader, chunk, statistics));
  const { droppedLength, droppedCobs, droppedChecksum, droppedUnexpected } = statistics;
  return { frames, dropped: droppedLength + droppedCobs + droppedChecksum + droppedUnexpected };
}

describe("frames", () => {
  test("round trip, whatever the cuts", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 5 }),
        fc.integer({ min: 1, max: 80 }),
        (all, n) => {
          const wire = Uint8Array.from(all.flatMap((frame) => [...encodeFrame(frame)]));
          const chunks: Uint8Array[] = [];
          for (let at = 0; at < wire.length; at += n) chunks.push(wire.slice(at, at + n));
          expect(readAll(chunks)).toEqual({ frames: all, dropped: 0 });
        },
      ),
    );
  });

  test("a frame survives any bytes in front of it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), anyFrame, (garbage, frame) => {
        const { frames } = readAll([garbage, encodeFrame(frame)]);
        expect(frames.at(-1)).toEqual(frame);
      }),
    );
  });

  test("every single changed byte is noticed", () => {
    const frame: Frame = {
      kind: 0,
      isFirst: true,
      isLast: true,
      sequence: 1,
      channel: 2,
      id: 7,
      payload: hex("00 01 02 00 ff"),
    };
    const wire = encodeFrame(frame);
    for (let at = 1; at < wire.length - 1; at += 1) {
      for (let change = 1; change < 256; change += 1) {
        const damaged = wire.slice();
        damaged[at]! ^= change;
        expect(readAll([damaged]).frames).toEqual([]);
      }
    }
  });

  test("endless bytes without a zero cost no memory and are counted once", () => {
    const noise = new Uint8Array(100_000).fill(0x55);
    const { frames, dropped } = readAll([noise, Uint8Array.of(0)]);
    expect(frames).toEqual([]);
    expect(dropped).toBe(1);
  });

  test("a frame of another version is dropped though its checksum is right", () => {
    const wire = encodeFrame({
      kind: 0,
      isFirst: true,
      isLast: true,
      sequence: 0,
      channel: 2,
      id: 1,
      payload: hex("01"),
    });
    const plain = cobsDecode(wire.subarray(1, -1))!.slice();
    plain[0]! ^= 0xc0;
    const checksumAt = plain.length - 4;
    new DataView(plain.buffer).setUint32(checksumAt, crc32(plain.subarray(0, checksumAt)), true);
    expect(readAll([cobsEncode(plain), Uint8Array.of(0)])).toEqual({ frames: [], dropped: 1 });
  });

  test("a payload that is too long is a mistake of the caller", () => {
    const payload = new Uint8Array(PAYLOAD_LIMIT + 1);
    const header = { kind: 0 as const, isFirst: true, isLast: true, sequence: 0 as const };
    expect(() => encodeFrame({ ...header, channel: 2, id: 1, payload })).toThrow("split it");
  });
});
