// SPDX-License-Identifier: Apache-2.0
// Flash files copied back while the economy is stopped: that device does not open and says why, the
// others go on, and the audit tells what is missing (docs/faults.md, "From outside").
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AuditReport } from "../../host/economy/report.ts";
import { Town } from "./town.ts";

const town = new Town();
const flashOf = (device: string, half: "agent" | "module") =>
  join(town.boardFolder(device), `${half}.flash`);
const keep = (device: string, name: string, half: "agent" | "module" = "module") =>
  copyFileSync(flashOf(device, half), `${flashOf(device, half)}.${name}`);
const putBack = (device: string, name: string, half: "agent" | "module" = "module") =>
  copyFileSync(`${flashOf(device, half)}.${name}`, flashOf(device, half));
const buy = (amount: number) => town.ask("buy", { as: "Ada", amount, unit: "USD" });
const audited = async () => (await town.ask("audit")) as AuditReport;

beforeAll(async () => {
  await town.start();
  await buy(5_000);
  await town.ask("pay", { as: "Ada", to: "Bo", amount: 1_000, unit: "USD" });
  await town.stop("SIGTERM");
  for (const device of ["Ada", "Kiosk", "Harbour Bank teller"]) keep(device, "old");
  keep("Ada", "old", "agent");
  await town.start();
  await buy(200);
  await town.ask("withdraw", { as: "Bo", amount: 300, unit: "USD" });
  expect((await town.settledAudit()).ok).toBe(true);
  await town.stop("SIGTERM");
  for (const device of ["Ada", "Kiosk", "Harbour Bank teller"]) keep(device, "new");
});
afterAll(() => town.remove());

const sentence = (device: string) =>
  new RegExp(
    `the money module of ${device} does not open: its flash is an older copy .*put the newest copy back`,
  );

it("an older copy of a person's flash: refused and told, and the rest of the economy goes on", async () => {
  putBack("Ada", "old");
  await town.start();
  expect(town.saidSoFar).toMatch(sentence("Ada"));
  await expect(town.spendable("Ada")).rejects.toThrow(sentence("Ada"));
  await expect(buy(100)).rejects.toThrow(sentence("Ada"));
  await expect(town.ask("pay", { as: "Bo", to: "Ada", amount: 1, unit: "USD" })).rejects.toThrow(
    sentence("Ada"),
  );
  expect(await town.ask("withdraw", { as: "Bo", amount: 100, unit: "USD" })).toMatchObject({
    outcome: "ok",
  });
  const report = await audited();
  expect(report.ok).toBe(false);
  expect(report.problems).toEqual([
    expect.stringMatching(sentence("Ada")),
    // 50.00 bought, 10.00 paid, 2.00 bought.
    "USD 42.00 of what circulates is in no module that opens; not open: Ada",
  ]);
  // What it had at the time of the copy is still read out.
  const { items } = (await town.ask("export", { as: "Ada", kind: "notes" })) as { items: string[] };
  expect(items.length).toBeGreaterThan(0);
  await town.stop("SIGTERM");
});

it("the newest copy put back: nothing is missing", async () => {
  putBack("Ada", "new");
  await town.start();
  expect(await town.settledAudit()).toMatchObject({ ok: true, problems: [] });
  expect(await town.spendable("Ada")).toBe(4_200);
  await town.stop("SIGTERM");
});

it("an older copy of an agent's flash: refused and told, until the newest is put back", async () => {
  keep("Ada", "new", "agent");
  putBack("Ada", "old", "agent");
  await town.start();
  const told = /the trusted agent of Ada does not open: its flash is an older copy /;
  expect(town.saidSoFar).toMatch(told);
  await expect(buy(100)).rejects.toThrow(told);
  await expect(town.ask("pay", { as: "Bo", to: "Ada", amount: 1, unit: "USD" })).rejects.toThrow(
    told,
  );
  expect((await audited()).problems).toContainEqual(expect.stringMatching(told));
  await town.stop("SIGTERM");
  putBack("Ada", "new", "agent");
  await town.start();
  expect(await town.settledAudit()).toMatchObject({ ok: true, problems: [] });
  expect(await town.spendable("Ada")).toBe(4_200);
  await town.stop("SIGTERM");
});

it("an older copy of a merchant's and of a bank's flash: people still pay one another", async () => {
  putBack("Kiosk", "old");
  putBack("Harbour Bank teller", "old");
  await town.start();
  for (const device of ["Kiosk", "Harbour Bank teller"]) {
    expect(town.saidSoFar).toMatch(sentence(device));
  }
  const payment = { as: "Ada", to: "Bo", amount: 200, unit: "USD" };
  expect(await town.ask("pay", payment)).toMatchObject({ outcome: "ok" });
  await expect(buy(100)).rejects.toThrow();
  const { problems } = await audited();
  expect(problems.filter((problem) => /does not open/.test(problem))).toHaveLength(2);
  expect(problems.at(2)).toMatch(/in no module that opens; not open: Harbour Bank teller, Kiosk$/);
  expect(problems).toHaveLength(3);
  await town.stop("SIGTERM");
});
