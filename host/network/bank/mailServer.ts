// SPDX-License-Identifier: Apache-2.0
// A bank's mailbox on a WebSocket: the shell around mailbox.ts and its store. What a device's host
// posts goes to the mailboxes of other banks, too, since nobody knows where a stranger has its
// mail.
import type { AddressInfo } from "node:net";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { Root } from "../../trust/certificates.ts";
import { decidePost, LETTERS_PER_FETCH, type PostResult, readPosted } from "./mailbox.ts";
import { MailClient } from "./mailClient.ts";
import {
  encodeMailAnswer,
  MAIL_MESSAGE_BYTES,
  type MailAnswer,
  type MailRequest,
  parseMailRequest,
} from "./mailMessages.ts";
import type { MailStore } from "./mailStore.ts";

const CONNECTIONS = 1000;
/** Modules that one line is told of: a device has one, a shop's host a few. */
const MODULES_OF_LINE = 64;

export interface MailServerOptions {
  readonly bank: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly store: MailStore;
  /** Root of the modules' certificates. */
  readonly root: Root;
  readonly nowSeconds: () => number;
}

/** How many letters were taken, and refused by reason. */
export type MailCounters = Partial<Record<PostResult, number>>;

export interface MailServer {
  readonly url: string;
  readonly counters: MailCounters;
  /** Where posted letters go, too; other banks' mailboxes. */
  setOthers(urls: readonly string[]): void;
  close(): Promise<void>;
}

interface Line {
  readonly socket: WebSocket;
  readonly modules: Set<string>;
}

/** @throws {Error} when the port cannot be had */
export async function serveMail(options: MailServerOptions): Promise<MailServer> {
  const { bank, host, port, store, root, nowSeconds } = options;
  const server = new WebSocketServer({ host, port, maxPayload: MAIL_MESSAGE_BYTES });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (error) =>
      reject(
        new Error(`The mailbox of ${bank} cannot listen on ${host}:${port}: ${error.message}`),
      ),
    );
  });
  const lines = new Set<Line>();
  const counters: MailCounters = {};
  let others: MailClient[] = [];

  const post = async ({ statement, chain, isRelayed }: MailRequest & { type: "post" }) => {
    const posted = readPosted(statement, chain, root);
    if (typeof posted === "string") return posted;
    const now = nowSeconds();
    const { payId } = posted.statement;
    const { result, put } = await store.decide(bank, payId, now, (context) =>
      decidePost(posted, context, now, isRelayed),
    );
    const recipients = new Set(put.map(({ recipient }) => recipient));
    for (const { socket, modules } of lines) {
      for (const module of modules) {
        if (recipients.has(module)) socket.send(encodeMailAnswer({ type: "arrived", module }));
      }
    }
    // Also what lies here already: it may not have reached the others the last time.
    if (!isRelayed && (result === "accepted" || result === "known")) {
      // A bank that cannot be reached now gets the question when it is asked again.
      for (const other of others) other.post(statement, chain, true).catch(() => undefined);
    }
    return result;
  };

  const answer = async (line: Line, message: MailRequest): Promise<MailAnswer> => {
    const { request } = message;
    if (message.type === "post") {
      const result = await post(message);
      counters[result] = (counters[result] ?? 0) + 1;
      return { type: "posted", request, result };
    }
    const { module, after } = message;
    if (line.modules.size < MODULES_OF_LINE) line.modules.add(module);
    const found = await store.lettersTo(bank, module, after, LETTERS_PER_FETCH + 1);
    const letters = found.slice(0, LETTERS_PER_FETCH);
    return { type: "letters", request, letters, hasMore: found.length > letters.length };
  };

  server.on("connection", (socket) => {
    if (lines.size >= CONNECTIONS) {
      socket.close(1013, "too many connections");
      return;
    }
    const line: Line = { socket, modules: new Set() };
    lines.add(line);
    // One request of a line after the other: a flood waits for itself alone.
    let queue = Promise.resolve();
    socket.on("message", (data: RawData) => {
      const message = parseMailRequest(new Uint8Array(data as Buffer));
      if (message === undefined) socket.close(1002, "not a message for a mailbox");
      else {
        queue = queue
          .then(async () => socket.send(encodeMailAnswer(await answer(line, message))))
          .catch(() => socket.close(1011, "the mailbox failed"));
      }
    });
    // A socket that fails also closes; without a listener the error would end the process.
    socket.on("error", () => undefined);
    socket.on("close", () => lines.delete(line));
  });
  const address = server.address() as AddressInfo;
  return {
    url: `ws://${host}:${address.port}`,
    counters,
    setOthers: (urls) => {
      others = urls.map((url) => new MailClient(url));
    },
    close: () =>
      new Promise((resolve) => {
        for (const other of others) other.close();
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
}
