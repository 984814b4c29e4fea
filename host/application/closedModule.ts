// SPDX-License-Identifier: Apache-2.0
// Agents and modules that do not open (protocol section 7): what they say of the reason, in one
// sentence for people, and what is to be done. Such a half signs nothing, but reads out what it
// has.
import type { Target, TransactionDevice } from "../device/types.ts";
import { HostMessage, hostBody, parseHostBody } from "./hostPort.ts";

/** Reasons of docs/protocol.cddl section 9. */
const FLASH_DAMAGED = 50;
const FLASH_ROLLED_BACK = 51;

/** Why a half does not open, as it tells itself (docs/protocol.cddl section 8, `failed`). */
export interface Closure {
  readonly half: Target;
  readonly reason: "damaged" | "rolled back";
  /** What is damaged; null where nothing is. */
  readonly damage: string | null;
  /** Page of the flash in which the readable part of the journal ends. */
  readonly page: number;
  /** Number of the last record that can be read; 0 for none. */
  readonly lastRecord: number;
  /** Value of the counter that the flash belongs to. */
  readonly sealed: number;
  /** Value that the counter has; null where the board has none or it does not work. */
  readonly counter: number | null;
}

const DAMAGES: readonly string[] = [
  "nothing",
  "no page has a journal's header",
  "the page where the journal begins is missing",
  "a record is unreadable that later ones follow",
  "the flash or the counter does not work",
];

/** What a half tells where it does not open; null where it does. Rejects with CommandError. */
export async function closureOf(
  device: Pick<TransactionDevice, "command">,
  half: Target,
): Promise<Closure | null> {
  const answer = parseHostBody(await device.command(half, hostBody(HostMessage.IDENTIFY)));
  if (answer?.number !== HostMessage.FAILED) return null;
  const [, reason, damage, page, lastRecord, sealed, counter] = answer.fields;
  if (reason !== FLASH_DAMAGED && reason !== FLASH_ROLLED_BACK) return null;
  return {
    half,
    reason: reason === FLASH_DAMAGED ? "damaged" : "rolled back",
    damage: damage === 0 ? null : (DAMAGES[Number(damage)] ?? `damage ${Number(damage)}`),
    page: Number(page ?? 0),
    lastRecord: Number(lastRecord ?? 0),
    sealed: Number(sealed ?? 0),
    counter: typeof counter === "number" ? counter : null,
  };
}

/** One sentence, without a final stop: what it is, and what to do. */
export function closureSentence(owner: string, closure: Closure): string {
  const { half, reason, damage, page, lastRecord, sealed, counter } = closure;
  const what = `the ${half === "agent" ? "trusted agent" : "money module"} of ${owner} does not open`;
  const still = "what it can still prove is read out by export";
  if (reason === "rolled back") {
    const values = `it belongs to counter ${sealed}, the counter is ${counter ?? "unknown"}`;
    return `${what}: its flash is an older copy (${values}); put the newest copy back; ${still}`;
  }
  const where = `readable up to record ${lastRecord} in page ${page}`;
  return `${what}: its flash is damaged, ${damage ?? "nobody knows how"} (${where}); ${still}`;
}
