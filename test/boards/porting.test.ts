// SPDX-License-Identifier: Apache-2.0
// Porting is filling in a contract: what is one board's own stays below 200 lines of code.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const LINES_LIMIT = 200;
const boards = readdirSync("boards").filter((name) => existsSync(`boards/${name}/board.json`));
const ownFolders = boards.map((name) => {
  const about = JSON.parse(readFileSync(`boards/${name}/board.json`, "utf8"));
  return (about.ownFolder ?? name) as string;
});

/** Lines of C that are neither empty nor comments. */
function codeLines(text: string): number {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return code.split("\n").filter((line) => line.trim() !== "").length;
}

test("code is counted without comments and empty lines", () => {
  expect(codeLines("// a\n\nint b; /* c */\n/* d\n * e */\n  // f\nint g;\n")).toBe(2);
});

test.each(ownFolders)("boards/%s has less than 200 lines of its own", (folder) => {
  const names = readdirSync(`boards/${folder}`).filter((name) => /\.[chS]$/.test(name));
  expect(names.length).toBeGreaterThan(1);
  const texts = names.map((name) => readFileSync(`boards/${folder}/${name}`, "utf8"));
  expect(texts.reduce((sum, text) => sum + codeLines(text), 0)).toBeLessThan(LINES_LIMIT);
});
