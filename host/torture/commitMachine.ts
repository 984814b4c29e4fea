// SPDX-License-Identifier: Apache-2.0
// Holds what the modules of a world did with journals, counters and messages against the tables of
// commitTable.ts: the state machine that docs/model checks. What they do not allow is a complaint.
import type { BoardEvent, WatchedModule } from "./boardEvents.ts";
import { JOURNAL, PAYEE, PAYER, type Table } from "./commitTable.ts";
import {
  type Batch,
  type JournalEvent,
  type JournalReading,
  NOTHING_READ,
  readJournal,
} from "./journalReader.ts";
import {
  type KnownNames,
  learnFromBatch,
  learnFromReceived,
  learnFromSent,
  type NamedMessage,
  nameMessage,
  NO_NAMES,
} from "./messageNames.ts";
import { NO_RECORDS, paymentEvents, type PaymentRecords, type Role } from "./paymentEvents.ts";

const TABLES: Readonly<Record<Role, Table>> = { payer: PAYER, payee: PAYEE };

/** Where one module stands with one payment; the role is open until something tells it. */
interface Standing {
  role: Role | null;
  state: string;
}

interface ModuleState {
  journal: string;
  reading: JournalReading;
  records: PaymentRecords;
  /** By pay id. */
  payments: ReadonlyMap<string, Standing>;
}

/** All that the machine knows; values in it are replaced, never changed. */
export interface CommitState {
  modules: readonly ModuleState[];
  names: KnownNames;
}

const AT_FIRST: ModuleState = {
  journal: "off",
  reading: NOTHING_READ,
  records: NO_RECORDS,
  payments: new Map(),
};

/** Messages that a payer or a payee alone sends. */
const ROLE_OF: Readonly<Record<string, Role>> = {
  acknowledge: "payer",
  answerAborted: "payer",
  ready: "payee",
  sayDone: "payee",
};

export class CommitMachine {
  private readonly modules: readonly WatchedModule[];
  private readonly keys: readonly Uint8Array[];
  private states: ModuleState[];
  private names: KnownNames = NO_NAMES;
  private complaints: string[] = [];
  /** Rows of the tables that were used, as "payer committed acknowledge"; "party" for either. */
  readonly seen = new Set<string>();

  /** `keys`: of the modules' journals. */
  constructor(modules: readonly WatchedModule[], keys: readonly Uint8Array[]) {
    this.modules = modules;
    this.keys = keys;
    this.states = modules.map(() => AT_FIRST);
  }

  snapshot(): CommitState {
    return { modules: [...this.states], names: this.names };
  }

  restore(state: CommitState): void {
    this.states = [...state.modules];
    this.names = state.names;
    this.complaints = [];
  }

  /** What was done since the last call that the tables do not allow. */
  takeComplaints(): string[] {
    const { complaints } = this;
    this.complaints = [];
    return complaints;
  }

  take(module: number, event: BoardEvent): void {
    if (event.kind === "sent") this.sent(module, event.port, event.body);
    else if (event.kind === "received") {
      if (!this.isMoney(module)) return;
      this.names = learnFromReceived(this.names, module, event.port, event.body);
    } else this.stored(module, event);
  }

  private stored(module: number, event: BoardEvent): void {
    // An image that failed is started anew without a loss of power.
    if (event.kind === "start" && this.state(module).journal !== "off") this.journal(module, "cut");
    const { reading } = this.state(module);
    const [after, events] = readJournal(reading, this.keys[module]!, event);
    this.update(module, { reading: after });
    for (const one of events) this.journalled(module, one);
  }

  private journalled(module: number, { event, batch, isSealed }: JournalEvent): void {
    if (event === "cut" && this.state(module).journal === "off") return;
    this.journal(module, event);
    if (this.isMoney(module) && batch !== null) this.durable(module, batch, isSealed);
    // A raise that was cut may have been done: then the counter at the start is the last number.
    if (event === "raise" || event === "startEven") this.raised(module);
  }

  private durable(module: number, batch: Batch, isSealed: boolean): void {
    this.names = learnFromBatch(this.names, module, batch);
    const [records, events] = paymentEvents(this.state(module).records, batch, isSealed);
    this.update(module, { records });
    for (const { payId, role, event } of events) this.payment(module, payId, role, event);
  }

  private raised(module: number): void {
    for (const [payId, { role, state }] of this.state(module).payments) {
      if (role !== null && TABLES[role][state]?.raise !== undefined) {
        this.payment(module, payId, role, "raise");
      }
    }
  }

  private sent(module: number, port: number, body: Uint8Array): void {
    this.journal(module, "send");
    if (!this.isMoney(module)) return;
    this.names = learnFromSent(this.names, module, port, body);
    const message = nameMessage(this.names, module, port, body);
    if (message !== null) this.said(module, message);
  }

  private said(module: number, { event, payId, isExact }: NamedMessage): void {
    const { payments } = this.state(module);
    const role = ROLE_OF[event] ?? null;
    const allows = (standing: Standing) => nextOf(standing, event, role) !== undefined;
    const meant = payId === null ? undefined : payments.get(payId);
    if (!isExact && !(meant !== undefined && allows(meant))) {
      // In a session the peer may be told about an older payment, whose id is sealed.
      for (const [other, standing] of payments) {
        if (!allows(standing)) continue;
        this.payment(module, other, standing.role, event);
        return;
      }
    }
    if (payId !== null) this.payment(module, payId, role, event);
    else this.complain(module, `sends ${event} about no payment that it may be about`);
  }

  private payment(module: number, payId: string, role: Role | null, event: string): void {
    const { payments } = this.state(module);
    const before = payments.get(payId) ?? { role: null, state: "idle" };
    const known = before.role ?? role;
    const next = nextOf(before, event, role);
    if (next === undefined || (role !== null && known !== role)) {
      const where = `${known ?? "party"} of ${payId.slice(0, 8)}, which is ${before.state}`;
      this.complain(module, `as ${where}, does ${event}`);
      return;
    }
    this.seen.add(`${known ?? "party"} ${before.state} ${event}`);
    if (next === before.state && known === before.role) return;
    const after = new Map(payments).set(payId, { role: known, state: next });
    this.update(module, { payments: after });
  }

  private journal(module: number, event: string): void {
    const { journal } = this.state(module);
    const next = JOURNAL[journal]?.[event];
    if (next === undefined) {
      this.complain(module, `has its journal ${journal} and does ${event}`);
      return;
    }
    this.seen.add(`journal ${journal} ${event}`);
    if (next !== journal) this.update(module, { journal: next });
  }

  private complain(module: number, what: string): void {
    this.complaints.push(`the model does not allow that ${this.modules[module]!.name} ${what}`);
  }

  private state(module: number): ModuleState {
    return this.states[module]!;
  }

  private update(module: number, change: Partial<ModuleState>): void {
    this.states[module] = { ...this.states[module]!, ...change };
  }

  private isMoney(module: number): boolean {
    return this.modules[module]!.image.endsWith("-module");
  }
}

/** The state behind an event; undefined where the table has none. */
function nextOf(standing: Standing, event: string, role: Role | null): string | undefined {
  const known = standing.role ?? role;
  // Both tables begin alike, so a word to the own side needs no role.
  return TABLES[known ?? "payer"][standing.state]?.[event];
}
