// SPDX-License-Identifier: Apache-2.0
// The money module of a transaction device put together (Fig. 12 and the boxes of par. 111): its
// own side is the trusted agent, and tellers serve what the owner asks of a bank.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Dispatcher } from "../session/dispatcher";
import { Item } from "../session/hostInterface";
import { LocalChannel } from "../session/localChannel";
import { NetworkPath } from "../session/networkPath";
import { SessionManager } from "../session/sessionManager";
import { Role } from "../trust/roles";
import { Claims } from "./claims";
import { ModuleSessions } from "./moduleSessions";
import { MoneyHost } from "./moneyHost";
import { paidItem } from "./paymentEvidence";
import { payments } from "./payments";
import { Resume } from "./resume";
import { Subscriber, SubscriberLine } from "./toSubscriber";
import { CommandSide, ToTeller } from "./toTeller";

/** Sessions at a time: one payment, and questions about an older one. */
const SESSIONS: i32 = 2;
const BANK: i32 = 81;
/** Payments to other devices, each with what proves it. */
const EXPORT_PAID: i32 = 6;

/** The owner's host, which may ask something of a bank, and claim what is in doubt. */
class DeviceHost extends MoneyHost {
  private toTeller: ToTeller;
  private commandSide: CommandSide = new CommandSide();
  private claims: Claims;

  constructor(name: Bytes, resume: Resume, peers: NetworkPath, toTeller: ToTeller) {
    super(name, Role.TRANSACTION, resume, peers);
    this.toTeller = toTeller;
    this.claims = new Claims(resume);
  }

  exportItem(kind: i32, cursor: u32): Item {
    return kind == EXPORT_PAID ? paidItem(cursor) : super.exportItem(kind, cursor);
  }

  protected ownCommand(number: i32, fields: i32, body: CborReader): i32 {
    if (number != BANK || fields != 5) return this.claims.command(number, fields, body);
    return this.toTeller.commanded(body, this.commandSide);
  }
}

/** Makes the module called `name`. */
export function deviceModule(name: Bytes): Dispatcher {
  payments.capacity = 1;
  const peers = new NetworkPath();
  const line = new SubscriberLine();
  const local = new LocalChannel(false, line, SESSIONS);
  const subscriber = new Subscriber(local);
  const resume = new Resume(subscriber);
  const sessions = new SessionManager(new ModuleSessions(resume), SESSIONS);
  resume.connect(sessions);
  line.connect(local, sessions, subscriber, resume);
  const host = new DeviceHost(name, resume, peers, new ToTeller(sessions, peers));
  return new Dispatcher(host, sessions, local, peers);
}
