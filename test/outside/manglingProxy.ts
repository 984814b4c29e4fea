// SPDX-License-Identifier: Apache-2.0
// A TCP proxy that mangles what passes it, in both directions, by a seed: pieces are dropped,
// delayed, repeated, cut short or changed, and connections are cut. A piece is what the system
// hands over at once, most often one whole message of a WebSocket or of the card network.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Random } from "../../host/torture/random.ts";
import { FaultDealer } from "../support/faultDealer.ts";

export const DEEDS = ["drop", "delay", "repeat", "truncate", "flip", "cut"] as const;
export type Deed = (typeof DEEDS)[number];

const LONGEST_DELAY_MS = 3_000;

export interface ManglingProxy {
  readonly port: number;
  /** One of each so many pieces is mangled; 0 for none: then everything passes as it is. */
  oneIn: number;
  readonly counts: Record<Deed | "pieces" | "connections", number>;
  close(): Promise<void>;
}

export async function openManglingProxy(seed: number): Promise<ManglingProxy> {
  const random = new Random(seed);
  const dealer = new FaultDealer(random, DEEDS);
  const counts = Object.fromEntries(
    [...DEEDS, "pieces", "connections"].map((name) => [name, 0]),
  ) as ManglingProxy["counts"];
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket, piece: Buffer): void => {
    counts.pieces += 1;
    const write = (bytes: Buffer) => {
      if (!to.destroyed) to.write(bytes);
    };
    const deed = proxy.oneIn === 0 ? null : dealer.deal(proxy.oneIn);
    if (deed === null) {
      write(piece);
      return;
    }
    counts[deed] += 1;
    switch (deed) {
      case "drop":
        break;
      case "delay":
        // What comes behind it must wait, or the order would change within a stream.
        from.pause();
        setTimeout(() => {
          write(piece);
          from.resume();
        }, random.below(LONGEST_DELAY_MS));
        break;
      case "repeat":
        write(piece);
        write(piece);
        break;
      case "truncate":
        write(piece.subarray(0, random.below(piece.length)));
        break;
      case "flip":
        piece[random.below(piece.length)]! ^= 1 << random.below(8);
        write(piece);
        break;
      case "cut":
        from.destroy();
        to.destroy();
    }
  };

  const server = createServer((client) => {
    let target: Socket | undefined;
    let head = Buffer.alloc(0);
    sockets.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => {
      sockets.delete(client);
      target?.destroy();
    });
    client.on("data", (piece: Buffer) => {
      if (target !== undefined) {
        pass(client, target, piece);
        return;
      }
      head = Buffer.concat([head, piece]);
      const end = head.indexOf("\n");
      if (end < 0) return;
      counts.connections += 1;
      const opened = connect(Number(head.subarray(0, end).toString("ascii")), "127.0.0.1");
      target = opened;
      sockets.add(opened);
      opened.on("data", (answer: Buffer) => pass(opened, client, answer));
      opened.on("error", () => opened.destroy());
      opened.on("close", () => {
        sockets.delete(opened);
        client.destroy();
      });
      const rest = head.subarray(end + 1);
      if (rest.length > 0) opened.write(rest);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: ManglingProxy = {
    port: (server.address() as AddressInfo).port,
    oneIn: 0,
    counts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
