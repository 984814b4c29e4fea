// SPDX-License-Identifier: Apache-2.0
// Builds the program of a board: the images through wasm2c, the runtime and the board's own C,
// linked to one ELF file. Needs the Debian packages that the board's board.json names. What is
// unchanged since the last build is not built again.
//
//   node scripts/boards.mjs BOARD [--agent IMAGE] [--module IMAGE] [--engine wasm3] [--sizes] [--quiet]
//   node scripts/boards.mjs BOARD [--agent IMAGE] [--module IMAGE] [--engine wasm3] --sources FOLDER
//   node scripts/boards.mjs BOARD --counter IMAGE
//   node scripts/boards.mjs BOARD --runtime --sizes
//
// An IMAGE is a name in build/firmware. The program is build/boards/BOARD/AGENT+MODULE.elf, or with
// --counter the one that counts instructions (boards/BOARD/bench) of a build of the image
// `primitives`, IMAGE.elf; with --runtime a board without an image, runtime.elf. It prints the path,
// or with --sizes its bytes of flash and RAM as JSON. With --engine wasm3 the images run under
// wasm3, whose sources WASM3_DIR names, in place of being compiled: AGENT+MODULE.wasm3.elf. A board
// whose own tools link it (isCompiledOnly) is compiled into one object, AGENT+MODULE.o; --sources
// writes the images' C files for those tools, and compiles nothing.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const RUNTIME = "boards/runtime";
const FIRMWARE = "build/firmware";
/** Versions and signer of all images, which host/trust/releaseSigner.ts reads too. */
const RELEASE = "assembly/images/release.json";

/** Hand-written C has no warning; what wasm2c makes is not judged. */
const WARNINGS = [
  "-Wall",
  "-Wextra",
  "-Wconversion",
  "-Wshadow",
  "-Wstrict-prototypes",
  "-Wmissing-prototypes",
  "-Werror",
];
// How gcc 12 keeps more of a field element in registers: without the first scheduling pass, with
// registers renamed, with ranges of values cut short and each spilled value in its own place; and
// with short loops written out. X25519 on Cortex-M33 takes a tenth less by it, a signature's
// verification likewise.
const COMMON = [
  ...["-std=c11", "-O2", "-g", "-fno-schedule-insns", "-frename-registers"],
  ...["-fpeel-loops", "-flive-range-shrinkage", "-fno-ira-share-spill-slots"],
  ...["-ffunction-sections", "-fdata-sections"],
];

const isMain = process.argv[1] === fileURLToPath(import.meta.url);
if (isMain) main();

