// SPDX-License-Identifier: Apache-2.0
// What tellers and generators say to their bank (docs/protocol.cddl section 8, 82 and 84), read out
// of untrusted bytes.
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  FieldReader,
  type HostBody,
  HostMessage,
  HostPortError,
  parseHostBody,
} from "../../application/hostPort.ts";
import { isUnit, isWhole } from "../../trust/shapes.ts";

interface ModulePayment {
  readonly payId: string;
  readonly peer: string;
  /** See RequestKind. */
  readonly request: number;
  readonly amountMinor: number;
  readonly unit: string;
}

export interface HoldWanted extends ModulePayment {
  readonly type: "hold wanted";
  readonly account: string | null;
}

export interface Settle extends ModulePayment {
  readonly type: "settle";
  /** See PaymentState. */
  readonly state: number;
}

/** A message of a module, read. Ids are hexadecimal. */
export type ModuleMessage = HoldWanted | Settle;

/**
 * The reason for which a module refused a session before anything was asked (87); else undefined.
 */
export function refusalReason(bytes: Uint8Array): number | undefined {
  const body = parseHostBody(bytes);
  const reason = body?.number === HostMessage.REFUSED ? body.fields[1] : undefined;
  return isWhole(reason) ? reason : undefined;
}

/** Reads a module's message; undefined when it is none for the bank or is malformed. */
export function parseModuleMessage(bytes: Uint8Array): ModuleMessage | undefined {
  const body = parseHostBody(bytes);
  if (body === undefined) return undefined;
  try {
    const message = readMessage(body);
    const isSound = message && isWhole(message.amountMinor) && isUnit(message.unit);
    return isSound ? message : undefined;
  } catch (error) {
    if (error instanceof HostPortError) return undefined;
    throw error;
  }
}

function readMessage(body: HostBody): ModuleMessage | undefined {
  if (body.number === HostMessage.HOLD_WANTED) {
    const reader = new FieldReader(body, "hold-wanted");
    // The tag names the module's session; the answer goes by pay id.
    reader.bytes(8);
    return {
      type: "hold wanted",
      payId: bytesToHex(reader.bytes(16)),
      peer: bytesToHex(reader.bytes(8)),
      request: reader.uint(),
      amountMinor: reader.uint(),
      unit: reader.text(),
      account: reader.textOrNull(),
    };
  }
  if (body.number !== HostMessage.SETTLE) return undefined;
  const reader = new FieldReader(body, "settle");
  return {
    type: "settle",
    payId: bytesToHex(reader.bytes(16)),
    state: reader.uint(),
    request: reader.uint(),
    amountMinor: reader.uint(),
    unit: reader.text(),
    peer: bytesToHex(reader.bytes(8)),
  };
}
