// SPDX-License-Identifier: Apache-2.0
// Signed updates of images at the simulated board (docs/link.md, "Loading an image"): what is
// taken, each refusal, power cut at every step, and that keys and flash stay with {name, signer,
// minimum version} (protocol rule 7).
import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { beforeAll, describe, expect, test } from "vitest";
import { askBoard, loadSignedImage, refusalOf } from "../../host/device/boardRequests.ts";
import { verifyIdentity } from "../../host/simulator/boardIdentity.ts";
import {
  DATA_SIZE,
  decodeUpdateAnswer,
  encodeUpdate,
  type UpdateMessage,
  UpdateRequest,
  UpdateStatus,
} from "../../host/simulator/imageUpdate.ts";
import { BoardRequest, decodeStatus, decodeWear } from "../../host/simulator/management.ts";
import { memoryStorage } from "../../host/simulator/storage.ts";
import type { BoardOptions, ImageDescription } from "../../host/simulator/types.ts";
import { signImage, type SignedImage } from "../../host/trust/imageRelease.ts";
import { buildRelease, DEVELOPMENT_SEED } from "../../host/trust/releaseSigner.ts";
import { seededRandom } from "../link/noisyLine.ts";
import { Echo, EchoBench, echoImage, MODULE, pack } from "./echoBoard.ts";

const { signer } = buildRelease();
const NAME = "echo module";
const LABEL = new TextEncoder().encode("florin/journal");
const WORD = pack([1, 2, 3, 4, 5, 6, 7, 8]);
const OTHER_SEED = new Uint8Array(32).fill(7);

/** The echo image with a custom section that tells a number: other bytes, the same program. */
function bytesOf(number: number): Uint8Array {
  return pack(echoImage().bytes, [0, 3, 1, 0x76, number]);
}

function builtIn(version: number, minimumVersion = 1): ImageDescription {
  return { bytes: bytesOf(version), name: NAME, version, minimumVersion, signer };
}

function signed(version: number, options: Partial<Parameters<typeof signImage>[0]> = {}) {
  return signImage(
    { name: NAME, version, minimumVersion: 1, ...options },
    bytesOf(version),
    DEVELOPMENT_SEED,
  );
}

function bench(options: Partial<BoardOptions> = {}): EchoBench {
  return new EchoBench({ module: builtIn(1), ...options });
}

/** Asks the board; its answer comes within the call. */
function ask(at: EchoBench, message: UpdateMessage) {
  at.heard.length = 0;
  at.link.send(1, encodeUpdate(message));
  const said = at.heard.find(({ channel }) => channel === 1);
  return said === undefined ? null : decodeUpdateAnswer(pack([said.port], said.body));
}

const begin = (at: EchoBench, { statement }: SignedImage) =>
  ask(at, { request: UpdateRequest.BEGIN, channel: MODULE, statement })?.status;
const finish = (at: EchoBench) => ask(at, { request: UpdateRequest.END, channel: MODULE })?.status;

/** Sends DATA up to `endBytes`, as far as the board goes along; the last status. */
function data(at: EchoBench, bytes: Uint8Array, offset = 0, endBytes = bytes.length) {
  let status: UpdateStatus | undefined;
  for (let done = offset; done < endBytes; done += DATA_SIZE) {
    const part = bytes.slice(done, done + DATA_SIZE);
    status = ask(at, {
      request: UpdateRequest.DATA,
      channel: MODULE,
      offset: done,
      bytes: part,
    })?.status;
    if (status !== UpdateStatus.TAKEN) break;
  }
  return status;
}

function update(at: EchoBench, image: SignedImage): UpdateStatus | undefined {
  const begun = begin(at, image);
  if (begun !== UpdateStatus.TAKEN) return begun;
  data(at, image.bytes);
  return finish(at);
}

/** What SYNC tells of the module, on a new link. */
async function told(at: EchoBench) {
  const board = await at.link.open();
  return board.modules.find(({ channel }) => channel === MODULE)!;
}
const versionOf = (at: EchoBench): number =>
  at.board.snapshot().linkEnd?.information.modules[1]?.imageVersion ?? -1;

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

test("an update goes on after a break of the line, and begins anew after a cut", () => {
  const at = bench();
  const image = signed(2);
  begin(at, image);
  data(at, image.bytes, 0, 4 * DATA_SIZE);
  const statement = image.statement;
  const again = () => ask(at, { request: UpdateRequest.BEGIN, channel: MODULE, statement })?.offset;
  expect(again()).toBe(4 * DATA_SIZE);
  data(at, image.bytes, 4 * DATA_SIZE);
  at.board.powerOff();
  at.board.powerOn();
  expect(versionOf(at)).toBe(1);
  expect(again()).toBe(0);
});

