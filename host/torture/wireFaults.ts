// SPDX-License-Identifier: Apache-2.0
// What a hostile middle man does to one message: all that Dolev and Yao allow without the keys
// (On the security of public key protocols, 1983), bits and lengths included.
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import type { Random } from "./random.ts";
import { type Fault, type Letter, routeOf, type Wires } from "./wires.ts";

export interface NamedFault {
  name: string;
  /**
   * On a wire between hosts the transaction must commit all the same: what is not newer, or does
   * not open, is dropped and never fatal (protocol rule 2).
   */
  isHarmless?: (letter: Letter) => boolean;
  /** Acts on the one letter that it is given. */
  act(letter: Letter, wires: Wires, random: Random): Letter[];
}

/** Behind any time-out of two devices. */
const LATE_MS = 400_000;
/** A swapped letter without a successor comes so late. */
const SWAP_LIMIT_MS = 2_000;

const changed = (letter: Letter, body: Uint8Array): Letter[] => [{ ...letter, body }];

/** Flips bit `bit` of byte `at`. */
function flipped(letter: Letter, at: number, bit: number): Letter[] {
  const body = letter.body.slice();
  if (body.length > 0) body[at] = body[at]! ^ (1 << bit);
  return changed(letter, body);
}

function extended(letter: Letter, by: Uint8Array): Letter[] {
  return changed(letter, Uint8Array.from([...letter.body, ...by]));
}

/** A letter of the same route that came before, in this session or an earlier one. */
function earlier(letter: Letter, wires: Wires, random: Random): Letter[] {
  const route = routeOf(letter);
  const others = wires.log.filter((other) => other !== letter && routeOf(other) === route);
  return others.length === 0 ? [] : [{ ...random.pick(others), id: letter.id }];
}

/** A body of the right outer form and tag with nothing right inside. */
function shaped(letter: Letter, random: Random): Letter[] {
  const item = decodeCbor(letter.body);
  if (!Array.isArray(item)) return changed(letter, random.bytes(letter.body.length));
  const shape = (item as unknown[]).map((value) => {
    if (value instanceof Uint8Array) return random.chance(0.5) ? value : random.bytes(value.length);
    return typeof value === "number" && random.chance(0.3) ? random.below(99) : value;
  });
  shape[0] = random.below(14);
  return changed(letter, encodeCbor(shape));
}

const always = () => true;

/** Whether it is sealed under a session's key; a handshake is not, and may be spoilt. */
const isRecord = ({ body }: Letter) => body[1] === 4;

/** Faults that any two parties' host, or whoever is between hosts, may make. */
export const WIRE_FAULTS: readonly NamedFault[] = [
  { name: "dropped", act: () => [] },
  { name: "duplicated", isHarmless: always, act: (letter) => [letter, letter] },
  {
    name: "swapped with the next",
    act: (letter, wires) => {
      wires.hold(letter, true, SWAP_LIMIT_MS);
      return [];
    },
  },
  {
    name: "again behind all time-outs",
    isHarmless: always,
    act: (letter, wires) => {
      wires.hold(letter, false, LATE_MS);
      return [letter];
    },
  },
  {
    name: "only behind all time-outs",
    act: (letter, wires) => {
      wires.hold(letter, false, LATE_MS);
      return [];
    },
  },
  {
    name: "behind an old one",
    isHarmless: always,
    act: (letter, wires, random) => [...earlier(letter, wires, random), letter],
  },
  { name: "replaced by an old one", act: earlier },
  {
    name: "behind every old one",
    isHarmless: always,
    act: (letter, wires) => [
      ...wires.log.filter((old) => old !== letter && routeOf(old) === routeOf(letter)),
      letter,
    ],
  },
  { name: "bit flipped in its first byte", act: (letter, _, r) => flipped(letter, 0, r.below(8)) },
  {
    name: "bit flipped in its head",
    act: (letter, _, r) => flipped(letter, r.below(Math.min(16, letter.body.length)), r.below(8)),
  },
  {
    name: "bit flipped in its middle",
    act: (letter, _, r) => flipped(letter, letter.body.length >> 1, r.below(8)),
  },
  {
    name: "bit flipped in its last byte",
    act: (letter, _, r) => flipped(letter, letter.body.length - 1, r.below(8)),
  },
  {
    name: "bit flipped anywhere",
    act: (letter, _, r) => flipped(letter, r.below(letter.body.length), r.below(8)),
  },
  {
    name: "a flipped copy before it",
    isHarmless: isRecord,
    act: (letter, _, r) => [...flipped(letter, r.below(letter.body.length), r.below(8)), letter],
  },
  { name: "without its last byte", act: (letter) => changed(letter, letter.body.slice(0, -1)) },
  {
    name: "truncated anywhere",
    act: (letter, _, r) => changed(letter, letter.body.slice(0, r.below(letter.body.length))),
  },
  { name: "a byte longer", act: (letter, _, r) => extended(letter, r.bytes(1)) },
  { name: "much longer", act: (letter, _, r) => extended(letter, r.bytes(r.below(4000))) },
  {
    name: "replaced by garbage",
    act: (letter, _, r) => changed(letter, r.bytes(1 + r.below(letter.body.length))),
  },
  { name: "replaced by shaped garbage", act: (letter, _, r) => shaped(letter, r) },
  {
    name: "shaped garbage before it",
    isHarmless: isRecord,
    act: (letter, _, r) => [...shaped(letter, r), letter],
  },
];

