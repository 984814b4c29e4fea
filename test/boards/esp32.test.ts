// SPDX-License-Identifier: Apache-2.0
// The ESP32's files and the whole runtime with images compile for RISC-V, without a warning in what
// is hand-written, and take from outside only what ESP-IDF or the C library has.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { boardProgram } from "../../host/device/boardProgram.ts";

const COMPILER = "riscv64-unknown-elf-gcc";
/** Of the C library and the compiler's own. */
const LIBRARY = /^(__\w+|gettimeofday|longjmp|setjmp|mem(cmp|cpy|move|set)|str(len|cmp)|snprintf)$/;
const declared = readFileSync("boards/esp32/check/idf.h", "utf8");

/** What the object takes from outside and neither ESP-IDF nor the library has. */
function strange(object: string): string[] {
  const { stdout } = spawnSync("riscv64-unknown-elf-nm", ["-u", object], { encoding: "utf8" });
  const names = stdout.split("\n").flatMap((row) => row.trim().split(" ")[1] ?? []);
  expect(names).toContain("esp_partition_write");
  return names.filter((name) => !LIBRARY.test(name) && !declared.includes(`${name}(`));
}

test("an agent and a module compile into one object for the C3", async () => {
  const slots = { agent: "customer-agent", module: "transaction-module" };
  expect(strange(await boardProgram("esp32", slots))).toEqual([]);
});

test("the line over USB compiles too, and the driver that is declared is the one it takes", () => {
  const { flags } = JSON.parse(readFileSync("boards/esp32/board.json", "utf8"));
  const words = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-Iboards/runtime"];
  const source = "boards/esp32/main/line.c";
  const compile = [...flags, ...words, "-DCONFIG_FLORIN_LINE_USB=1", "-S", source, "-o", "-"];
  const { status, stdout, stderr } = spawnSync(COMPILER, compile, { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain("usb_serial_jtag_read_bytes");
  expect(stdout).not.toContain("uart_read_bytes");
});
