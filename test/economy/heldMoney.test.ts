// SPDX-License-Identifier: Apache-2.0
// What the audit counts as held, of payments in doubt too (protocol rule 4.7).
import { describe, expect, it } from "vitest";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import type { CertifiedParty } from "../../host/economy/foundations.ts";
import { heldMoney } from "../../host/economy/heldMoney.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";

const [COMMITTED, IN_DOUBT] = [2, 3];
const id = (number: number) => new Uint8Array(8).fill(number);

interface Logged {
  payId: number;
  role: 1 | 2;
  state: number;
  peer: number;
  amount: number;
  unit: string;
}

/** A device of which the audit asks balance and log alone. */
function device(
  number: number,
  balances: [unit: string, spendable: number, inDoubt: number, refresh: number, promised: number][],
  log: Logged[] = [],
): CertifiedParty {
  const entries = log.map(({ payId, role, state, peer, amount, unit }) =>
    encodeCbor([new Uint8Array(16).fill(payId), role, state, 0, id(peer), amount, unit, 1, []]),
  );
  const command = async (_target: unknown, body: Uint8Array) => {
    const { number: asked, fields } = parseHostBody(body)!;
    if (asked === HostMessage.BALANCE) return hostBody(asked, balances);
    const cursor = fields[0] as number;
    const next = cursor + 1 < entries.length ? cursor + 1 : null;
    return hostBody(asked, next, entries[cursor] ?? null);
  };
  const certified = { module: { subject: id(number) } };
  const party = { name: `device ${number}`, certified, closures: [], device: { command } };
  return party as unknown as CertifiedParty;
}

async function total(devices: CertifiedParty[], generators: CertifiedParty[] = []) {
  const sums: Record<string, number> = {};
  for (const { unit, heldMinor } of await heldMoney(devices, generators)) {
    sums[unit] = (sums[unit] ?? 0) + heldMinor;
  }
  return sums;
}

const doubt = { payId: 7, peer: 2, state: IN_DOUBT };
const word = { payId: 7, peer: 1, state: COMMITTED };

describe("held money", () => {
  it("is what can be spent or refreshed, but for what lies in a generator", async () => {
    const generator = device(3, [["EUR", 40, 0, 0, 0]]);
    const devices = [device(1, [["EUR", 100, 0, 5, 0]]), generator];
    expect(await total(devices, [generator])).toEqual({ EUR: 105 });
  });

  it("is with the payee in doubt where the payer committed, else with the payer", async () => {
    const payee = device(
      1,
      [["EUR", 0, 30, 0, 0]],
      [{ ...doubt, role: 2, amount: 30, unit: "EUR" }],
    );
    const paid = device(2, [["EUR", 70, 0, 0, 0]], [{ ...word, role: 1, amount: 30, unit: "EUR" }]);
    expect(await total([payee, paid])).toEqual({ EUR: 100 });
    const unpaid = device(2, [["EUR", 100, 0, 0, 0]]);
    expect(await total([payee, unpaid])).toEqual({ EUR: 100 });
  });

  it("is one leg of an exchange in doubt, as the one who decides has it", async () => {
    const other = device(
      1,
      [
        ["EUR", 0, 30, 0, 0],
        ["USD", 60, 0, 0, 40],
      ],
      [
        { ...doubt, role: 1, amount: 40, unit: "USD" },
        { ...doubt, role: 2, amount: 30, unit: "EUR" },
      ],
    );
    const committed = device(
      2,
      [["USD", 40, 0, 0, 0]],
      [
        { ...word, role: 1, amount: 30, unit: "EUR" },
        { ...word, role: 2, amount: 40, unit: "USD" },
      ],
    );
    expect(await total([other, committed])).toEqual({ EUR: 30, USD: 100 });
    const aborted = device(2, [["EUR", 30, 0, 0, 0]]);
    expect(await total([other, aborted])).toEqual({ EUR: 30, USD: 100 });
  });

  it("counts as received what is in doubt for longer than the log tells", async () => {
    expect(await total([device(1, [["EUR", 0, 30, 0, 0]])])).toEqual({ EUR: 30 });
  });
});
