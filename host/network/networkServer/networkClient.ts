// SPDX-License-Identifier: Apache-2.0
// A module's host signs its module on to a network server, once after each start of the module
// (docs/protocol.cddl section 3): it carries the module's chain there and the sealed answer back.
import { ExportKind, HostMessage } from "../../application/hostPort.ts";
import { reasonSentence } from "../../application/reasons.ts";
import { connectPeer } from "../../device/communications.ts";
import { Channel } from "../../link/protocol.ts";
import { decodeCbor } from "../../trust/cbor.ts";
import { isWhole } from "../../trust/shapes.ts";
import { ask, type DevicePort } from "../agency/certification.ts";

/**
 * Signs the module of a device on: from now on its bare sessions begin by this network server, so
 * its host connects to `NetworkServer.urlTo` for them.
 * @throws {Error} with a sentence when the server cannot be reached or refuses
 * @throws {HostPortError} when the module refuses
 */
export async function signOnToNetwork(port: DevicePort, signOnUrl: string): Promise<void> {
  // The first certificate that a module exports is its own chain.
  const [, , chain] = await ask(port, "module", HostMessage.EXPORT, ExportKind.CERTIFICATES, 0);
  if (!(chain instanceof Uint8Array)) {
    throw new Error("The module has no certificate yet; certify it before it signs on.");
  }
  const box = await requestAccess(signOnUrl, chain);
  await ask(port, "module", HostMessage.NETWORK, box);
}

/** From now on the module's bare sessions begin straight again. */
export async function leaveNetwork(port: DevicePort): Promise<void> {
  await ask(port, "module", HostMessage.LEAVE_NETWORK);
}

/** Asks the network server for an access for the module of this chain: the box for the module. */
async function requestAccess(signOnUrl: string, chain: Uint8Array): Promise<Uint8Array> {
  const connection = await connectPeer(signOnUrl);
  try {
    const answer = await new Promise<Uint8Array>((resolve, reject) => {
      connection.onBody((_channel, body) => resolve(body));
      connection.onClose((why) =>
        reject(new Error(`The network server at ${signOnUrl} did not answer a sign-on: ${why}.`)),
      );
      connection.send(Channel.MODULE, chain);
    });
    const item = decodeCbor(answer);
    const [isGranted, content]: unknown[] = Array.isArray(item) ? item : [];
    if (isGranted === 1 && content instanceof Uint8Array) return content;
    const reason = isWhole(content) ? reasonSentence(content) : "it does not speak this protocol";
    throw new Error(`The network server at ${signOnUrl} lets the module not sign on: ${reason}.`);
  } finally {
    connection.close();
  }
}
