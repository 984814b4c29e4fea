// SPDX-License-Identifier: Apache-2.0
// For tests only: what the images session-probe-agent and session-probe-module share. The host
// drives the calls of assembly/session one by one and hears each callback, secrets included.
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { composeHost, failCommand, INBOX, INBOX_SIZE, sendHost } from "../session/buffers";
import { Dispatcher } from "../session/dispatcher";
import { HostInterface, Item } from "../session/hostInterface";
import { LocalChannel, LocalOwner } from "../session/localChannel";
import { Label, peerPath } from "../session/path";
import { PaymentChannel, PaymentTerms } from "../session/paymentChannel";
import { ModuleRelay, ModuleTunnel } from "../session/routed";
import { RecordType } from "../session/peerBodies";
import { Session } from "../session/session";
import { SessionOwner } from "../session/sessionOwner";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { Role } from "../trust/roles";
import { floorSeconds, nowSeconds } from "../trust/signedTime";

/** "session-probe" */
const NAME: Bytes = [0x73, 0x65, 0x73, 0x73, 0x69, 0x6f, 0x6e, 0x2d, 0x70, 0x72, 0x6f, 0x62, 0x65];

class Sessions extends SessionOwner {
  admission: i32 = Reason.NONE;
  relay: ModuleRelay | null = null;

  admit(_session: Session): i32 {
    return this.admission;
  }

  opened(session: Session): void {
    composeHost(100, 1).bytesFrom(session.tag);
    sendHost();
  }

  received(session: Session, type: i32, body: CborReader): void {
    const relay = this.relay;
    if (relay != null && type == RecordType.MODULE_MESSAGE && session.label == Label.AGENT) {
      relay.toModule(body);
      return;
    }
    body.raw();
    const writer = composeHost(101, 3);
    writer.bytesFrom(session.tag);
    writer.uint(<u64>type);
    writer.bytes(body.viewPointer, body.viewLength);
    sendHost();
  }

  closed(session: Session, reason: i32): void {
    const writer = composeHost(102, 2);
    writer.bytesFrom(session.tag);
    writer.uint(<u64>reason);
    sendHost();
  }
}

const owner: Sessions = new Sessions();
const sessions: SessionManager = new SessionManager(owner, 2);
let tunnel: ModuleTunnel | null = null;

class Local extends LocalOwner {
  localReady(): void {
    composeHost(103, 0);
    sendHost();
  }

  localReceived(type: i32, body: CborReader): void {
    this.tell(104, type, body);
  }

  paymentReceived(_channel: PaymentChannel, type: i32, body: CborReader): void {
    this.tell(105, type, body);
  }

  moduleMessageReceived(sessionTag: Bytes, pointer: usize, length: i32): void {
    const relay = owner.relay;
    const through = tunnel;
    if (relay != null) relay.toPeer(pointer, length);
    else if (through != null && through.isOf(sessionTag)) {
      sessions.receive(through, pointer, length);
    }
  }

  private tell(event: i32, type: i32, body: CborReader): void {
    body.raw();
    const writer = composeHost(event, 2);
    writer.uint(<u64>type);
    writer.bytes(body.viewPointer, body.viewLength);
    sendHost();
  }
}

class Probe extends HostInterface {
  private local: LocalChannel;
  private payment: PaymentChannel | null = null;

  constructor(role: u8, local: LocalChannel) {
    super(NAME, role);
    this.local = local;
  }

  started(): void {}

  command(number: i32, _fields: i32, body: CborReader): void {
    if (number == 11) this.tellStarted(11, this.start(body));
    else if (number == 14) this.tell(body);
    else if (number == 22) this.tellListed(body);
    else if (number == 23) this.tellTime();
    else if (number == 24) this.startInTunnel();
    else if (this.does(number, body)) {
      composeHost(number, 0);
      sendHost();
    } else {
      failCommand(number, Reason.UNKNOWN_COMMAND);
    }
  }

  statementReceived(sessionTag: Bytes, pointer: usize, length: i32): void {
    const writer = composeHost(107, 2);
    writer.bytesFrom(sessionTag);
    writer.bytes(pointer, length);
    sendHost();
  }

  exportItem(_kind: i32, _cursor: u32): Item {
    return new Item(null, -1);
  }

  logEntry(_cursor: u32): Item {
    return new Item(null, -1);
  }

