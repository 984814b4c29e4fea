// SPDX-License-Identifier: Apache-2.0
// Reads a module's log (9) or an export (8) to its end: item by item, each answer with the cursor
// of the next (docs/protocol.cddl section 8).

/**
 * Every item that a command with a cursor tells, oldest first.
 * @param ask sends the command with this cursor and gives its answer, which ends in the next cursor
 *   (null after the last) and the item (null where there is none)
 * @throws {Error} when an answer does not come
 */
export function itemsOf(ask: (cursor: unknown) => unknown[] | undefined): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let cursor: unknown = 0; cursor !== null; ) {
    const answer = ask(cursor);
    if (answer === undefined) throw new Error(`A module gave no answer at cursor ${cursor}.`);
    const item = answer.at(-1);
    if (item instanceof Uint8Array) items.push(item);
    cursor = answer.at(-2);
  }
  return items;
}