function main() {
  process.chdir(fileURLToPath(new URL("..", import.meta.url)));
  const options = { agent: { type: "string" }, module: { type: "string" } };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...options,
      counter: { type: "string" },
      engine: { type: "string", default: "wasm2c" },
      runtime: { type: "boolean" },
      sources: { type: "string" },
      sizes: { type: "boolean" },
      quiet: { type: "boolean" },
    },
  });
  const [board] = positionals;
  if (board === undefined || !(values.agent ?? values.module ?? values.counter ?? values.runtime)) {
    process.stderr.write(
      "usage: boards.mjs BOARD [--agent IMAGE] [--module IMAGE] [--counter IMAGE]\n",
    );
    process.exit(2);
  }
  try {
    const tell = values.quiet ? () => {} : say;
    if (values.sources !== undefined) {
      writeSources(values.sources, values);
      return;
    }
    const file = values.counter
      ? buildCounter(board, values.counter)
      : buildBoard(board, values, tell);
    const sizes = values.sizes ? JSON.stringify(sizesOf(description(board), file)) : file;
    process.stdout.write(`${sizes}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

/** The programs that building and running a board needs and this machine does not have. */
export function missingTools(board, engine = "wasm2c") {
  const { compiler, emulator } = description(board);
  const tools = [
    compiler,
    ...(engine === "wasm2c" ? ["wasm2c"] : []),
    ...(emulator ? [emulator.program] : []),
  ];
  return tools.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
}

/** What boards/BOARD/board.json says. */
export function description(board) {
  return JSON.parse(readFileSync(`boards/${board}/board.json`, "utf8"));
}

/** Builds a board with the images in its slots; gives the path of the ELF file. */
export function buildBoard(board, { agent, module, engine = "wasm2c" }, tell = say) {
  const about = description(board);
  const missing = missingTools(board, engine);
  if (missing.length > 0) {
    throw new Error(`${missing.join(", ")} missing: sudo apt-get install ${about.packages}`);
  }
  const folder = engine === "wasm3" ? folderOf(`${board}/wasm3`) : folderOf(board);
  const slots = Object.entries({ agent, module }).filter(([, image]) => image !== undefined);
  const build = engine === "wasm3" ? buildInterpreted : buildSlot;
  const objects = slots.flatMap(([slot, image]) => build(about, folder, slot, image, tell));
  if (engine === "wasm3") objects.push(...buildWasm3(about, folder, tell));
  const linkSources = readdirSync(`${RUNTIME}/link`).map((name) => `${RUNTIME}/link/${name}`);
  const sources = [
    ...filesOf(RUNTIME),
    ...linkSources.filter((path) => path.endsWith(".c")),
    ...(engine === "wasm3" ? [] : [`${RUNTIME}/wasm2c/imports.c`, `${RUNTIME}/wasm2c/wasm_rt.c`]),
    // Only the engine that loads images has use for banks.
    ...boardSources(about, board).filter((path) => engine === "wasm3" || !isOfBanks(path)),
  ];
  const images = slots.map(([, image]) => image).join("+") || "runtime";
  const name = engine === "wasm3" ? `${images}.wasm3` : images;
  const installed = `${folder}/${name}.installed.c`;
  writeIfChanged(
    installed,
    installedImages(
      slots.map(([slot]) => slot),
      engine === "wasm3" ? "" : "const ",
    ),
  );
  for (const source of [...sources, installed]) {
    const flags = [...WARNINGS, ...boardFlags(board), ...(engine === "wasm3" ? wasm3Flags() : [])];
    objects.push(compile(about, folder, source, flags));
  }
  const program = link(board, about, objects, name);
  tell(sizeLine(about, program));
  return program;
}

/**
 * Builds the program that counts instructions (boards/BOARD/bench): the board's own files and the
 * cryptography of `image` alone, in place of the runtime. Gives the path of the ELF file.
 */
export function buildCounter(board, image) {
  const about = description(board);
  const folder = folderOf(board);
  const base = `${folder}/${image}`;
  const generated = translate(base, "primitives", image);
  const flags = [`-I${RUNTIME}/wasm2c`, `-I${base}`];
  const objects = [compile(about, base, generated, ["-DNDEBUG", "-w", ...flags])];
  const sources = [
    ...boardSources(about, board),
    ...filesOf(`boards/${board}/bench`),
    `${RUNTIME}/sha256.c`,
    `${RUNTIME}/wasm2c/wasm_rt.c`,
  ];
  for (const source of sources) {
    objects.push(compile(about, base, source, [...WARNINGS, ...boardFlags(board), ...flags]));
  }
  return link(board, about, objects, image);
}

/** The board's own files, and those of the folders that its board.json names. */
function boardSources(about, board) {
  const folders = [...(about.folders ?? []), about.ownFolder ?? board];
  return [...folders.flatMap((folder) => filesOf(`boards/${folder}`)), ...(about.files ?? [])];
}

function isOfBanks(path) {
  return basename(path) === "banks.c";
}

/** Shared files find the board's registers and line by its folder. */
function boardFlags(board) {
  return [`-I${RUNTIME}`, `-Iboards/${board}`, `-DBOARD_NAME="${board}"`];
}

function folderOf(board) {
  const folder = `build/boards/${board}`;
  mkdirSync(folder, { recursive: true });
  return folder;
}

function link(board, about, objects, name) {
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

function filesOf(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => `${folder}/${name}`);
}

function installedImages(slots, qualifier) {
  const names = slots.map((slot) => `${slot}_image`);
  const addresses = names.map((name) => `&${name}`).join(", ");
  return [
    '#include "runtime.h"',
    ...names.map((name) => `extern ${qualifier}struct image ${name};`),
    `const struct image *const installed_images[] = {${addresses}};`,
    `struct module_buffers installed_buffers[${names.length}];`,
    `const uint8_t installed_image_count = ${names.length};`,
    "",
  ].join("\n");
}

/** Bytes of an image in the build. */
function imageBytes(image) {
  const wasm = `${FIRMWARE}/${image}.wasm`;
  if (!existsSync(wasm)) throw new Error(`${wasm} is missing: npm run build`);
  const bytes = readFileSync(wasm);
  if (hasTable(bytes)) throw new Error(`${wasm} has a table: boards run images without one`);
  return bytes;
}

/** Has wasm2c write an image as C, its names beginning with `prefix`; gives the file's path. */
function translate(base, prefix, image) {
  const digest = createHash("sha256").update(imageBytes(image)).digest("hex");
  mkdirSync(base, { recursive: true });
  const generated = `${base}/${prefix}.c`;
  const stamp = `${base}/stamp`;
  const made = `${digest} ${run("wasm2c", ["--version"])}`;
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== made) {
    run("wasm2c", ["-n", prefix, `${FIRMWARE}/${image}.wasm`, "-o", generated]);
    writeFileSync(generated, withKnownSize(readFileSync(generated, "utf8")));
    writeFileSync(stamp, made);
  }
  return generated;
}

/**
 * Each access is checked against the memory's size. An image has one page and cannot grow it: with
 * the constant, the compiler makes one comparison of 32 bits where it made four of 64.
 */
function withKnownSize(text) {
  const check = "offset + (uint64_t)len > mem->size";
  if (!text.includes(check)) throw new Error("this wasm2c checks memory otherwise than 1.0.32");
  return text.replace(check, "offset + (uint64_t)len > WASM_RT_PAGE_SIZE");
}

/** Writes what the engine needs of the images, for a board whose own tools compile (ESP-IDF). */
function writeSources(folder, { agent, module, engine }) {
  const slots = Object.entries({ agent, module }).filter(([, image]) => image !== undefined);
  const base = engine === "wasm3" ? `${folder}/wasm3` : folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(base, { recursive: true });
  for (const [slot, image] of slots) {
    const own = `${base}/${slot}-image`;
    mkdirSync(own, { recursive: true });
    writeIdentity(own, slot, image);
    const parts = [`#define SLOT ${slot}`, `#define SLOT_IDENTITY "${slot}-image/identity.inc"`];
    if (engine === "wasm3") {
      writeFileSync(`${own}/bytes.inc`, `${bytesInC(imageBytes(image))}\n`);
      parts.push(`#define SLOT_BYTES "${slot}-image/bytes.inc"`);
    } else {
      translate(own, slot, image);
      parts.push(`#define SLOT_HEADER "${slot}-image/${slot}.h"`);
      writeFileSync(`${base}/${slot}.c`, `#include "${slot}-image/${slot}.c"\n`);
    }
    parts.push(`#include "${relative(base, `${RUNTIME}/${engine}/engine.c`)}"`, "");
    writeFileSync(`${base}/${slot}Engine.c`, parts.join("\n"));
  }
  const names = slots.map(([slot]) => slot);
  const qualifier = engine === "wasm3" ? "" : "const ";
  writeFileSync(`${base}/installed.c`, installedImages(names, qualifier));
}

