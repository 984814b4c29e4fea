// SPDX-License-Identifier: Apache-2.0
// The agency of a simulated world: both roots and both servers, from fixed secrets, certifying
// modules through their own commands (docs/protocol.cddl section 8, 2 to 4).
import { ed25519 } from "@noble/curves/ed25519.js";
import type { ServerKey } from "../trust/agencyStatements.ts";
import { decodeCbor } from "../trust/cbor.ts";
import {
  type Claims,
  encodeChain,
  parseCertificate,
  Role,
  type Root,
  signCertificate,
} from "../trust/certificates.ts";
import { sealToKey } from "../trust/hpke.ts";
import type { BareModule } from "./bareModule.ts";

/** The date at which test worlds begin: 2026-01-01 UTC. */
export const START_SECONDS = 1767225600;
const YEAR_SECONDS = 31536000;

const ascii = (text: string) => new TextEncoder().encode(text);
const filled = (byte: number) => new Uint8Array(32).fill(byte);

/** 8 bytes that name something. */
export function id(name: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set(ascii(name).subarray(0, 8));
  return bytes;
}

export class TestAgency {
  readonly agentRoot: Root;
  readonly moduleRoot: Root;
  readonly agentServer: ServerKey;
  readonly moduleServer: ServerKey;

  /** `salt` makes agencies differ that do not trust one another. */
  constructor(salt = 0) {
    this.agentRoot = { id: id("A-ROOT"), key: ed25519.getPublicKey(filled(1 + salt)) };
    this.moduleRoot = { id: id("M-ROOT"), key: ed25519.getPublicKey(filled(2 + salt)) };
    this.agentServer = this.server(Role.AGENT_SERVER, this.agentRoot, 1 + salt, 3 + salt);
    this.moduleServer = this.server(Role.MODULE_SERVER, this.moduleRoot, 2 + salt, 4 + salt);
  }

  /** Claims of a member, to be changed by a test. */
  claims(name: string, role: Role, keys: { signing: Uint8Array; sealing: Uint8Array }): Claims {
    const isAgent = role < Role.AGENT_SERVER;
    const acts = role === Role.AUTHORITY || role === Role.TELLER || role === Role.GENERATOR;
    return {
      issuer: id(isAgent ? "A-SERVER" : "M-SERVER"),
      subject: id(name),
      issued: START_SECONDS - 1000,
      expires: START_SECONDS + YEAR_SECONDS,
      role,
      device: id(`device-${name.slice(-1)}`),
      signingKey: keys.signing,
      sealingKey: keys.sealing,
      hasCounter: true,
      ...(acts ? { organisation: "Bank of Tests" } : {}),
      ...(role === Role.AUTHORITY ? { rights: 3 } : {}),
    };
  }

  /** The chain of a member with these claims. */
  chain(claims: Claims): Uint8Array {
    const server = claims.role < Role.AGENT_SERVER ? this.agentServer : this.moduleServer;
    const holder = signCertificate(claims, server.seed, server.certificate.reference);
    return encodeChain(holder, server.certificate.bytes);
  }

  /** Makes the module's keys, has it prove them, and installs its chain. */
  certify(module: BareModule, name: string, role: Role, change: Partial<Claims> = {}): Uint8Array {
    module.command(10, role);
    const [, signing, sealing] = module.ask(2) as [number, Uint8Array, Uint8Array];
    const nonce = filled(9);
    const box = sealToKey(sealing, "florin/possession", new Uint8Array(0), nonce, filled(8));
    if (module.ask(3, box)[0] !== 3) throw new Error(`${name} does not prove its keys.`);
    const chain = this.chain({ ...this.claims(name, role, { signing, sealing }), ...change });
    const answer = this.install(module, chain);
    if (answer[0] !== 4) throw new Error(`${name} does not take its chain: ${answer.join(" ")}.`);
    return chain;
  }

  /** Sends command 4; the answer decoded. */
  install(module: BareModule, chain: Uint8Array): unknown[] {
    const { agentRoot, moduleRoot } = this;
    const roots = [
      [agentRoot.id, agentRoot.key],
      [moduleRoot.id, moduleRoot.key],
    ];
    return module.ask(4, decodeCbor(chain), ...roots);
  }

  private server(role: Role, root: Root, rootSeed: number, seed: number): ServerKey {
    const claims: Claims = {
      issuer: root.id,
      subject: id(role === Role.AGENT_SERVER ? "A-SERVER" : "M-SERVER"),
      issued: START_SECONDS - 2000,
      expires: START_SECONDS + 2 * YEAR_SECONDS,
      role,
      signingKey: ed25519.getPublicKey(filled(seed)),
    };
    const bytes = signCertificate(claims, filled(rootSeed));
    return { certificate: parseCertificate(bytes)!, seed: filled(seed) };
  }
}
