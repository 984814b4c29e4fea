// SPDX-License-Identifier: Apache-2.0
// The journal as a test sees it: a plain Map as the model, and the same operations on the image.
import type { StorageImage } from "./flashBoard.ts";
import type { Random } from "../../host/torture/random.ts";

/** `OpenResult` of assembly/flash/format.ts. */
export const READY = 0;
export const EMPTY = 1;
export const DAMAGED = 2;
export const ROLLED_BACK = 3;

/** "kind/key" → value. */
export type Model = Map<string, Uint8Array>;

export interface Operation {
  kind: number;
  key: number;
  /** undefined = removal. */
  value: Uint8Array | undefined;
}

/** What a batch makes of a model. */
export function applied(model: Model, batch: readonly Operation[]): Model {
  const after = new Map(model);
  for (const { kind, key, value } of batch) {
    if (value === undefined) after.delete(`${kind}/${key}`);
    else after.set(`${kind}/${key}`, value);
  }
  return after;
}

/** Puts a batch together in the image, without committing it. */
export function stage(image: StorageImage, batch: readonly Operation[]): void {
  const memory = new Uint8Array(image.memory.buffer);
  let pointer = image.buffer();
  image.begin();
  for (const { kind, key, value } of batch) {
    if (value === undefined) {
      image.remove(kind, key);
      continue;
    }
    memory.set(value, pointer);
    image.put(kind, key, pointer, value.length);
    pointer += value.length;
  }
}

/** Stages and commits a batch. */
export function commit(image: StorageImage, batch: readonly Operation[], sealed: boolean): boolean {
  stage(image, batch);
  return image.commit(sealed) !== 0;
}

/** Reads everything of kinds 1 to 63; throws where a record is listed and cannot be read. */
export function contents(image: StorageImage): Model {
  const memory = new Uint8Array(image.memory.buffer);
  const model: Model = new Map();
  const pointer = image.buffer();
  for (let kind = 1; kind < 64; kind++) {
    for (let cursor = image.first(kind); cursor >= 0; cursor = image.next(kind, cursor)) {
      const key = image.keyAt(cursor) >>> 0;
      const length = image.lengthOf(kind, key);
      if (image.read(kind, key, 0, pointer, length) === 0) {
        throw new Error(`Record ${kind}/${key} is listed but cannot be read.`);
      }
      model.set(`${kind}/${key}`, memory.slice(pointer, pointer + length));
    }
  }
  return model;
}

/** Whether two models hold the same records. */
export function isSame(a: Model, b: Model): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other === undefined || Buffer.compare(value, other) !== 0) return false;
  }
  return true;
}

/** A batch such as money makes: mostly small records, now and then one of several kilobytes. */
export function randomBatch(random: Random, model: Model, maxLive = 90): Operation[] {
  const batch: Operation[] = [];
  const count = 1 + random.below(4);
  let room = 4600;
  for (let i = 0; i < count; i++) {
    const names = [...model.keys()];
    const isRemoval = names.length > 0 && (names.length > maxLive || random.chance(0.35));
    const isOld = isRemoval || (names.length > 0 && random.chance(0.4));
    const [kind, key] = isOld
      ? random.pick(names).split("/").map(Number)
      : [1 + random.below(5), 1 + random.below(400)];
    const length = random.chance(0.04) ? random.below(4000) : random.below(500);
    if (batch.some((other) => other.kind === kind && other.key === key)) continue;
    if (!isRemoval && length + 7 > room) continue;
    room -= isRemoval ? 5 : length + 7;
    batch.push({ kind: kind!, key: key!, value: isRemoval ? undefined : random.bytes(length) });
  }
  return batch;
}
