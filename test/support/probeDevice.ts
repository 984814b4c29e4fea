// SPDX-License-Identifier: Apache-2.0
// Transaction devices made of the session probes: an agent and a money module each (Fig. 3), and
// two devices that face one another. The test is the host: it carries ports OWN and PEER.
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { type Claims, Role } from "../../host/trust/certificates.ts";
import { BareModule, OWN, PEER, type Sent, toHost } from "../../host/torture/bareModule.ts";
import { id, START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

/** What a probe's host hears of the local channel; assembly/images/sessionProbe.ts. */
export const LocalEvent = { READY: 103, LOCAL: 104, PAYMENT: 105 } as const;

/** Passes a message on, drops it (null) or changes it. */
export type LocalWire = (body: Uint8Array, toModule: boolean) => Uint8Array | null;

export class ProbeDevice {
  readonly agent: BareModule;
  readonly module: BareModule;
  readonly heardByAgent: unknown[][] = [];
  readonly heardByModule: unknown[][] = [];
  /** Every OWN body, with its direction. */
  readonly ownLog: { body: Uint8Array; toModule: boolean }[] = [];
  wire: LocalWire = (body) => body;
  /** Where the agent's PEER bodies go. */
  toPeer: (body: Uint8Array) => void = () => {};

  constructor(
    agency: TestAgency,
    clock: VirtualClock,
    name: string,
    roles: [Role, Role] = [Role.CUSTOMER, Role.TRANSACTION],
    moduleChange: Partial<Claims> = {},
    isTraced = false,
  ) {
    this.agent = new BareModule("session-probe-agent", clock, `agent ${name}`, isTraced);
    this.module = new BareModule("session-probe-module", clock, `the module ${name}`, isTraced);
    const device = id(`device-${name}`);
    agency.certify(this.agent, `agent-${name}`, roles[0], { device });
    agency.certify(this.module, `modul-${name}`, roles[1], { device, ...moduleChange });
  }

  /** Command 5; the agent's host hears [ 5 ] or that it failed. */
  pair(): void {
    this.carry(this.agent.command(5), true);
  }

  commandAgent(...items: unknown[]): void {
    this.carry(this.agent.command(...items), true);
  }

  commandModule(...items: unknown[]): void {
    this.carry(this.module.command(...items), false);
  }

  /** Hands a PEER body to the agent. */
  receivePeer(body: Uint8Array): void {
    this.carry(this.agent.deliver(PEER, body), true);
  }

  rebootAgent(): void {
    this.carry(this.agent.reboot(), true);
  }

  rebootModule(): void {
    this.carry(this.module.reboot(), false);
  }

  /** Carries what one half sent and all that comes of it. */
  carry(sent: Sent[], fromAgent: boolean): void {
    (fromAgent ? this.heardByAgent : this.heardByModule).push(...toHost(sent));
    for (const { port, body } of sent) {
      if (port === PEER && fromAgent) this.toPeer(body);
      if (port !== OWN) continue;
      this.ownLog.push({ body, toModule: fromAgent });
      const passed = this.wire(body, fromAgent);
      if (passed === null) continue;
      const receiver = fromAgent ? this.module : this.agent;
      this.carry(receiver.deliver(OWN, passed), !fromAgent);
    }
  }
}

/** Two devices whose agents reach one another; bodies wait in a queue until `settle`. */
export class ProbeWorld {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly agency = new TestAgency();
  readonly a: ProbeDevice;
  readonly b: ProbeDevice;
  readonly peerLog: Uint8Array[] = [];
  private queue: { body: Uint8Array; to: ProbeDevice }[] = [];

  constructor(isTraced = false) {
    this.a = new ProbeDevice(this.agency, this.clock, "A", undefined, undefined, isTraced);
    const merchant: [Role, Role] = [Role.MERCHANT, Role.TRANSACTION];
    this.b = new ProbeDevice(this.agency, this.clock, "B", merchant, undefined, isTraced);
    this.a.toPeer = (body) => this.queue.push({ body, to: this.b });
    this.b.toPeer = (body) => this.queue.push({ body, to: this.a });
  }

  /** Carries everything between the agents until nothing moves. */
  settle(): void {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      this.peerLog.push(next.body);
      next.to.receivePeer(next.body);
    }
  }
}
