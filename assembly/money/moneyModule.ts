// SPDX-License-Identifier: Apache-2.0
// A money module put together (Fig. 12 and the boxes of par. 111): one place that makes the parts and
// ties them; the three images differ in name and role alone.
import { Bytes } from "../codec/bytes";
import { Dispatcher } from "../session/dispatcher";
import { LocalChannel } from "../session/localChannel";
import { Label, peerPath } from "../session/path";
import { SessionManager } from "../session/sessionManager";
import { BankSide, useBank } from "./bankSide";
import { MoneyHost } from "./moneyHost";
import { ModuleSessions } from "./moduleSessions";
import { Resume } from "./resume";
import { Subscriber, SubscriberLine } from "./toSubscriber";
import { ToTeller } from "./toTeller";

/** Payments, and so sessions, at a time. */
const SESSIONS: i32 = 2;

/** Makes the module called `name`, which must be certified in `role`; `bank` is its own side. */
export function moneyModule(name: Bytes, role: u8, bank: BankSide): Dispatcher {
  useBank(bank);
  const peers = peerPath(Label.BARE);
  const owner = new ModuleSessions();
  const sessions = new SessionManager(owner, SESSIONS);
  const line = new SubscriberLine();
  const local = new LocalChannel(false, line, SESSIONS);
  const subscriber = new Subscriber(local);
  const resume = new Resume(subscriber);
  const toTeller = new ToTeller(sessions, peers);
  line.connect(local, sessions, subscriber, resume);
  owner.connect(resume, toTeller);
  const host = new MoneyHost(name, role, resume, toTeller);
  return new Dispatcher(host, sessions, local, peers);
}
