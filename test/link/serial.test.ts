// SPDX-License-Identifier: Apache-2.0
// The serial transport where there is no port; with one it is tested by the boards' own tests.
import { expect, test } from "vitest";
import { openSerialTransport } from "../../host/link/serialTransport.ts";

test("a port that is not there is refused with its name", async () => {
  const path = "/dev/florin-no-such-port";
  await expect(openSerialTransport(path)).rejects.toThrow(`Cannot open the serial port ${path}`);
});
