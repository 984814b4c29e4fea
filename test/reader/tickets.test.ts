// SPDX-License-Identifier: Apache-2.0
// Tickets: good ones pass; each kind of bad one is refused for its own reason (docs/protocol.cddl
// section 7, Fig. 2).
import { describe, expect, it } from "vitest";
import * as make from "./objects.ts";
import { readTickets, reasonOf } from "./reading.ts";

const { NOW, DAY } = make;

describe("tickets", () => {
  const { customer, merchant, authority, authorityCertificate, registry } = make;
  const merchantHead = make.identifier(make.REGISTRY, merchant, 2);
  const goodMerchant = () =>
    make.ticket(merchantHead, make.merchantComponents(), registry, make.registryCertificate);

  it("verifies the three types", () => {
    const report = readTickets([make.goodCard(), make.goodReceipt()]);
    expect(reasonOf(report)).toBeNull();
    expect(report.items[0]!.what).toMatch(/^card credential of "Ada" by "First Bank"/);
    expect(report.items[1]!.what).toMatch(/^receipt: bought 10000 minor units of USD for 9116 of/);
    const credential = readTickets([goodMerchant()], merchant);
    expect(reasonOf(credential)).toBeNull();
    expect(credential.items[0]!.what).toMatch(/^merchant credential of "Corner Shop" by "Chamber/);
  });

  it("follows transfers to the holder", () => {
    const once = make.transferTicket(
      make.goodReceipt(),
      customer,
      make.customerCertificate,
      merchant,
      NOW - 50,
    );
    expect(reasonOf(readTickets([once], merchant))).toBeNull();
    expect(reasonOf(readTickets([once]))).toMatch(/belongs to agent 0b0b0b0b0b0b0b0b/);
    const back = (seconds: number) =>
      make.transferTicket(once, merchant, make.merchantCertificate, customer, seconds);
    expect(reasonOf(readTickets([back(NOW - 50)]))).toBeNull();
    expect(reasonOf(readTickets([back(NOW - 51)]))).toMatch(/transfer 2 is before that of the/);
  });

  it("computes a receipt's authorization in both directions, rounded for the merchant", () => {
    const receipt = (direction: number, authorization: number, rate: [number, number]) => {
      let fields = make.bend(make.receiptComponents(), 2, direction);
      fields = make.bend(fields, 4, authorization);
      fields = make.bend(make.bend(fields, 13, rate[0]), 14, rate[1]);
      const head = make.identifier("Corner Shop", customer, 3);
      return make.ticket(head, fields, merchant, make.merchantCertificate);
    };
    // 10000 * 10 / 11 = 9090.9..., fee 25
    expect(reasonOf(readTickets([receipt(1, 9115, [10, 11])]))).toMatch(/its terms give 9116/);
    expect(reasonOf(readTickets([receipt(2, 9065, [10, 11])]))).toBeNull();
    expect(reasonOf(readTickets([receipt(2, 9066, [10, 11])]))).toMatch(/its terms give 9065/);
    expect(reasonOf(readTickets([receipt(1, 10_025, [7, 7])]))).toBeNull();
  });

  const card = (index: number, value: unknown) => {
    const fields = make.bend(make.cardComponents(), index, value);
    const head = make.identifier(make.BANK, customer, 1);
    return make.ticket(head, fields, authority, authorityCertificate);
  };
  const receipt = (index: number, value: unknown) => {
    const fields = make.bend(make.receiptComponents(), index, value);
    const head = make.identifier("Corner Shop", customer, 3);
    return make.ticket(head, fields, merchant, make.merchantCertificate);
  };
  const head = (index: number, value: unknown) => {
    const fields = make.bend(make.identifier(make.BANK, customer, 1), index, value);
    return make.ticket(fields, make.cardComponents(), authority, authorityCertificate);
  };
  const lateHead = (index: number) => {
    const fields = make.bend(make.identifier("Corner Shop", customer, 3), index, NOW - 60);
    return make.ticket(fields, make.receiptComponents(), merchant, make.merchantCertificate);
  };
  const issuedBy = (issuer: make.Party, certificate: make.Cose) =>
    make.ticket(
      make.identifier(make.BANK, customer, 1),
      make.cardComponents(),
      issuer,
      certificate,
    );
  const bentTicket = (index: number, value: unknown) => make.bend(make.goodCard(), index, value);
  const moved = (sender: make.Party, certificate: make.Cose, seconds: number) =>
    make.transferTicket(make.goodReceipt(), sender, certificate, customer, seconds);
  const unsigned = make.bend(moved(customer, make.customerCertificate, NOW), 3, [make.fill(0, 64)]);
  const fourTimes = [1, 2, 3, 4].reduce<unknown[]>(
    (from) => make.transferTicket(from, customer, make.customerCertificate, customer, NOW),
    make.goodReceipt(),
  );
  const moduleChain = [make.purseCertificate, make.moduleServerCertificate];
  // A server that signed for itself, and a module that took the customer's id and key.
  const selfMade = make.certify(
    make.agentServer,
    make.claims(make.agentRoot, make.agentServer, 4, false),
  );
  const underSelfMade = make.certify(make.agentServer, make.authorityClaims, selfMade);
  const posing = make.moduleCertificate(make.moduleClaims(customer, 16));
  const sentByModule = make.bend(moved(customer, make.customerCertificate, NOW), 2, [
    [customer.id, customer.id, [posing, make.moduleServerCertificate], NOW],
  ]);
  const strayKid = make.certify(make.agentServer, make.authorityClaims, make.customerCertificate);
  const kidSigned = make.sign(
    "florin/ticket",
    [make.identifier(make.BANK, customer, 1), make.cardComponents()],
    authority,
    make.customerCertificate,
  );
  const stolen = make.ticket(
    make.identifier(make.REGISTRY, customer, 2),
    make.merchantComponents(),
    registry,
    make.registryCertificate,
  );
  const cases: [string, unknown, RegExp][] = [
    ["a fourth type", head(4, 4), /type is 4, outside 1 to 3/],
    ["components of another type", head(4, 2), /merchant credential has 8 elements where 4/],
    ["an issuer not its authority", head(0, "Second Bank"), /names issuer "Second Bank"/],
    ["another receiver", head(2, merchant.id), /belongs to agent 0b0b0b0b0b0b0b0b/],
    ["a short ticket id", head(5, make.fill(0, 15)), /ticket's id has 15 bytes where 16/],
    ["a card of another bank", card(0, "Second Bank"), /bank "Second Bank", not of its issuer/],
    ["a card number with letters", card(1, "4000x0012345"), /not made of digits/],
    ["a short card number", card(1, "4000123"), /card number has 7 bytes where 8 to 19/],
    ["a card not valid yet", card(2, NOW + 1), /not valid yet/],
    ["a card expired", card(3, NOW), /has expired/],
    ["a card without validity", card(3, NOW - DAY), /expires before it is valid/],
    ["a third kind of card", card(5, 3), /kind of card is 3/],
    ["a card in no currency", card(6, "eur"), /unit of the card's account is "eur"/],
    ["a short approval key", card(7, make.fill(0, 31)), /approval key has 31 bytes/],
    ["a card by a merchant", issuedBy(merchant, make.merchantCertificate), /not an authority/],
    [
      "a card by a registry",
      issuedBy(registry, make.registryCertificate),
      /no right to issue card credentials/,
    ],
    [
      "a chain whose kid is not its server's",
      bentTicket(1, make.chainOf(strayKid)),
      /kid of the first certificate of the ticket issuer's chain is not/,
    ],
    [
      "a server that the root did not certify",
      bentTicket(1, [underSelfMade, selfMade]),
      /signature of the server's certificate of .* is wrong/,
    ],
    ["a transfer by a module", sentByModule, /sender of ticket transfer 1 is not an agent/],
    ["a module as issuer", bentTicket(1, moduleChain), /ticket's issuer is not an agent/],
    ["another issuer's chain", bentTicket(1, make.chainOf(make.merchantCertificate)), /kid of/],
    ["a server's chain", bentTicket(1, [make.agentServerCertificate, 0]), /not an array/],
    [
      "a chain of servers",
      bentTicket(1, [make.agentServerCertificate, make.agentServerCertificate]),
      /first certificate of the ticket issuer's chain is a server's/,
    ],
    ["a kid not the issuer's", bentTicket(0, kidSigned), /not the reference of its signer's/],
    ["a merchant credential of another", stolen, /has another owner/],
    ["a receipt by another merchant", receipt(11, registry.id), /merchant not its issuer/],
    ["a receipt for another customer", receipt(10, merchant.id), /customer not its receiver/],
    ["a receipt before its issuer", receipt(8, NOW - 31 * DAY), /outside its issuer's validity/],
    ["a receipt with the whole number", receipt(1, "4000001234567899"), /not masked/],
    ["a receipt without bank", receipt(0, ""), /receipt's bank has 0 bytes/],
    ["a receipt of no account unit", receipt(3, "E"), /receipt's account unit has 1 bytes/],
    ["a receipt of no money unit", receipt(5, "U"), /receipt's money unit has 1 bytes/],
    ["a short transaction id", receipt(9, make.fill(0, 8)), /transaction id has 8 bytes/],
    ["a short offer hash", receipt(12, make.fill(0, 31)), /offer hash has 31 bytes/],
    ["a short credential id", receipt(15, make.fill(0, 8)), /receipt's credential has 8 bytes/],
    ["a third direction", receipt(2, 3), /direction is 3/],
    ["a rate over nothing", receipt(14, 0), /rate denominator is 0/],
    ["a receipt after the merchant's credential", lateHead(1), /after the expiry of a credential/],
    ["a receipt after the customer's", lateHead(3), /after the expiry of a credential/],
    [
      "a receipt by an authority",
      make.ticket(
        make.identifier(make.BANK, customer, 3),
        make.receiptComponents(),
        authority,
        authorityCertificate,
      ),
      /receipt's issuer is not a merchant/,
    ],
    [
      "a transfer by a stranger",
      moved(merchant, make.merchantCertificate, NOW),
      /sender of ticket transfer 1 did not hold the ticket/,
    ],
    [
      "a transfer under another's chain",
      moved(customer, make.merchantCertificate, NOW),
      /chain of ticket transfer 1 is not its sender's/,
    ],
    [
      "a transfer before its sender's certificate",
      moved(customer, make.customerCertificate, NOW - 31 * DAY),
      /transfer 1 was made outside its sender's validity/,
    ],
    ["a transfer unsigned", unsigned, /signature of ticket transfer 1 .* is wrong/],
    ["four transfers", fourTimes, /transferred 4 times, more than allowed/],
    [
      "signatures without transfers",
      bentTicket(3, [make.fill(0, 64)]),
      /transfer signatures has 1 elements where 0 belong/,
    ],
  ];
  it.each(cases)("refuses %s", (_, ticket, reason) => {
    expect(reasonOf(readTickets([ticket]))).toMatch(reason);
  });

  it("refuses a ticket whose signature is not its issuer's", () => {
    const [signed, ...rest] = make.goodCard() as [make.Cose, ...unknown[]];
    const forged = [signed[0], new Map(), signed[2], make.fill(0, 64)];
    expect(reasonOf(readTickets([[forged, ...rest]]))).toMatch(/for florin\/ticket is wrong/);
  });
});
