// SPDX-License-Identifier: Apache-2.0
// Image of a customer's trusted agent (CTA 2, Fig. 4B).
import { CustomerAgent } from "../agent/customerAgent";
import { toMoneyModule } from "../agent/toMoneyModule";
import { INBOX, INBOX_SIZE } from "../session/buffers";
import { Dispatcher } from "../session/dispatcher";

const agent = new CustomerAgent();
const dispatcher = new Dispatcher(agent, agent.sessions, toMoneyModule.channel, agent.peers);

export function inbox(): usize {
  return INBOX;
}

export function inboxSize(): i32 {
  return INBOX_SIZE;
}

export function boot(): i32 {
  return dispatcher.boot();
}

export function receive(length: i32): i32 {
  return dispatcher.receive(length);
}

export function tick(): i32 {
  return dispatcher.tick();
}
