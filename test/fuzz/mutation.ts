// SPDX-License-Identifier: Apache-2.0
// Changes encoded objects as somebody would who knows what they are made of: types, lengths, order,
// boundary numbers, keys there twice, parts of other recorded objects in their place; and now and
// then bytes as such. Everything follows from the random source.
import { concatBytes } from "@noble/hashes/utils.js";
import type { Random } from "../../host/torture/random.ts";
import type { Signer } from "./signer.ts";
import { allItems, copyTree, type Item, item, readTree, writeTree } from "./cborTree.ts";

/** Numbers at which encodings, limits and types end. */
const BOUNDARIES = [
  ...[0n, 1n, 23n, 24n, 31n, 32n, 33n, 63n, 64n, 65n, 127n, 128n, 255n, 256n, 480n, 481n, 2047n],
  ...[4096n, 6144n, 6400n, 8192n, 32767n, 32768n, 65535n, 65536n, 2n ** 31n - 1n, 2n ** 31n],
  ...[
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ],
  ...[253402300799n, 253402300800n, 253402300799999n],
];

/** Most bytes that a mutated object grows to: a little more than any inbox takes. */
export const SIZE_LIMIT = 9_000;

/** How often what a signer can sign anew is signed anew. */
const SIGNED_ANEW = 0.7;

/**
 * Changes an object once to three times. `others`: objects whose parts it may be given; `signer`:
 * who signs parts anew whose content was changed.
 */
export function mutated(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
  signer: Signer | null = null,
): Uint8Array {
  const tree = random.chance(0.12) ? null : readTree(bytes);
  let result: Uint8Array;
  if (tree === null) result = bytesMutated(bytes, random);
  else {
    const lies = new Set<Item>();
    const root = copyTree(tree);
    const isSigned = signer !== null && random.chance(SIGNED_ANEW);
    const objects = isSigned ? signer.objectsOf(root) : null;
    const rounds = 1 + random.below(3);
    for (let round = 0; round < rounds; round += 1) {
      const donor = others.length === 0 ? null : readTree(random.pick(others));
      change(root, donor, lies, random);
    }
    if (objects !== null) signer?.sign(objects);
    result = writeTree(root, lies);
  }
  return result.length > SIZE_LIMIT ? result.slice(0, SIZE_LIMIT) : result;
}

/** Bytes flipped, cut, repeated, inserted or invented. */
export function bytesMutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = at + random.below(Math.min(16, bytes.length - at) + 1);
  const [head, piece, tail] = [bytes.slice(0, at), bytes.slice(at, to), bytes.slice(to)];
  switch (random.below(7)) {
    case 0: {
      const flipped = bytes.slice();
      if (flipped.length > 0) flipped[random.below(flipped.length)]! ^= 1 << random.below(8);
      return flipped;
    }
    case 1:
      return head;
    case 2:
      return concatBytes(head, tail);
    case 3:
      return concatBytes(head, piece, piece, tail);
    case 4:
      return concatBytes(head, random.bytes(1 + random.below(8)), tail);
    case 5:
      return concatBytes(head, piece.fill(random.pick([0, 0xff, 0x7f, 0x80])), tail);
    default:
      return random.bytes(random.below(64));
  }
}

function change(root: Item, donor: Item | null, lies: Set<Item>, random: Random): void {
  const places = allItems(root);
  const place = random.pick(places);
  // A part of another object, of the same kind where there is one: an id for an id.
  if (donor !== null && random.chance(0.3)) {
    const parts = allItems(donor);
    const alike = parts.filter(
      (one) => one.major === place.major && one.bytes.length === place.bytes.length,
    );
    become(place, random.pick(alike.length > 0 && random.chance(0.8) ? alike : parts));
  } else if (random.chance(0.1)) become(place, anyItem(random));
  else if (random.chance(0.06)) misshape(place, lies, random);
  else if (place.major <= 1) number(place, random);
  else if (place.items.length > 0 && place.major !== 2) list(place, random);
  else if (place.major === 2 || place.major === 3) text(place, random);
  else become(place, random.pick([item(7, 20), item(7, 21), item(7, 22), item(7, 23), item(0, 0)]));
}

function become(place: Item, other: Item): void {
  Object.assign(place, copyTree(other));
}

function anyItem(random: Random): Item {
  const major = random.pick([0, 0, 1, 2, 3, 4, 5, 7]);
  const bytes = random.bytes(random.pick([0, 1, 8, 16, 32, 64, 65, 300]));
  if (major === 2) return item(2, 0, { bytes });
  if (major === 3) return item(3, 0, { bytes: bytes.map((byte) => 65 + (byte % 26)) });
  if (major === 4)
    return item(4, 0, { items: Array.from({ length: random.below(5) }, () => item(0, 1)) });
  if (major === 5) return item(5, 0, { items: [item(0, 1), item(0, 2), item(0, 1), item(0, 3)] });
  return item(
    major,
    major === 7 ? random.pick([20n, 21n, 22n, 23n, 31n]) : random.pick(BOUNDARIES),
  );
}

/** A head that is longer than it must be, without an end, or that lies. */
function misshape(place: Item, lies: Set<Item>, random: Random): void {
  const way = random.below(4);
  if (way === 0) place.headBytes = random.pick([1, 2, 4, 8]);
  else if (way === 1 && place.major >= 2 && place.major <= 5) place.isIndefinite = true;
  else if (way === 2) place.major = random.below(8);
  else {
    lies.add(place);
    const step = random.pick([1n, -1n, 2n, 64n]);
    const length = BigInt(place.major === 4 ? place.items.length : place.bytes.length) + step;
    place.value = random.chance(0.5) && length >= 0n ? length : random.pick(BOUNDARIES);
  }
}

function number(place: Item, random: Random): void {
  const way = random.below(4);
  if (way === 0) place.value += 1n;
  else if (way === 1 && place.value > 0n) place.value -= 1n;
  else if (way === 2) place.major = 1 - place.major;
  else place.value = random.pick(BOUNDARIES);
  place.value = BigInt.asUintN(64, place.value);
}

function list(place: Item, random: Random): void {
  const { items } = place;
  // Of a map, key and value go together.
  const width = place.major === 5 ? 2 : 1;
  const at = width * random.below(items.length / width);
  const one = items.slice(at, at + width).map(copyTree);
  switch (random.below(6)) {
    case 0:
      items.splice(at, width);
      break;
    case 1:
      items.splice(at, 0, ...one);
      break;
    case 2:
      items.splice(at, width);
      items.unshift(...one);
      break;
    case 3:
      items.push(anyItem(random));
      break;
    case 4:
      for (let more = random.below(40); more > 0; more -= 1) items.push(...one.map(copyTree));
      break;
    default:
      become(place, item(4, 0, { items: [copyTree(place)] }));
  }
}

function text(place: Item, random: Random): void {
  const { bytes } = place;
  place.items = [];
  const way = random.below(6);
  if (way === 0) place.bytes = bytes.slice(0, random.below(bytes.length + 1));
  else if (way === 1) place.bytes = concatBytes(bytes, random.bytes(1 + random.below(3)));
  else if (way === 2) place.bytes = bytes.slice().fill(random.pick([0, 0xff]));
  else if (way === 3) place.bytes = random.bytes(bytes.length);
  else if (way === 4) place.bytes = random.bytes(Number(random.pick(BOUNDARIES) % 7000n));
  else if (bytes.length > 0) {
    place.bytes = bytes.slice();
    place.bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  }
}
