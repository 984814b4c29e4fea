// SPDX-License-Identifier: Apache-2.0
// What the simulated board tells of itself on channel 1 (docs/link.md): wear of its flash, and who
// it is, signed.
import { expect, test } from "vitest";
import { askBoard } from "../../host/device/boardRequests.ts";
import { verifyIdentity } from "../../host/simulator/boardIdentity.ts";
import { BoardRequest, decodeWear } from "../../host/simulator/management.ts";
import { memoryStorage } from "../../host/simulator/storage.ts";
import { Echo, MODULE, pack } from "./echoBoard.ts";
import { bench, OTHER_SEED } from "./updateBench.ts";

test("wear counts erasures of the module's own flash, of all pages and of the worst", async () => {
  const storage = memoryStorage();
  const at = bench({ storage });
  for (const page of [1, 1, 2]) at.ask(MODULE, Echo.FLASH_ERASE, [page]);
  at.close();
  const after = bench({ storage });
  after.ask(MODULE, Echo.FLASH_ERASE, [1]);
  const answer = decodeWear(await askBoard(after.link, after.clock, pack([BoardRequest.WEAR])));
  expect(answer).toEqual([
    { channel: 2, erasures: { total: 0, most: 0 } },
    { channel: 3, erasures: { total: 4, most: 3 } },
  ]);
});

test("the board signs what it tells in SYNC, under the link's nonce, with a key of its own", async () => {
  const at = bench();
  const answer = await askBoard(at.link, at.clock, pack([BoardRequest.IDENTITY]));
  const identity = verifyIdentity(answer, at.link.nonce);
  expect(identity?.board).toEqual(at.link.board);
  const changed = answer.slice();
  changed[80]! ^= 1;
  expect(verifyIdentity(changed, at.link.nonce)).toBeNull();
  expect(verifyIdentity(answer, new Uint8Array(8).fill(9))).toBeNull();
  const again = bench();
  const same = await askBoard(again.link, again.clock, pack([BoardRequest.IDENTITY]));
  expect(verifyIdentity(same, again.link.nonce)?.key).toEqual(identity?.key);
  const other = bench({ secret: OTHER_SEED });
  const theirs = await askBoard(other.link, other.clock, pack([BoardRequest.IDENTITY]));
  expect(verifyIdentity(theirs, other.link.nonce)?.key).not.toEqual(identity?.key);
});