/** On a wire between hosts alone: other receivers. */
export const PEER_FAULTS: readonly NamedFault[] = [
  ...WIRE_FAULTS,
  {
    name: "given to the other half as well",
    act: (letter) => {
      const half = letter.half === "agent" ? "module" : "agent";
      return letter.to.module === null || letter.to.agent === letter.to.module
        ? [letter]
        : [{ ...letter, half }, letter];
    },
  },
  {
    name: "denied by a stranger",
    act: (letter, _, r) => {
      const tag = letter.body.slice(3, 11);
      return [letter, { ...letter, body: encodeCbor([5, tag, 1 + r.below(49)]) }];
    },
  },
];

/** The line between two hosts is cut at this letter; the runner repairs it. */
export const CUT: NamedFault = { name: "the line cut from here", act: () => [] };

/** One field of a command changed as a lying host would. */
function lie(value: unknown, r: Random): unknown {
  if (typeof value === "boolean") return !value;
  if (typeof value === "number") {
    return r.pick([value + 1, 0, 1, -1, Number.MAX_SAFE_INTEGER, 2 ** 32, value * 2, null, "x"]);
  }
  if (value instanceof Uint8Array) {
    return r.pick([r.bytes(value.length), value.slice(1), new Uint8Array(0), null, 7, [value]]);
  }
  if (typeof value === "string") return r.pick(["", "ZZZ", "eur", "é".repeat(9), 5, null]);
  if (Array.isArray(value)) {
    if (value.length === 0 || r.chance(0.2)) return r.pick([[], null, [value], 3]);
    const at = r.below(value.length);
    return value.map((item, index) => (index === at ? lie(item, r) : item));
  }
  return r.pick([0, new Uint8Array(16), "x", []]);
}

function liedAbout(letter: Letter, r: Random): Letter[] {
  const command = decodeCbor(letter.body) as unknown[];
  const at = r.below(command.length);
  const fields = command.map((value, index) => (index === at ? lie(value, r) : value));
  return changed(letter, encodeCbor(fields));
}

/** A command of this host, of any time, for another id than the one it was for. */
function forAnother(letter: Letter, wires: Wires, r: Random): Letter[] {
  const commands = wires.log.filter(({ wire, to }) => wire === "command" && to === letter.to);
  const other = r.pick(commands);
  const fields = decodeCbor(other.body) as unknown[];
  if (fields[1] instanceof Uint8Array) fields[1] = r.bytes(fields[1].length);
  return [{ ...other, id: letter.id, body: encodeCbor(fields) }];
}

