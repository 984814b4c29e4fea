// SPDX-License-Identifier: Apache-2.0
// Signed updates of images at the simulated board (docs/link.md, "Loading an image"): what is
// taken, each refusal, and that keys and flash stay with {name, signer, minimum version} (protocol
// rule 7).
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import { loadSignedImage, refusalOf } from "../../host/device/boardRequests.ts";
import {
  DATA_SIZE,
  encodeUpdate,
  UpdateRequest,
  UpdateStatus,
} from "../../host/simulator/imageUpdate.ts";
import { BoardRequest, decodeStatus } from "../../host/simulator/management.ts";
import { memoryStorage } from "../../host/simulator/storage.ts";
import { signImage, type SignedImage } from "../../host/trust/imageRelease.ts";
import { DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
import { Echo, EchoBench, MODULE, pack } from "./echoBoard.ts";
import {
  begin,
  bench,
  builtIn,
  bytesOf,
  data,
  finish,
  LABEL,
  NAME,
  OTHER_SEED,
  signed,
  signer,
  told,
  update,
  versionOf,
  WORD,
} from "./updateBench.ts";

test("the development signer's public key is the one in assembly/images/release.json", () => {
  expect(ed25519.getPublicKey(DEVELOPMENT_SEED)).toEqual(signer);
});

test("an update keeps keys and flash, is told in SYNC, and outlasts the power", async () => {
  const storage = memoryStorage();
  const at = bench({ storage });
  const key = at.ask(MODULE, Echo.DEVICE_KEY, LABEL).data;
  at.ask(MODULE, Echo.FLASH_WRITE, 64, WORD);
  expect(versionOf(at)).toBe(1);
  expect(update(at, signed(2))).toBe(UpdateStatus.TAKEN);
  expect(versionOf(at)).toBe(2);
  expect(at.ask(MODULE, Echo.DEVICE_KEY, LABEL).data).toEqual(key);
  at.close();

  const after = bench({ storage });
  expect(await told(after)).toMatchObject({ imageVersion: 2, imageName: NAME });
  expect(after.ask(MODULE, Echo.DEVICE_KEY, LABEL).data).toEqual(key);
  expect(after.ask(MODULE, Echo.FLASH_READ, 64, [8, 0]).data).toEqual(WORD);
  // The banks take turns; a host's own loader does the same.
  expect(update(after, signed(3))).toBe(UpdateStatus.TAKEN);
  const parts: number[] = [];
  const image = signed(4);
  await loadSignedImage(after.link, after.clock, MODULE, image, (done) => parts.push(done));
  expect(parts.at(-1)).toBe(image.bytes.length);
  expect(versionOf(after)).toBe(4);
  const older = loadSignedImage(after.link, after.clock, MODULE, signed(3));
  await expect(older).rejects.toThrow("it never goes back");
  expect(after.board.statistics.panics).toBe(0);
});

test("the new program runs at once", () => {
  const at = bench();
  const other = new Uint8Array(readFileSync("build/firmware/transaction-module.wasm"));
  const about = { name: NAME, version: 2, minimumVersion: 1 };
  expect(at.ask(MODULE, Echo.ECHO, [9]).data).toEqual(pack([9]));
  expect(update(at, signImage(about, other, DEVELOPMENT_SEED))).toBe(UpdateStatus.TAKEN);
  at.heard.length = 0;
  const id = at.send(MODULE, Echo.ECHO, [9]);
  const said = at.heard.find((heard) => heard.channel === MODULE && heard.id === id);
  expect(said?.body).not.toEqual(pack([Echo.ECHO], 0, [9]));
  expect(versionOf(at)).toBe(2);
});

describe("what is refused leaves the old image running", () => {
  const tampered = (image: SignedImage): SignedImage => {
    const statement = image.statement.slice();
    statement[20]! ^= 1;
    return { ...image, statement };
  };
  const foreign = (version: number) =>
    signImage({ name: NAME, version, minimumVersion: 1 }, bytesOf(version), OTHER_SEED);
  test.each<[string, () => SignedImage, UpdateStatus]>([
    ["a statement of another signer", () => foreign(2), UpdateStatus.NOT_SIGNED],
    ["a changed statement", () => tampered(signed(2)), UpdateStatus.NOT_SIGNED],
    ["no statement", () => ({ ...signed(2), statement: pack([1]) }), UpdateStatus.NOT_SIGNED],
    ["another name", () => signed(2, { name: "echo agent" }), UpdateStatus.OTHER_NAME],
    ["another purse", () => signed(3, { minimumVersion: 2 }), UpdateStatus.OTHER_PURSE],
    ["an older version", () => signed(1), UpdateStatus.OLDER],
  ])("%s", (_, image, status) => {
    const at = bench({ module: builtIn(2) });
    if (status !== UpdateStatus.OLDER) at.board.powerOff();
    const on = status === UpdateStatus.OLDER ? at : bench();
    expect(update(on, image())).toBe(status);
    expect(versionOf(on)).toBe(status === UpdateStatus.OLDER ? 2 : 1);
    expect(on.ask(MODULE, Echo.ECHO, [9]).data).toEqual(pack([9]));
    expect(refusalOf(status)).toMatch(/^[a-z ,]/);
  });

  test("other bytes under the version that runs; the same bytes are there already", () => {
    const at = bench({ module: builtIn(2) });
    const other = signImage(
      { name: NAME, version: 2, minimumVersion: 1 },
      bytesOf(9),
      DEVELOPMENT_SEED,
    );
    expect(update(at, other)).toBe(UpdateStatus.OLDER);
    const erased = at.board.statistics.pagesErased;
    expect(update(at, signed(2))).toBe(UpdateStatus.TAKEN);
    expect(at.board.statistics.pagesErased).toBe(erased);
  });

  test("bytes that run already: a newer version of them is taken, an older one changes nothing", () => {
    const at = bench({ module: builtIn(1) });
    const same = (version: number) =>
      signImage({ name: NAME, version, minimumVersion: 1 }, builtIn(1).bytes, DEVELOPMENT_SEED);
    expect(update(at, same(3))).toBe(UpdateStatus.TAKEN);
    expect(versionOf(at)).toBe(3);
    expect(update(at, same(2))).toBe(UpdateStatus.TAKEN);
    expect(versionOf(at)).toBe(3);
  });

  test("bytes that are not the signed ones", () => {
    const at = bench();
    const image = signed(2);
    const bytes = image.bytes.slice();
    bytes[1000]! ^= 1;
    expect(update(at, { ...image, bytes })).toBe(UpdateStatus.DAMAGED);
    expect(versionOf(at)).toBe(1);
    expect(update(at, image)).toBe(UpdateStatus.TAKEN);
  });

  test("a signed image that does not keep to the board contract", () => {
    const at = bench();
    const bytes = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const image = signImage({ name: NAME, version: 2, minimumVersion: 1 }, bytes, DEVELOPMENT_SEED);
    expect(update(at, image)).toBe(UpdateStatus.DAMAGED);
    at.board.powerOff();
    at.board.powerOn();
    expect(versionOf(at)).toBe(1);
  });

  test("bytes out of order, too many, before BEGIN or too early an END", () => {
    const at = bench();
    const image = signed(2);
    const { bytes } = image;
    expect(finish(at)).toBe(UpdateStatus.OUT_OF_ORDER);
    expect(data(at, bytes)).toBe(UpdateStatus.OUT_OF_ORDER);
    begin(at, image);
    expect(data(at, bytes, DATA_SIZE)).toBe(UpdateStatus.OUT_OF_ORDER);
    expect(finish(at)).toBe(UpdateStatus.OUT_OF_ORDER);
    expect(data(at, bytes)).toBe(UpdateStatus.TAKEN);
    expect(data(at, pack(bytes, WORD), bytes.length)).toBe(UpdateStatus.OUT_OF_ORDER);
    expect(finish(at)).toBe(UpdateStatus.TAKEN);
  });

  test("any image, where the board knows no signer", () => {
    const at = new EchoBench();
    expect(begin(at, signed(2, { name: NAME }))).toBe(UpdateStatus.BUILT_IN);
  });

  test("a channel without a module, and a request that is none", () => {
    const at = bench();
    at.link.send(1, encodeUpdate({ request: UpdateRequest.END, channel: 9 }));
    at.link.send(1, pack([UpdateRequest.DATA, MODULE, 0]));
    expect(at.errors().map(({ code }) => code)).toEqual([2, 7]);
  });
});

describe("storage of a newer image", () => {
  test("a board with an older image does not start it, says so, and takes a newer one", () => {
    const storage = memoryStorage();
    bench({ storage, module: builtIn(3) }).close();
    const at = bench({ storage, module: builtIn(2) });
    const status = () => {
      at.heard.length = 0;
      at.link.send(1, pack([BoardRequest.STATUS]));
      const { port, body } = at.heard.find(({ channel }) => channel === 1)!;
      return decodeStatus(pack([port], body))?.find(({ channel }) => channel === MODULE);
    };
    expect(status()).toMatchObject({ isStopped: true, isOutdated: true, starts: 0 });
    at.link.send(1, pack([BoardRequest.RESTART, MODULE]));
    expect(status()).toMatchObject({ isOutdated: true, starts: 0 });
    at.send(MODULE, Echo.ECHO, [9]);
    expect(at.errors().at(-1)).toMatchObject({ channel: MODULE, code: 5 });
    expect(update(at, signed(2))).toBe(UpdateStatus.OLDER);
    expect(update(at, signed(3))).toBe(UpdateStatus.TAKEN);
    expect(status()).toMatchObject({ isStopped: false, isOutdated: false, starts: 1 });
  });

  test("a bank put back from an old copy of the flash is not run", () => {
    const storage = memoryStorage();
    const at = bench({ storage });
    update(at, signed(2));
    const old = storage.module.banks[0].load()!;
    update(at, signed(3));
    at.close();
    storage.module.banks[0].store(0, old);
    storage.module.banks[1].store(0, old);
    const after = bench({ storage });
    expect(after.errors()).toEqual([]);
    after.send(MODULE, Echo.ECHO, [9]);
    expect(after.errors().at(-1)).toMatchObject({ channel: MODULE, code: 5 });
  });

  test("the same name of another signer has other keys: never the old purse", () => {
    const storage = memoryStorage();
    const at = bench({ storage });
    const key = at.ask(MODULE, Echo.DEVICE_KEY, LABEL).data;
    at.close();
    const other = bench({ storage, module: { ...builtIn(1), signer: OTHER_SEED } });
    expect(other.ask(MODULE, Echo.DEVICE_KEY, LABEL).data).not.toEqual(key);
    const minimum = bench({ storage, module: builtIn(2, 2) });
    expect(minimum.ask(MODULE, Echo.DEVICE_KEY, LABEL).data).not.toEqual(key);
  });
});
