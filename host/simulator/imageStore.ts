// SPDX-License-Identifier: Apache-2.0
// Which image a module runs: the one the board was made with, or one that was loaded since, by a
// statement of the same signer (docs/decisions/0011). Two banks of flash take turns, so that a cut
// at any moment leaves the old image or the new one; the version floor, raised before an image
// starts for the first time, keeps lower versions out for ever.
import { type ImageRelease, isImageOf, verifyRelease } from "../trust/imageRelease.ts";
import { equalBytes } from "../trust/cbor.ts";
import { type FirmwareImage, loadImage } from "./image.ts";
import { type UpdateMessage, UpdateRequest, UpdateStatus } from "./imageUpdate.ts";
import type { ModuleStorage, StorageOperation } from "./types.ts";
import {
  FLASH_PAGE_SIZE,
  FLASH_SIZE,
  FLASH_WORD_SIZE,
  type FlashSnapshot,
  type RandomBits,
  VirtualFlash,
} from "./virtualFlash.ts";

/** A bank's first page holds the statement, its length in front; the image begins on the next. */
const IMAGE_START = FLASH_PAGE_SIZE;
const IMAGE_LIMIT = FLASH_SIZE - IMAGE_START;
const STATEMENT_START = FLASH_WORD_SIZE;
const KEY_SIZE = 32;

/** An image that comes in. */
interface Update {
  statement: Uint8Array;
  release: ImageRelease;
  bank: number;
  /** Bytes that are there. */
  done: number;
  /** The image runs already: nothing is to be written. */
  isThere: boolean;
}

/** Does one storage operation, unless the power fails before, within or after it. */
type Operate = (
  kind: StorageOperation["kind"],
  offset: number,
  length: number,
  work: (tear: RandomBits | null) => void,
) => void;

export interface ImageStoreSnapshot {
  banks: (FlashSnapshot | null)[];
  active: number;
  floor: bigint;
  update: Update | null;
}

export class ImageStore {
  /** What the module runs. */
  image: FirmwareImage;
  /** True where no image is as new as one that has run here: nothing is started. */
  isOutdated = false;
  private readonly builtIn: FirmwareImage;
  private readonly storage: ModuleStorage;
  private readonly operate: Operate;
  private readonly banks: (VirtualFlash | null)[];
  /** The bank that `image` is in, -1 for none. */
  private active = -1;
  private floor: bigint;
  private update: Update | null = null;

  constructor(builtIn: FirmwareImage, storage: ModuleStorage, operate: Operate) {
    this.builtIn = builtIn;
    this.image = builtIn;
    this.storage = storage;
    this.operate = operate;
    // Few boards are ever updated: a bank that was never written takes no memory.
    this.banks = storage.banks.map((bank) => (bank.load() ? new VirtualFlash(bank) : null));
    this.floor = storage.versionFloor.load();
  }

  /** At power-on: chooses the newest image that is whole, and raises the floor to its version. */
  choose(unstable: RandomBits): void {
    this.update = null;
    for (const bank of this.banks) bank?.settle(unstable);
    this.image = this.builtIn;
    this.active = -1;
    for (const [index, bank] of this.banks.entries()) {
      const image = bank === null ? null : this.imageIn(bank);
      if (image === null || image.version <= this.image.version) continue;
      this.image = image;
      this.active = index;
    }
    this.isOutdated = BigInt(this.image.version) < this.floor;
    if (!this.isOutdated) this.raiseFloor();
  }

  /** Takes one message of an update; a new image is in `image` when END is taken. */
  take(message: UpdateMessage): { status: UpdateStatus; offset: number } {
    const status = this.handle(message);
    return { status, offset: this.update?.done ?? 0 };
  }

  snapshot(): ImageStoreSnapshot {
    const banks = this.banks.map((bank) => bank?.snapshot() ?? null);
    return { banks, active: this.active, floor: this.floor, update: structuredClone(this.update) };
  }

  restore(snapshot: ImageStoreSnapshot): void {
    for (const [index, bank] of snapshot.banks.entries()) {
      if (bank === null) this.banks[index] = null;
      else this.bank(index).restore(bank);
    }
    this.active = snapshot.active;
    this.floor = snapshot.floor;
    this.storage.versionFloor.store(this.floor);
    this.update = structuredClone(snapshot.update);
    const bank = this.banks[this.active];
    this.image = (bank && this.imageIn(bank)) ?? this.builtIn;
    this.isOutdated = BigInt(this.image.version) < this.floor;
  }

  private handle(message: UpdateMessage): UpdateStatus {
    switch (message.request) {
      case UpdateRequest.BEGIN:
        return this.begin(message.statement);
      case UpdateRequest.DATA:
        return this.write(message.offset, message.bytes);
      case UpdateRequest.END:
        return this.end();
    }
  }

