// SPDX-License-Identifier: Apache-2.0
// The switch on TCP, a thin shell around switch.ts: it listens for acquirers and calls issuers.
import { publishedRate, type RateFraction, type RateTable } from "../rates.ts";
import type { SendEffect } from "./issuerMachine.ts";
import { newSwitchState, type SwitchConfig, type SwitchEvent, stepSwitch } from "./switch.ts";
import { LinkClient } from "./tcpClient.ts";
import { type LinkServer, listenForLinks } from "./tcpServer.ts";

export interface SwitchHostOptions {
  readonly config: SwitchConfig;
  readonly host: string;
  readonly port: number;
  /** Where each issuer link of the configuration is reached. */
  readonly issuerAddresses: Readonly<Record<string, { host: string; port: number }>>;
  /** Exchange rates that the network publishes for offers that follow them (par. 77). */
  readonly rates?: RateTable;
}

/** A running switch. */
export class SwitchHost {
  readonly state = newSwitchState();
  private readonly config: SwitchConfig;
  private readonly rates: RateTable;
  private readonly issuers = new Map<string, LinkClient>();
  private server: LinkServer | undefined;

  private constructor(config: SwitchConfig, rates: RateTable) {
    this.config = config;
    this.rates = rates;
  }

  /** Starts to listen and to call. @throws {Error} when the port is taken */
  static async start(options: SwitchHostOptions): Promise<SwitchHost> {
    const { config, host, port } = options;
    const running = new SwitchHost(config, options.rates ?? {});
    const links = Object.fromEntries(
      Object.entries(config.acquirers).map(([name, { linkKey }]) => [name, linkKey]),
    );
    running.server = await listenForLinks({
      host,
      port,
      links,
      onMessage: (link, bytes) => running.step({ kind: "received", link, bytes }),
    });
    for (const [link, address] of Object.entries(options.issuerAddresses)) {
      const client = new LinkClient({
        ...address,
        onMessage: (bytes) => running.step({ kind: "received", link, bytes }),
        onConnected: () => running.step({ kind: "connected", link }),
        onDisconnected: () => running.step({ kind: "disconnected", link }),
      });
      running.issuers.set(link, client);
    }
    return running;
  }

  get port(): number {
    return this.server?.port ?? 0;
  }

  /** What was dropped before it was known which acquirer sent it. */
  get listenerCounters(): LinkServer["counters"] {
    return this.server?.counters ?? { strangers: 0, broken: 0 };
  }

  /** The network's rate of a money unit in an account unit; undefined where it publishes none. */
  publishedRate(moneyUnit: string, accountUnit: string): RateFraction | undefined {
    return publishedRate(this.rates, moneyUnit, accountUnit);
  }

  async close(): Promise<void> {
    for (const client of this.issuers.values()) client.close();
    await this.server?.close();
  }

  private step(event: SwitchEvent): void {
    for (const effect of stepSwitch(this.config, this.state, event)) this.carryOut(effect);
  }

  private carryOut({ link, bytes }: SendEffect): void {
    const issuer = this.issuers.get(link);
    if (issuer === undefined) this.server?.send(link, bytes);
    else issuer.send(bytes);
  }
}
