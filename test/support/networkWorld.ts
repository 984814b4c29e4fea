// SPDX-License-Identifier: Apache-2.0
// A customer's module, a teller's and a network server's event machine between them: the hosts
// carry bodies to the server and back, and a test may change or lose them on the way.
import { decodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import type { AgencyState } from "../../host/network/agency/agency.ts";
import { grantAccess } from "../../host/network/agency/networkAccess.ts";
import {
  handleNetworkEvent,
  type NetworkEffect,
  type NetworkEvent,
  startNetworkServer,
} from "../../host/network/networkServer/networkServer.ts";
import { BareModule, bodiesTo, PEER, type Sent, toHost } from "../../host/torture/bareModule.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";

const TELLER_NAME = "Bank of Tests";
const filled = (byte: number, length = 32) => new Uint8Array(length).fill(byte);

export class NetworkWorld {
  readonly clock = new VirtualClock(START_SECONDS * 1000);
  readonly agency = new TestAgency();
  readonly customer: BareModule;
  readonly teller: BareModule;
  readonly chain: Uint8Array;
  readonly server = startNetworkServer("Network of Tests");
  /** What the customer's host heard from its module. */
  readonly heard: unknown[][] = [];
  /** Bodies on their way from the customer to the server, as a test lets them pass. */
  toServer: (body: Uint8Array) => Uint8Array[] = (body) => [body];
  /** Every body that the server sent to the teller. */
  readonly reachedTeller: Uint8Array[] = [];
  /** Every body that the customer sent. */
  readonly left: Uint8Array[] = [];
  /** Whether the teller can be reached. */
  isReachable = true;
  private draws = 0;
  private commands = 0;

  constructor(seed = "network") {
    this.customer = new BareModule("transaction-module", this.clock, `${seed} customer`, true);
    this.teller = new BareModule("teller-module", this.clock, `${seed} teller`, true);
    this.chain = this.agency.certify(this.customer, "CUSTO-C", Role.TRANSACTION);
    this.agency.certify(this.teller, "TELLE-T", Role.TELLER);
  }

  /** The Certification Agency of this world as a security server keeps it. */
  get agencyState(): AgencyState {
    return {
      kind: "module",
      rootId: this.agency.moduleRoot.id,
      rootSeed: filled(2),
      serverSeed: this.agency.moduleServer.seed,
      serverCertificate: this.agency.moduleServer.certificate.bytes,
      issued: [],
      untrusted: [],
      listVersion: 1,
      listIssued: START_SECONDS,
    };
  }

  get nowSeconds(): number {
    return Math.floor(this.clock.epochMs() / 1000);
  }

  /** The server takes one event; what it wants of the security server is done at once. */
  handle(event: NetworkEvent): NetworkEffect[] {
    return handleNetworkEvent(this.server, event, this.nowSeconds).flatMap((effect) => {
      if (effect.type !== "grant") return [effect];
      const answer = grantAccess(this.agencyState, effect, this.nowSeconds, (length) =>
        filled(++this.draws, length),
      );
      const { connection } = effect;
      return this.handle(
        answer.ok
          ? { type: "granted", connection, module: answer.module, box: answer.box }
          : { type: "refused", connection, reason: answer.reason },
      );
    });
  }

  /** Asks the server for an access for a module of this chain: the box for it. */
  accessBox(chain = this.chain): Uint8Array {
    const random = new Uint8Array(48).map((_, index) => index + ++this.draws);
    const [effect] = this.handle({ type: "sign-on", connection: 900, chain, random });
    if (effect?.type !== "signed-on") throw new Error("The server lets the module not sign on.");
    return effect.box;
  }

  signOn(): void {
    this.customer.ask(10, this.accessBox());
  }

  /** The customer's host opens a connection to the teller by the server; `name` is its claim. */
  connect(destination = TELLER_NAME, module = "435553544f2d4300"): void {
    this.handle({ type: "connected", connection: 1, module, destination });
    this.carryOut(
      this.handle({ type: this.isReachable ? "reached" : "unreachable", connection: 1 }),
    );
  }

  /**
   * The customer asks the teller for money (81); what the customer's host hears comes to `heard`.
   */
  withdraw(amountMinor = 500): Uint8Array {
    const commandId = filled(0, 16);
    commandId[0] = ++this.commands;
    this.customerSent(this.customer.command(81, commandId, 1, amountMinor, "EUR", "12345678"));
    return commandId;
  }

  /** Lets time pass for both modules. */
  pass(milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 500) {
      this.clock.advance(500);
      this.customerSent(this.customer.tick());
      this.tellerSent(this.teller.tick());
    }
  }

  customerSent(sent: Sent[]): void {
    this.heard.push(...toHost(sent));
    for (const body of bodiesTo(PEER, sent)) {
      this.left.push(body);
      for (const passing of this.toServer(body)) this.deliver(passing);
    }
  }

  /** A body reaches the server from the customer's side. */
  deliver(body: Uint8Array): void {
    this.carryOut(this.handle({ type: "body", connection: 1, from: "module", body }));
  }

  carryOut(effects: NetworkEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      if (effect.to === "module") {
        this.customerSent(this.customer.deliver(PEER, effect.body));
      } else {
        this.reachedTeller.push(effect.body);
        this.tellerSent(this.teller.deliver(PEER, effect.body));
      }
    }
  }

  /** How the customer's last request ended: state and reason of its last 29. */
  get outcome(): unknown[] | undefined {
    return this.heard.findLast(([number]) => number === 29)?.slice(2, 4);
  }

  private tellerSent(sent: Sent[]): void {
    for (const [number, , payId] of toHost(sent)) {
      // The bank grants every hold; the teller's stock decides.
      if (number === 82) this.tellerSent(this.teller.command(83, payId, true));
    }
    for (const body of bodiesTo(PEER, sent)) {
      this.carryOut(this.handle({ type: "body", connection: 1, from: "destination", body }));
    }
  }
}

/** First element of a peer-body. */
export function kindOf(body: Uint8Array | undefined): unknown {
  return body === undefined ? undefined : (decodeCbor(body) as unknown[])[0];
}
