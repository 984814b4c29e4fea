// SPDX-License-Identifier: Apache-2.0
// An order in which any part of a list is spread evenly over the whole of it: each step is near the
// golden section of its length.

/** A step near the golden section of `length` that reaches all numbers below it. */
export function strideOf(length: number): number {
  const divides = (a: number, b: number): number => (b === 0 ? a : divides(b, a % b));
  let stride = Math.max(1, Math.round(length * 0.618));
  while (divides(length, stride) !== 1) stride += 1;
  return stride;
}

/** All numbers below `length`, those that follow one another far apart. */
export function* spread(length: number): Generator<number> {
  const stride = strideOf(length);
  for (let index = 0; index < length; index += 1) yield (index * stride) % length;
}
