// SPDX-License-Identifier: Apache-2.0
// A TCP proxy that mangles what passes it, in both directions, by a seed: pieces are dropped,
// delayed, repeated, cut short or changed, and connections are cut. A piece is what the system
// hands over at once, most often one whole message of a WebSocket or of the card network. How many
// pieces a run has is chance, so the deeds are dealt like cards: none comes again before all came.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { numbers } from "./town.ts";

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
  const next = numbers(seed);
  const counts = Object.fromEntries(
    [...DEEDS, "pieces", "connections"].map((name) => [name, 0]),
  ) as ManglingProxy["counts"];
  const sockets = new Set<Socket>();
  let undealt: Deed[] = [];
  const deal = (): Deed => {
    if (undealt.length === 0) undealt = [...DEEDS];
    return undealt.splice(next(undealt.length), 1)[0]!;
  };
  let piecesToPass = 0;
  let piecesToWindowEnd = 0;
  const isChosen = (): boolean => {
    if (proxy.oneIn === 0) return false;
    if (piecesToWindowEnd === 0) {
      piecesToWindowEnd = proxy.oneIn;
      piecesToPass = next(proxy.oneIn);
    }
    piecesToWindowEnd -= 1;
    piecesToPass -= 1;
    return piecesToPass === -1;
  };

  const pass = (from: Socket, to: Socket, piece: Buffer): void => {
    counts.pieces += 1;
    const write = (bytes: Buffer) => {
      if (!to.destroyed) to.write(bytes);
    };
    if (!isChosen()) {
      write(piece);
      return;
    }
    const deed = deal();
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
        }, next(LONGEST_DELAY_MS));
        break;
      case "repeat":
        write(piece);
        write(piece);
        break;
      case "truncate":
        write(piece.subarray(0, next(piece.length)));
        break;
      case "flip":
        piece[next(piece.length)]! ^= 1 << next(8);
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
