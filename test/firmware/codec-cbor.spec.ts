// SPDX-License-Identifier: Apache-2.0
// The typed reads of the CBOR reader and what they do after a failure. The codec as a whole is
// tested against RFC 8949 and cbor2 in test/vectors/cbor-codec.test.ts.
import { Bytes, bytesEqual, bytesOrder, concat2, pointerOf } from "../../assembly/codec/bytes";
import { CborReader } from "../../assembly/codec/cborReader";
import { CborWriter } from "../../assembly/codec/cborWriter";
import { at, bytesOf, hex } from "./support/hex";

let source: StaticArray<u8> = new StaticArray<u8>(0);

function readerOf(text: string): CborReader {
  source = bytesOf(text);
  return new CborReader(at(source), source.length);
}

describe("typed reads", () => {
  test("integers at their limits", () => {
    const reader = readerOf("1bffffffffffffffff1b7fffffffffffffff3b7fffffffffffffff20");
    expect(reader.u64()).toBe(u64.MAX_VALUE);
    expect(reader.int()).toBe(i64.MAX_VALUE);
    expect(reader.int()).toBe(i64.MIN_VALUE);
    expect(reader.int()).toBe(-1);
    expect(reader.atEnd()).toBe(true);
  });

  test("integers beyond i64 fail as i64", () => {
    expect(readerOf("1b8000000000000000").int()).toBe(0);
    expect(readerOf("3b8000000000000000").int()).toBe(0);
    const reader = readerOf("3b8000000000000000");
    reader.int();
    expect(reader.failed).toBe(true);
  });

  test("an upper limit", () => {
    const reader = readerOf("18641865");
    expect(reader.uintAtMost(100)).toBe(100);
    expect(reader.failed).toBe(false);
    expect(reader.uintAtMost(100)).toBe(0);
    expect(reader.failed).toBe(true);
  });

  test("byte strings by size", () => {
    const reader = readerOf("43010203430102034301020343010203");
    expect(hex(reader.bytes())).toBe("010203");
    expect(hex(reader.bytesExact(3))).toBe("010203");
    expect(hex(reader.bytesAtMost(3))).toBe("010203");
    expect(reader.view()).toBe(true);
    expect(reader.viewLength).toBe(3);
    expect(load<u8>(reader.viewPointer)).toBe(1);
    expect(reader.atEnd()).toBe(true);
    expect(hex(readerOf("43010203").bytesExact(4))).toBe("00000000");
    expect(readerOf("43010203").bytesAtMost(2).length).toBe(0);
  });

  test("text by size", () => {
    expect(readerOf("63e6b0b4").text(3).length).toBe(3);
    expect(readerOf("63e6b0b4").text(2).length).toBe(0);
    expect(readerOf("43010203").text(9).length).toBe(0);
  });

  test("counts that the rest cannot hold", () => {
    expect(readerOf("8300").array()).toBe(-1);
    expect(readerOf("a10000").map()).toBe(1);
    expect(readerOf("a100").map()).toBe(-1);
    expect(readerOf("bbffffffffffffffff").map()).toBe(-1);
    expect(readerOf("820000").arrayOf(2)).toBe(true);
    expect(readerOf("820000").arrayOf(3)).toBe(false);
  });

  test("keys that must and that may be there", () => {
    const reader = readerOf("a30105020621f5");
    expect(reader.map()).toBe(3);
    expect(reader.key(1)).toBe(true);
    expect(reader.int()).toBe(5);
    expect(reader.keyIf(-2)).toBe(false);
    expect(reader.keyIf(2)).toBe(true);
    expect(reader.int()).toBe(6);
    expect(reader.keyIf(-2)).toBe(true);
    expect(reader.bool()).toBe(true);
    expect(reader.keyIf(3)).toBe(false);
    expect(reader.atEnd()).toBe(true);
    expect(readerOf("a10105").key(1)).toBe(false);
  });

  test("raw gives the whole item, skip passes over it", () => {
    const reader = readerOf("8201a10203f6");
    expect(reader.raw()).toBe(true);
    expect(reader.viewLength).toBe(5);
    expect(reader.position).toBe(5);
    expect(reader.isNull()).toBe(true);
    expect(reader.isNull()).toBe(false);
    expect(reader.atEnd()).toBe(true);
  });

  test("wellFormed consumes nothing", () => {
    const reader = readerOf("8201a10203");
    expect(reader.wellFormed()).toBe(true);
    expect(reader.position).toBe(0);
    expect(reader.array()).toBe(2);
  });
});

describe("after a failure", () => {
  test("every read is empty and nothing is consumed", () => {
    const reader = readerOf("0543010203f5");
    reader.view();
    expect(reader.failed).toBe(true);
    const position = reader.position;
    expect(reader.u64()).toBe(0);
    expect(reader.int()).toBe(0);
    expect(reader.array()).toBe(-1);
    expect(reader.map()).toBe(-1);
    expect(reader.bytes().length).toBe(0);
    expect(reader.bool()).toBe(false);
    expect(reader.isNull()).toBe(false);
    expect(reader.skip()).toBe(false);
    expect(reader.raw()).toBe(false);
    expect(reader.viewLength).toBe(0);
    expect(reader.keyIf(5)).toBe(false);
    expect(reader.peekMajor()).toBe(-1);
    expect(reader.wellFormed()).toBe(false);
    expect(reader.atEnd()).toBe(false);
    expect(reader.position).toBe(position);
  });
});

describe("the writer", () => {
  test("strings of unknown length, nested, get the shortest heads", () => {
    const room = new StaticArray<u8>(600);
    const writer = new CborWriter(at(room), room.length);
    const outer = writer.beginBytes();
    const inner = writer.beginBytes();
    for (let i = 0; i < 30; i++) writer.uint(7);
    writer.endBytes(inner);
    writer.nil();
    writer.endBytes(outer);
    expect(hex(writer.taken())).toBe("5821581e" + "07".repeat(30) + "f6");
  });

  test("overflow is sticky", () => {
    const room = new StaticArray<u8>(4);
    const writer = new CborWriter(at(room), room.length);
    writer.bytes(at(room), 4);
    expect(writer.overflow).toBe(true);
    writer.nil();
    expect(writer.taken().length).toBe(0);
  });
});

describe("byte strings", () => {
  test("equality, order, joining", () => {
    const a: Bytes = bytesOf("0102");
    const b: Bytes = bytesOf("010203");
    expect(bytesEqual(a, bytesOf("0102"))).toBe(true);
    expect(bytesEqual(a, b)).toBe(false);
    expect(bytesOrder(a, b)).toBeLessThan(0);
    expect(bytesOrder(bytesOf("02"), b)).toBeGreaterThan(0);
    expect(bytesOrder(a, a)).toBe(0);
    expect(hex(concat2(a, b))).toBe("0102010203");
    expect(load<u8>(pointerOf(b), 2)).toBe(3);
  });
});
