// SPDX-License-Identifier: Apache-2.0
// The mailboxes of an economy's banks, and each module's line to that of its own bank (protocol
// rule 4.5): payments in doubt end without anybody doing anything, whether or not the two meet
// again.
import { ask } from "../application/commandRunner.ts";
import { ExportKind, FieldReader, HostMessage } from "../application/hostPort.ts";
import { MailCarrier } from "../application/mailCarrier.ts";
import { MailClient } from "../network/bank/mailClient.ts";
import { type MailServer, serveMail } from "../network/bank/mailServer.ts";
import { sqlMailStore } from "../network/bank/sqlMailStore.ts";
import { moduleId } from "./banks.ts";
import type { Economy } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";
import { LOCAL_HOST } from "./partyDevice.ts";

/** The mailboxes, by the names of their banks. */
export interface Mailboxes {
  readonly byBank: ReadonlyMap<string, MailServer>;
  /** Carries the mail of a party's module from now on, by its bank's mailbox. */
  serve(party: CertifiedParty, bank: string): Promise<void>;
  close(): Promise<void>;
}

export async function openMailboxes(base: Foundations, economy: Economy): Promise<Mailboxes> {
  const store = sqlMailStore(base.database);
  const byBank = new Map<string, MailServer>();
  for (const { name: bank } of economy.banks) {
    const { nowSeconds } = base;
    const root = base.moduleRoot();
    byBank.set(bank, await serveMail({ bank, host: LOCAL_HOST, port: 0, store, root, nowSeconds }));
  }
  for (const [bank, server] of byBank) {
    const others = [...byBank].filter(([name]) => name !== bank);
    server.setOthers(others.map(([, { url }]) => url));
  }
  const carriers: { close(): void }[] = [];
  return {
    byBank,
    serve: async (party, bank) => {
      const server = byBank.get(bank);
      if (server === undefined || party.closures.length > 0) return;
      if (party.certified.module === undefined) return;
      const mailbox = new MailClient(server.url, () => carrier.arrived());
      const { device } = party;
      // The first certificate that a module exports is its own chain.
      const own = await ask(device, "module", HostMessage.EXPORT, ExportKind.CERTIFICATES, 0);
      const fields = new FieldReader(own, "the module's chain");
      fields.uint();
      fields.uintOrNull();
      const carrier = new MailCarrier({
        device,
        module: moduleId(party),
        chain: fields.bytes(),
        clock: base.settings.clock,
        mailbox,
      });
      carriers.push(carrier, mailbox);
      carrier.start();
    },
    close: async () => {
      for (const carrier of carriers) carrier.close();
      for (const server of byBank.values()) await server.close();
    },
  };
}
