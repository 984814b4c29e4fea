// SPDX-License-Identifier: Apache-2.0
// Test-only image: the sessions of a money module, driven by the host.
import { makeProbe } from "./sessionProbe";

export { inbox, inboxSize } from "./sessionProbe";

const dispatcher = makeProbe(false);

export function boot(): i32 {
  return dispatcher.boot();
}

export function receive(length: i32): i32 {
  return dispatcher.receive(length);
}

export function tick(): i32 {
  return dispatcher.tick();
}
