// SPDX-License-Identifier: Apache-2.0
// Who signed a note: certificates, roles, dates and the list of bad modules, check by check (par.
// 131, 132; Fig. 20 steps 1580, 1590, 1592; docs/protocol.md section 3). Everything else about
// each packet is right, and it is signed by the keys that its certificates name.
//
// No note can fail alone, because another check of the same reason fails with it:
//   - a signer whose role is of no holder (a server's): it is not of the roles that may sign here;
//   - a server's certificate that is no server's: its own issuer is not the root;
//   - a generator without a bank's name: such a certificate is malformed (verifier-form).
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import {
  type Claims,
  parseCertificate,
  Role,
  signCertificate,
} from "../../host/trust/certificates.ts";
import { type ServerKey, signList } from "../../host/trust/agencyStatements.ts";
import { ed25519 } from "@noble/curves/ed25519.js";
import { DATE, DAY, HOUR, type Packet, Signer } from "../support/noteMaker.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import { VerifierBench } from "../support/verifierBench.ts";

const bench = new VerifierBench();
const { agency, generator, teller, holder } = bench;
const CERTIFICATE = 32;
const LISTED = 37;
const seed = (byte: number) => new Uint8Array(32).fill(byte);
/** Seeds of the agency's module root and module server (testAgency.ts). */
const ROOT_SEED = seed(2);

/** A second module server, by default under the right root. */
function secondServer(change: Partial<Claims> = {}, rootSeed = ROOT_SEED): ServerKey {
  const claims: Claims = {
    issuer: id("M-ROOT"),
    subject: id("M-SERV-2"),
    issued: START_SECONDS - 2000,
    expires: START_SECONDS + 60_000_000,
    role: Role.MODULE_SERVER,
    signingKey: ed25519.getPublicKey(seed(44)),
    ...change,
  };
  return { certificate: parseCertificate(signCertificate(claims, rootSeed))!, seed: seed(44) };
}

/** A signer certified by that server; `kid` is the reference that its certificate names. */
function certifiedBy(
  server: ServerKey,
  name: string,
  role: Role,
  change: Partial<Claims> = {},
  kid = server.certificate.reference,
): Signer {
  const signer = new Signer(agency, name, role);
  const claims = parseCertificate(signer.certificate)!;
  const issuer = server.certificate.subject;
  const certificate = signCertificate({ ...claims, issuer, ...change }, server.seed, kid);
  const { reference } = parseCertificate(certificate)!;
  return Object.assign(Object.create(signer), { certificate, reference });
}

/** A right packet, but the note was made by `maker`, certified by `server`. */
function madeBy(maker: Signer, server?: ServerKey): Packet {
  const packet = bench.withBody({}, maker);
  if (server !== undefined) packet.certificates.push(server.certificate.bytes);
  return packet;
}

/** A right packet whose note a holder `name` had, with these claims. */
function heldBy(name: string, change: Partial<Claims>): Packet {
  return bench.right([new Signer(agency, name, Role.TRANSACTION, change)]);
}

const generatorOf = (change: Partial<Claims>) =>
  new Signer(agency, "GENE2-G", Role.GENERATOR, change);

describe("the verifier takes", () => {
  test.each<[string, () => Packet]>([
    ["a second generator of the bank", () => madeBy(generatorOf({}))],
    [
      "a note certified by another server of the root",
      () => {
        const server = secondServer();
        return madeBy(certifiedBy(server, "GENE2-G", Role.GENERATOR), server);
      },
    ],
    [
      "a holder certified within the hour of its transfer",
      () => heldBy("FRESH-H", { issued: DATE + HOUR - 1 }),
    ],
    ["a generator with another counter claim", () => madeBy(generatorOf({ hasCounter: false }))],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet())).toBe(0);
  });
});

test("a holder whose certificate has ended since its transfer is a holder as before", () => {
  bench.forked(() => {
    const packet = heldBy("ENDED-H", { issued: DATE - DAY, expires: DATE + 1 });
    bench.clock.advance(60_000);
    expect(bench.judge(packet)).toBe(0);
  });
});

describe("32: certificates that are not there", () => {
  const without = (packet: Packet, certificate: Uint8Array) => ({
    ...packet,
    certificates: packet.certificates.filter((one) => one !== certificate),
  });

  test.each<[string, () => Packet]>([
    ["the generator's", () => without(bench.right([holder]), generator.certificate)],
    ["a holder's", () => without(bench.right([holder]), holder.certificate)],
    ["the payer's", () => without(bench.right([holder]), teller.certificate)],
    ["the server's", () => without(bench.right(), agency.moduleServer.certificate.bytes)],
    ["a second server's", () => madeBy(certifiedBy(secondServer(), "GENE2-G", Role.GENERATOR))],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet())).toBe(CERTIFICATE);
  });
});

