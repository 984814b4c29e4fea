// SPDX-License-Identifier: Apache-2.0
// A bank's mailbox as hosts reach it: connects when it is first asked for something, and again when
// the line broke. What comes from it is handed to a module, which believes signatures alone.
import { type RawData, WebSocket } from "ws";
import {
  encodeMailRequest,
  MAIL_MESSAGE_BYTES,
  type MailAnswer,
  type MailItem,
  parseMailAnswer,
} from "./mailMessages.ts";

const ANSWER_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly resolve: (answer: MailAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class MailClient {
  private readonly url: string;
  private readonly waiting = new Map<number, Waiting>();
  private readonly onArrived: (module: string) => void;
  private socket: WebSocket | undefined;
  private requests = 0;
  private isClosed = false;

  /** @param onArrived told that there is new mail for a module whose mail was fetched here */
  constructor(url: string, onArrived: (module: string) => void = () => undefined) {
    this.url = url;
    this.onArrived = onArrived;
  }

  /**
   * Posts a statement; gives the mailbox's word on it (PostResult of mailbox.ts).
   * @throws {Error} when the mailbox cannot be reached or does not answer
   */
  async post(statement: Uint8Array, chain: Uint8Array, isRelayed = false): Promise<string> {
    const answer = await this.ask((request) =>
      encodeMailRequest({ type: "post", request, isRelayed, statement, chain }),
    );
    return answer.type === "posted" ? answer.result : "malformed";
  }

  /**
   * Letters to a module (hexadecimal id) behind a number.
   * @throws {Error} when the mailbox cannot be reached or does not answer
   */
  async fetch(
    module: string,
    after: number,
  ): Promise<{ letters: readonly MailItem[]; hasMore: boolean }> {
    const answer = await this.ask((request) =>
      encodeMailRequest({ type: "fetch", request, module, after }),
    );
    return answer.type === "letters" ? answer : { letters: [], hasMore: false };
  }

  close(): void {
    this.isClosed = true;
    this.socket?.close();
  }

  private async ask(encode: (request: number) => Uint8Array): Promise<MailAnswer> {
    const socket = await this.connected();
    this.requests += 1;
    const request = this.requests;
    return new Promise<MailAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.fail(`it did not answer in ${ANSWER_TIMEOUT_MS} ms`);
        socket.terminate();
      }, ANSWER_TIMEOUT_MS);
      const end = <Value>(settle: (value: Value) => void) => {
        return (value: Value) => {
          clearTimeout(timer);
          this.waiting.delete(request);
          settle(value);
        };
      };
      this.waiting.set(request, { resolve: end(resolve), reject: end(reject) });
      socket.send(encode(request));
    });
  }

  private connected(): Promise<WebSocket> {
    const { socket } = this;
    if (socket?.readyState === WebSocket.OPEN) return Promise.resolve(socket);
    if (this.isClosed) return Promise.reject(new Error("the mailbox's line was closed"));
    const fresh =
      socket?.readyState === WebSocket.CONNECTING
        ? socket
        : new WebSocket(this.url, {
            maxPayload: MAIL_MESSAGE_BYTES,
            handshakeTimeout: ANSWER_TIMEOUT_MS,
          });
    if (fresh !== socket) this.listen(fresh);
    return new Promise((resolve, reject) => {
      fresh.once("open", () => resolve(fresh));
      fresh.once("close", () => reject(new Error(`No mailbox answers at ${this.url}.`)));
    });
  }

  private listen(socket: WebSocket): void {
    this.socket = socket;
    socket.on("message", (data: RawData) => {
      const answer = parseMailAnswer(new Uint8Array(data as Buffer));
      if (answer === undefined) socket.close(1002, "not an answer of a mailbox");
      else if (answer.type === "arrived") this.onArrived(answer.module);
      else this.waiting.get(answer.request)?.resolve(answer);
    });
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      if (this.socket === socket) this.fail("the connection ended");
    });
  }

  private fail(what: string): void {
    for (const { reject } of [...this.waiting.values()]) {
      reject(new Error(`No answer from the mailbox at ${this.url}: ${what}.`));
    }
  }
}
