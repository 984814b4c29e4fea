// SPDX-License-Identifier: Apache-2.0
// A card issuer on TCP, a thin shell around issuer.ts: it loads the records, writes what was
// decided, and only then lets the answer go. One request at a time, so that no two see one balance.
import { ed25519 } from "@noble/curves/ed25519.js";
import { encodeMessage } from "./codec.ts";
import { type Counters, newCounters } from "./counters.ts";
import { decideLapse, decideRequest } from "./issuer.ts";
import type { IssuerStore } from "./issuerBooks.ts";
import type { IssuerConfig } from "./issuerMachine.ts";
import { type IssuerRequest, readRequest } from "./issuerRequest.ts";
import { answerTo, type IsoMessage } from "./messages.ts";
import { ResponseCode } from "./responseCodes.ts";
import { type DeviceRegister, readSaleEvidence, type SaleEvidence } from "./saleEvidence.ts";
import { type LinkServer, listenForLinks } from "./tcpServer.ts";
import { decideOverrule, type OverruleOutcome } from "./withheldSale.ts";

export interface IssuerHostOptions {
  readonly config: IssuerConfig;
  readonly store: IssuerStore;
  /** True for the cards of this issuer: other hosts may keep theirs in the same store. */
  readonly isOwnCard: (cardNumber: string) => boolean;
  readonly host: string;
  readonly port: number;
  /** Seconds since 1970. */
  readonly nowS: () => number;
}

/** A running card issuer. */
export class IssuerHost {
  readonly counters: Counters = newCounters();
  private readonly options: IssuerHostOptions;
  private server: LinkServer | undefined;
  private work: Promise<void> = Promise.resolve();

  private constructor(options: IssuerHostOptions) {
    this.options = options;
  }

  /** Starts to listen. @throws {Error} when the port is taken */
  static async start(options: IssuerHostOptions): Promise<IssuerHost> {
    const issuer = new IssuerHost(options);
    const { host, port, config } = options;
    issuer.server = await listenForLinks({
      host,
      port,
      links: config.links,
      onMessage: (link, bytes) => issuer.enqueue(() => issuer.serve(link, bytes)),
    });
    return issuer;
  }

  get port(): number {
    return this.server?.port ?? 0;
  }

  /** Releases the holds that nobody settled in time; to be called now and then. */
  releaseLapsed(): Promise<void> {
    return this.enqueue(async () => {
      const { store, nowS, isOwnCard } = this.options;
      for (const { cardNumber, mandateHash } of await store.lapsedHolds(nowS())) {
        if (!isOwnCard(cardNumber)) continue;
        const { account, transaction } = await store.load({ cardNumber, mandateHash });
        if (account && transaction) {
          await store.apply(decideLapse(account, transaction, nowS()));
        }
      }
    });
  }

  /** Posts a sale that its merchant withholds, by the customer's evidence; repeated, once. */
  overrule(evidence: SaleEvidence, devices: DeviceRegister): Promise<OverruleOutcome> {
    const { config, store, nowS } = this.options;
    const approvalKey = ed25519.getPublicKey(config.approvalSeed);
    const sale = readSaleEvidence(config.directory, approvalKey, devices, evidence);
    if (typeof sale === "string") return Promise.resolve({ type: "refused", reason: sale });
    return this.enqueue(async () => {
      const { writes, outcome } = decideOverrule(sale, await store.load(sale.question), nowS());
      if (writes.length > 0) await store.apply(writes);
      return outcome;
    });
  }

  /** Finishes what was begun, then closes. */
  async close(): Promise<void> {
    await this.server?.close();
    await this.work;
  }

  private enqueue<Result>(task: () => Promise<Result>): Promise<Result> {
    const done = this.work.then(task);
    this.work = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  private async serve(link: string, bytes: Uint8Array): Promise<void> {
    const { config, nowS } = this.options;
    const linkKey = config.links[link]!;
    const request = readRequest(config.directory, linkKey, bytes);
    if (typeof request === "string") {
      this.counters[request]++;
      return;
    }
    this.counters.accepted++;
    const answer = await this.decide(request, nowS()).catch(() =>
      // The store failed and nothing was written: unsigned, so that the acquirer asks again.
      answerTo(request.message, ResponseCode.systemMalfunction),
    );
    this.server?.send(link, encodeMessage(answer, linkKey));
  }

  private async decide(request: IssuerRequest, nowS: number): Promise<IsoMessage> {
    const { config, store } = this.options;
    const records = await store.load(request.question);
    const { writes, answer } = decideRequest(config, request, records, nowS);
    if (writes.length > 0) await store.apply(writes);
    return answer;
  }
}