describe("32: who certified", () => {
  const from = (server: ServerKey) =>
    madeBy(certifiedBy(server, "GENE2-G", Role.GENERATOR), server);

  test.each<[string, () => Packet]>([
    ["another agency", () => from(new TestAgency(100).moduleServer)],
    ["a server that another key signed for", () => from(secondServer({}, seed(9)))],
    ["a server of another root's name", () => from(secondServer({ issuer: id("A-ROOT") }))],
    [
      "a server of agents",
      () => from(secondServer({ role: Role.AGENT_SERVER, subject: id("A-SERVER") })),
    ],
    ["a server that had ended", () => from(secondServer({ expires: DATE - 1000 }))],
    ["a server that had not begun", () => from(secondServer({ issued: DATE + 2 * HOUR }))],
    [
      "a server whose certificate names another signer",
      () => {
        const server = secondServer();
        return madeBy(
          certifiedBy(server, "GENE2-G", Role.GENERATOR, {}, seed(1).slice(0, 8)),
          server,
        );
      },
    ],
    [
      "nobody: the signature under the certificate is another's",
      () => {
        const server = secondServer();
        const thief = { ...server, seed: seed(45) };
        return madeBy(certifiedBy(thief, "GENE2-G", Role.GENERATOR), server);
      },
    ],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet())).toBe(CERTIFICATE);
  });
});

describe("32: roles, bank and dates of signers", () => {
  /** The same id and keys, certified once in each role. */
  const asTeller = new Signer(agency, "TWO-FACE", Role.TELLER);
  const asGenerator = new Signer(agency, "TWO-FACE", Role.GENERATOR);

  test.each<[string, () => Packet]>([
    [
      "a body signed in another role than a generator's",
      () => {
        const packet = madeBy(asTeller);
        packet.drafts[0]!.transfers[0]!.signer = asGenerator;
        return bench.certified(packet, asGenerator);
      },
    ],
    [
      "a first transfer signed in another role than a generator's",
      () => {
        const packet = madeBy(asGenerator);
        packet.drafts[0]!.transfers[0]!.signer = asTeller;
        return bench.certified(packet, asTeller);
      },
    ],
    ["a later transfer signed by a generator", () => bench.right([generatorOf({})])],
    ["a bank's name that is cut", () => madeBy(generatorOf({ organisation: "Bank of Test" }))],
    ["a generator of another bank", () => madeBy(generatorOf({ organisation: "Other Bank" }))],
    ["a bank's name that goes on", () => madeBy(generatorOf({ organisation: "Bank of Tests!" }))],
    [
      "a generator whose time had ended at the issue",
      () => madeBy(generatorOf({ issued: DATE - 9 * DAY, expires: DATE })),
    ],
    [
      "a generator that was certified between the issue and its first transfer",
      () => bench.withBody({ issued: DATE - 9 * DAY }, generatorOf({ issued: DATE - DAY })),
    ],
    [
      "a holder whose time had ended at its transfer",
      () => heldBy("ENDED-H", { issued: DATE - DAY, expires: DATE }),
    ],
    [
      "a holder that was certified after its transfer",
      () => heldBy("LATE-H", { issued: DATE + 2 * HOUR }),
    ],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet())).toBe(CERTIFICATE);
  });

  test("a payer whose time ended between the session's beginning and its packet", () => {
    const brief = new VerifierBench({ issued: DATE - DAY, expires: DATE + 30 });
    const packet = brief.right();
    expect(brief.judge(packet)).toBe(0);
    brief.clock.advance(31_000);
    expect(brief.judge(packet)).toBe(CERTIFICATE);
  });
});

describe("37: the list of bad modules", () => {
  /** The reason for a packet after the list with these ids has come. */
  function withListed(ids: Uint8Array[], packet: () => Packet): number {
    return bench.forked(() => {
      bench.change((module) => {
        const parts = signList(agency.moduleServer, 1, START_SECONDS, ids);
        for (const part of parts) expect(module.ask(6, decodeCbor(part))[0]).toBe(6);
      });
      return bench.judge(packet());
    });
  }

  test.each<[string, Uint8Array, () => Packet, number]>([
    ["the generator", generator.id, () => bench.right(), LISTED],
    ["a holder in between", holder.id, () => bench.right([holder]), LISTED],
    ["the payer", teller.id, () => bench.right(), LISTED],
    ["the server that certified them", id("M-SERVER"), () => bench.right(), LISTED],
    ["a module that never had the note", holder.id, () => bench.right(), 0],
  ])("with %s on it", (_what, listed, packet, reason) => {
    expect(withListed([listed], packet)).toBe(reason);
  });

  test("with a second server on it, which certified the generator alone", () => {
    const server = secondServer();
    const packet = madeBy(certifiedBy(server, "GENE2-G", Role.GENERATOR), server);
    expect(withListed([id("M-SERV-2")], () => packet)).toBe(LISTED);
    expect(bench.judge(packet)).toBe(0);
  });
});