  private begin(statement: Uint8Array): UpdateStatus {
    const { name, signer, minimumVersion } = this.builtIn;
    if (signer.length !== KEY_SIZE) return UpdateStatus.BUILT_IN;
    const release = verifyRelease(statement, signer);
    if (release === undefined) return UpdateStatus.NOT_SIGNED;
    if (release.name !== name) return UpdateStatus.OTHER_NAME;
    if (release.minimumVersion !== minimumVersion) return UpdateStatus.OTHER_PURSE;
    if (release.sizeBytes > IMAGE_LIMIT) return UpdateStatus.TOO_LONG;
    const isNewer = this.isNewer(release);
    // The same bytes under a newer version are loaded: the version is what never goes back.
    const isThere = !isNewer && !this.isOutdated && equalBytes(release.hash, this.image.hash);
    if (!isThere && !isNewer) return UpdateStatus.OLDER;
    // After a break of the line the same image goes on where it was.
    if (this.update !== null && equalBytes(this.update.statement, statement)) {
      return UpdateStatus.TAKEN;
    }
    const bank = this.active === 0 ? 1 : 0;
    const done = isThere ? release.sizeBytes : 0;
    this.update = { statement, release, bank, done, isThere };
    if (!isThere) this.erase(bank, 0);
    return UpdateStatus.TAKEN;
  }

  private isNewer({ version }: ImageRelease): boolean {
    if (BigInt(version) < this.floor) return false;
    return this.isOutdated || version > this.image.version;
  }

  private write(offset: number, bytes: Uint8Array): UpdateStatus {
    const { update } = this;
    if (update === null || offset > update.done) return UpdateStatus.OUT_OF_ORDER;
    const end = offset + bytes.length;
    if (end <= update.done) return UpdateStatus.TAKEN;
    const isLast = end === update.release.sizeBytes;
    const isWhole = bytes.length % FLASH_WORD_SIZE === 0;
    if (offset < update.done || end > update.release.sizeBytes || !(isLast || isWhole)) {
      return UpdateStatus.OUT_OF_ORDER;
    }
    const firstPage = Math.ceil(offset / FLASH_PAGE_SIZE);
    const endPage = Math.ceil(end / FLASH_PAGE_SIZE);
    for (let page = firstPage; page < endPage; page += 1) this.erase(update.bank, page + 1);
    this.program(update.bank, IMAGE_START + offset, bytes);
    update.done = end;
    return UpdateStatus.TAKEN;
  }

  private end(): UpdateStatus {
    const { update } = this;
    if (update === null || update.done !== update.release.sizeBytes) {
      return UpdateStatus.OUT_OF_ORDER;
    }
    if (update.isThere) return UpdateStatus.TAKEN;
    const bank = this.bank(update.bank);
    const image = this.imageOf(bank, update.release);
    if (image === null) {
      this.update = null;
      return UpdateStatus.DAMAGED;
    }
    // The statement makes the bank whole: it is written last, after all that it speaks of.
    const { statement } = update;
    const head = new Uint8Array(STATEMENT_START + statement.length).fill(0xff);
    new DataView(head.buffer).setUint32(0, statement.length, true);
    head.set(statement, STATEMENT_START);
    this.program(update.bank, 0, head);
    this.image = image;
    this.active = update.bank;
    this.isOutdated = false;
    update.isThere = true;
    this.raiseFloor();
    return UpdateStatus.TAKEN;
  }

  private bank(index: number): VirtualFlash {
    const bank = this.banks[index] ?? new VirtualFlash(this.storage.banks[index]!);
    this.banks[index] = bank;
    return bank;
  }

  private erase(bank: number, page: number): void {
    this.operate("image-erase", page * FLASH_PAGE_SIZE, FLASH_PAGE_SIZE, (tear) =>
      this.bank(bank).erase(page, tear),
    );
  }

  /** Programs bytes, filled up to whole words. */
  private program(bank: number, offset: number, bytes: Uint8Array): void {
    const words = Math.ceil(bytes.length / FLASH_WORD_SIZE);
    const padded = new Uint8Array(words * FLASH_WORD_SIZE).fill(0xff);
    padded.set(bytes);
    this.operate("image-write", offset, padded.length, (tear) =>
      this.bank(bank).write(offset, padded, tear),
    );
  }

  private raiseFloor(): void {
    const version = BigInt(this.image.version);
    if (version <= this.floor) return;
    this.operate("image-floor", 0, 0, (tear) => {
      // Atomic: a cut within it leaves the old version or the new one.
      if (tear !== null && (tear() & 1) === 0) return;
      this.storage.versionFloor.store(version);
      this.floor = version;
    });
  }

  /** The image of a bank that is whole, signed and for this module; null for any other. */
  private imageIn(bank: VirtualFlash): FirmwareImage | null {
    const { name, signer, minimumVersion } = this.builtIn;
    if (signer.length !== KEY_SIZE) return null;
    const head = new Uint8Array(STATEMENT_START);
    bank.read(0, head);
    const length = new DataView(head.buffer).getUint32(0, true);
    if (length > FLASH_PAGE_SIZE - STATEMENT_START) return null;
    const statement = new Uint8Array(length);
    bank.read(STATEMENT_START, statement);
    const release = verifyRelease(statement, signer);
    if (release?.name !== name || release.minimumVersion !== minimumVersion) return null;
    return release.sizeBytes > IMAGE_LIMIT ? null : this.imageOf(bank, release);
  }

  private imageOf(bank: VirtualFlash, release: ImageRelease): FirmwareImage | null {
    const bytes = new Uint8Array(release.sizeBytes);
    bank.read(IMAGE_START, bytes);
    if (!isImageOf(release, bytes)) return null;
    try {
      return loadImage({ ...release, bytes, signer: this.builtIn.signer });
    } catch {
      // Signed, yet no image that keeps to the board contract.
      return null;
    }
  }
}
