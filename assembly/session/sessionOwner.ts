// SPDX-License-Identifier: Apache-2.0
// What a session asks and tells the one whose session it is: an agent's or a money module's
// functions, which use the Session Manager 142 and know nothing of records and time-outs.
import { CborReader } from "../codec/cborReader";
import { Session } from "./session";

/** What a session belongs to: the agent's or the module's business. */
export abstract class SessionOwner {
  /** Judges the peer, whose certificate is verified: a reason to refuse it, 0 to go on. */
  abstract admit(session: Session): i32;
  /** This side refuses the peer before the session is open: its owner may tell of it (Fig. 14). */
  refused(_session: Session, _reason: i32): void {}
  /** The session is open; its initiator speaks first. */
  abstract opened(session: Session): void;
  /** One message, each once and in order. `body` stands before its one item; types from 10. */
  abstract received(session: Session, type: i32, body: CborReader): void;
  /** A session is wanted and no slot is free: one that has done its work may be closed now. */
  makeRoom(): void {}
  /** The session ended and was not closed by this side's `close`. */
  abstract closed(session: Session, reason: i32): void;
  /**
   * The peer did not get the last message, which was too long to be kept: composes it again,
   * byte for byte, with `compose`. False if that cannot be.
   */
  recompose(_session: Session, _type: i32): bool {
    return false;
  }
}
