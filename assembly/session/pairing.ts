// SPDX-License-Identifier: Apache-2.0
// Pairing of an agent with the money module of the same device (protocol rule 2): the handshake
// with label `pair`, begun by the agent, whose exporter both keep as their pairing secret.
import { Port } from "../board";
import { pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { composeHost, failCommand, sendHost } from "./buffers";
import { Label, PortPath } from "./path";
import { Session } from "./session";
import { SessionManager } from "./sessionManager";
import { SessionOwner } from "./sessionOwner";

/** Command 5 of docs/protocol.cddl section 8. */
const COMMAND_PAIR: i32 = 5;
/** Types in a pairing session: the agent is open and asks the module to store, which it did. */
const TYPE_CONFIRM: i32 = 10;
const TYPE_STORED: i32 = 11;

export class Pairing extends SessionOwner {
  private path: PortPath = new PortPath(Label.PAIR, Port.OWN);
  private sessions: SessionManager | null = null;
  private isStored: bool = false;

  constructor() {
    super();
    this.sessions = new SessionManager(this, 1);
  }

  /** Agent: begins; the host hears the outcome as command 5's answer. A reason, 0 if it began. */
  start(): i32 {
    const sessions = this.sessions!;
    return sessions.start(this.path) != null ? Reason.NONE : sessions.reason;
  }

  receive(pointer: usize, length: i32): void {
    this.sessions!.receive(this.path, pointer, length);
  }

  tick(): void {
    this.sessions!.tick();
  }

  nextDeadline(): i64 {
    return this.sessions!.nextDeadline();
  }

  /** Whether a new secret was stored since the last call: the local key must be made anew. */
  takeStored(): bool {
    const isStored = this.isStored;
    this.isStored = false;
    return isStored;
  }

  admit(_session: Session): i32 {
    return Reason.NONE;
  }

  opened(session: Session): void {
    if (!session.initiator) return;
    session.compose(TYPE_CONFIRM).array(0);
    session.send(true);
  }

  received(session: Session, type: i32, body: CborReader): void {
    body.arrayOf(0);
    if (!body.atEnd()) return;
    if (!session.initiator && type == TYPE_CONFIRM) this.storeAtModule(session);
    else if (session.initiator && type == TYPE_STORED) this.storeAtAgent(session);
  }

  closed(session: Session, reason: i32): void {
    if (session.initiator) failCommand(COMMAND_PAIR, reason);
  }

  /** The module stores first: an agent that is paired has a module that is. */
  private storeAtModule(session: Session): void {
    if (!identity.storePairing(session.peer.id, pointerOf(session.exporter))) {
      session.close(Reason.JOURNAL_FULL, true);
      return;
    }
    this.isStored = true;
    session.compose(TYPE_STORED).array(0);
    session.send(false);
    session.close(Reason.NONE, false);
  }

  private storeAtAgent(session: Session): void {
    const isStored = identity.storePairing(session.peer.id, pointerOf(session.exporter));
    session.close(Reason.NONE, false);
    if (!isStored) {
      failCommand(COMMAND_PAIR, Reason.JOURNAL_FULL);
      return;
    }
    this.isStored = true;
    composeHost(COMMAND_PAIR, 0);
    sendHost();
  }
}
