// SPDX-License-Identifier: Apache-2.0
// The network server's WebSocket shell: sockets and the security server around networkServer.ts.
// Two kinds of connection, told apart by the path that was asked for (docs/link.md).
import { listenForPeers } from "../../device/communications.ts";
import type { PeerConnection } from "../../device/peer.ts";
import { Channel } from "../../link/protocol.ts";
import { encodeCbor } from "../../trust/cbor.ts";
import { type RandomSource, systemRandom } from "../../trust/random.ts";
import type { AccessAnswer, AccessRequest } from "../agency/networkAccess.ts";
import { parseNetworkPath, pathTo, signOnPath } from "./networkPaths.ts";
import {
  ACCESS_RANDOM_BYTES,
  handleNetworkEvent,
  type NetworkEffect,
  type NetworkEvent,
  startNetworkServer,
} from "./networkServer.ts";

/** Reason of docs/protocol.cddl section 9 where the security server cannot be asked. */
const CONNECTION_LOST = 49;

export interface NetworkServerOptions {
  /** Name of the network, 1 to 48 bytes of UTF-8. */
  readonly name: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The security server: signs and seals an access for a module, or says why not. */
  readonly grant: (request: AccessRequest) => AccessAnswer | Promise<AccessAnswer>;
  /** Connects to the device of a destination by its name; throws where there is none. */
  readonly reach: (destination: string) => Promise<PeerConnection>;
  readonly nowSeconds: () => number;
  readonly random?: RandomSource;
}

export interface NetworkServer {
  /** Where modules' hosts sign their module on (`signOnToNetwork`). */
  readonly signOnUrl: string;
  /** Where the host of the module with this id connects to in order to get to a destination. */
  urlTo(module: Uint8Array, destination: string): string;
  close(): Promise<void>;
}

/**
 * Serves a network.
 * @throws {Error} when the port cannot be had
 */
export async function serveNetwork(options: NetworkServerOptions): Promise<NetworkServer> {
  const { host, nowSeconds, random = systemRandom } = options;
  const state = startNetworkServer(options.name);
  const modules = new Map<number, PeerConnection>();
  const destinations = new Map<number, PeerConnection>();
  let count = 0;

  const handle = (event: NetworkEvent) => {
    for (const effect of handleNetworkEvent(state, event, nowSeconds())) carryOut(effect);
  };

  const grant = async ({ connection, ...request }: NetworkEffect & { type: "grant" }) => {
    const answer = await resultOf(() => options.grant(request));
    if (answer?.ok) handle({ type: "granted", connection, module: answer.module, box: answer.box });
    else handle({ type: "refused", connection, reason: answer?.reason ?? CONNECTION_LOST });
  };

  const reach = async (connection: number, destination: string) => {
    const peer = await resultOf(() => options.reach(destination));
    if (peer === undefined) {
      handle({ type: "unreachable", connection });
      return;
    }
    destinations.set(connection, peer);
    peer.onClose(() => handle({ type: "closed", connection }));
    handle({ type: "reached", connection });
    peer.onBody((channel, body) => {
      if (channel === Channel.MODULE) {
        handle({ type: "body", connection, from: "destination", body });
      }
    });
  };

  const carryOut = (effect: NetworkEffect) => {
    const { connection } = effect;
    switch (effect.type) {
      case "grant":
        void grant(effect);
        break;
      case "signed-on":
        modules.get(connection)?.send(Channel.MODULE, encodeCbor([1, effect.box]));
        break;
      case "sign-on-refused":
        modules.get(connection)?.send(Channel.MODULE, encodeCbor([0, effect.reason]));
        break;
      case "reach":
        void reach(connection, effect.destination);
        break;
      case "send":
        (effect.to === "module" ? modules : destinations)
          .get(connection)
          ?.send(Channel.MODULE, effect.body);
        break;
      case "close":
        modules.get(connection)?.close();
        destinations.get(connection)?.close();
        modules.delete(connection);
        destinations.delete(connection);
    }
  };

  const listener = await listenForPeers({ host, port: options.port }, (peer, path) => {
    const target = parseNetworkPath(path);
    if (target === undefined) {
      peer.close();
      return;
    }
    count += 1;
    const connection = count;
    modules.set(connection, peer);
    peer.onClose(() => {
      modules.delete(connection);
      handle({ type: "closed", connection });
    });
    if (target.type === "to") handle({ ...target, type: "connected", connection });
    peer.onBody((channel, body) => {
      if (channel !== Channel.MODULE) return;
      if (target.type === "to") handle({ type: "body", connection, from: "module", body });
      else
        handle({ type: "sign-on", connection, chain: body, random: random(ACCESS_RANDOM_BYTES) });
    });
  });
  const base = `ws://${host}:${listener.port}`;
  return {
    signOnUrl: `${base}${signOnPath()}`,
    urlTo: (module, destination) => `${base}${pathTo(module, destination)}`,
    close: async () => {
      for (const peer of destinations.values()) peer.close();
      await listener.close();
    },
  };
}

/** What was asked for, or undefined where it throws or rejects. */
async function resultOf<T>(ask: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
