// SPDX-License-Identifier: Apache-2.0
// The JSON of `florin wallet export --json`: read strictly, since it comes from whoever hands it
// over.
import type { Root, Roots } from "./certificates.ts";
import { equal, ensure } from "./strict.ts";

export type ExportKind = "notes" | "tickets" | "certificates";

/** One export: the encoded items of one kind and whose they are said to be. */
export interface WalletExport {
  readonly kind: ExportKind;
  readonly holder: { readonly agent: Uint8Array | null; readonly module: Uint8Array | null };
  readonly roots: Roots;
  readonly items: readonly Uint8Array[];
}

/**
 * Reads one parsed export.
 * @param where names the export in a refusal
 */
export function readExport(value: unknown, where: string): WalletExport {
  const { kind, holder, roots, items } = fieldsOf(value, where);
  const known = kind === "notes" || kind === "tickets" || kind === "certificates";
  ensure(known, `the kind of ${where} is not notes, tickets or certificates`);
  const { agent, module } = fieldsOf(holder, `the holder of ${where}`);
  const { agent: agentRoot, module: moduleRoot } = fieldsOf(roots, `the roots of ${where}`);
  ensure(Array.isArray(items), `the items of ${where} are not a list`);
  return {
    kind,
    holder: {
      agent: agent === null ? null : fromHex(agent, `the holder's agent in ${where}`, 8),
      module: module === null ? null : fromHex(module, `the holder's module in ${where}`, 8),
    },
    roots: {
      agent: readRoot(agentRoot, `the agents' root in ${where}`),
      module: readRoot(moduleRoot, `the modules' root in ${where}`),
    },
    items: items.map((item, index) => fromHex(item, `item ${index + 1} of ${where}`)),
  };
}

/** Whether two exports claim the same pair of roots. */
export function sameRoots(left: Roots, right: Roots): boolean {
  return sameRoot(left.agent, right.agent) && sameRoot(left.module, right.module);
}

function sameRoot(left: Root, right: Root): boolean {
  return equal(left.id, right.id) && equal(left.key, right.key);
}

function readRoot(value: unknown, where: string): Root {
  const { id, key } = fieldsOf(value, where);
  return { id: fromHex(id, `the id of ${where}`, 8), key: fromHex(key, `the key of ${where}`, 32) };
}

function fieldsOf(value: unknown, where: string): Record<string, unknown> {
  const right = typeof value === "object" && value !== null && !Array.isArray(value);
  ensure(right, `${where} is not a JSON object`);
  return value as Record<string, unknown>;
}

function fromHex(value: unknown, where: string, length?: number): Uint8Array {
  const right = typeof value === "string" && /^([0-9a-f]{2})+$/i.test(value);
  ensure(right, `${where} is not hexadecimal`);
  const bytes = Uint8Array.from(Buffer.from(value as string, "hex"));
  const fits = length === undefined || bytes.length === length;
  ensure(fits, `${where} has ${bytes.length} bytes where ${length} belong`);
  return bytes;
}
