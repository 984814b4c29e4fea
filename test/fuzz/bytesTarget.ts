// SPDX-License-Identifier: Apache-2.0
// A decoder that takes bytes from outside: it must take or refuse them, and do nothing else.
import type { Random } from "../../host/torture/random.ts";
import { mutated } from "./mutation.ts";
import type { Signer } from "./signer.ts";
import { fromHex, type Input, type Target, toHex } from "./target.ts";

export interface BytesTargetOptions {
  name: string;
  /** Right inputs, from which wrong ones are made. */
  seeds: readonly Uint8Array[];
  /** What the decoder makes of the bytes, in a few words; throws what must not happen. */
  check(bytes: Uint8Array, input: Input): string;
  /** Makes another input of an old one; structured mutation of CBOR if absent. */
  mutate?(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array;
  signer?: Signer;
}

export function bytesTarget(options: BytesTargetOptions): Target {
  const { name, seeds, check, signer } = options;
  const mutate =
    options.mutate ??
    ((bytes: Uint8Array, others: readonly Uint8Array[], random: Random) =>
      mutated(bytes, others, random, signer ?? null));
  return {
    name,
    next(random, kept) {
      const old = kept.length > 0 && random.chance(0.5) ? fromHex(random.pick(kept).bytes) : null;
      const place = random.below(seeds.length);
      return { place, bytes: toHex(mutate(old ?? seeds[place]!, seeds, random)) };
    },
    run: (input) => check(fromHex(input.bytes), input),
  };
}
