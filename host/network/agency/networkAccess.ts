// SPDX-License-Identifier: Apache-2.0
// The security server's part of a module's sign-on to a network server (docs/protocol.cddl section
// 3, network-access): it checks the module's certificate, signs what both sides shall share, and
// seals it so that only the module can read it.
import { bytesToHex } from "@noble/hashes/utils.js";
import { signStatement } from "../../trust/agencyStatements.ts";
import { isAgentRole, verifyChain } from "../../trust/certificates.ts";
import { sealToKey } from "../../trust/hpke.ts";
import type { RandomSource } from "../../trust/random.ts";
import { type AgencyState, agencyRoot, serverKey } from "./agency.ts";

export const NETWORK_PURPOSE = "florin/network";

/** What a network server asks a security server to give to a module. */
export interface AccessRequest {
  /** Name of the network. */
  readonly network: string;
  /** The module's chain, as it gave it. */
  readonly chain: Uint8Array;
  /** K, 32 bytes, and V, 16 bytes. */
  readonly key: Uint8Array;
  readonly verification: Uint8Array;
  /** End of the access, in seconds since 1970. */
  readonly expires: number;
}

export type AccessAnswer =
  | { readonly ok: true; readonly module: Uint8Array; readonly box: Uint8Array }
  | { readonly ok: false; readonly reason: AccessRefusal };

/**
 * Reasons of docs/protocol.cddl section 9: 10 certificate invalid, 11 expired, 12 listed, 15 role.
 */
export type AccessRefusal = 10 | 11 | 12 | 15;

/** Gives a module access to a network, or a reason against it. `agency` is that of modules. */
export function grantAccess(
  agency: AgencyState,
  request: AccessRequest,
  nowSeconds: number,
  random: RandomSource,
): AccessAnswer {
  const chain = verifyChain(request.chain, agencyRoot(agency), nowSeconds);
  if (!chain.ok) return { ok: false, reason: chain.reason === "expired" ? 11 : 10 };
  const { subject, sealingKey, role } = chain.holder;
  if (isAgentRole(role) || sealingKey === undefined) return { ok: false, reason: 15 };
  if (agency.untrusted.includes(bytesToHex(subject))) return { ok: false, reason: 12 };
  const { network, key, verification, expires } = request;
  const access = [network, key, verification, subject, expires];
  const plain = signStatement(NETWORK_PURPOSE, access, serverKey(agency));
  const box = sealToKey(sealingKey, NETWORK_PURPOSE, new Uint8Array(), plain, random(32));
  return { ok: true, module: subject, box };
}
