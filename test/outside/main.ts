// SPDX-License-Identifier: Apache-2.0
// npm run outside -- --minutes N [--seed N]: faults from outside for as long as one wants, half of
// the time kills and half of it a mangling proxy; one JSON object at the end.
import { projectFile } from "../../host/projectFile.ts";
import { killRounds } from "./kills.ts";
import { mangledRounds, throughProxy } from "./mangled.ts";
import { openManglingProxy } from "./manglingProxy.ts";
import { Town } from "./town.ts";

function numberOf(name: string, usual: number): number {
  const at = process.argv.indexOf(name);
  const value = at < 0 ? usual : Number(process.argv[at + 1]);
  if (value > 0) return value;
  process.stderr.write(`${name} takes a number above 0\n`);
  process.exit(2);
}

const tell = (line: string) => process.stderr.write(`${line}\n`);
const seed = numberOf("--seed", 1);
const halfMs = numberOf("--minutes", 2) * 30_000;
const until = () => {
  const endMs = performance.now() + halfMs;
  return () => performance.now() > endMs;
};

process.chdir(projectFile("."));
const killed = new Town();
const kills = await killRounds(killed, seed, until(), tell).finally(() => killed.remove());
const proxy = await openManglingProxy(seed);
const town = new Town(throughProxy(proxy.port));
await town.start();
const mangled = await mangledRounds(town, proxy, seed, until(), tell).finally(() => town.remove());
await proxy.close();
const problems = [...kills.problems, ...mangled.problems];
const result = {
  seed,
  kills,
  mangled: { ...mangled, proxy: proxy.counts },
  ok: problems.length === 0,
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(problems.length === 0 ? 0 : 1);
