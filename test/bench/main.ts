// SPDX-License-Identifier: Apache-2.0
// npm run bench: one table, one run. Read the ratios: machines differ, and so do their moods.
//
//   npm run bench [-- --json]
import { readdirSync, statSync } from "node:fs";
import { projectFile } from "../../host/projectFile.ts";
import { benchCrypto, type Row } from "./crypto.ts";
import { benchTransactions, type TransactionRow } from "./economy.ts";
import { benchTorture } from "./torture.ts";

const isJson = process.argv.includes("--json");
const say = (line = "") => process.stdout.write(`${line}\n`);
const tell = (line: string) => process.stderr.write(`${line}\n`);

/** Bytes of each image that ships. */
function imageSizes(): Record<string, number> {
  const folder = projectFile("build/firmware");
  const shipped = /^(customer|merchant|authority)-agent|^(transaction|teller|generator)-module/;
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name.endsWith(".wasm") && shipped.test(name))
      .map((name) => [name.replace(".wasm", ""), statSync(`${folder}/${name}`).size]),
  );
}

function ratio(other: number | null, florin: number): string {
  return (other === null ? "-" : `${(other / florin).toFixed(2)} x`).padStart(12);
}

function sayCrypto(rows: readonly Row[]): void {
  say("Cryptography: microseconds, and how many times as long each other implementation takes");
  say(
    `  ${"".padEnd(26)}${"florin".padStart(10)}${"@noble".padStart(12)}` +
      `${"libsodium".padStart(12)}${"node:crypto".padStart(12)}`,
  );
  for (const { name, florinMicros, nobleMicros, libsodiumMicros, nodeMicros } of rows) {
    say(
      `  ${name.padEnd(26)}${florinMicros.toFixed(1).padStart(10)}` +
        ratio(nobleMicros, florinMicros) +
        ratio(libsodiumMicros, florinMicros) +
        ratio(nodeMicros, florinMicros),
    );
  }
}

function sayTransactions(rows: readonly TransactionRow[]): void {
  const list = (bytes: Readonly<Record<string, number>>) =>
    Object.entries(bytes)
      .map(([role, count]) => `${role} ${count}`)
      .join(", ");
  say("Transactions: whole, over the real link, WebSocket and TCP; bytes for each one");
  for (const { name, count, medianMs, p99Ms, linkBytes, flashBytes } of rows) {
    say(`  ${name} (${count} runs): median ${medianMs.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`);
    say(`    serial link bytes: ${list(linkBytes)}`);
    say(`    flash bytes:       ${list(flashBytes)}`);
  }
}

tell("cryptography, interleaved rounds");
const crypto = await benchCrypto();
tell("purchases and payments");
const transactions = await benchTransactions();
tell("faults");
const torture = benchTorture();
const images = imageSizes();
if (isJson) say(JSON.stringify({ crypto, transactions, torture, images }, null, 2));
else {
  sayCrypto(crypto);
  say();
  sayTransactions(transactions);
  say();
  say("Faults: points of a purchase on one core (docs/faults.md)");
  say(`  ${torture.pointsPerSecond.toFixed(0)} a second from copies of the world`);
  say(`  ${torture.factor.toFixed(1)} x as long where each point runs from the start`);
  say();
  say("Images: bytes of WebAssembly");
  for (const [name, size] of Object.entries(images)) say(`  ${name.padEnd(20)}${size}`);
}
process.exit(0);
