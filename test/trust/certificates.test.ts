// SPDX-License-Identifier: Apache-2.0
// Chains of exactly three: what a holder is believed, and every way in which it is not.
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import {
  type Claims,
  CLOCK_WINDOW_SECONDS,
  encodeChain,
  parseCertificate,
  Role,
  type Root,
  signCertificate,
  verifyChain,
} from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";

const NOW = 1_800_000_000;
const seed = (value: number) => new Uint8Array(32).fill(value);
const id = (value: number) => new Uint8Array(8).fill(value);
const root: Root = { id: id(1), key: ed25519.getPublicKey(seed(1)) };

const serverClaims: Claims = {
  issuer: root.id,
  subject: id(2),
  issued: NOW,
  expires: NOW + 1000,
  role: Role.AGENT_SERVER,
  signingKey: ed25519.getPublicKey(seed(2)),
};
const holderClaims: Claims = {
  issuer: id(2),
  subject: id(3),
  issued: NOW,
  expires: NOW + 500,
  role: Role.CUSTOMER,
  device: id(4),
  signingKey: ed25519.getPublicKey(seed(3)),
  sealingKey: seed(5),
  hasCounter: true,
};
const server = signCertificate(serverClaims, seed(1));
const reference = parseCertificate(server)!.reference;
const sign = (claims: Partial<Claims>, key = seed(2), kid: Uint8Array | undefined = reference) =>
  signCertificate({ ...holderClaims, ...claims } as Claims, key, kid);
const check = (holder: Uint8Array, withServer = server, at = NOW) =>
  verifyChain(encodeChain(holder, withServer), root, at);
/**
 * A holder that names this server's certificate, so that the kid does not give a wrong one away.
 */
const naming = (withServer: Uint8Array, claims: Partial<Claims> = {}, key = seed(2)) =>
  sign(claims, key, parseCertificate(withServer)?.reference);
const checkUnder = (withServer: Uint8Array, claims: Partial<Claims> = {}, key = seed(2)) =>
  check(naming(withServer, claims, key), withServer);

describe("certificates", () => {
  it("carries every claim there and back", () => {
    const authority: Claims = {
      ...holderClaims,
      role: Role.AUTHORITY,
      organisation: "First Bank",
      rights: 3,
    };
    const bytes = signCertificate(authority, seed(2), reference);
    const { bytes: same, reference: own, ...claims } = parseCertificate(bytes)!;
    expect(claims).toEqual(authority);
    expect(same).toEqual(bytes);
    expect(own).toHaveLength(8);
  });

  it("believes a holder whose chain leads to the root", () => {
    const result = check(sign({}));
    expect(result).toMatchObject({ ok: true, holder: { subject: id(3), role: Role.CUSTOMER } });
    // Without its server as kid it would be a second spelling of the same certificate.
    expect(check(signCertificate(holderClaims, seed(2))).ok).toBe(false);
  });

  it("believes it from its issue, less the clock window, until it expires", () => {
    const holder = sign({});
    expect(check(holder, server, NOW - CLOCK_WINDOW_SECONDS).ok).toBe(true);
    expect(check(holder, server, NOW + 499).ok).toBe(true);
    const expired = { ok: false, reason: "expired" };
    expect(check(holder, server, NOW - CLOCK_WINDOW_SECONDS - 1)).toEqual(expired);
    expect(check(holder, server, NOW + 500)).toEqual(expired);
    const longer = sign({ expires: NOW + 5000 });
    expect(check(longer, server, NOW + 1000)).toEqual(expired);
  });

  const otherServer = signCertificate({ ...serverClaims, subject: id(9) }, seed(1));
  const moduleServer = signCertificate({ ...serverClaims, role: Role.MODULE_SERVER }, seed(1));
  it.each<[string, () => ReturnType<typeof check>]>([
    [
      "a server that the root did not sign",
      () => checkUnder(signCertificate(serverClaims, seed(8))),
    ],
    [
      "a server of another root's name",
      () => checkUnder(signCertificate({ ...serverClaims, issuer: id(7) }, seed(1))),
    ],
    ["a holder that the server did not sign", () => checkUnder(server, {}, seed(8))],
    ["a holder of another server", () => checkUnder(otherServer)],
    ["a kid that is not the server's", () => check(sign({}, seed(2), id(9)))],
    ["an agent certified by the modules' server", () => checkUnder(moduleServer)],
    [
      "a module certified by the agents' server",
      () => checkUnder(server, { role: Role.TRANSACTION }),
    ],
    ["a server as holder", () => check(server)],
    ["a holder as server", () => check(naming(sign({}), { issuer: id(3) }, seed(3)), sign({}))],
    [
      "a chain of two roots' length",
      () => verifyChain(encodeCbor([decodeCbor(sign({}))]), root, NOW),
    ],
    ["no chain at all", () => verifyChain(new Uint8Array([0x80]), root, NOW)],
  ])("does not believe %s", (_what, attempt) => {
    expect(attempt()).toEqual({ ok: false, reason: "invalid" });
  });

  it("believes no chain with any byte changed", () => {
    const chain = encodeChain(sign({}), server);
    for (let index = 0; index < chain.length; index += 1) {
      const changed = Uint8Array.from(chain);
      changed[index]! ^= 0x01;
      expect(verifyChain(changed, root, NOW).ok).toBe(false);
    }
  });

  it.each<[string, Partial<Claims>]>([
    ["issued after it expires", { issued: NOW, expires: NOW }],
    ["a teller without its bank", { role: Role.TELLER }],
    ["a customer with a bank", { organisation: "First Bank" }],
    ["an authority without rights", { role: Role.AUTHORITY, organisation: "First Bank" }],
    ["rights that do not exist", { role: Role.AUTHORITY, organisation: "First Bank", rights: 4 }],
    ["a bank of 49 bytes", { role: Role.TELLER, organisation: "é".repeat(24) + "x" }],
    ["an unknown role", { role: 7 as Role }],
    ["a short key", { signingKey: new Uint8Array(31) }],
  ])("is neither signed nor read: %s", (_what, claims) => {
    expect(() => sign(claims)).toThrow("Certificate not signed");
  });

  it("reads no certificate with an unknown claim or a missing one", () => {
    const object = decodeCbor(sign({})) as [Uint8Array, Map<number, Uint8Array>, Uint8Array];
    const claims = decodeCbor(object[2]) as Map<number, unknown>;
    const read = (map: Map<number, unknown>) =>
      parseCertificate(signObject("florin/certificate", encodeCbor(map), seed(2)));
    expect(read(claims)).toBeDefined();
    expect(read(new Map([...claims, [-9, 1]]))).toBeUndefined();
    for (const key of claims.keys()) {
      expect(read(new Map([...claims].filter(([other]) => other !== key)))).toBeUndefined();
    }
  });
});
