// SPDX-License-Identifier: Apache-2.0
// X25519 (RFC 7748, sections 5 and 6.1), constant time.
import { wipe } from "./bytes";
import { baseMultiply } from "./comb25519";
import { POINT_SIZE, Y, Z } from "./edwards25519";
import { fieldFromBytes, fieldToBytes } from "./encoding25519";
import {
  FIELD_SIZE,
  fieldAddScaled,
  fieldMultiply,
  fieldSelect,
  fieldSet,
  fieldSquare,
  fieldSubtract,
  fieldSumDifference,
} from "./field25519";
import { fieldInvert } from "./inverse25519";

const clamped = memory.data(32, 8);
const base = memory.data(FIELD_SIZE, 8);
/** The two points of the ladder, each x and z; one is a multiple and the other one step further. */
const doubled = memory.data(2 * FIELD_SIZE, 8);
const summed = memory.data(2 * FIELD_SIZE, 8);
/** Sum and difference of x and z of either point. */
const doubledTerms = memory.data(2 * FIELD_SIZE, 8);
const summedTerms = memory.data(2 * FIELD_SIZE, 8);
const crossed = memory.data(2 * FIELD_SIZE, 8);
const point = memory.data(POINT_SIZE, 8);

/**
 * output = the shared secret of `scalar` and the peer's `peer` (32 bytes each; output may be
 * either). False where it is all zero: then the peer's point has small order, and section 6.1 says
 * not to go on.
 */
export function x25519(output: usize, scalar: usize, peer: usize): bool {
  clamp(scalar);
  fieldFromBytes(base, peer);
  ladder();
  fieldInvert(base, doubled + FIELD_SIZE);
  fieldMultiply(doubled, doubled, base);
  fieldToBytes(output, doubled);
  wipe(clamped, 32);
  wipe(base, FIELD_SIZE);
  wipe(doubled, 2 * FIELD_SIZE);
  wipe(summed, 2 * FIELD_SIZE);
  wipe(doubledTerms, 2 * FIELD_SIZE);
  wipe(summedTerms, 2 * FIELD_SIZE);
  wipe(crossed, 2 * FIELD_SIZE);
  let any: u64 = 0;
  for (let i = 0; i < 32; i += 8) any |= load<u64>(output + i);
  return any != 0;
}

/** output = the public key of the secret `scalar`: its multiple of the point with u = 9. */
export function x25519PublicKey(output: usize, scalar: usize): void {
  clamp(scalar);
  baseMultiply(point, clamped);
  // From the Edwards curve: u = (1 + y) / (1 - y) = (Z + Y) / (Z - Y), RFC 7748, section 4.1.
  fieldSumDifference(doubled, summed, point + Z, point + Y);
  fieldInvert(base, summed);
  fieldMultiply(doubled, doubled, base);
  fieldToBytes(output, doubled);
  wipe(clamped, 32);
  wipe(base, FIELD_SIZE);
  wipe(doubled, FIELD_SIZE);
  wipe(summed, FIELD_SIZE);
  wipe(point, POINT_SIZE);
}

/** Section 5: the scalar is a multiple of 8 with bit 254 set and bit 255 clear. */
function clamp(scalar: usize): void {
  memory.copy(clamped, scalar, 32);
  store<u8>(clamped, load<u8>(clamped) & 248);
  store<u8>(clamped, (load<u8>(clamped, 31) & 127) | 64, 31);
}

/**
 * doubled = clamped times base, as x / z. The Montgomery ladder of section 5, arranged so that
 * nothing is swapped: a step turns P and Q into 2P or 2Q, and P + Q. The sum is the same whichever
 * is doubled, so the bits only decide which one is: the sum where a bit differs from the one
 * before.
 */
function ladder(): void {
  // Bit 254 is set: after it the multiple is the base itself and one step further is its double.
  memory.copy(summed, base, FIELD_SIZE);
  fieldSet(summed + FIELD_SIZE, 1);
  fieldSumDifference(doubledTerms, doubledTerms + FIELD_SIZE, summed, summed + FIELD_SIZE);
  double();
  let previous: u32 = 1;
  for (let i = 253; i >= 3; i--) {
    const bit: u32 = (load<u8>(clamped + (i >> 3)) >> (i & 7)) & 1;
    step(bit ^ previous);
    previous = bit;
  }
  // The last three bits are clear. The multiple is the doubled point if bit 3 was clear, else the
  // sum; what remains is to double it three times.
  fieldSelect(doubled, summed, previous);
  fieldSelect(doubled + FIELD_SIZE, summed + FIELD_SIZE, previous);
  for (let i = 0; i < 3; i++) {
    fieldSumDifference(doubledTerms, doubledTerms + FIELD_SIZE, doubled, doubled + FIELD_SIZE);
    double();
  }
}

/** One differential addition and one doubling, of the sum where `choice` is 1. */
function step(choice: u32): void {
  fieldSumDifference(doubledTerms, doubledTerms + FIELD_SIZE, doubled, doubled + FIELD_SIZE);
  fieldSumDifference(summedTerms, summedTerms + FIELD_SIZE, summed, summed + FIELD_SIZE);
  fieldMultiply(crossed, doubledTerms, summedTerms + FIELD_SIZE);
  fieldMultiply(crossed + FIELD_SIZE, doubledTerms + FIELD_SIZE, summedTerms);
  fieldSelect(doubledTerms, summedTerms, choice);
  fieldSelect(doubledTerms + FIELD_SIZE, summedTerms + FIELD_SIZE, choice);
  fieldSumDifference(crossed, crossed + FIELD_SIZE, crossed, crossed + FIELD_SIZE);
  fieldSquare(summed, crossed);
  fieldSquare(crossed, crossed + FIELD_SIZE);
  fieldMultiply(summed + FIELD_SIZE, crossed, base);
  double();
}

/** doubled = twice the point whose x + z and x - z are at `doubledTerms`. */
function double(): void {
  fieldSquare(doubledTerms, doubledTerms);
  fieldSquare(doubledTerms + FIELD_SIZE, doubledTerms + FIELD_SIZE);
  fieldMultiply(doubled, doubledTerms, doubledTerms + FIELD_SIZE);
  fieldSubtract(doubledTerms + FIELD_SIZE, doubledTerms, doubledTerms + FIELD_SIZE);
  fieldAddScaled(doubledTerms, doubledTerms, doubledTerms + FIELD_SIZE);
  fieldMultiply(doubled + FIELD_SIZE, doubledTerms, doubledTerms + FIELD_SIZE);
}