describe("power cut in an update", () => {
  /** Operations of one whole update, after those of the start. */
  const FIRST = 3;
  let operations = 0;
  beforeAll(() => {
    const at = bench({
      power: ({ index }) => {
        operations = index + 1;
        return "keep";
      },
    });
    expect(update(at, signed(2))).toBe(UpdateStatus.TAKEN);
    expect(operations).toBeGreaterThan(FIRST + 10);
  });

  test.each(["cut-before", "cut-after", "tear"] as const)("%s each operation", (kind) => {
    const seen = new Set<number>();
    for (let index = 0; index < operations; index += 1) {
      const random = seededRandom(index + 1);
      const tear = () => Math.floor(random() * 2 ** 32);
      const storage = memoryStorage();
      const at = bench({
        storage,
        power: (operation) => {
          if (operation.index !== index) return "keep";
          return kind === "tear" ? { tear } : kind;
        },
      });
      if (at.board.isOn) update(at, signed(2));
      expect(at.board.isOn).toBe(false);
      const after = bench({ storage });
      const version = versionOf(after);
      expect([1, 2]).toContain(version);
      seen.add(version);
      expect(after.ask(MODULE, Echo.ECHO, [9]).data).toEqual(pack([9]));
      // Once the new one has run, the old one never does; and the update can be done again.
      if (version === 2) expect(begin(after, signed(1))).toBe(UpdateStatus.OLDER);
      expect(update(after, signed(2))).toBe(UpdateStatus.TAKEN);
      expect(versionOf(after)).toBe(2);
    }
    expect([...seen].sort()).toEqual([1, 2]);
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

test("a snapshot carries an update: before it, in it and after it", () => {
  const at = bench();
  const image = signed(2);
  const before = at.board.snapshot();
  begin(at, image);
  data(at, image.bytes, 0, 4 * DATA_SIZE);
  const within = at.board.snapshot();
  const link = at.link.snapshot();
  data(at, image.bytes, 4 * DATA_SIZE);
  finish(at);
  const after = at.board.snapshot();
  at.board.restore(within);
  at.link.restore(link);
  expect(versionOf(at)).toBe(1);
  expect(data(at, image.bytes, 4 * DATA_SIZE)).toBe(UpdateStatus.TAKEN);
  at.board.restore(after);
  expect(versionOf(at)).toBe(2);
  at.board.restore(before);
  expect(versionOf(at)).toBe(1);
  at.board.powerOff();
  at.board.powerOn();
  expect(versionOf(at)).toBe(1);
  expect(finish(at)).toBe(UpdateStatus.OUT_OF_ORDER);
});

test("wear counts erasures of the module's own flash, of all pages and of the worst", async () => {
  const storage = memoryStorage();
  const at = bench({ storage });
  for (const page of [1, 1, 2]) at.ask(MODULE, Echo.FLASH_ERASE, [page]);
  at.close();
  const after = bench({ storage });
  after.ask(MODULE, Echo.FLASH_ERASE, [1]);
  const answer = decodeWear(await askBoard(after.link, after.clock, pack([BoardRequest.WEAR])));
  expect(answer).toEqual([
    { channel: 2, erasures: { total: 0, most: 0 } },
    { channel: 3, erasures: { total: 4, most: 3 } },
  ]);
});

test("the board signs what it tells in SYNC, under the link's nonce, with a key of its own", async () => {
  const at = bench();
  const answer = await askBoard(at.link, at.clock, pack([BoardRequest.IDENTITY]));
  const identity = verifyIdentity(answer, at.link.nonce);
  expect(identity?.board).toEqual(at.link.board);
  const changed = answer.slice();
  changed[80]! ^= 1;
  expect(verifyIdentity(changed, at.link.nonce)).toBeNull();
  expect(verifyIdentity(answer, new Uint8Array(8).fill(9))).toBeNull();
  const again = bench();
  const same = await askBoard(again.link, again.clock, pack([BoardRequest.IDENTITY]));
  expect(verifyIdentity(same, again.link.nonce)?.key).toEqual(identity?.key);
  const other = bench({ secret: OTHER_SEED });
  const theirs = await askBoard(other.link, other.clock, pack([BoardRequest.IDENTITY]));
  expect(verifyIdentity(theirs, other.link.nonce)?.key).not.toEqual(identity?.key);
});
