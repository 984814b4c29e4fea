// SPDX-License-Identifier: Apache-2.0
// Finds people and merchants by the names that an order gives; a wrong name is told with those that
// there are, before anything is begun.
import { closureSentence } from "../application/closedModule.ts";
import type { Bank } from "./banks.ts";
import type { CertifiedParty } from "./foundations.ts";
import type { Merchant } from "./merchants.ts";
import type { Person } from "./people.ts";
import type { World } from "./world.ts";

/** An order that names somebody or something that is not in this economy; nothing was begun. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
}

/** An order to a device that does not open; nothing was begun. */
export class ClosedDeviceError extends Error {
  override readonly name = "ClosedDeviceError";
}

/** Finds a person whose device opens. @throws {UnknownNameError} @throws {ClosedDeviceError} */
export function personNamed(world: World, name: string): Person {
  const person = anyPersonNamed(world, name);
  const [closure] = person.party.closures;
  if (closure === undefined) return person;
  throw new ClosedDeviceError(closureSentence(name, closure));
}

/** Finds a person, also one whose device does not open. @throws {UnknownNameError} */
export function anyPersonNamed(world: World, name: string): Person {
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

/** Finds a bank. @throws {UnknownNameError} */
export function bankNamed(world: World, name: string): Bank {
  const bank = world.banks.find((candidate) => candidate.name === name);
  if (bank !== undefined) return bank;
  const names = world.banks.map((candidate) => candidate.name).join(", ");
  throw new UnknownNameError(`no bank is named "${name}"; there are ${names}`);
}

/** A person or a merchant, with the devices that hold its money. */
export interface Owner {
  name: string;
  parties: readonly CertifiedParty[];
  /** Where it has its accounts; undefined for a person without a bank. */
  bank: Bank | undefined;
  /** Undefined for a person. */
  merchant: Merchant | undefined;
}

/** Finds a person or a merchant. @throws {UnknownNameError} @throws {ClosedDeviceError} */
export function ownerNamed(world: World, name: string): Owner {
  const merchant = world.merchants.find((candidate) => candidate.name === name);
  if (merchant !== undefined) {
    const parties = merchant.devices.map(({ party }) => party);
    return { name, parties, bank: merchant.bank, merchant };
  }
  if (world.people.some((candidate) => candidate.name === name)) {
    const person = personNamed(world, name);
    const entry = world.economy.people.find((candidate) => candidate.name === name);
    const bank = world.banks.find((candidate) => candidate.name === entry?.bank);
    return { name, parties: [person.party], bank, merchant: undefined };
  }
  const names = [...world.people, ...world.merchants].map((candidate) => candidate.name).join(", ");
  throw new UnknownNameError(`nobody here is named "${name}"; there are ${names}`);
}
