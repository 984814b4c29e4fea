// SPDX-License-Identifier: Apache-2.0
// How messages of the modules' session pass through their agents: Send Routed Message (Fig. 15)
// until key (TA/MM) exists, Send E-Routed Message (Fig. 19) from then on.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { beginHead, composeBody, putInFront, writeBytesHead } from "./buffers";
import { LocalChannel } from "./localChannel";
import { Tunnel } from "./path";
import { MODULE_MESSAGE_TYPE, PaymentChannel, PaymentTerms } from "./paymentChannel";
import { BodyKind, RecordType } from "./peerBodies";
import { Session } from "./session";

/** Type of the record that carries R(2) (554): with it, both modules have key (TA/MM). */
const TYPE_R2: u64 = 21;

/** Money module side: the path of its session with the other module, in one payment. */
export class ModuleTunnel extends Tunnel {
  /** Key (TA/MM), once R(1) and R(2) are exchanged. */
  channel: PaymentChannel | null = null;

  private local: LocalChannel;
  private terms: PaymentTerms;

  constructor(local: LocalChannel, terms: PaymentTerms) {
    super();
    this.local = local;
    this.terms = terms;
    this.mixIn = terms.exporter;
  }

  isOf(sessionTag: Bytes): bool {
    return memory.compare(pointerOf(this.terms.sessionTag), pointerOf(sessionTag), 8) == 0;
  }

  /** False where there is no local key or no free place. */
  useKey(mixed: usize): bool {
    this.channel = this.local.openPayment(this.terms, mixed);
    this.isEncryptedRoute = this.channel != null;
    return this.isEncryptedRoute;
  }

  end(): void {
    const channel = this.channel;
    if (channel != null) this.local.closePayment(channel);
    this.channel = null;
    this.isEncryptedRoute = false;
    wipe(pointerOf(this.terms.exporter), 32);
  }

  transmit(pointer: usize, length: i32): void {
    const channel = this.channel;
    if (channel == null) {
      this.local.sendRouted(this.terms.sessionTag, pointer, length);
      return;
    }
    step(680);
    wrapAndTransmit(channel, pointer, length);
  }
}

/** Agent side: carries the modules' messages of one payment between own module and peer agent. */
export class ModuleRelay {
  private local: LocalChannel;
  private session: Session;
  private channel: PaymentChannel;
  /** Whether the own module has key (TA/MM), so that its messages go by Fig. 19. */
  private moduleHasKey: bool = false;

  /** `session`: the agents'. `channel`: key (TA/MM) of this payment (534, 536). */
  constructor(local: LocalChannel, session: Session, channel: PaymentChannel) {
    this.local = local;
    this.session = session;
    this.channel = channel;
  }

  /** A peer-body from the own module goes to the peer agent as record type 20 (648, 684). */
  toPeer(pointer: usize, length: i32): void {
    step(this.moduleHasKey ? 682 : 646);
    this.noteKey(pointer, length);
    const writer = this.session.compose(RecordType.MODULE_MESSAGE);
    writer.array(1);
    writer.bytes(pointer, length);
    step(this.moduleHasKey ? 684 : 648);
    this.session.send(false);
  }

  /** The body of record type 20 from the peer agent goes to the own module (650, 686). */
  toModule(body: CborReader): void {
    body.arrayOf(1);
    body.view();
    if (!body.atEnd()) return;
    const pointer = body.viewPointer;
    const length = body.viewLength;
    step(this.moduleHasKey ? 686 : 650);
    const writer = composeBody();
    writer.raw(pointer, length);
    if (writer.overflow) return;
    if (this.moduleHasKey) {
      step(688);
      wrapAndTransmit(this.channel, writer.pointer, length);
    } else {
      this.local.sendRouted(this.session.tag, writer.pointer, length);
    }
    this.noteKey(pointer, length);
  }

  /**
   * The record's type travels in clear: after R(2) has passed, the own module has key (TA/MM),
   * whether it sent R(2) or received it.
   */
  private noteKey(pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(5);
    const kind = reader.u64();
    reader.view();
    reader.u64();
    const type = reader.u64();
    if (!reader.failed && kind == BodyKind.RECORD && type == TYPE_R2) this.moduleHasKey = true;
  }
}

/** Sends [ bytes ] under key (TA/MM); the bytes lie in the outbox with room in front and behind. */
function wrapAndTransmit(channel: PaymentChannel, pointer: usize, length: i32): void {
  const head = beginHead();
  head.array(1);
  writeBytesHead(head, length);
  channel.transmit(MODULE_MESSAGE_TYPE, putInFront(pointer, head), length + head.length);
}