/** The image in C, and the engine's page for it. */
function buildSlot(about, folder, slot, image, tell) {
  const base = `${folder}/${slot}-${image}`;
  const generated = translate(base, slot, image);
  writeIdentity(base, slot, image);
  const flags = [`-I${RUNTIME}/wasm2c`, `-I${base}`];
  tell(`${image}: gcc`);
  return [
    compile(about, base, generated, ["-DNDEBUG", "-w", ...flags]),
    compile(about, base, `${RUNTIME}/wasm2c/engine.c`, [
      ...WARNINGS,
      ...flags,
      `-DSLOT=${slot}`,
      `-DSLOT_HEADER="${slot}.h"`,
      '-DSLOT_IDENTITY="identity.inc"',
    ]),
  ];
}

/** The engine's page for an image that wasm3 runs, with its bytes in it. */
function buildInterpreted(about, folder, slot, image, tell) {
  const base = `${folder}/${slot}-${image}`;
  mkdirSync(base, { recursive: true });
  writeIdentity(base, slot, image);
  writeIfChanged(`${base}/bytes.inc`, `${bytesInC(imageBytes(image))}\n`);
  tell(`${image}: as it is, for wasm3`);
  const flags = [...WARNINGS, ...wasm3Flags(), `-I${base}`, `-DSLOT=${slot}`];
  const parts = ['-DSLOT_IDENTITY="identity.inc"', '-DSLOT_BYTES="bytes.inc"'];
  return [compile(about, base, `${RUNTIME}/wasm3/engine.c`, [...flags, ...parts])];
}

