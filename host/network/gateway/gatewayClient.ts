// SPDX-License-Identifier: Apache-2.0
// The gateway as merchants and customers reach it. What it answers is verified here again: a
// gateway can hide offers, but it cannot invent or change one.
import { type RawData, WebSocket } from "ws";
import type { Root } from "../../trust/certificates.ts";
import { type Direction, type MerchantOffer, verifyOffer } from "../../trust/merchantOffer.ts";
import {
  encodeRequest,
  GATEWAY_MESSAGE_BYTES,
  type GatewayAnswer,
  type GatewayRequest,
  type PublishResult,
  parseAnswer,
} from "./messages.ts";

const ANSWER_TIMEOUT_MS = 10_000;
/** Answers that are taken to one question. */
const PAGES = 100;

/** A message without its number, for each kind of message. */
type WithoutNumber<Message> = Message extends unknown ? Omit<Message, "request"> : never;

interface Waiting {
  readonly resolve: (answer: GatewayAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class GatewayClient {
  private socket: WebSocket;
  private isClosed = false;
  private readonly url: string;
  private readonly waiting = new Map<number, Waiting>();
  private requests = 0;

  private constructor(url: string, socket: WebSocket) {
    this.url = url;
    this.socket = this.listen(socket);
  }

  private listen(socket: WebSocket): WebSocket {
    socket.on("message", (data: RawData) => this.receive(new Uint8Array(data as Buffer)));
    socket.on("error", () => socket.terminate());
    socket.on("close", () => this.fail("the connection ended"));
    return socket;
  }

  /** @throws {Error} when nobody answers at the URL */
  static async connect(url: string): Promise<GatewayClient> {
    return new GatewayClient(url, await open(url));
  }

  /** Publishes a signed offer. */
  async publish(offer: Uint8Array): Promise<PublishResult> {
    const answer = await this.ask({ type: "publish", offer });
    if (answer.type === "published") return answer.result;
    throw new Error(`The gateway at ${this.url} answered an offer with a list.`);
  }

  /** The verified offers of a direction and unit; those that do not verify are left out. */
  async query(
    direction: Direction,
    moneyUnit: string,
    agentRoot: Root,
    nowSeconds: number,
  ): Promise<MerchantOffer[]> {
    const found: MerchantOffer[] = [];
    let after: string | null = "";
    // A gateway that never ends its list is left with what it gave.
    for (let page = 0; page < PAGES && after !== null; page += 1) {
      const answer = await this.ask({ type: "query", direction, moneyUnit, after });
      if (answer.type !== "offers") {
        throw new Error(`The gateway at ${this.url} answered a question as if it were an offer.`);
      }
      for (const bytes of answer.offers) {
        const result = verifyOffer(bytes, agentRoot, nowSeconds);
        if (result.ok) found.push(result.offer);
      }
      after = answer.next;
    }
    return found;
  }

  close(): void {
    this.isClosed = true;
    this.socket.close();
  }

  private async ask(message: WithoutNumber<GatewayRequest>): Promise<GatewayAnswer> {
    // A line that broke is called again, once for each question.
    const { CLOSED, CLOSING } = WebSocket;
    const { readyState } = this.socket;
    if (!this.isClosed && (readyState === CLOSED || readyState === CLOSING)) {
      this.socket = this.listen(await open(this.url));
    }
    this.requests += 1;
    const request = this.requests;
    return new Promise<GatewayAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(request);
        reject(new Error(`The gateway at ${this.url} did not answer; try again.`));
      }, ANSWER_TIMEOUT_MS);
      const done = <Value>(settle: (value: Value) => void) => {
        return (value: Value) => {
          clearTimeout(timer);
          this.waiting.delete(request);
          settle(value);
        };
      };
      this.waiting.set(request, { resolve: done(resolve), reject: done(reject) });
      if (this.socket.readyState === WebSocket.OPEN) {
        this.socket.send(encodeRequest({ ...message, request }));
      } else this.fail("the connection is closed");
    });
  }

  private receive(bytes: Uint8Array): void {
    const answer = parseAnswer(bytes);
    if (answer === undefined) this.socket.close(1002, "not an answer of a gateway");
    else this.waiting.get(answer.request)?.resolve(answer);
  }

  private fail(what: string): void {
    for (const { reject } of [...this.waiting.values()]) {
      reject(new Error(`No answer from the gateway at ${this.url}: ${what}.`));
    }
  }
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { maxPayload: GATEWAY_MESSAGE_BYTES });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", (error) =>
      reject(new Error(`No gateway answers at ${url}: ${error.message}`)),
    );
  });
  return socket;
}
