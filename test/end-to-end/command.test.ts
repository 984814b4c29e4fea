// SPDX-License-Identifier: Apache-2.0
// The florin command as people run it, in processes of its own: an economy on disk, wallets from
// other terminals, wrong orders, a kill at any instant, and exports that a stranger can verify.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askRunning, type ControlRequest } from "../../host/cli/control.ts";
import { verifyExports } from "../reader/reader.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-"));
const town = join(folder, "town");
let running: ChildProcess | undefined;

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

function florin(...options: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["bin/florin.js", ...options]);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts the economy and waits until it says that it runs. */
function start(...options: string[]): Promise<void> {
  const child = spawn(process.execPath, ["bin/florin.js", "up", "--dir", town, ...options]);
  running = child;
  return new Promise((resolve, reject) => {
    let output = "";
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.stdout.on("data", (chunk) => {
      if (String(chunk).includes("is running")) resolve();
    });
    child.on("close", () => reject(new Error(`the economy ended: ${output}`)));
  });
}

function stop(signal: NodeJS.Signals): Promise<void> {
  const child = running;
  running = undefined;
  if (child === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.removeAllListeners("close");
    child.once("close", () => resolve());
    child.kill(signal);
  });
}

const wallet = (command: string, name: string, ...options: string[]) =>
  florin("wallet", command, "--as", name, "--dir", town, ...options);

async function spendable(name: string): Promise<Record<string, number>> {
  const { stdout } = await wallet("balance", name, "--json");
  const { money } = JSON.parse(stdout) as { money: { unit: string; spendable: number }[] };
  return Object.fromEntries(money.map(({ unit, spendable }) => [unit, spendable]));
}

async function auditOk(): Promise<void> {
  const { code, stdout } = await florin("audit", "--dir", town, "--json");
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, problems: [], ledger: { balanced: true } });
  expect(code).toBe(0);
}

beforeAll(() => start());

