// SPDX-License-Identifier: Apache-2.0
// Statements about payments in doubt as a file (protocol rule 4.5): what a module asks is written
// out, what another module wrote is handed over, and what it says to that is given back.
import { peerPair } from "../device/peer.ts";
import type { ConnectionId, TransactionDevice } from "../device/types.ts";
import { Channel } from "../link/protocol.ts";
import { HostMessage, hostBody, parseHostBody } from "./hostPort.ts";
import { statementBody, statementOf } from "./mailCarrier.ts";

/** Until a module has said all that it says to a statement. */
const ANSWER_MS = 300;

type StatementDevice = Pick<TransactionDevice, "accept" | "command">;

/** What the module asks about each of its open payments. */
export function askedStatements(device: StatementDevice): Promise<Uint8Array[]> {
  return withModule(device, async (_say, connection) => {
    let open = 1;
    for (let asked = 0; asked < open; asked += 1) {
      const body = hostBody(HostMessage.RESUME);
      const answer = parseHostBody(await device.command("module", body, { connection }));
      open = answer?.number === HostMessage.RESUME ? Number(answer.fields[0]) : 0;
    }
  });
}

/** Hands statements to the module; gives what it says to them. */
export function answeredStatements(
  device: StatementDevice,
  statements: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  return withModule(device, async (say) => {
    for (const statement of statements) {
      say(statement);
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    }
  });
}

async function withModule(
  device: StatementDevice,
  work: (say: (statement: Uint8Array) => void, connection: ConnectionId) => Promise<void>,
): Promise<Uint8Array[]> {
  const [inner, outer] = peerPair("the owner's host", "a file");
  const said: Uint8Array[] = [];
  const connection = device.accept(inner);
  outer.onBody((_channel, body) => {
    const statement = statementOf(body);
    if (statement !== undefined) said.push(statement);
  });
  try {
    await work((statement) => outer.send(Channel.MODULE, statementBody(statement)), connection);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    return said;
  } finally {
    outer.close();
  }
}
