// SPDX-License-Identifier: Apache-2.0
// Behind each point every device is switched off and on: each half must open its journal, whatever
// was cut, torn or repeated in it, and have what it had (docs/protocol.md rule 7).
import type { Device, Half } from "./agentWorld.ts";
import { hex } from "./agentWorld.ts";
import type { Scenario } from "./scenarios.ts";
import { halvesOf } from "./wires.ts";

/** What a half says at its start is carried by then. */
const BOOT_MS = 1_000;
const IDENTIFY = [1];
/** What a half must have again: an agent its first ticket, a module its funds. */
const HOLDINGS: Readonly<Record<Half, readonly unknown[]>> = { agent: [8, 1, 0], module: [80] };

/** Boots these devices, which are at rest; what is wrong then, in words. */
export function reopen(scenario: Scenario, devices: readonly Device[]): string[] {
  const { world } = scenario;
  const before = devices.map((device) => holdingsOf(scenario, device));
  for (const device of devices) world.losePower(device, 0);
  world.pass(BOOT_MS);
  const complaints: string[] = [];
  for (const [index, device] of devices.entries()) {
    for (const half of halvesOf(device)) {
      if (answerOf(scenario, device, half, IDENTIFY) === null) {
        complaints.push(`the ${half} of ${device.name} does not open its journal again`);
      }
    }
    const after = holdingsOf(scenario, device);
    if (after !== before[index]) {
      complaints.push(`${device.name} has ${after} behind a boot, not ${before[index]}`);
    }
  }
  return complaints;
}

function holdingsOf(scenario: Scenario, device: Device): string {
  // What its bank is told of at last leaves a generator: it was redeemed already.
  if (device === scenario.world.generator) return "";
  return halvesOf(device)
    .map((half) => `${half} ${answerOf(scenario, device, half, HOLDINGS[half]) ?? "nothing"}`)
    .join(", ");
}

/** What a half answers, as text; null for a refusal or no answer. */
function answerOf(
  { world }: Scenario,
  device: Device,
  half: Half,
  command: readonly unknown[],
): string | null {
  const heard = world.ask(device, half, [...command]);
  const answer = heard.find(([number]) => number === command[0]);
  if (answer === undefined) return null;
  return JSON.stringify(answer, (_, item) => (item instanceof Uint8Array ? hex(item) : item));
}
