// SPDX-License-Identifier: Apache-2.0
// Whoever a device that is gone left in doubt ends it by a claim (docs/protocol.md rule 8, 4.11 to
// 4.13): the honest module claims behind a hostile deed, virtual time goes on to the day when the
// Certification Agency decides, and its verdict ends the doubt for the money that was in it.
import { describe, expect, test } from "vitest";
import type { AgencyState } from "../../host/network/agency/agency.ts";
import { ClaimsDesk, memoryClaimStore } from "../../host/network/agency/claimsDesk.ts";
import { memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import type { Device } from "../../host/torture/agentWorld.ts";
import { customerAccount } from "../../host/torture/bankParties.ts";
import { circulating } from "../../host/torture/bankVerdict.ts";
import { Explorer } from "../../host/torture/explorer.ts";
import { fundsOfAll } from "../../host/torture/hostileVerdict.ts";
import { itemsOf } from "../../host/torture/items.ts";
import { BANK } from "../../host/torture/purchaseWorld.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";

const PAID = 2;
const DAY_S = 86_400;
const UNIT = "USD";
/** Into which claims are paid. */
const account = customerAccount(UNIT);

/** All that a module reads out of one kind (command 8). */
const exported = (device: Device, kind: number) =>
  itemsOf((cursor) => device.half("module").ask(8, kind, cursor));

/** The Certification Agency, which certified every module that these two know of. */
function agencyOf(devices: readonly Device[]): AgencyState {
  const { moduleRoot, moduleServer } = new TestAgency();
  const certificates = devices.flatMap((device) => {
    const [chain, ...others] = exported(device, 3);
    return [encodeCbor((decodeCbor(chain!) as unknown[])[0]), ...others];
  });
  return {
    kind: "module",
    rootId: moduleRoot.id,
    rootSeed: new Uint8Array(32).fill(2),
    serverSeed: moduleServer.seed,
    serverCertificate: moduleServer.certificate.bytes,
    issued: certificates,
    untrusted: [],
    listVersion: 1,
    listIssued: START_SECONDS,
  };
}

/** Scenario, the payer that is gone, and the payee that it leaves in doubt at some events. */
const CASES = [
  ["payment", "C", "D"],
  ["exchange", "C", "D"],
  ["purchase", "M", "C"],
  ["sale", "C", "M"],
  ["top-up", "M", "N"],
] as const;

describe.each(CASES)("%s, %s gone", (name, gone, honest) => {
  test("the other claims, is paid behind the horizon, and has nothing in doubt any more", async () => {
    const explorer = new Explorer(name, 1);
    const { scenario } = explorer;
    const { world } = scenario;
    const agency = agencyOf(world.devices);
    const device = world.devices.find((one) => one.name === honest)!;
    const inDoubt = () => fundsOfAll(scenario).get(honest)!.inDoubtMinor;
    let points = 0;
    for (const id of explorer.hostiles().filter((one) => one.includes(`/gone.${gone}`))) {
      expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
      if (inDoubt() === 0) continue;
      points += 1;
      const drafts = exported(device, 4);
      const transfers = drafts.map((item) => (decodeCbor(item) as Uint8Array[])[2]!);
      const [, , , , , , payId] = decodeCbor(transfers[0]!) as unknown[];
      const amounts = transfers.map((one) => (decodeCbor(one) as number[])[3]!);
      const amountMinor = amounts.reduce((sum, one) => sum + one, 0);
      // The desk's books are a copy: the next point begins with the world's.
      const books = structuredClone(world.bank!.ledger);
      const ledger = memoryLedgerStore(books);
      const before = (await ledger.account(BANK, account))!.balanceMinor;
      const issued = circulating(world)[UNIT]!;
      const desk = new ClaimsDesk({
        agency,
        claims: memoryClaimStore(),
        ledger,
        nowSeconds: () => Math.floor(world.clock.epochMs() / 1000),
        onAborted: async () => {},
        onConviction: async () => {},
      });
      const [, claim] = world.ask(device, "module", [91, payId, `${account}@${BANK}`]).at(-1)!;
      const filing = await desk.file(encodeCbor(claim), drafts);
      if (filing.type !== "filed") throw new Error(`${id}: ${JSON.stringify(filing)}`);
      // Not before everybody else has had the time to show the notes.
      const { dueAt } = filing.record;
      const waitS = dueAt - Math.floor(world.clock.epochMs() / 1000);
      expect(waitS).toBeGreaterThan(37 * DAY_S);
      expect(await desk.decideDue()).toEqual([]);
      world.pass(waitS * 1000);
      const decided = await desk.decideDue();
      expect(decided.map(({ state }) => state)).toEqual(["paid"]);
      const verdict = decodeCbor(decided[0]!.verdict!);
      expect(world.ask(device, "module", [92, verdict])).toContainEqual([92, PAID]);
      expect([id, inDoubt(), exported(device, 4)]).toEqual([id, 0, []]);
      const after = (await ledger.account(BANK, account))!.balanceMinor;
      expect(after - before).toBe(amountMinor);
      world.bank = { ...world.bank!, ledger: books };
      expect(circulating(world)[UNIT]).toBe(issued - amountMinor);
    }
    expect(points).toBeGreaterThan(0);
  });
});
