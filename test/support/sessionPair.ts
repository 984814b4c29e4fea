// SPDX-License-Identifier: Apache-2.0
// Two certified probes that may have a session with one another, and the wire between them, on
// which a test does to each message what it likes.
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import type { Claims } from "../../host/trust/certificates.ts";
import { Role } from "../../host/trust/certificates.ts";
import { BareModule, bodiesTo, PEER, type Sent, toHost } from "../../host/torture/bareModule.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

/** What a probe's host hears; assembly/images/sessionProbe.ts. */
export const Event = { OPENED: 100, RECEIVED: 101, CLOSED: 102, STATEMENT: 107 } as const;

/** Passes a message on, drops it (null) or changes it. */
export type Wire = (body: Uint8Array, index: number, toB: boolean) => Uint8Array | null;

export const honestWire: Wire = (body) => body;

export interface PairOptions {
  isModules?: boolean;
  roleA?: Role;
  roleB?: Role;
  changeA?: Partial<Claims>;
  changeB?: Partial<Claims>;
  agencyB?: TestAgency;
}

export class SessionPair {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly agency = new TestAgency();
  readonly a: BareModule;
  readonly b: BareModule;
  /** What the hosts heard, A's and B's. */
  readonly heardA: unknown[][] = [];
  readonly heardB: unknown[][] = [];
  /** Every PEER body that was sent, in order. */
  readonly wireLog: Uint8Array[] = [];
  private count = 0;

  constructor(options: PairOptions = {}) {
    const isModules = options.isModules ?? false;
    const image = isModules ? "session-probe-module" : "session-probe-agent";
    this.a = new BareModule(image, this.clock, "a");
    this.b = new BareModule(image, this.clock, "bb");
    const roleA = options.roleA ?? (isModules ? Role.TRANSACTION : Role.CUSTOMER);
    const roleB = options.roleB ?? (isModules ? Role.TELLER : Role.MERCHANT);
    this.agency.certify(this.a, "party-A", roleA, options.changeA);
    (options.agencyB ?? this.agency).certify(this.b, "party-B", roleB, options.changeB);
  }

  /** A begins a session; its tag. The messages go on over `wire`. */
  start(wire: Wire = honestWire): Uint8Array {
    const sent = this.a.command(11, null);
    this.carry(sent, true, wire);
    return toHost(sent).find(([number]) => number === 11)![1] as Uint8Array;
  }

  /** Sends one message; it and what follows from it go on over `wire`. */
  say(fromA: boolean, tag: Uint8Array, type: number, text: string, awaits = false, wire?: Wire) {
    const module = fromA ? this.a : this.b;
    const content = new TextEncoder().encode(text);
    this.carry(module.command(12, tag, type, content, awaits), fromA, wire);
  }

  /** Carries what one side sent, and all that comes of it, until the wire is quiet. */
  carry(sent: Sent[], fromA: boolean, wire: Wire = honestWire): void {
    const queue = [{ sent, fromA }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      (next.fromA ? this.heardA : this.heardB).push(...toHost(next.sent));
      for (const body of bodiesTo(PEER, next.sent)) {
        this.wireLog.push(body);
        const passed = wire(body, this.count++, next.fromA);
        if (passed === null) continue;
        const receiver = next.fromA ? this.b : this.a;
        queue.push({ sent: receiver.deliver(PEER, passed), fromA: !next.fromA });
      }
    }
  }

  /** Lets virtual time pass, tick by tick, until `durationMs` are over. */
  pass(durationMs: number, wire: Wire = honestWire): void {
    const end = this.clock.nowMs() + durationMs;
    for (;;) {
      const due = [this.a.deadlineMs, this.b.deadlineMs].filter((at) => at !== null && at <= end);
      if (due.length === 0) break;
      this.clock.advance(Math.max(0, Math.min(...(due as number[])) - this.clock.nowMs()));
      this.carry(this.a.tick(), true, wire);
      this.carry(this.b.tick(), false, wire);
    }
    this.clock.advance(Math.max(0, end - this.clock.nowMs()));
  }

  /** The state that command 14 tells: state, exporter, peer, peer's time, ids, label; or null. */
  state(ofA: boolean, tag: Uint8Array): unknown[] | null {
    const answer = (ofA ? this.a : this.b).ask(14, tag);
    return answer[0] === 14 ? answer.slice(1) : null;
  }

  /** Copies the world; the returned function puts it back. */
  save(): () => void {
    const [a, b, clock] = [this.a.snapshot(), this.b.snapshot(), this.clock.snapshot()];
    return () => {
      this.clock.restore(clock);
      this.a.restore(a);
      this.b.restore(b);
      this.heardA.length = 0;
      this.heardB.length = 0;
      this.wireLog.length = 0;
      this.count = 0;
    };
  }
}

/** The events of one number among what a host heard. */
export function eventsOf(heard: unknown[][], number: number): unknown[][] {
  return heard.filter(([first]) => first === number);
}
