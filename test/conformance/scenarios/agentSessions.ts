// SPDX-License-Identifier: Apache-2.0
// Establish Session between agents (Fig. 8) where it is refused: by either side, for each cause.
import { decodeCbor, encodeCbor } from "../../../host/trust/cbor.ts";
import { signList } from "../../../host/trust/agencyStatements.ts";
import { type Claims, Role } from "../../../host/trust/certificates.ts";
import { AgentWorld, filled } from "../../../host/torture/agentWorld.ts";
import { PurchaseWorld } from "../../../host/torture/purchaseWorld.ts";
import { bodiesTo, PEER } from "../../../host/torture/bareModule.ts";
import { TwinParty, TwinSession } from "../../support/sessionTwin.ts";
import { id, START_SECONDS } from "../../../host/torture/testAgency.ts";
import type { Scenario } from "../recorder.ts";

const EXPIRED = { expires: START_SECONDS - 1 };
const CERTIFICATE_EXPIRED = 11;
const WRONG_VERIFICATION = 13;
const PEER_LISTED = 12;

const party = (world: AgentWorld, change: Partial<Claims> = {}) =>
  new TwinParty(world.agency, "party-X", Role.CUSTOMER, change);

/** Twin's verification message comes back wrong, whatever it was. */
function forgetVerification(twin: TwinSession): void {
  Object.defineProperty(twin, "peerVerification", {
    get: () => filled(1),
    set: () => {},
  });
}

function expectDenial(body: Uint8Array | undefined, reason: number): void {
  const [kind, , told] = body === undefined ? [] : (decodeCbor(body) as unknown[]);
  if (kind !== 5 || told !== reason) throw new Error(`Not denied for ${reason}: ${String(told)}.`);
}

/** A customer's agent that a twin faces, the twin beginning. */
function asResponder(reason: number, claims: Partial<Claims>, spoil: (twin: TwinSession) => void) {
  const world = new AgentWorld();
  const { agent } = world.add("customer", "C");
  const twin = new TwinSession(party(world, claims), "agent", id("tag"), world.clock.nowMs());
  spoil(twin);
  const [answer] = bodiesTo(PEER, agent.deliver(PEER, twin.hello()));
  if (answer?.[1] !== 2) return expectDenial(answer, reason);
  const [denial] = bodiesTo(PEER, agent.deliver(PEER, twin.finish(answer)));
  expectDenial(denial, reason);
}

/** A customer's agent that begins a payment with a twin. */
function asInitiator(reason: number, claims: Partial<Claims>, spoil: (twin: TwinSession) => void) {
  const world = new AgentWorld();
  const { agent } = world.add("customer", "C");
  const [hello] = bodiesTo(PEER, agent.command(60, filled(1), 100, "USD"));
  const [, tag] = decodeCbor(hello!) as [number, Uint8Array];
  const twin = new TwinSession(party(world, claims), "agent", tag, world.clock.nowMs());
  spoil(twin);
  const [finish] = bodiesTo(PEER, agent.deliver(PEER, twin.answer(hello!)));
  if (finish?.[1] !== 3) return expectDenial(finish, reason);
  const [denial] = bodiesTo(PEER, agent.deliver(PEER, twin.acknowledge(finish)));
  expectDenial(denial, reason);
}

/** One real agent holds a list with the other on it. */
function listed(isPayerListed: boolean): void {
  const world = new PurchaseWorld();
  const friend = world.add("customer", "D");
  world.connect(world.customer, friend);
  const [judge, bad] = isPayerListed ? [friend, "agent-C"] : [world.customer, "agent-D"];
  const [part] = signList(world.agency.agentServer, 1, START_SECONDS, [id(bad)]);
  world.tell(judge, "agent", [6, decodeCbor(part!)]);
  world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
  if (world.customer.last(29)?.[3] !== PEER_LISTED)
    throw new Error("A listed agent had a session.");
}

const honest = () => {};

export const agentSessionScenarios: Scenario[] = [
  {
    name: "agents: A's certificate has expired",
    run: () => asResponder(CERTIFICATE_EXPIRED, EXPIRED, honest),
  },
  {
    name: "agents: B's certificate has expired",
    run: () => asInitiator(CERTIFICATE_EXPIRED, EXPIRED, honest),
  },
  { name: "agents: A is on B's untrusted list", run: () => listed(true) },
  { name: "agents: B is on A's untrusted list", run: () => listed(false) },
  {
    name: "agents: A returns another verification message",
    run: () => asResponder(WRONG_VERIFICATION, {}, forgetVerification),
  },
  {
    name: "agents: B returns another verification message",
    run: () => asInitiator(WRONG_VERIFICATION, {}, forgetVerification),
  },
  {
    name: "agents: A ends a session that B has answered",
    run: () => {
      const world = new AgentWorld();
      const { agent } = world.add("customer", "C");
      const twin = new TwinSession(party(world), "agent", id("tag"), world.clock.nowMs());
      agent.deliver(PEER, twin.hello());
      agent.deliver(PEER, encodeCbor([5, id("tag"), CERTIFICATE_EXPIRED]));
    },
  },
];