afterAll(async () => {
  await stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("an economy on disk", () => {
  it("is bought from and paid in from other terminals", async () => {
    const bought = await wallet("buy", "Alice", "--amount", "5000", "--unit", "USD", "--json");
    expect(JSON.parse(bought.stdout)).toMatchObject({
      outcome: "ok",
      merchant: "Night Kiosk",
      authorized: 5088,
      received: 5000,
    });
    const paid = await wallet("pay", "Alice", "--to", "Bruno", "--amount", "1250", "--unit", "USD");
    expect(paid).toMatchObject({ code: 0, stdout: "Alice paid Bruno USD 12.50\n" });
    expect(await spendable("Alice")).toEqual({ USD: 3750 });
    expect(await spendable("Bruno")).toEqual({ USD: 1250 });
    const receipts = await wallet("receipts", "Alice", "--json");
    expect(JSON.parse(receipts.stdout)).toMatchObject([{ received: 5000, authorized: 5088 }]);
  });

  it("sells, and goes to banks, from other terminals", async () => {
    const sold = await wallet("sell", "Alice", "--amount", "1000", "--unit", "USD", "--json");
    expect(JSON.parse(sold.stdout)).toMatchObject({
      kind: "sell",
      outcome: "ok",
      merchant: "Night Kiosk",
      authorized: 987,
      fee: 13,
      receipt: { direction: "sell", money: 1_000 },
    });
    const drawn = await wallet("withdraw", "Bruno", "--amount", "6000", "--unit", "USD");
    const line = "Bruno withdrew USD 60.00 from First Harbour Bank, account Bruno:USD\n";
    expect(drawn).toMatchObject({ code: 0, stdout: line });
    const paidIn = await wallet("deposit", "Bruno", "--amount", "1000", "--unit", "USD", "--json");
    expect(JSON.parse(paidIn.stdout)).toMatchObject({ outcome: "ok", received: 1_000 });
    const fresh = await wallet("refresh", "Bruno", "--json");
    expect(JSON.parse(fresh.stdout)).toMatchObject({ outcome: "ok", refreshed: { USD: 6_250 } });
    expect(await spendable("Alice")).toEqual({ USD: 2_750 });
    expect(await spendable("Bruno")).toEqual({ USD: 6_250 });
    for (const [command, ...options] of [
      ["withdraw", "--amount", "10001", "--unit", "USD"],
      ["deposit", "--amount", "1", "--unit", "EUR"],
      ["sell", "--amount", "1", "--unit", "EUR"],
    ] as const) {
      const refused = await wallet(command, "Bruno", ...options);
      expect([command, refused.code, refused.stdout]).toEqual([command, 1, ""]);
      expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    }
  });

  it("asks the other owner: what was agreed to before, once", async () => {
    const ask = () =>
      wallet("request", "Bruno", "--from", "Alice", "--amount", "50", "--unit", "USD");
    const refused = await ask();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/did not confirm; Alice must agree before, with: florin wallet/);
    const agreed = await wallet(
      "accept",
      "Alice",
      "--from",
      "Bruno",
      "--amount",
      "50",
      "--unit",
      "USD",
    );
    expect(agreed.stdout).toBe("Alice will pay Bruno USD 0.50 once, when asked\n");
    expect((await ask()).stdout).toBe("Alice paid Bruno USD 0.50 on request\n");
    expect((await ask()).code).toBe(1);
    const own = ["--to", "Bruno", "--amount", "50", "--unit", "USD", "--request"];
    expect((await wallet("pay", "Alice", ...own)).code).toBe(0);
    expect(await spendable("Alice")).toEqual({ USD: 2_650 });
  });

  it("shows merchants their offers, money, devices and log, and takes new terms for good", async () => {
    const merchant = async (command: string, ...options: string[]) => {
      const { stdout } = await florin("merchant", command, ...options, "--dir", town, "--json");
      return JSON.parse(stdout) as Record<string, unknown>[];
    };
    const terms = ["--direction", "buy", "--unit", "USD", "--account-unit", "USD", "--fee", "5"];
    const offers = await merchant("offers", "Corner Exchange", ...terms);
    const cheap = { direction: "buy", fee: 5, feeBasisPoints: 0, maximum: 100_000 + 500_000 };
    expect(offers.filter(({ direction }) => direction === "buy")).toMatchObject([cheap, cheap]);
    const bought = await wallet("buy", "Alice", "--amount", "65000", "--unit", "USD", "--json");
    expect(JSON.parse(bought.stdout)).toMatchObject({ merchant: "Corner Exchange", fee: 5 });
    const [funds] = await merchant("funds", "Corner Exchange");
    const devices = funds?.devices as { topUps: { from: string; amount: number }[] }[];
    // One device had 400.00, the other 600.00; whoever served was paid the rest.
    const paid = devices.flatMap(({ topUps }) => topUps).filter(({ from }) => /^Corner/.test(from));
    expect([25_000, 5_000]).toContain(paid[0]?.amount);
    expect(await merchant("devices", "Corner Exchange")).toMatchObject([
      { name: "Corner Exchange 1", unsettled: 0 },
      { name: "Corner Exchange 2", unsettled: 0 },
    ]);
    const [receipt] = JSON.parse((await wallet("receipts", "Alice", "--json")).stdout).slice(-1);
    const served = await merchant("log", "Corner Exchange");
    expect(served.map((entry) => entry.receipt)).toContain(receipt.ticketId);
    const unknown = await florin("merchant", "funds", "Nobody", "--dir", town);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(readFileSync(join(town, "economy.json"), "utf8")).toContain('"feeMinor": 5');
  });

  it("exports what a program that knows only docs/protocol.cddl verifies", async () => {
    for (const name of ["Alice", "Bruno"]) {
      const kinds = ["certificates", "notes", "tickets"];
      const outputs = await Promise.all(
        kinds.map((kind) => wallet("export", name, "--kind", kind, "--json")),
      );
      const exports = outputs.map(({ stdout }) => JSON.parse(stdout) as { items: string[] });
      const report = verifyExports(exports);
      expect(report.items.filter(({ reason }) => reason !== null)).toEqual([]);
      expect(report.verified).toBe(true);
      expect(exports.map(({ items }) => items.length > 0)).toEqual([true, true, true]);
    }
  });

  it.each([
    ["nobody of that name", ["Bob", "--amount", "10", "--unit", "USD"], 2, /nobody here is named/],
    ["amount 0", ["Alice", "--amount", "0", "--unit", "USD"], 2, /a whole number above 0/],
    ["a broken amount", ["Alice", "--amount", "1.5", "--unit", "USD"], 2, /a whole number above/],
    ["an unknown unit", ["Alice", "--amount", "1", "--unit", "CHF"], 2, /does not circulate here/],
    [
      "an unknown merchant",
      ["Alice", "--amount", "1", "--unit", "USD", "--merchant", "Nope"],
      2,
      /no merchant is named "Nope"/,
    ],
    ["more than the card allows", ["Alice", "--amount", "110000", "--unit", "USD"], 1, /limit/],
    [
      "more than the owner allows",
      ["Alice", "--amount", "5000", "--unit", "USD", "--at-most", "5004"],
      1,
      /the owner did not confirm/,
    ],
    ["a blocked card", ["Bruno", "--amount", "100", "--unit", "USD"], 1, /the card is blocked/],
  ])("refuses %s in one sentence", async (_, [name = "", ...options], code, sentence) => {
    const before = await spendable("Alice");
    const refused = await wallet("buy", name, ...options);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toMatch(sentence);
    expect(refused.stderr.trim().split("\n")).toHaveLength(1);
    expect(refused.stdout).toBe("");
    expect(await spendable("Alice")).toEqual(before);
  });

  it("shows its banks' books, and has money issued, from other terminals", async () => {
    const bank = (command: string, ...options: string[]) =>
      florin("bank", command, "--dir", town, ...options);
    const [name, account] = ["First Harbour Bank", "notes-on-hand:USD"];
    const onHand = async () => {
      const { stdout } = await bank("accounts", "--bank", name, "--json");
      const { accounts } = JSON.parse(stdout) as { accounts: Record<string, unknown>[] };
      const row = accounts.find((each) => each.account === account);
      expect(row).toMatchObject({ bank: name, kind: "notes-on-hand", unit: "USD", closed: false });
      return row?.balance as number;
    };
    const before = await onHand();
    const issued = await bank("issue", "--amount", "12345", "--unit", "USD");
    expect(issued.stdout).toContain(`USD 123.45 issued into the stock of ${name}\n`);
    expect(issued.stdout).toMatch(/USD [\d,.]+ issued - USD [\d,.]+ redeemed = USD [\d,.]+ in/);
    expect(await onHand()).toBe(before + 12345);
    const { money } = JSON.parse((await bank("issue", "--bank", name, "--json")).stdout) as {
      money: { bank: string; unit: string; onHand: number }[];
    };
    const row = { bank: name, unit: "USD", onHand: before + 12345 };
    expect(money).toContainEqual(expect.objectContaining(row));
    const ledger = await bank("ledger", "--account", account, "--limit", "1", "--json");
    const { entries, totals, problems } = JSON.parse(ledger.stdout) as {
      entries: { bank: string; lines: unknown[] }[];
      totals: { balanced: boolean; inTransit: number }[];
      problems: string[];
    };
    const newest = entries.find((entry) => entry.bank === name);
    expect(newest?.lines).toContainEqual({ account, debit: 12345, credit: 0 });
    expect(totals.every(({ balanced, inTransit }) => balanced && inTransit === 0)).toBe(true);
    expect(problems).toEqual([]);
    const { redeemed, convictions } = JSON.parse((await bank("redeemed", "--json")).stdout) as {
      redeemed: { amount: number; lost: number; transferor: string }[];
      convictions: unknown[];
    };
    expect(redeemed.every(({ amount, lost }) => amount > 0 && lost === 0)).toBe(true);
    expect(redeemed.every(({ transferor }) => / teller$/.test(transferor))).toBe(true);
    expect(convictions).toEqual([]);
    await auditOk();
  });

  it.each([
    ["an unknown bank", ["accounts", "--bank", "Nope"], /no bank is named "Nope"; there are First/],
    ["an unknown account", ["ledger", "--account", "nope"], /no account is named "nope"/],
    ["an amount without a unit", ["issue", "--amount", "5"], /--unit is missing/],
    ["a unit without an amount", ["issue", "--unit", "USD"], /--amount takes minor units/],
    ["a broken limit", ["ledger", "--limit", "0"], /--limit takes a whole number from 1/],
  ])("refuses to show %s", async (_, [command = "", ...options], sentence) => {
    const refused = await florin("bank", command, "--dir", town, ...options);
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toMatch(sentence);
  });

  it("files claims for what is in doubt, and says what became of them", async () => {
    const claim = (...words: string[]) => florin("claim", ...words, "--dir", town);
    expect((await claim("file", "Alice")).stdout).toBe("nothing is in doubt\n");
    expect(JSON.parse((await claim("file", "Alice", "--json")).stdout)).toEqual([]);
    expect(JSON.parse((await claim("status", "--json")).stdout)).toEqual([]);
    const refused = await claim("file", "Nobody");
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toMatch(/nobody here is named "Nobody"/);
  });

  it("shows a card issuer what was sold: what the merchant posted is known, and credits nothing", async () => {
    const claim = (...words: string[]) => florin("claim", "card", ...words, "--dir", town);
    const sold = await claim("Alice", "--json");
    expect(JSON.parse(sold.stdout)).toMatchObject([
      { unit: "USD", amount: 987, state: "known", until: null, reason: null },
    ]);
    const line = /^USD 9\.87 of transaction [0-9a-f]{32}: the merchant had posted it\n$/;
    expect((await claim("Alice")).stdout).toMatch(line);
    expect((await claim("Bruno")).stdout).toBe("no sale that this device can prove\n");
    const refused = await claim("Nobody");
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toMatch(/nobody here is named "Nobody"/);
    await auditOk();
  });

  it("belongs to one process", async () => {
    const second = await florin("up", "--dir", town);
    expect(second.code).not.toBe(0);
    expect(second.stderr).toMatch(/uses the data directory/);
  });

  it("stops and starts again with everything in its place", async () => {
    const before = await spendable("Alice");
    await stop("SIGTERM");
    const alone = await wallet("balance", "Alice");
    expect(alone.stderr).toMatch(/no economy runs in/);
    expect(alone.code).toBe(3);
    await start();
    expect(await spendable("Alice")).toEqual(before);
    await auditOk();
  });

  it("is killed in the middle of orders and finds every cent", async () => {
    // Asked over the socket itself, so that the kill falls into the payment or purchase, or between
    // a bank's books, its modules and the redemption that follows.
    const pay = { command: "pay", options: { as: "Alice", to: "Bruno", amount: 5, unit: "USD" } };
    const buy = { command: "buy", options: { as: "Alice", amount: 700, unit: "USD" } };
    const atBank = { as: "Corner Exchange", amount: 400, unit: "USD" };
    const orders: [ControlRequest, killedAfterMs: number][] = [
      [pay, 12],
      [buy, 30],
      [pay, 38],
      [buy, 45],
      [{ command: "withdraw", options: atBank }, 90],
      [{ command: "deposit", options: atBank }, 120],
      [{ command: "refresh", options: atBank }, 150],
    ];
    for (const [order, delayMs] of orders) {
      const answer = askRunning(town, order).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await stop("SIGKILL");
      await answer;
      await start();
      await auditOk();
    }
    const after = await wallet("pay", "Alice", "--to", "Chiara", "--amount", "1", "--unit", "USD");
    expect(after.code).toBe(0);
  });
});

describe("bad input", () => {
  it("names the line of a wrong economy file, and begins nothing", async () => {
    const file = join(folder, "wrong.json");
    const text = readFileSync("examples/economy.json", "utf8");
    writeFileSync(file, text.replace('"amount": 1999', '"amount": -1999'));
    const line = text.slice(0, text.indexOf('"amount": 1999')).split("\n").length;
    const refused = await florin("demo", "--economy", file, "--json");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(`line ${line}: actions[1].amount must be >= 1`);
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false });
  });

  it("says that a port is taken", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const other = join(folder, "other");
    const refused = await florin("up", "--dir", other, "--gateway-port", String(port));
    server.close();
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/the port is taken; choose another/);
  });

  it("shows help with examples for every command", async () => {
    const groups = ["demo", "up", "wallet", "merchant", "bank"].map((name) => [name]);
    for (const command of [[], ...groups, ["wallet", "exchange"]]) {
      const help = await florin(...command, "--help");
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(/Examples:|Exit codes:/);
    }
    expect((await florin("nonsense")).code).toBe(2);
  });
});
