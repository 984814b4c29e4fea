// SPDX-License-Identifier: Apache-2.0
// Pairs of faults that once left something open, each by the rule that now ends it: a host that
// asks again (30, 56) makes the agent ask its money module again (docs/protocol.md rules 4.4 and
// 5.1).
import { expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { worldOfPoint } from "../../host/torture/pointId.ts";

/** The point of this id by itself. */
function attempt(id: string) {
  const { scenario, seed } = worldOfPoint(id);
  return new Explorer(scenario, seed).attempt(id);
}

test.each([
  "purchase:1:35/both.M.soon+3/host.M.late",
  "sale:1:31/flash.4.after.soon+1/random.M.dead",
  "sale:1:37/blackout.soon+8/message.bit-flipped-in-its-last-byte",
])("a card whose payment's end was told to no host is settled: %s", (id) => {
  expect(attempt(id).complaints).toEqual([]);
});

// A host asked what is open (56) before its agent had looked at what it found at boot.
test("a hold of which the agent knows by its journal alone is voided: purchase", () => {
  expect(attempt("purchase:1:30/blackout.soon").complaints).toEqual([]);
});

// A nonce that is spoilt on its way leaves agent and module with two keys.
test.each([
  "purchase:1:48/both.M.soon+6/message.bit-flipped-in-its-last-byte",
  "purchase:1:34/blackout.soon+11/message.bit-flipped-in-its-last-byte",
  "sale:1:68/blackout.soon+11/message.bit-flipped-in-its-last-byte",
  "sale:2:71/flash.1.after.soon+5/message.bit-flipped-in-its-last-byte",
  "sale:2:73/flash.3.torn.soon+16/message.bit-flipped-anywhere",
])("halves with two keys agree on one when a record does not open: %s", (id) => {
  expect(attempt(id).complaints).toEqual([]);
});

test("an order whose end the agent could not hear for want of a key is told: exchange", () => {
  const result = attempt("exchange:1:25/random.C.dead+22/flash.0.torn.soon");
  expect(result.complaints).toEqual([]);
  expect(result.isCommitted).toBe(true);
});

// The bank's question (88) came when the generator had forgotten what the bank had noted; that it
// has no record contradicts neither the books nor the model (rule 4.6).
test("the bank asks late about a payment that is forgotten: no contradiction in a redemption", () => {
  const id = "redemption:1:12/both.T.late+12/message.only-behind-all-time-outs";
  expect(attempt(id)).toMatchObject({ isCommitted: true, complaints: [] });
});
