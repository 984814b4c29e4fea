// SPDX-License-Identifier: Apache-2.0
// Builds the program of a board: the images through wasm2c, the runtime and the board's own C,
// linked to one ELF file. Needs the Debian packages that the board's board.json names.
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
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compile, folderOf, link, sizeLine, sizesOf } from "./boardCompiler.mjs";
import {
  bytesInC,
  imageBytes,
  installedImages,
  RUNTIME,
  translate,
  writeIdentity,
  writeIfChanged,
  writeSources,
} from "./boardImages.mjs";

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
    ...boardSources(about, board),
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

/** Shared files find the board's registers and line by its folder. */
function boardFlags(board) {
  return [`-I${RUNTIME}`, `-Iboards/${board}`, `-DBOARD_NAME="${board}"`];
}

function filesOf(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => `${folder}/${name}`);
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