/** wasm3 itself, and what joins it to the runtime. */
function buildWasm3(about, folder, tell) {
  const own = filesOf(`${RUNTIME}/wasm3`).filter((path) => basename(path) !== "engine.c");
  const sources = filesOf(`${wasm3Folder()}/source`).filter((path) => !/_api_/.test(path));
  tell("wasm3: gcc");
  return [
    ...own.map((path) => compile(about, folder, path, [...WARNINGS, ...wasm3Flags()])),
    // Not judged, like what wasm2c makes; its own flags come last.
    ...sources.map((path) => compile(about, folder, path, ["-w", ...wasm3Flags()])),
  ];
}

function wasm3Folder() {
  const folder = process.env.WASM3_DIR;
  if (folder && existsSync(`${folder}/source/wasm3.h`)) return folder;
  throw new Error(
    "WASM3_DIR names no checkout of wasm3: git clone https://github.com/wasm3/wasm3, then " +
      "WASM3_DIR=.../wasm3",
  );
}

/** Small code and no floats; every image is validated, and compiled whole when it is loaded. */
function wasm3Flags() {
  const settings = [
    ...["d_m3HasFloat=0", "d_m3VerboseErrorMessages=0", "d_m3CodePageAlignSize=1024"],
    ...["d_m3MaxFunctionStackHeight=512", "d_m3CascadedOpcodes=0", "d_m3MaxLinearMemoryPages=1"],
  ];
  return [`-isystem${wasm3Folder()}/source`, ...settings.map((setting) => `-D${setting}`)];
}

/** Name, signer, versions and hash of an image, for the engine's page. */
function writeIdentity(base, slot, image) {
  const digest = createHash("sha256").update(imageBytes(image)).digest();
  const release = JSON.parse(readFileSync(RELEASE, "utf8"));
  writeIfChanged(
    `${base}/identity.inc`,
    [
      `    .name = "${image}",`,
      `    .signer = {${bytesInC(Buffer.from(release.signer, "hex"))}},`,
      `    .minimum_version = ${release.minimumVersion},`,
      `    .version = ${release.version},`,
      `    .hash = {${bytesInC(digest)}},`,
      `    .channel = ${slot === "agent" ? 2 : 3},`,
      "",
    ].join("\n"),
  );
}

function bytesInC(bytes) {
  return [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, "0")}`).join(", ");
}

/** Compiles a file unless that was done with the same bytes and flags; gives the object's path. */
function compile(about, folder, source, flags) {
  const object = join(folder, `${source.replaceAll("/", "_")}.o`);
  const words = [...about.flags, ...COMMON, ...flags, "-c", source];
  const preprocessed = run(about.compiler, [...about.flags, "-std=c11", ...flags, "-E", source]);
  const digest = createHash("sha256").update(words.join(" ")).update(preprocessed).digest("hex");
  make(object, digest, about.compiler, words);
  return object;
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

function writeIfChanged(path, text) {
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

function run(program, words) {
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

function toolOf(about, tool) {
  return about.isHosted ? tool : about.compiler.replace("gcc", tool);
}

function sizeLine(about, program) {
  const { flashBytes, ramBytes } = sizesOf(about, program);
  return `${basename(program)}: ${flashBytes} bytes of flash, ${ramBytes} bytes of RAM`;
}

/** True if the WebAssembly has a table section (number 4). */
function hasTable(bytes) {
  for (let at = 8; at < bytes.length; ) {
    const section = bytes[at];
    if (section === 4) return true;
    let size = 0;
    let shift = 0;
    do {
      at += 1;
      size += (bytes[at] & 0x7f) * 2 ** shift;
      shift += 7;
    } while (bytes[at] & 0x80);
    at += 1 + size;
  }
  return false;
}