/** Any command number with fields of any kind. */
function anyCommand(letter: Letter, r: Random): Letter[] {
  const number = r.pick(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20, 22, 24, 26, 28, 30, 43, 44, 46, 48, 49].concat([
      55,
      56,
      60,
      70,
      71,
      72,
      73,
      80,
      81,
      82,
      83,
      84,
      85,
      88,
      89,
      90,
      99,
      255,
      2 ** 32,
    ]),
  );
  const pool = [0, 1, 2, -1, 2 ** 40, true, null, "EUR", "12345678", r.bytes(8), r.bytes(16)];
  const fields = Array.from({ length: r.below(5) }, () => r.pick<unknown>(pool));
  const half = r.chance(0.5) ? letter.half : otherHalf(letter);
  return [{ ...letter, half, body: encodeCbor([number, ...fields]) }];
}

function otherHalf({ to, half }: Letter) {
  if (to.module === null || to.agent === to.module) return half;
  return half === "agent" ? "module" : "agent";
}

/** Lies of a device's own host in what it tells the device. */
export const HOST_LIES: readonly NamedFault[] = [
  ...WIRE_FAULTS,
  { name: "a field changed", act: (letter, _, r) => liedAbout(letter, r) },
  {
    name: "a field changed, then as it was",
    act: (letter, _, r) => [...liedAbout(letter, r), letter],
  },
  {
    name: "repeated with a field changed",
    act: (letter, _, r) => [letter, ...liedAbout(letter, r)],
  },
  { name: "replaced by one for another id", act: forAnother },
  { name: "behind one for another id", act: (l, w, r) => [...forAnother(l, w, r), l] },
  { name: "behind any command", act: (letter, _, r) => [...anyCommand(letter, r), letter] },
  { name: "before any command", act: (letter, _, r) => [letter, ...anyCommand(letter, r)] },
  {
    name: "given to the other half",
    act: (letter) => [{ ...letter, half: otherHalf(letter) }],
  },
];

/** What a host does with what its device tells it: it need not listen. */
export const DEAF_HOST: readonly NamedFault[] = WIRE_FAULTS.slice(0, 5);

/** The fault at one letter alone. */
export function once(fault: NamedFault, random: Random): Fault {
  let isDone = false;
  return (letter, wires) => {
    if (isDone) return [letter];
    isDone = true;
    return fault.act(letter, wires, random);
  };
}

/** Nothing passes between hosts any more. */
export const cutLine: Fault = (letter) => (letter.wire === "peer" ? [] : [letter]);

/** The same body in the session of another tag. */
function retagged({ body }: Letter, like: Letter): Uint8Array {
  const changed = body.slice();
  changed.set(like.body.subarray(3, 11), 3);
  return changed;
}

/** The last letter to the same half, or from it, in another device's session. */
function crossing(letter: Letter, wires: Wires): Letter | undefined {
  return wires.log.findLast(
    (other) =>
      other.wire === "peer" &&
      other.half === letter.half &&
      (other.to === letter.to) !== (other.from === letter.from),
  );
}

function crossed(make: (letter: Letter, other: Letter) => Letter[]): NamedFault["act"] {
  return (letter, wires) => {
    const other = crossing(letter, wires);
    return other === undefined ? [letter] : make(letter, other);
  };
}

/** Messages of two sessions of one device exchanged. */
export const CROSSINGS: readonly NamedFault[] = [
  {
    name: "behind one of another session in its name",
    act: crossed((letter, other) => [{ ...letter, body: retagged(other, letter) }, letter]),
  },
  {
    name: "in another session's name as well",
    act: crossed((letter, other) => [{ ...other, body: retagged(letter, other) }, letter]),
  },
  {
    name: "over another's connection first",
    act: crossed((letter, other) => [{ ...other, body: letter.body }, letter]),
  },
  {
    name: "over another's connection alone",
    act: crossed((letter, other) => [{ ...other, body: letter.body }]),
  },
  {
    name: "exchanged with one of another session",
    act: crossed((letter, other) => [
      { ...letter, body: retagged(other, letter) },
      { ...other, body: retagged(letter, other) },
    ]),
  },
];
