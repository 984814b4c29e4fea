// SPDX-License-Identifier: Apache-2.0
// Teller 204: serves withdrawals from its stock and takes deposits into it, and gives fresh notes
// for old ones; when its bank says so (81) it fills the stock from a generator, or has the
// generator redeem a part of it.
import { CborReader } from "../codec/cborReader";
import { Path } from "../session/path";
import { SessionManager } from "../session/sessionManager";
import { chooseNotes } from "./noteChoice";
import { Payment } from "./payment";
import { ToBank } from "./toBank";
import { acceptanceReceived, sendRequest, ToTeller } from "./toTeller";

export class Teller extends ToBank {
  private toGenerator: ToTeller = changetype<ToTeller>(0);

  connect(sessions: SessionManager, peers: Path): void {
    this.toGenerator = new ToTeller(sessions, peers);
  }

  commanded(body: CborReader): i32 {
    return this.toGenerator.commanded(body, this);
  }

  opened(payment: Payment): void {
    sendRequest(payment);
  }

  received(payment: Payment, type: i32, body: CborReader): bool {
    return acceptanceReceived(payment, type, body);
  }

  protected takeNotes(payment: Payment): i32 {
    return chooseNotes(payment);
  }
}
