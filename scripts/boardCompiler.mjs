// SPDX-License-Identifier: Apache-2.0
// A board's compiler and linker at work. What is unchanged since the last build is not built again.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

// How gcc 12 keeps more of a field element in registers: without the first scheduling pass, with
// registers renamed, with ranges of values cut short and each spilled value in its own place; and
// with short loops written out. X25519 on Cortex-M33 takes a tenth less by it, a signature's
// verification likewise.
const COMMON = [
  ...["-std=c11", "-O2", "-g", "-fno-schedule-insns", "-frename-registers"],
  ...["-fpeel-loops", "-flive-range-shrinkage", "-fno-ira-share-spill-slots"],
  ...["-ffunction-sections", "-fdata-sections"],
];

export function folderOf(board) {
  const folder = `build/boards/${board}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Compiles a file unless that was done with the same bytes and flags; gives the object's path. */
export function compile(about, folder, source, flags) {
  const object = join(folder, `${source.replaceAll("/", "_")}.o`);
  const words = [...about.flags, ...COMMON, ...flags, "-c", source];
  const preprocessed = run(about.compiler, [...about.flags, "-std=c11", ...flags, "-E", source]);
  const digest = createHash("sha256").update(words.join(" ")).update(preprocessed).digest("hex");
  make(object, digest, about.compiler, words);
  return object;
}

export function link(board, about, objects, name) {
  const folder = folderOf(board);
  const program = `${folder}/${name}.${about.isCompiledOnly ? "o" : "elf"}`;
  if (about.isCompiledOnly) {
    run(toolOf(about, "ld"), ["-m", about.linkerTarget, "-r", ...objects, "-o", program]);
    return program;
  }
  const bare = [
    "-nostartfiles",
    "--specs=nano.specs",
    "--specs=nosys.specs",
    "-Wl,--no-warn-rwx-segments",
    "-T",
    `boards/${board}/${about.linkerScript}`,
  ];
  const words = [
    ...about.flags,
    "-O2",
    ...(about.isHosted ? [] : bare),
    "-Wl,--gc-sections",
    `-Wl,-Map=${folder}/${name}.map`,
    ...objects,
    ...(about.isHosted ? ["-lm"] : []),
  ];
  const digest = createHash("sha256").update(words.join(" "));
  for (const object of objects) digest.update(readFileSync(object));
  if (!about.isHosted) digest.update(readFileSync(`boards/${board}/${about.linkerScript}`));
  make(program, digest.digest("hex"), about.compiler, words);
  return program;
}

/**
 * Has a program write a file unless it was made of the same. It appears whole: others may be building
 * it too, or an emulator be starting it.
 */
function make(file, digest, program, words) {
  const stamp = `${file}.stamp`;
  if (existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const made = `${file}.${process.pid}`;
  run(program, [...words, "-o", made]);
  renameSync(made, file);
  writeFileSync(stamp, digest);
}

export function run(program, words) {
  const result = spawnSync(program, words, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${program} failed:\n${result.stderr}`);
  if (result.stderr) process.stderr.write(result.stderr);
  return result.stdout;
}

/** Flash: code and initial data. RAM: data, zeroed data and stack. */
export function sizesOf(about, program) {
  if (about.isCompiledOnly) {
    const [, row] = run(toolOf(about, "size"), [program]).split("\n");
    const [text, data, bss] = row.trim().split(/\s+/).map(Number);
    return { flashBytes: text + data, ramBytes: data + bss };
  }
  const rows = run(toolOf(about, "size"), ["-A", program]).split("\n");
  const sizes = Object.fromEntries(rows.map((row) => row.trim().split(/\s+/).slice(0, 2)));
  const size = (section) => Number(sizes[section] ?? 0);
  return {
    flashBytes: size(".text") + size(".ARM.exidx") + size(".data"),
    ramBytes: size(".data") + size(".bss") + size(".stack"),
  };
}

export function sizeLine(about, program) {
  const { flashBytes, ramBytes } = sizesOf(about, program);
  return `${basename(program)}: ${flashBytes} bytes of flash, ${ramBytes} bytes of RAM`;
}

function toolOf(about, tool) {
  return about.isHosted ? tool : about.compiler.replace("gcc", tool);
}
