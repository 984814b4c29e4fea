// SPDX-License-Identifier: Apache-2.0
// Test-only image: the sessions of a trusted agent, driven by the host.
import { makeProbe } from "./sessionProbe";

export { inbox, inboxSize } from "./sessionProbe";

const dispatcher = makeProbe(true);

export function boot(): i32 {
  return dispatcher.boot();
}

export function receive(length: i32): i32 {
  return dispatcher.receive(length);
}

export function tick(): i32 {
  return dispatcher.tick();
}
