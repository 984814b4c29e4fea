// SPDX-License-Identifier: Apache-2.0
// The list of firmware images: one page in assembly/images each. `primitives` is for tests only.

/** Images that ship, by the kind of module that runs them. */
export const RELEASE_IMAGES = [
  "customer-agent",
  "merchant-agent",
  "authority-agent",
  "transaction-module",
  "teller-module",
  "generator-module",
];

/** Images that never ship: cryptography exported for differential tests and counts. */
export const TEST_IMAGES = [
  "primitives",
  "echo",
  "storage",
  "session-probe-agent",
  "session-probe-module",
  "note-directory",
  "forking-module",
];

/**
 * Test images that are another image broken on purpose, with the transform that breaks it: they
 * show that what is wrong is seen.
 */
export const BROKEN_IMAGES = [
  {
    image: "hasty-module",
    of: "transaction-module",
    transform: "./scripts/acknowledgeFirst.mjs",
  },
];
