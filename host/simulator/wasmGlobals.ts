// SPDX-License-Identifier: Apache-2.0
// Makes every mutable global of a WebAssembly binary visible, so that a snapshot can hold them
// (WebAssembly Core Specification 1.0, section 5.5): the export section is rewritten, and nothing
// else of the binary changes.

const IMPORT_SECTION = 2;
const GLOBAL_SECTION = 6;
const EXPORT_SECTION = 7;
const GLOBAL_KIND = 3;
const OPCODE_END = 0x0b;
/** Bytes after `f32.const` and `f64.const`; other constant instructions carry one LEB128 number. */
const FLOAT_SIZES = new Map([
  [0x43, 4],
  [0x44, 8],
]);

export interface VisibleGlobals {
  bytes: Uint8Array;
  /** Export names of the mutable globals, in the order of their indices. */
  names: string[];
}

interface Section {
  id: number;
  /** Where the section starts and its content starts and ends in the binary. */
  from: number;
  contentFrom: number;
  to: number;
}

/** Adds an export for each mutable global. Throws on bytes that are not a WebAssembly binary. */
export function exposeGlobals(bytes: Uint8Array): VisibleGlobals {
  const sections = readSections(bytes);
  const imported = countImportedGlobals(bytes, sections);
  const mutable = mutableGlobals(bytes, sections).map((index) => index + imported);
  const names = mutable.map((index) => `mutable global ${index}`);
  if (mutable.length === 0) return { bytes, names };
  const old = sections.find((section) => section.id === EXPORT_SECTION);
  const added: number[] = [];
  for (const [position, index] of mutable.entries()) {
    const name = new TextEncoder().encode(names[position]);
    added.push(...leb128(name.length), ...name, GLOBAL_KIND, ...leb128(index));
  }
  const reader = new BinaryReader(bytes, old?.contentFrom ?? 0);
  const count = old === undefined ? 0 : reader.uint();
  const kept = old === undefined ? [] : bytes.subarray(reader.at, old.to);
  const content = [...leb128(count + mutable.length), ...kept, ...added];
  // Sections stand in the order of their ids; a new export section goes before the first later one.
  const later = sections.find((section) => section.id > EXPORT_SECTION && section.id !== 13);
  const from = old?.from ?? later?.from ?? bytes.length;
  const to = old?.to ?? from;
  return {
    bytes: Uint8Array.from([
      ...bytes.subarray(0, from),
      EXPORT_SECTION,
      ...leb128(content.length),
      ...content,
      ...bytes.subarray(to),
    ]),
    names,
  };
}

function readSections(bytes: Uint8Array): Section[] {
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (!magic.every((byte, index) => bytes[index] === byte)) {
    throw new Error("The firmware image is not a WebAssembly binary of version 1.");
  }
  const reader = new BinaryReader(bytes, magic.length);
  const sections: Section[] = [];
  while (reader.at < bytes.length) {
    const from = reader.at;
    const id = reader.byte();
    const length = reader.uint();
    const contentFrom = reader.at;
    reader.skip(length);
    sections.push({ id, from, contentFrom, to: reader.at });
  }
  return sections;
}

/** Imported globals come first in the numbering. */
function countImportedGlobals(bytes: Uint8Array, sections: Section[]): number {
  const section = sections.find(({ id }) => id === IMPORT_SECTION);
  if (section === undefined) return 0;
  const reader = new BinaryReader(bytes, section.contentFrom);
  let globals = 0;
  for (let left = reader.uint(); left > 0; left -= 1) {
    reader.skip(reader.uint());
    reader.skip(reader.uint());
    const kind = reader.byte();
    if (kind === 0) reader.uint();
    else if (kind === 1) {
      reader.byte();
      reader.limits();
    } else if (kind === 2) reader.limits();
    else {
      globals += 1;
      reader.skip(2);
    }
  }
  return globals;
}

/** Positions, within the global section, of the globals that may change. */
function mutableGlobals(bytes: Uint8Array, sections: Section[]): number[] {
  const section = sections.find(({ id }) => id === GLOBAL_SECTION);
  if (section === undefined) return [];
  const reader = new BinaryReader(bytes, section.contentFrom);
  const mutable: number[] = [];
  const count = reader.uint();
  for (let index = 0; index < count; index += 1) {
    reader.byte();
    if (reader.byte() === 1) mutable.push(index);
    for (let opcode = reader.byte(); opcode !== OPCODE_END; opcode = reader.byte()) {
      const floatSize = FLOAT_SIZES.get(opcode);
      if (floatSize !== undefined) reader.skip(floatSize);
      else reader.leb128();
    }
  }
  return mutable;
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** Reads a binary forwards; anything beyond its end is an error. */
class BinaryReader {
  at: number;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    this.skip(1);
    return this.bytes[this.at - 1]!;
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.bytes.length) throw new Error("The firmware image ends in a section.");
  }

  /** An unsigned number of at most 32 bits. */
  uint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error("The firmware image has a number that is too long.");
  }

  /** Passes over a number of any size. */
  leb128(): void {
    while (this.byte() >= 0x80);
  }

  limits(): void {
    const hasMaximum = (this.byte() & 1) === 1;
    this.uint();
    if (hasMaximum) this.uint();
  }
}
