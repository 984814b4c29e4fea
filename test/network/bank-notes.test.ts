// SPDX-License-Identifier: Apache-2.0
// Notes that an issuer's host does not enter in its index: each thing that can be wrong with a
// note's history, alone (docs/protocol.cddl section 6; host/trust/notes.ts).
import { describe, expect, it } from "vitest";
import { Role } from "../../host/trust/certificates.ts";
import { parseNote } from "../../host/trust/notes.ts";
import { DATE, EXPIRY, HOUR, Signer } from "../support/noteMaker.ts";
import { TestAgency } from "../../host/torture/testAgency.ts";
import { BANK, RedeemedNotes, simpleNote } from "./redeemed-notes.ts";

describe("a note that cannot be right", () => {
  it.each<[string, RegExp, (world: RedeemedNotes) => ReturnType<RedeemedNotes["note"]>]>([
    [
      "another bank's",
      /its generator is not the issuer's/,
      (world) =>
        world.note(world.body(9, { issuer: "Other" }), [{ to: world.generator, amount: 9 }]),
    ],
    [
      "a body that a teller signed",
      /signer is not the generator/,
      (world) => world.note(world.body(9), [{ to: world.generator, amount: 9 }], world.teller),
    ],
    [
      "a last holder who is not the generator",
      /its last holder is another module/,
      (world) => simpleNote(world, []),
    ],
    [
      "a part beyond its parent",
      /amounts of transfer 2 do not fit/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 101 }]),
    ],
    [
      "a part of nothing",
      /amounts of transfer 2 do not fit/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 0 }]),
    ],
    [
      "an offset with the first sequence",
      /amounts of transfer 2 do not fit/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 9, offset: 3 }]),
    ],
    [
      "a signature of somebody else",
      /transfer 2 is not signed by the holder/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 9, by: world.thief }]),
    ],
    [
      "a signature for another purpose",
      /the signature of transfer 2 is wrong/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 9, purpose: "florin/offer" }]),
    ],
    [
      "a date before its parent's",
      /date of transfer 2/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 9, date: DATE - HOUR }]),
    ],
    [
      "a date more than thirty days after its expiry",
      /date of transfer 2/,
      (world) => simpleNote(world, [{ to: world.generator, amount: 9, date: EXPIRY + 721 * HOUR }]),
    ],
    [
      "expired money that was paid on to somebody else",
      /transfer 3 is of expired money/,
      (world) => {
        const date = EXPIRY + HOUR;
        const { thief, generator } = world;
        return simpleNote(world, [
          { to: thief, amount: 9, date },
          { to: generator, amount: 9, date },
        ]);
      },
    ],
    [
      "a signer of another agency",
      /transfer 2 is not signed by the holder/,
      (world) => {
        const by = new Signer(new TestAgency(40), "TELLE-T", Role.TELLER);
        return simpleNote(world, [{ to: world.generator, amount: 9, by }]);
      },
    ],
  ])("stays where it is and is told about: %s", async (_what, complaint, make) => {
    const world = new RedeemedNotes();
    const note = make(world);
    world.cameBack(note, 9);
    await world.reconcile();
    expect(world.alarms).toEqual([expect.stringMatching(complaint)]);
    expect(world.held.size).toBe(1);
    expect(await world.store.leaves(BANK)).toEqual([]);
  });

  it("is told about once by one process", async () => {
    const world = new RedeemedNotes();
    world.cameBack(simpleNote(world, []), 9);
    const desk = world.desk();
    for (const _ of [1, 2]) {
      desk.request();
      await desk.settled();
    }
    expect(world.alarms).toHaveLength(1);
  });

  it("is no note unless each part has its shape", () => {
    const world = new RedeemedNotes();
    const { bytes } = simpleNote(world);
    expect(parseNote(bytes)).toBeDefined();
    for (let length = 0; length < bytes.length; length += 7) {
      expect(parseNote(bytes.subarray(0, length))).toBeUndefined();
    }
  });
});
