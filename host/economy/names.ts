// SPDX-License-Identifier: Apache-2.0
// Finds people and merchants by the names that an order gives; a wrong name is told with those that
// there are, before anything is begun.
import type { Merchant } from "./merchants.ts";
import type { Person } from "./people.ts";
import type { World } from "./world.ts";

/** An order that names somebody or something that is not in this economy; nothing was begun. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
}

/** Finds a person. @throws {UnknownNameError} */
export function personNamed(world: World, name: string): Person {
  const person = world.people.find((candidate) => candidate.name === name);
  if (person !== undefined) return person;
  const names = world.people.map((candidate) => candidate.name).join(", ");
  throw new UnknownNameError(`nobody here is named "${name}"; there are ${names}`);
}

/** Finds a merchant. @throws {UnknownNameError} */
export function merchantNamed(world: World, name: string): Merchant {
  const merchant = world.merchants.find((candidate) => candidate.name === name);
  if (merchant !== undefined) return merchant;
  const names = world.merchants.map((candidate) => candidate.name).join(", ");
  throw new UnknownNameError(`no merchant is named "${name}"; there are ${names}`);
}
