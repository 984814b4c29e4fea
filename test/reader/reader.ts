// SPDX-License-Identifier: Apache-2.0
// An independent reader: verifies what `florin wallet export` prints, from docs/protocol.cddl
// alone.
// It shares no code with the host or the firmware, so that a mistake in them cannot hide here.
// Usage: node dist/test/reader/reader.js [--json] [--at SECONDS] EXPORT.json ...
import { readFileSync } from "node:fs";
import { argv, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CertificateBook, describeCertificate, readCertificate } from "./certificates.ts";
import { readExport, sameRoots, type WalletExport } from "./exports.ts";
import { describeNote, readNote, verifyNote } from "./notes.ts";
import { decodeStrict, hex, Refusal, ensure } from "./strict.ts";
import { describeTicket, readTicket, verifyTicket } from "./tickets.ts";

/** One item's line: `reason` is null where the item is verified. */
export interface ItemReport {
  readonly item: string;
  readonly what: string;
  readonly reason: string | null;
}

/** What was looked at, up to the first thing wrong. */
export interface Report {
  readonly verified: boolean;
  /** The roots that everything was verified with: compare them with those you know. */
  readonly roots: { readonly agent: string; readonly module: string } | null;
  readonly items: readonly ItemReport[];
}

/**
 * Verifies parsed exports: certificates first, whatever the order, since notes refer to them.
 * Never throws on bad input: the last item of the report then says what is wrong.
 * @param exports the parsed JSON of each export
 * @param atSeconds the time to judge expiry at, seconds since 1970; the present if left out
 */
export function verifyExports(
  exports: readonly unknown[],
  atSeconds: number = Math.floor(Date.now() / 1000),
): Report {
  const items: ItemReport[] = [];
  let roots: Report["roots"] = null;
  // What is being looked at, so that a refusal lands on its own line.
  const current = { item: "exports", what: "the exports" };
  const look = (item: string, what: string) => Object.assign(current, { item, what });
  const pass = () => items.push({ ...current, reason: null });
  try {
    const read = readExports(exports);
    const claimed = read[0]!.roots;
    roots = { agent: hex(claimed.agent.key), module: hex(claimed.module.key) };
    const book = new CertificateBook(claimed);
    verifyCertificates(read, book, look, pass);
    look("exports", "the holders");
    for (const { agent, module } of read.map((one) => one.holder)) {
      if (agent !== null && module !== null) book.verifyDevice(agent, module);
    }
    for (const [exportIndex, one] of read.entries()) {
      if (one.kind === "certificates") continue;
      for (const [index, bytes] of one.items.entries()) {
        look(itemName(one, exportIndex, index), one.kind === "notes" ? "note" : "ticket");
        const value = decodeStrict(bytes, "the item");
        if (one.kind === "notes") {
          const note = readNote(value);
          current.what = describeNote(note);
          verifyNote(note, book, holderOf(one.holder.module, "module"), atSeconds);
        } else {
          const ticket = readTicket(value);
          current.what = describeTicket(ticket);
          verifyTicket(ticket, one.roots, holderOf(one.holder.agent, "agent"), atSeconds);
        }
        pass();
      }
    }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    items.push({ ...current, reason: error.message });
    return { verified: false, roots, items };
  }
  return { verified: true, roots, items };
}

function readExports(values: readonly unknown[]): WalletExport[] {
  ensure(values.length > 0, "there is no export to verify");
  const read = values.map((value, index) => readExport(value, `export ${index + 1}`));
  for (const [index, one] of read.entries()) {
    const same = sameRoots(one.roots, read[0]!.roots);
    ensure(same, `export ${index + 1} claims other roots than export 1`);
  }
  return read;
}

/** Enters all certificates first, then verifies each: their order in an export is free. */
function verifyCertificates(
  exports: readonly WalletExport[],
  book: CertificateBook,
  look: (item: string, what: string) => void,
  pass: () => void,
): void {
  const entered = [];
  for (const [exportIndex, one] of exports.entries()) {
    if (one.kind !== "certificates") continue;
    for (const [index, bytes] of one.items.entries()) {
      const item = itemName(one, exportIndex, index);
      look(item, "certificate");
      const certificate = readCertificate(decodeStrict(bytes, "the item"), "the certificate");
      book.enter(certificate);
      entered.push({ item, certificate });
    }
  }
  for (const { item, certificate } of entered) {
    look(item, describeCertificate(certificate));
    book.verify(certificate, "the certificate");
    pass();
  }
}

function itemName(one: WalletExport, exportIndex: number, index: number): string {
  return `export ${exportIndex + 1} ${one.kind} ${index + 1}`;
}

function holderOf(id: Uint8Array | null, kind: string): Uint8Array {
  if (id === null) throw new Refusal(`the export does not say which ${kind} its holder has`);
  return id;
}

/**
 * Runs the program; returns its exit code: 0 verified, 1 something is wrong, 2 not used rightly.
 */
export function main(args: string[], print: (line: string) => void): number {
  let exports: unknown[];
  let json: boolean;
  let atSeconds: number | undefined;
  try {
    const options = { json: { type: "boolean" }, at: { type: "string" } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    json = values.json ?? false;
    atSeconds = values.at === undefined ? undefined : readSeconds(values.at);
    exports = positionals.map(readJson);
  } catch (error) {
    print(`reader: ${(error as Error).message}`);
    return 2;
  }
  const report = verifyExports(exports, atSeconds);
  if (json) print(JSON.stringify(report));
  else for (const line of linesOf(report)) print(line);
  return report.verified ? 0 : 1;
}

function readSeconds(value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new Error(`--at takes seconds since 1970, not "${value}"`);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path} cannot be read as JSON: ${(error as Error).message}`);
  }
}

function* linesOf(report: Report): Generator<string> {
  if (report.roots !== null) {
    yield `agents' root ${report.roots.agent}, modules' root ${report.roots.module}`;
  }
  for (const { item, what, reason } of report.items) {
    // Names come from whoever made the object: without control characters they cannot forge a line.
    yield `${item}: ${what}: ${reason ?? "verified"}`.replace(/\p{C}/gu, "?");
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = main(argv.slice(2), (line) => stdout.write(line + "\n"));
}
