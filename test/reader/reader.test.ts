// SPDX-License-Identifier: Apache-2.0
// The independent reader as a program: encodings, exports, what it prints and how it exits
// (docs/protocol.cddl, its head and section 1).
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as make from "./objects.ts";
import { main, type Report, verifyExports } from "./reader.ts";
import { readNotes, reasonOf } from "./reading.ts";

const { NOW } = make;

describe("encoding", () => {
  const good = make.cbor(make.goodNote());
  const flipped = good.slice();
  flipped[flipped.length - 1]! ^= 1;
  // The unprotected header {4: kid} of the body: its key 4 in two bytes instead of one.
  const kidAt = Buffer.from(good).indexOf(Buffer.from("a10448", "hex"));
  const longKey = [...good.slice(0, kidAt + 1), 0x18, 0x04, ...good.slice(kidAt + 2)];
  // The note as an array of indefinite length.
  const indefinite = [0x9f, ...good.slice(1), 0xff];
  const [body, transfers] = make.goodNote();
  const float = [body, [[...transfers[0]!], transfers[1]]];
  const cases: [string, Uint8Array, RegExp][] = [
    ["a byte after the item", Uint8Array.of(...good, 0), /not deterministic CBOR/],
    ["a cut item", good.slice(0, -1), /not deterministic CBOR/],
    ["a long head", Uint8Array.from(longKey), /not deterministic CBOR/],
    ["an indefinite length", Uint8Array.from(indefinite), /not deterministic CBOR/],
    ["a float", Uint8Array.of(0xf9, 0x3c, 0x00), /not in its deterministic encoding/],
    ["a tag", Uint8Array.of(0xc1, 0x01), /the note is not an array/],
    ["deep nesting", new Uint8Array(10_000).fill(0x81), /not deterministic CBOR/],
    ["a flipped bit", flipped, /signature of transfer 2 for florin\/transfer is wrong/],
    ["another shape", make.cbor(float.slice(0, 1)), /the note has 1 elements where 2 belong/],
  ];
  it.each(cases)("refuses %s", (_, item, reason) => {
    expect(reasonOf(readNotes([item]))).toMatch(reason);
  });

  it("refuses a note with one of its bytes changed", () => {
    // Every 13th: each costs signatures, and 13 shares no factor with the sizes of the fields.
    for (let index = 0; index < good.length; index += 13) {
      const changed = good.slice();
      changed[index]! ^= 1;
      expect(readNotes([changed]).verified, `byte ${index}`).toBe(false);
    }
  });

  it("refuses an item with a foreign encoding inside a signed payload", () => {
    const payload = Uint8Array.of(0x18, 0x01);
    const signature = make.signBytes("florin/note-body", payload, make.generator);
    const signed = [make.goodNote()[0][0], make.goodNote()[0][1], payload, signature];
    const report = readNotes([make.cbor([signed, []])]);
    expect(reasonOf(report)).toMatch(/payload of the note's body is not deterministic CBOR/);
  });

  it("refuses headers that the CDDL does not have", () => {
    const [head, header, payload, signature] = make.goodNote()[0];
    const more = new Map([...header, [5, make.fill(0, 8)] as const]);
    const longer = readNotes([make.cbor([[head, more, payload, signature], []])]);
    expect(reasonOf(longer)).toMatch(/unprotected header .* holds more than a kid/);
    const other = make.cbor([[make.fill(0xa0, 1), header, payload, signature], []]);
    expect(reasonOf(readNotes([other]))).toMatch(/protected header .* is not h'a10127'/);
  });
});

describe("exports", () => {
  const good = make.exportOf("tickets", [make.cbor(make.goodCard())], make.customer, null);
  const otherRoots = {
    ...good,
    roots: { ...good.roots, agent: { id: good.roots.agent.id, key: "00".repeat(32) } },
  };
  const cases: [string, unknown[], RegExp][] = [
    ["nothing", [], /there is no export/],
    ["no object", [[]], /export 1 is not a JSON object/],
    ["another kind", [{ ...good, kind: "log" }], /kind of export 1 is not/],
    ["no holder", [{ ...good, holder: null }], /holder of export 1 is not a JSON object/],
    ["items not in hex", [{ ...good, items: ["0g"] }], /item 1 of export 1 is not hexadecimal/],
    ["an id too short", [{ ...good, holder: { agent: "00", module: null } }], /has 1 bytes/],
    ["two pairs of roots", [good, otherRoots], /export 2 claims other roots than export 1/],
    ["a root of another key", [otherRoots], /signature of the server's certificate of .* is wrong/],
    [
      "tickets of nobody",
      [{ ...good, holder: { agent: null, module: null } }],
      /does not say which agent its holder has/,
    ],
  ];
  it.each(cases)("refuses %s", (_, exports, reason) => {
    expect(reasonOf(verifyExports(exports, NOW))).toMatch(reason);
  });

  it("stops at the first item that is wrong", () => {
    const bad = make.cbor(0);
    const items = [make.cbor(make.goodCard()), bad, bad];
    const report = verifyExports([make.exportOf("tickets", items, make.customer, null)], NOW);
    expect(report.items.map((item) => item.reason)).toEqual([null, "the ticket is not an array"]);
  });
});

describe("the program", () => {
  const run = (exports: unknown[], ...options: string[]) => {
    const folder = mkdtempSync(join(tmpdir(), "florin-reader-"));
    try {
      const paths = exports.map((value, index) => {
        const path = join(folder, `${index}.json`);
        writeFileSync(path, JSON.stringify(value));
        return path;
      });
      const lines: string[] = [];
      return { code: main([...options, ...paths], (line) => lines.push(line)), lines };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const at = ["--at", String(NOW)];
  const notes = make.exportOf("notes", [make.cbor(make.goodNote())], null, make.purse);

  it("prints the roots and a line per item and exits with 0", () => {
    const { code, lines } = run([notes, make.certificatesExport()], ...at);
    expect(code).toBe(0);
    expect(lines).toHaveLength(1 + 4 + 1);
    expect(lines[0]).toContain(make.hexOf(make.moduleRoot.key));
    expect(lines.at(-1)).toMatch(/^export 1 notes 1: note of 2500 .*: verified$/);
  });

  it("exits with 1 and the reason, as JSON too", () => {
    const { code, lines } = run([notes], ...at, "--json");
    expect(code).toBe(1);
    const report = JSON.parse(lines.join("\n")) as Report;
    expect(report.verified).toBe(false);
    expect(reasonOf(report)).toMatch(/exports lack certificate/);
  });

  it("lets no name forge a line", () => {
    const fields = make.bend(make.cardComponents(), 4, "Ada\nall verified");
    const head = make.identifier(make.BANK, make.customer, 1);
    const card = make.ticket(head, fields, make.authority, make.authorityCertificate);
    const tickets = make.exportOf("tickets", [make.cbor(card)], make.customer, null);
    const { lines } = run([tickets], ...at);
    expect(lines.at(-1)).toContain('"Ada?all verified"');
  });

  it("exits with 2 where it is not used rightly", () => {
    expect(main(["/nonexistent.json"], () => {})).toBe(2);
    expect(main(["--at", "noon"], () => {})).toBe(2);
    expect(main(["--what"], () => {})).toBe(2);
  });
});
