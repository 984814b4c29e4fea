// SPDX-License-Identifier: Apache-2.0
// Certificates: every role passes; each kind of bad one is refused for its own reason
// (docs/protocol.cddl section 2).
import { describe, expect, it } from "vitest";
import * as make from "./objects.ts";
import { verifyExports } from "./reader.ts";
import { readCertificates, reasonOf } from "./reading.ts";

const { NOW, DAY } = make;

describe("certificates", () => {
  it("verifies every role's, whatever their order", () => {
    const report = readCertificates([
      make.customerCertificate,
      make.merchantCertificate,
      make.authorityCertificate,
      make.agentServerCertificate,
      make.purseCertificate,
      make.generatorCertificate,
      make.moduleServerCertificate,
    ]);
    expect(reasonOf(report)).toBeNull();
    expect(report.items).toHaveLength(7);
    expect(report.items[2]!.what).toBe('certificate of authority 0c0c0c0c0c0c0c0c of "First Bank"');
    expect(report.roots!.agent).toBe(make.hexOf(make.agentRoot.key));
  });

  const server = make.agentServerCertificate;
  const purseClaims = () => make.moduleClaims(make.purse, 16);
  const agent = (claims: make.Claims) => [make.agentCertificate(claims), server];
  const customerClaims = () => make.agentClaims(make.customer, 1);
  const without = (claims: make.Claims, key: number) => {
    claims.delete(key);
    return claims;
  };
  const cases: [string, make.Cose[], RegExp][] = [
    ["a claim missing", agent(without(customerClaims(), -4)), /customer\) lacks claim -4/],
    ["a claim of another role", agent(customerClaims().set(-7, 1)), /must not hold claim -7/],
    ["an unknown claim", agent(customerClaims().set(7, 1)), /must not hold claim 7/],
    [
      "claims in a list",
      [make.sign("florin/certificate", [1], make.agentServer, server), server],
      /claims of the certificate are not a map/,
    ],
    ["a short sealing key", agent(customerClaims().set(-4, make.fill(1, 31))), /has 31 bytes/],
    ["a counter said in numbers", agent(customerClaims().set(-6, 1)), /-6 .* is not true or false/],
    ["an unknown role", agent(customerClaims().set(-1, 5)), /role .* is 5, which is none/],
    [
      "rights beyond 2",
      agent(new Map(make.authorityClaims).set(-7, 3)),
      /rights .* is 3, outside 1 to 2/,
    ],
    ["expiry before issue", agent(customerClaims().set(4, 1)), /expires before it is issued/],
    [
      "a module from an agents' server",
      agent(purseClaims()),
      /issued by an issuer of role agentServer/,
    ],
    [
      "issue outside the server's validity",
      agent(customerClaims().set(6, NOW - 31 * DAY)),
      /issued outside its server's validity/,
    ],
    [
      "another issuer's name",
      agent(customerClaims().set(1, make.fill(9, 8))),
      /is issued by another server/,
    ],
    ["no server", [make.customerCertificate], /exports lack certificate [0-9a-f]{16}/],
    [
      "no server and no kid",
      [make.certify(make.agentServer, customerClaims())],
      /exports lack a certificate of server 0303030303030303/,
    ],
    [
      "a signature by somebody else",
      [make.certify(make.moduleServer, customerClaims(), server), server],
      /signature of the certificate for florin\/certificate is wrong/,
    ],
    [
      "a signature for another purpose",
      [make.sign("florin/list", customerClaims(), make.agentServer, server), server],
      /signature of the certificate for florin\/certificate is wrong/,
    ],
    [
      "a server of the other root",
      [make.certify(make.moduleRoot, make.claims(make.moduleRoot, make.agentServer, 4, false))],
      /not issued by the root it belongs to/,
    ],
    [
      "a server signed by another key than the root's",
      [make.certify(make.customer, make.claims(make.agentRoot, make.agentServer, 4, false))],
      /signature of the certificate for florin\/certificate is wrong/,
    ],
    [
      "a server with a kid",
      [
        make.certify(
          make.agentRoot,
          make.claims(make.agentRoot, make.agentServer, 4, false),
          server,
        ),
      ],
      /issued by a root and must not have a kid/,
    ],
  ];
  it.each(cases)("refuses %s", (_, certificates, reason) => {
    expect(reasonOf(readCertificates(certificates))).toMatch(reason);
  });

  it("verifies a certificate without kid through the server in force at its issue", () => {
    const bare = make.certify(make.agentServer, make.agentClaims(make.customer, 1));
    const later = make.claims(make.agentRoot, make.agentServer, 4, false).set(6, NOW);
    const renewed = make.certify(make.agentRoot, later);
    const report = readCertificates([renewed, bare, make.agentServerCertificate]);
    expect(reasonOf(report)).toBeNull();
  });

  it("refuses an agent and a module of two devices", () => {
    const claims = make.agentClaims(make.customer, 1).set(-2, make.fill(0xee, 8));
    const alien = [make.agentCertificate(claims), make.agentServerCertificate];
    const report = verifyExports([make.certificatesExport(alien)], NOW);
    expect(reasonOf(report)).toMatch(/agent and module are not of one device/);
  });
});
