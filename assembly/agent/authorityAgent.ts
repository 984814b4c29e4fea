// SPDX-License-Identifier: Apache-2.0
// The authority's trusted agent (ATA, Fig. 4D): creates card or merchant credentials for the agents
// that come to it, as its host decides and its own certificate allows.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { CredentialMessage } from "./acquireCredential";
import { CreateCredential } from "./createCredential";
import { PaymentOutcome } from "./paymentOutcome";
import { TrustedAgent } from "./trustedAgent";

const SERVE: i32 = 40;

/** "authority-agent" */
const NAME: Bytes = [
  0x61, 0x75, 0x74, 0x68, 0x6f, 0x72, 0x69, 0x74, 0x79, 0x2d, 0x61, 0x67, 0x65, 0x6e, 0x74,
];

export class AuthorityAgent extends TrustedAgent {
  private isServing: bool = false;

  constructor() {
    super(NAME, Role.AUTHORITY);
  }

  admits(session: Session): i32 {
    const role = session.peer.role;
    if (role != Role.CUSTOMER && role != Role.MERCHANT) return Reason.WRONG_ROLE;
    return this.isServing ? Reason.NONE : Reason.OWNER_REFUSED;
  }

  begin(session: Session, type: i32, body: CborReader): i32 {
    if (type != CredentialMessage.REQUEST) return Reason.WRONG_STATE;
    if (!this.hasSlot()) return Reason.TOO_MANY_SESSIONS;
    const creation = new CreateCredential(session);
    this.add(creation);
    return creation.received(type, body);
  }

  run(number: i32, fields: i32, body: CborReader): i32 {
    if (number != SERVE) return Reason.UNKNOWN_COMMAND;
    const isServing = body.bool();
    if (fields != 1 || !body.atEnd()) return Reason.MALFORMED;
    this.isServing = isServing;
    composeHost(SERVE, 0);
    sendHost();
    return Reason.NONE;
  }

  settleServed(_outcome: PaymentOutcome): bool {
    return true;
  }

  askServed(): void {}
}
