// SPDX-License-Identifier: Apache-2.0
// A point of the explorer as a .jsonl file: every letter, fault and board call with its virtual
// time, and the same point run again and compared line by line. Random bytes and keys are left out:
// they follow from the id, and a file may be handed on.
import { readFileSync, writeFileSync } from "node:fs";
import { sha256 } from "@noble/hashes/sha2.js";
import { projectFile } from "../projectFile.ts";
import type { PowerDecision, StorageOperation } from "../simulator/types.ts";
import { hex } from "./agentWorld.ts";
import type { BareModule } from "./bareModule.ts";
import { Explorer, type PointResult } from "./explorer.ts";
import { InputError } from "./inputError.ts";
import { worldOfPoint } from "./pointId.ts";
import { type ModuleWatcher, watchModules } from "./tracing.ts";

const FORMAT = "florin torture recording 1";

/** The first line of a file. */
interface Header {
  format: string;
  id: string;
  /** SHA-256 of each image that ran, by name. */
  images: Record<string, string>;
}

/** Writes down what the modules of one world are called for, while it is on. */
class Scribe implements ModuleWatcher {
  readonly lines: string[] = [];
  names = new Map<BareModule, string>();
  isOn = false;

  drew(module: BareModule, bytes: Uint8Array): void {
    this.call(module, { call: "random", length: bytes.length });
  }

  readKey(module: BareModule): void {
    this.call(module, { call: "deviceKey" });
  }

  delivered(module: BareModule, port: number, body: Uint8Array): void {
    this.call(module, { call: "receive", port, body: hex(body) });
  }

  sent(module: BareModule, port: number, body: Uint8Array): void {
    this.call(module, { call: "send", port, body: hex(body) });
  }

  stored(module: BareModule, operation: StorageOperation, decision: PowerDecision): void {
    const { kind, offset, length } = operation;
    const power = typeof decision === "object" ? "torn" : decision;
    this.call(module, { call: kind, offset, length, power });
  }

  rested(module: BareModule): void {
    this.call(module, { call: "rest", deadlineMs: module.deadlineMs });
  }

  write(line: object): void {
    if (this.isOn) this.lines.push(JSON.stringify(line));
  }

  private call(module: BareModule, what: object): void {
    const name = this.names.get(module);
    if (name !== undefined) this.write({ atMs: module.clock.nowMs(), module: name, ...what });
  }
}

/** Runs a point and writes all of it down; the lines of its file, and what became of it. */
export function recordPoint(id: string): { lines: string[]; result: PointResult } {
  const { scenario, seed } = worldOfPoint(id);
  const scribe = new Scribe();
  watchModules(scribe);
  let explorer: Explorer;
  try {
    explorer = new Explorer(scenario, seed);
  } finally {
    watchModules(null);
  }
  const { parts } = explorer.scenario.world;
  scribe.names = new Map(
    parts.map(({ device, half, module }) => [module, `${device.name}.${half}`]),
  );
  const images = Object.fromEntries(parts.map(({ module: { image } }) => [image, hashOf(image)]));
  scribe.isOn = true;
  const header: Header = { format: FORMAT, id, images };
  scribe.write(header);
  // Hosts and the card network have no board whose calls would show what they were told.
  const result = explorer.attempt(id, (event, body) =>
    scribe.write(body === undefined ? { event } : { event, body: hex(body) }),
  );
  scribe.write({ isCommitted: result.isCommitted, complaints: result.complaints });
  return { lines: scribe.lines, result };
}

function hashOf(image: string): string {
  return hex(sha256(new Uint8Array(readFileSync(projectFile(`build/firmware/${image}.wasm`)))));
}

/** Records a point into a file. @throws {InputError} if there is no such point or folder */
export function recordInto(file: string, id: string): PointResult {
  const { lines, result } = recordPoint(id);
  try {
    writeFileSync(file, `${lines.join("\n")}\n`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(`${file} cannot be written (${code}): name a file in a folder of yours.`);
  }
  return result;
}

/**
 * Runs the point of a recording again; the first difference in words, null for none.
 * @throws {InputError} if the file is no recording
 */
export function compareRecording(file: string): { id: string; difference: string | null } {
  const recorded = contentOf(file).trimEnd().split("\n");
  const { id } = headerOf(recorded[0]!, file);
  const { lines } = recordPoint(id);
  for (let index = 0; index < Math.max(recorded.length, lines.length); index += 1) {
    const [then, now] = [recorded[index], lines[index]];
    if (then === now) continue;
    const place = index === 0 ? "the images" : `line ${index + 1}`;
    const difference = `${place}: recorded ${then ?? "nothing more"}, now ${now ?? "nothing more"}`;
    return { id, difference };
  }
  return { id, difference: null };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${file} cannot be read (${code}); florin torture --replay ID --record FILE makes one.`,
    );
  }
}

function headerOf(line: string, file: string): Header {
  let header: Partial<Header> | null = null;
  try {
    header = JSON.parse(line) as Partial<Header> | null;
  } catch {
    // Said below, as for any other file.
  }
  if (header?.format !== FORMAT || typeof header.id !== "string") {
    throw new InputError(
      `${file} is no recording; florin torture --replay ID --record FILE makes one.`,
    );
  }
  return header as Header;
}
