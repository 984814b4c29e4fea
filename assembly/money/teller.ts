// SPDX-License-Identifier: Apache-2.0
// Teller 204: serves withdrawals (40) from its stock, and fills the stock from a generator when its
// bank says so (86, 42).
import { CborReader } from "../codec/cborReader";
import { Found } from "../note/directory";
import { Path } from "../session/path";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { ModuleMessage } from "./messages";
import { Payment, Stage } from "./payment";
import { ToBank } from "./toBank";
import { acceptanceReceived, requestMoney, ToTeller } from "./toTeller";
import { transferNotes } from "./transferNotes";

export class Teller extends ToBank {
  private toGenerator: ToTeller = changetype<ToTeller>(0);

  constructor() {
    super(ModuleMessage.WITHDRAW, ModuleMessage.WITHDRAW_ACCEPTED);
  }

  connect(sessions: SessionManager, peers: Path): void {
    this.toGenerator = new ToTeller(sessions, peers);
  }

  restock(body: CborReader): i32 {
    return this.toGenerator.commanded(body, false, this);
  }

  opened(payment: Payment): void {
    requestMoney(payment);
  }

  received(payment: Payment, type: i32, body: CborReader): bool {
    return acceptanceReceived(payment, type, body);
  }

  protected takeNotes(payment: Payment): bool {
    const found = transferNotes.choose(payment);
    if (found == Found.CHOSEN) return true;
    if (found == Found.RESERVED) {
      // Until then the customer's module hears that the work goes on (par. 76).
      payment.stage = Stage.NOTES_SHORT;
      return false;
    }
    const isTooMany = found == Found.TOO_MANY_NOTES;
    abort.begin(payment, isTooMany ? Reason.PACKET_TOO_LARGE : Reason.INSUFFICIENT_FUNDS);
    return false;
  }

  protected makeNotes(_payment: Payment): bool {
    return true;
  }
}
