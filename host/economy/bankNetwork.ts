// SPDX-License-Identifier: Apache-2.0
// The way from devices to banks' modules: by a network server, at which each module signs on once
// after its start (Fig. 14, 1464-1478), or straight where the economy has none.
import type { TransactionDevice } from "../device/types.ts";
import { connectPeer } from "../device/communications.ts";
import type { AgencyState } from "../network/agency/agency.ts";
import { grantAccess } from "../network/agency/networkAccess.ts";
import { signOnToNetwork } from "../network/networkServer/networkClient.ts";
import { ACCESS_SECONDS } from "../network/networkServer/networkServer.ts";
import { type NetworkServer, serveNetwork } from "../network/networkServer/networkServerHost.ts";
import { systemRandom } from "../trust/random.ts";
import type { CertifiedParty } from "./foundations.ts";
import { LOCAL_HOST, type PartyDevice } from "./partyDevice.ts";

const NETWORK_NAME = "Florin Network";
/** An access is renewed so long before its end that a whole order fits. */
const RENEW_SECONDS = 600;

export interface BankNetworkOptions {
  /** The agency of modules, whose server is the security server here. */
  readonly agency: AgencyState;
  readonly nowSeconds: () => number;
  /** The device of that name; undefined where there is none. */
  readonly find: (name: string) => PartyDevice | undefined;
}

export class BankNetwork {
  private readonly server: NetworkServer | undefined;
  private readonly nowSeconds: () => number;
  /** When the access of each module that signed on ends. */
  private readonly accesses = new Map<TransactionDevice, number>();

  private constructor(server: NetworkServer | undefined, nowSeconds: () => number) {
    this.server = server;
    this.nowSeconds = nowSeconds;
  }

  /** Starts a network server. */
  static async serve({ agency, nowSeconds, find }: BankNetworkOptions): Promise<BankNetwork> {
    const server = await serveNetwork({
      name: NETWORK_NAME,
      host: LOCAL_HOST,
      port: 0,
      grant: (request) => grantAccess(agency, request, nowSeconds(), systemRandom),
      reach: async (destination) => {
        const party = find(destination);
        if (party === undefined) throw new Error(`there is no device ${destination}`);
        return connectPeer(party.url);
      },
      nowSeconds,
    });
    return new BankNetwork(server, nowSeconds);
  }

  /** No network server: every module goes straight to the bank's. */
  static straight(nowSeconds: () => number): BankNetwork {
    return new BankNetwork(undefined, nowSeconds);
  }

  /**
   * The URL that leads a device's module to another module; it signs on first where it must.
   * @throws {Error} when the network does not let it
   */
  async wayTo(party: CertifiedParty, destination: PartyDevice): Promise<string> {
    const module = party.certified.module?.subject;
    if (this.server === undefined || module === undefined) return destination.url;
    const { device } = party;
    const ends = this.accesses.get(device);
    if (ends === undefined) this.watch(device);
    if ((ends ?? 0) < this.nowSeconds() + RENEW_SECONDS) {
      await signOnToNetwork(device, this.server.signOnUrl);
      this.accesses.set(device, this.nowSeconds() + ACCESS_SECONDS);
    }
    return this.server.urlTo(module, destination.name);
  }

  async close(): Promise<void> {
    await this.server?.close();
  }

  /** A module that starts anew has forgotten its access. */
  private watch(device: TransactionDevice): void {
    device.onEvent((event) => {
      const isAnew =
        (event.type === "restarted" && event.target === "module") ||
        (event.type === "linkUp" && event.rebooted);
      if (isAnew) this.accesses.set(device, 0);
    });
  }
}
