// SPDX-License-Identifier: Apache-2.0
// A device that answers the certification commands as firmware does, made of the host's own
// primitives, so that agencies can be tested without a simulator.
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import type { DeviceHalf, DevicePort } from "../../host/network/agency/certification.ts";
import { verifyListPart, verifyTime } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import {
  type Certificate,
  type Role,
  type Root,
  verifyChain,
} from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { openSealed } from "../../host/trust/hpke.ts";

/** One agent or module. What a test wants to be wrong, it changes. */
export class DoubleHalf {
  life = 0;
  certificate: Certificate | undefined;
  listed = 0;
  listVersion = 0;
  seconds = 0;
  readonly commands: number[] = [];
  signingSeed = new Uint8Array(32);
  sealingSecret: Uint8Array;
  role: Role;
  private shown: [Uint8Array, Uint8Array] | undefined;
  private root: Root | undefined;
  private readonly nowSeconds: number;
  private readonly rootIndex: number;

  constructor(half: DeviceHalf, role: Role, fill: number, nowSeconds: number) {
    this.role = role;
    this.rootIndex = half === "agent" ? 0 : 1;
    this.signingSeed = new Uint8Array(32).fill(fill);
    this.sealingSecret = new Uint8Array(32).fill(fill + 1);
    this.nowSeconds = nowSeconds;
  }

  answer(body: Uint8Array): Uint8Array {
    const { number, fields } = parseHostBody(body)!;
    this.commands.push(number);
    const refuse = (reason: number) => hostBody(0, number, reason);
    const { certificate } = this;
    const signingKey = ed25519.getPublicKey(this.signingSeed);
    const sealingKey = x25519.getPublicKey(this.sealingSecret);
    switch (number) {
      case HostMessage.IDENTIFY: {
        const ids = [certificate?.subject ?? null, certificate?.device ?? null];
        return hostBody(1, "double", this.life, ...ids, this.role, 1, this.nowSeconds * 1000);
      }
      case HostMessage.MAKE_KEYS:
        this.life = 1;
        this.shown = [signingKey, sealingKey];
        return hostBody(2, ...this.shown);
      case HostMessage.PROVE: {
        const box = fields[0] as Uint8Array;
        const nonce = openSealed(this.sealingSecret, "florin/possession", new Uint8Array(), box);
        if (nonce === undefined) return refuse(16);
        const payload = encodeCbor([nonce, ...this.shown!]);
        return hostBody(3, decodeCbor(signObject("florin/possession", payload, this.signingSeed)));
      }
      case HostMessage.INSTALL: {
        const [id, key] = fields[1 + this.rootIndex] as [Uint8Array, Uint8Array];
        this.root = { id, key };
        const result = verifyChain(fields[0], this.root, this.nowSeconds);
        if (!result.ok) return refuse(10);
        this.certificate = result.holder;
        this.life = 2;
        return hostBody(4);
      }
      case HostMessage.TIME:
        this.seconds = verifyTime(encodeCbor(fields[0]), this.root!, this.nowSeconds) ?? -1;
        return hostBody(7);
      case HostMessage.LIST: {
        const part = verifyListPart(encodeCbor(fields[0]), this.root!, this.nowSeconds);
        if (part === undefined) return refuse(1);
        if (part.version <= this.listVersion) return refuse(5);
        if (part.part === part.parts - 1) this.listVersion = part.version;
        this.listed += part.ids.length;
        return hostBody(6, part.version);
      }
      case HostMessage.PAIR:
        this.life = 3;
        return hostBody(5);
      default:
        return refuse(3);
    }
  }
}

export class DoubleDevice implements DevicePort {
  readonly agent: DoubleHalf;
  readonly module: DoubleHalf;

  constructor(agentRole: Role, moduleRole: Role, fill: number, nowSeconds: number) {
    this.agent = new DoubleHalf("agent", agentRole, fill, nowSeconds);
    this.module = new DoubleHalf("module", moduleRole, fill + 2, nowSeconds);
  }

  command(target: DeviceHalf, body: Uint8Array): Promise<Uint8Array> {
    const answer = this[target].answer(body);
    if (parseHostBody(body)?.number === HostMessage.PAIR) this.module.life = 3;
    return Promise.resolve(answer);
  }
}
