// SPDX-License-Identifier: Apache-2.0
// What a module's host asks a network server for, as the path of a WebSocket URL (docs/link.md):
// /sign-on, or /to/ID/DESTINATION for the module of that id on its way to that destination.
import { bytesToHex } from "@noble/hashes/utils.js";

export type NetworkTarget =
  | { readonly type: "sign-on" }
  /** `module`: its id in hexadecimal digits. */
  | { readonly type: "to"; readonly module: string; readonly destination: string };

const SIGN_ON = "/sign-on";
const TO = /^\/to\/([0-9a-f]{16})\/([^/]{1,256})$/;

export function signOnPath(): string {
  return SIGN_ON;
}

/** The path for the module with this id (8 bytes) to a destination. */
export function pathTo(module: Uint8Array, destination: string): string {
  return `/to/${bytesToHex(module)}/${encodeURIComponent(destination)}`;
}

/** Undefined for any other path. */
export function parseNetworkPath(path: string): NetworkTarget | undefined {
  if (path === SIGN_ON) return { type: "sign-on" };
  const [, module, destination] = TO.exec(path) ?? [];
  if (module === undefined || destination === undefined) return undefined;
  try {
    return { type: "to", module, destination: decodeURIComponent(destination) };
  } catch {
    // Not the code of a text.
    return undefined;
  }
}
