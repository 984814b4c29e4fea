// SPDX-License-Identifier: Apache-2.0
// What a batch of a money module's journal says of its payments, as events of the tables PAYER and
// PAYEE (assembly/money/paymentRecord.ts, tranLog.ts, commands.ts).
import { hex } from "./agentWorld.ts";
import type { Batch } from "./journalReader.ts";

/** Kinds of record in a money module's journal. */
const TIME_KIND = 3;
const PAYMENT_KIND = 12;
const LOG_KIND = 13;
const COMMAND_KIND = 14;

const ABORTED = 1;
const COMMITTED = 2;
const IN_DOUBT = 3;
const PAYER_ROLE = 1;
const FLAG_NOTED = 1;
const FLAG_DONE = 2;
const FLAG_CLAIMED = 4;
const FIXED_SIZE = 184;
const PAY_ID_SIZE = 16;

export type Role = "payer" | "payee";

/** One payment's record as it was last put. */
export interface Recorded {
  payId: string;
  role: Role;
  state: number;
  isNoted: boolean;
  isDone: boolean;
  isClaimed: boolean;
  /** It ended aborted, and keeps the payer's word for that. */
  hasAnswer: boolean;
  /** Seconds since 1970. */
  horizon: number;
}

/** The payment records of one module by journal key, and its floor of signed time in seconds. */
export interface PaymentRecords {
  byKey: ReadonlyMap<number, Recorded>;
  floor: number;
}

export const NO_RECORDS: PaymentRecords = { byKey: new Map(), floor: 0 };

/** An event of one payment. */
export interface PaymentEvent {
  payId: string;
  role: Role;
  event: string;
}

/** A change of a payment's state that no counter seals. */
export const UNSEALED = "Unsealed";

/** The records behind a batch, and what it did. */
export function paymentEvents(
  before: PaymentRecords,
  { records }: Batch,
  isSealed: boolean,
): [PaymentRecords, readonly PaymentEvent[]] {
  const isAbout = records.some(({ kind }) => kind === PAYMENT_KIND || kind === TIME_KIND);
  if (!isAbout) return [before, []];
  const byKey = new Map(before.byKey);
  let { floor } = before;
  const events: PaymentEvent[] = [];
  for (const { kind, key, value } of records) {
    if (kind === TIME_KIND && value !== null) floor = seconds(value, 0);
    if (kind !== PAYMENT_KIND) continue;
    const known = byKey.get(key);
    const say = ({ payId, role }: Recorded, ...names: string[]) => {
      for (const event of names) events.push({ payId, role, event });
    };
    if (value !== null) {
      const record = recordIn(value);
      say(record, ...changes(known?.payId === record.payId ? known : null, record, isSealed));
      byKey.set(key, record);
    } else if (known !== undefined) {
      if (known.state === IN_DOUBT) say(known, removal(known, records, isSealed));
      say(known, floor < known.horizon ? "forget" : "expire");
      byKey.delete(key);
    }
  }
  return [{ byKey, floor }, events];
}

/** What a record says that the one before it did not. */
function changes(before: Recorded | null, now: Recorded, isSealed: boolean): string[] {
  const names: string[] = [];
  const suffix = isSealed ? "" : UNSEALED;
  if (before?.state !== now.state) {
    if (now.state === IN_DOUBT) names.push(`prepare${suffix}`);
    else if (before === null) names.push(`commit${suffix}`);
    else names.push(`${ending(before, now.state === COMMITTED)}${suffix}`);
  }
  if (now.isClaimed && before?.isClaimed !== true) names.push(`claim${suffix}`);
  if (now.hasAnswer && before?.hasAnswer !== true) names.push("keep");
  // A payment of a command needs nobody to note it: its record says so from the beginning.
  const wasNoted = before?.isNoted === true && before.state === now.state;
  if (now.isNoted && !wasNoted && now.state !== IN_DOUBT) names.push("note");
  if (now.isDone && before?.isDone !== true) names.push("peerDone");
  return names;
}

/** What ends a doubt: the payer's word, or behind a claim the agency's. */
function ending({ isClaimed }: Recorded, isCommitted: boolean): string {
  if (isClaimed) return isCommitted ? "paid" : "refused";
  return isCommitted ? "take" : "drop";
}

/** How a payment in doubt ended whose record goes in the same batch. */
function removal(record: Recorded, records: Batch["records"], isSealed: boolean): string {
  const { payId } = record;
  const suffix = isSealed ? "" : UNSEALED;
  for (const { kind, value } of records) {
    if (value === null) continue;
    const isLog = kind === LOG_KIND && hex(value.subarray(24, 40)) === payId;
    if (isLog && value[0] === COMMITTED) return `${ending(record, true)}${suffix}`;
    const isCommand = kind === COMMAND_KIND && hex(value.subarray(16, 32)) === payId;
    if (isCommand && value[32] === ABORTED) return `${ending(record, false)}${suffix}`;
  }
  return "forgetInDoubt";
}

function recordIn(value: Uint8Array): Recorded {
  const flags = value[2]!;
  const parts = value[169]! * 32 + value[170]! * 12;
  return {
    payId: hex(value.subarray(32, 32 + PAY_ID_SIZE)),
    role: value[1] === PAYER_ROLE ? "payer" : "payee",
    state: value[0]!,
    isNoted: (flags & FLAG_NOTED) !== 0,
    isDone: (flags & FLAG_DONE) !== 0,
    isClaimed: (flags & FLAG_CLAIMED) !== 0,
    hasAnswer: value[0] === ABORTED && value.length > FIXED_SIZE + parts,
    horizon: seconds(value, 16),
  };
}

function seconds(value: Uint8Array, offset: number): number {
  return Number(new DataView(value.buffer, value.byteOffset).getBigUint64(offset, true));
}
