// SPDX-License-Identifier: Apache-2.0
// The verifier's refusals (Fig. 20): packets that are right but for one thing, and a bank's module,
// which asks fewer questions.
import { signList } from "../../../host/trust/agencyStatements.ts";
import { decodeCbor } from "../../../host/trust/cbor.ts";
import { DATE, HOUR, type Packet } from "../../support/noteMaker.ts";
import { State, stockedWorld } from "../../support/moneyWorld.ts";
import { START_SECONDS } from "../../../host/torture/testAgency.ts";
import { VerifierBench } from "../../support/verifierBench.ts";
import type { Scenario } from "../recorder.ts";

const DEPOSIT = 3;

/** One packet that must be refused for this reason; `prepare` may change the module before. */
function refused(
  name: string,
  reason: number,
  packet: (bench: VerifierBench) => Packet,
  prepare: (bench: VerifierBench) => void = () => {},
): Scenario {
  return {
    name: `a packet ${name}`,
    run: () => {
      const bench = new VerifierBench();
      prepare(bench);
      const verdict = bench.judge(packet(bench));
      if (verdict !== reason) throw new Error(`The verdict was ${verdict}, not ${reason}.`);
    },
  };
}

export const noteScenarios: Scenario[] = [
  refused("whose total is not the amount", 35, (bench) => bench.withNewest({ amount: 2_499 })),
  refused("with an expired note", 36, (bench) =>
    bench.withBody({ issued: DATE - HOUR, expiry: DATE }),
  ),
  refused(
    "whose note a listed module had",
    37,
    (bench) => bench.right([bench.holder]),
    (bench) => {
      const { agency, holder } = bench;
      const [part] = signList(agency.moduleServer, 1, START_SECONDS, [holder.id]);
      bench.change((module) => module.ask(6, decodeCbor(part!)));
    },
  ),
  refused("whose note the generator did not sign", 38, (bench) => {
    const packet = bench.right();
    const forger = Object.assign(Object.create(bench.generator), {
      seed: new Uint8Array(32).fill(1),
    });
    packet.drafts[0]!.bodySigner = forger;
    return packet;
  }),
  refused("with one note twice", 39, (bench) => {
    const [half] = bench.withNewest({ amount: 1_250 }).drafts;
    return { ...bench.right(), drafts: [half!, half!] };
  }),
  refused(
    "with a note that the module has already",
    39,
    (bench) => bench.right(),
    (bench) => {
      bench.pay(bench.right());
      bench.openWithdrawal();
    },
  ),
  {
    name: "a deposit: the teller's module asks neither for expiry nor for listed holders",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      world.withdraw(customer, teller, 2_500);
      world.bank(customer, teller, DEPOSIT, 1_500, "EUR", "1234567890");
      const [, , state] = customer.heardOf(29).at(-1)!;
      if (state !== State.committed) throw new Error(`The deposit ended ${String(state)}.`);
    },
  },
];
