// SPDX-License-Identifier: Apache-2.0
// Files of the project beside the code: examples, firmware images. Found from wherever the code
// runs, as sources (tests) or built (dist).
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

let root: string | undefined;

/** Absolute path of a file named from the project's root, such as "examples/economy.json". */
export function projectFile(path: string): string {
  if (root === undefined) {
    root = dirname(fileURLToPath(import.meta.url));
    // The root is the folder with package.json; the top of the file system ends the search.
    while (!existsSync(join(root, "package.json")) && dirname(root) !== root) root = dirname(root);
  }
  return join(root, path);
}
