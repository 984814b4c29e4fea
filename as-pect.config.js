// SPDX-License-Identifier: Apache-2.0
// as-pect: runs the AssemblyScript specs of test/firmware, `npx asp --config as-pect.config.js`.
// Specs see a board on which nothing works: what they test must need none.

/** An import of the board contract that no spec may reach. */
function unavailable(name) {
  return () => {
    throw new Error(`A spec called the board import "${name}": test that through the simulator.`);
  };
}

const boardImports = [
  "send",
  "random",
  "clock",
  "flashRead",
  "flashWrite",
  "flashErase",
  "counterRead",
  "counterRaise",
  "deviceKey",
  "panic",
  "stepReached",
];

export default {
  entries: ["test/firmware/**/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    const board = Object.fromEntries(boardImports.map((name) => [name, unavailable(name)]));
    return instantiate(binary, createImports({ env: { memory }, board }));
  },
  outputBinary: false,
};