  /** Commands without an answer of their own; whether there is such a one. */
  private does(number: i32, body: CborReader): bool {
    if (number == 10) this.role = <u8>body.u64();
    else if (number == 12) this.send(body);
    else if (number == 13) this.close(body);
    else if (number == 15) owner.admission = <i32>body.u64();
    else if (number == 16) this.openPayment(body);
    else if (number == 17) this.sendPayment(body);
    else if (number == 18) tunnel = new ModuleTunnel(this.local, this.terms(body));
    else if (number == 19) this.useKey(body);
    else if (number == 20) this.sendLocal(body);
    else if (number == 21) this.makeRelay(body);
    else if (number == 25) this.local.renew();
    else return false;
    return true;
  }

  private start(body: CborReader): Session | null {
    const tag: Bytes | null = body.isNull() ? null : body.bytesExact(8);
    return sessions.start(peers, tag);
  }

  private startInTunnel(): void {
    const through = tunnel;
    if (through != null) this.tellStarted(24, sessions.start(through));
  }

  private useKey(body: CborReader): void {
    const through = tunnel;
    if (through != null)
      this.payment = through.useKey(pointerOf(body.bytesExact(32))) ? through.channel : null;
  }

  private tellStarted(number: i32, session: Session | null): void {
    if (session == null) {
      failCommand(number, sessions.reason);
      return;
    }
    composeHost(number, 1).bytesFrom(session.tag);
    sendHost();
  }

  private fill(writer: CborWriter, body: CborReader): void {
    body.view();
    writer.bytes(body.viewPointer, body.viewLength);
  }

  private send(body: CborReader): void {
    const session = sessions.find(body.bytes());
    if (session == null) return;
    this.fill(session.compose(<i32>body.u64()), body);
    session.send(body.bool());
  }

  private close(body: CborReader): void {
    const session = sessions.find(body.bytes());
    if (session == null) return;
    const reason = <i32>body.u64();
    session.close(reason, body.bool());
  }

  private tell(body: CborReader): void {
    const session = sessions.find(body.bytes());
    if (session == null) {
      failCommand(14, Reason.WRONG_STATE);
      return;
    }
    const writer = composeHost(14, 7);
    writer.uint(<u64>session.state);
    writer.bytesFrom(session.exporter);
    writer.bytesFrom(session.peer.id);
    writer.uint(session.peerTimeMs);
    const isKeyed = session.exporter.length == 32;
    writer.bytesFrom(isKeyed ? session.transactionId(1) : session.exporter);
    writer.bytesFrom(isKeyed ? session.payId(0x01020304) : session.exporter);
    writer.uint(<u64>session.label);
    sendHost();
  }

  private terms(body: CborReader): PaymentTerms {
    const tag = body.bytesExact(8);
    const payId = body.bytesExact(16);
    const transactionId = body.bytesExact(16);
    return new PaymentTerms(tag, payId, transactionId, body.bytesExact(32));
  }

  private openPayment(body: CborReader): void {
    const terms = this.terms(body);
    this.payment = this.local.openPayment(terms, pointerOf(body.bytesExact(32)));
  }

  private sendPayment(body: CborReader): void {
    const payment = this.payment;
    if (payment == null) return;
    this.fill(payment.compose(<i32>body.u64()), body);
    payment.send();
  }

  private sendLocal(body: CborReader): void {
    this.fill(this.local.compose(<i32>body.u64()), body);
    this.local.send();
  }

  private makeRelay(body: CborReader): void {
    const session = sessions.find(body.bytes());
    const payment = this.payment;
    if (session == null || payment == null) return;
    owner.relay = new ModuleRelay(this.local, session, payment);
  }

  private tellListed(body: CborReader): void {
    composeHost(22, 1).boolean(isListed(body.bytes()));
    sendHost();
  }

  private tellTime(): void {
    const writer = composeHost(23, 2);
    writer.uint(nowSeconds());
    writer.uint(floorSeconds());
    sendHost();
  }
}

let peers = peerPath(Label.AGENT);

/** Makes the image's dispatcher: an agent's or a money module's. */
export function makeProbe(isAgent: bool): Dispatcher {
  if (!isAgent) peers = peerPath(Label.BARE);
  const local = new LocalChannel(isAgent, new Local(), 2);
  const role = isAgent ? Role.CUSTOMER : Role.TRANSACTION;
  return new Dispatcher(new Probe(role, local), sessions, local, peers);
}

export function inbox(): usize {
  return INBOX;
}

export function inboxSize(): i32 {
  return INBOX_SIZE;
}
