// SPDX-License-Identifier: Apache-2.0
// Payments in doubt (protocol rules 4.3 and 4.5): a line or a host was lost between Ready-to-Commit
// and the acknowledgement. The hosts let the modules ask again, whoever the payer was; the answer
// proves itself, and a module that is asked about somebody else's payment says `not yours`.
import { HostMessage, hostBody, parseHostBody } from "../application/hostPort.ts";
import { PeerLines } from "../application/peerLines.ts";
import { moduleBalances } from "./banks.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";

/** Time for question and answer to travel. */
const ANSWER_MS = 150;

/** Lets each module that is in doubt ask every other device until it knows. */
export async function settleDoubts(
  base: Foundations,
  devices: readonly CertifiedParty[],
): Promise<void> {
  for (const party of devices) {
    if (!(await isInDoubt(party))) continue;
    base.settings.progress(`${party.name} asks again about a payment in doubt`);
    const lines = new PeerLines(party.device, base.settings.clock);
    for (const other of devices) {
      if (other === party || !(await isInDoubt(party))) continue;
      await lines.use(other.url, (connection) => askAll(party, connection));
    }
  }
}

async function isInDoubt(party: CertifiedParty): Promise<boolean> {
  return (await moduleBalances(party)).some(({ inDoubtMinor }) => inDoubtMinor > 0);
}

/** Each command asks about the next open payment; its answer tells how many there are. */
async function askAll(party: CertifiedParty, connection: number): Promise<void> {
  let open = 1;
  for (let asked = 0; asked < open; asked += 1) {
    const body = hostBody(HostMessage.RESUME);
    const answer = parseHostBody(await party.device.command("module", body, { connection }));
    open = Number(answer?.fields[0] ?? 0);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
  }
}
