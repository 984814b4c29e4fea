// SPDX-License-Identifier: Apache-2.0
// The option that names a running economy, the same in every command that asks one.
import { Option } from "commander";

const DEFAULT_DIRECTORY = "./florin-economy";

/** `--dir`, with its default. */
export function directoryOption(): Option {
  return new Option("--dir <dir>", "directory of the economy").default(DEFAULT_DIRECTORY);
}
