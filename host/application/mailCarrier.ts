// SPDX-License-Identifier: Apache-2.0
// The mail of one module: the shell around mail.ts, between a device and its bank's mailbox. What
// the module says about a payment whose other device is not connected is posted; what waits for the
// module is fetched and handed to it.
import { randomBytes } from "node:crypto";
import { peerPair } from "../device/peer.ts";
import type { ConnectionId, DeviceEvent, TransactionDevice } from "../device/types.ts";
import type { Clock, Timer, Untimed } from "../link/clock.ts";
import { Channel } from "../link/protocol.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import { STATEMENT_BODY } from "../trust/statements.ts";
import { HostMessage, hostBody, parseHostBody, PaymentState } from "./hostPort.ts";
import { type MailEffect, type MailEvent, newMail, stepMail } from "./mail.ts";

/** What the carrier needs of a mailbox; host/network/bank/mailClient.ts is one. */
export interface Mailbox {
  post(statement: Uint8Array, chain: Uint8Array): Promise<string>;
  fetch(
    module: string,
    after: number,
  ): Promise<{ letters: readonly { number: number; statement: Uint8Array }[]; hasMore: boolean }>;
}

export interface MailCarrierOptions {
  readonly device: Pick<TransactionDevice, "command" | "onEvent" | "attachMail">;
  /** Hexadecimal id of the device's module. */
  readonly module: string;
  /** The module's chain, as it exports it. */
  readonly chain: Uint8Array;
  readonly clock: Clock;
  readonly mailbox: Mailbox;
}

/** Event of `stepMail` as the shell's parts make it. */
type CarrierEvent = Untimed<MailEvent>;

export class MailCarrier {
  readonly state = newMail();
  private readonly options: MailCarrierOptions;
  private readonly connection: ConnectionId;
  private readonly deliver: (body: Uint8Array) => void;
  private readonly stop: () => void;
  private timer: Timer | undefined;
  private isClosed = false;

  constructor(options: MailCarrierOptions) {
    this.options = options;
    const [inner, outer] = peerPair("the owner's host", "the bank's mailbox");
    this.deliver = (body) => outer.send(Channel.MODULE, body);
    this.connection = options.device.attachMail(inner);
    outer.onBody((_channel, body) => this.post(body));
    const stopListening = options.device.onEvent((event) => this.hear(event));
    this.stop = () => {
      stopListening();
      outer.close();
    };
  }

  /** Begins: what an earlier process left open is asked about at once. */
  start(): void {
    this.take({ type: "started" });
  }

  /** Told by the mailbox that there is mail. */
  arrived(): void {
    this.take({ type: "arrived" });
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
    this.stop();
  }

  private hear(event: DeviceEvent): void {
    const isAnew = event.type === "linkUp" && event.rebooted;
    if (isAnew || (event.type === "restarted" && event.target === "module" && !event.isStopped)) {
      this.take({ type: "started" });
    }
    if (event.type === "message" && isDoubt(event.body)) this.take({ type: "doubt" });
  }

  private take(event: CarrierEvent): void {
    if (this.isClosed) return;
    const { clock } = this.options;
    const effects = stepMail(this.state, { ...event, nowMs: clock.nowMs() } as MailEvent);
    for (const effect of effects) this.carryOut(effect);
    this.timer?.cancel();
    const { askAtMs } = this.state;
    if (askAtMs === null) return;
    const delayMs = Math.max(0, askAtMs - clock.nowMs());
    this.timer = clock.after(delayMs, () => this.take({ type: "tick" }));
  }

  private carryOut(effect: MailEffect): void {
    const { device, mailbox, module } = this.options;
    switch (effect.type) {
      case "ask": {
        const body = hostBody(HostMessage.RESUME);
        device
          .command("module", body, { connection: this.connection })
          .then((answer) => {
            const told = parseHostBody(answer);
            const open = told?.number === HostMessage.RESUME ? Number(told.fields[0]) : 0;
            this.take({ type: "asked", open });
          })
          .catch(() => this.take({ type: "unasked" }));
        break;
      }
      case "fetch":
        mailbox
          .fetch(module, effect.after)
          .then(({ letters, hasMore }) => this.take({ type: "letters", letters, hasMore }))
          .catch(() => this.take({ type: "not fetched" }));
        break;
      case "deliver":
        this.deliver(statementBody(effect.statement));
    }
  }

  private post(body: Uint8Array): void {
    const statement = statementOf(body);
    if (statement === undefined) return;
    const { mailbox, chain } = this.options;
    mailbox
      .post(statement, chain)
      .then((result) => {
        if (result === "answered") this.take({ type: "answered" });
      })
      // A mailbox that cannot be reached gets the question when it is asked again.
      .catch(() => undefined);
  }
}

/** The peer-body that hands a statement to a module, under a tag of its own. */
export function statementBody(statement: Uint8Array): Uint8Array {
  return encodeCbor([STATEMENT_BODY, new Uint8Array(randomBytes(8)), statement]);
}

/** The statement in a peer-body; undefined for any other body. */
export function statementOf(body: Uint8Array): Uint8Array | undefined {
  const item = decodeCbor(body);
  if (!Array.isArray(item) || item.length !== 3 || item[0] !== STATEMENT_BODY) return undefined;
  const statement: unknown = item[2];
  return statement instanceof Uint8Array ? statement : undefined;
}

/** The messages that say how a payment stands, each with the state as its second element. */
const OUTCOMES: readonly number[] = [
  HostMessage.FINISHED,
  HostMessage.SERVED,
  HostMessage.RECEIVED,
  HostMessage.SETTLE,
];

function isDoubt(bytes: Uint8Array): boolean {
  const body = parseHostBody(bytes);
  return (
    body !== undefined && OUTCOMES.includes(body.number) && body.fields[1] === PaymentState.IN_DOUBT
  );
}
