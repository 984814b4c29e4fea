// SPDX-License-Identifier: Apache-2.0
// Where the sources mark each step: calls of step, markStep and mark with the step's number.
import { readdirSync, readFileSync } from "node:fs";
import { projectFile } from "../../host/projectFile.ts";

/** File and line of each mark, by step. */
export type Marks = Map<number, string[]>;

/** Calls that mark; what stands in their parentheses may go on in the next lines. */
const CALL = /\b(?:step|markStep|mark)\(([^;]*)\)/g;
const NUMBER = /(?<![\w.])\d{3,4}(?![\w.])/g;
/** Files with functions of these names that mark nothing. */
const OTHERS = ["assembly/crypto/", "assembly/images/"];

/** Finds all marks in firmware and hosts. */
export function findMarks(): Marks {
  const marks: Marks = new Map();
  for (const file of [...sourcesBelow("assembly"), ...sourcesBelow("host")]) {
    if (OTHERS.some((folder) => file.startsWith(folder))) continue;
    const text = readFileSync(projectFile(file), "utf8");
    for (const call of text.matchAll(CALL)) {
      const line = text.slice(0, call.index).split("\n").length;
      for (const [number] of call[1]!.matchAll(NUMBER)) {
        const places = marks.get(Number(number)) ?? [];
        places.push(`${file}:${line}`);
        marks.set(Number(number), places);
      }
    }
  }
  return marks;
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(projectFile(folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .sort();
}
