// SPDX-License-Identifier: Apache-2.0
// The boards' own Ed25519 in C: the vectors of RFC 8032 section 7.1, and on random secrets,
// messages and damaged signatures what @noble says. And their watch over random sources.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import { beforeAll, expect, test } from "vitest";
import { Random } from "../../host/torture/random.ts";

const PROGRAM = "build/boards/boardCrypto";
const FLAGS = ["-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"];
const SOURCES = ["ed25519", "field25519", "health", "sha256", "sha512"];

beforeAll(() => {
  mkdirSync("build/boards", { recursive: true });
  execFileSync("cc", [
    ...FLAGS,
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-Iboards/runtime",
    "test/boards/boardCrypto.c",
    ...SOURCES.map((name) => `boards/runtime/${name}.c`),
    "-o",
    PROGRAM,
  ]);
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex") || "-";
const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

function run(lines: string[]): string[] {
  const input = lines.map((line) => `${line}\n`).join("");
  const { status, stdout, stderr } = spawnSync(PROGRAM, { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`boardCrypto ended with ${status}: ${stderr}`);
  return stdout.trimEnd().split("\n");
}

/** RFC 8032 section 7.1, tests 1 to 3: secret, public key, message, signature. */
const VECTORS = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "-",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

test("RFC 8032 section 7.1", () => {
  const signed = run(VECTORS.map(([secret, , message]) => `sign ${secret} ${message}`));
  expect(signed).toEqual(VECTORS.map(([, key, , signature]) => key + signature));
  const verified = run(VECTORS.map(([, key, message, sig]) => `verify ${key} ${message} ${sig}`));
  expect(verified).toEqual(["1", "1", "1"]);
});

test("random secrets and messages, and damaged signatures, as @noble", () => {
  const random = new Random(31);
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.below(256));
  const signs: string[] = [];
  const signed: string[] = [];
  const checks: string[] = [];
  const checked: string[] = [];
  for (let index = 0; index < 40; index += 1) {
    const secret = index === 0 ? new Uint8Array(32) : bytes(32);
    const message = bytes(random.below(300));
    const key = ed25519.getPublicKey(secret);
    const signature = ed25519.sign(message, secret);
    signs.push(`sign ${hex(secret)} ${hex(message)}`);
    signed.push(hex(key) + hex(signature));
    for (const damaged of [0, 1, 2]) {
      const parts = [key.slice(), message.slice(), signature.slice()];
      const part = parts[random.below(3)]!;
      if (damaged > 0 && part.length > 0) part[random.below(part.length)]! ^= 1 << random.below(8);
      checks.push(`verify ${parts.map(hex).join(" ")}`);
      const isGood = (() => {
        try {
          return ed25519.verify(parts[2]!, parts[1]!, parts[0]!, { zip215: false });
        } catch {
          return false;
        }
      })();
      checked.push(isGood ? "1" : "0");
    }
  }
  expect(run(signs)).toEqual(signed);
  expect(run(checks)).toEqual(checked);
  expect(checked.filter((one) => one === "1").length).toBeGreaterThan(39);
});

test("a signature's second form, S plus the order, is refused", () => {
  const [[, key, message, signature]] = VECTORS;
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = fromHex(signature).slice(32).reverse();
  const larger = (BigInt(`0x${hex(s)}`) + order).toString(16).padStart(64, "0");
  const second = signature.slice(0, 64) + hex(fromHex(larger).reverse());
  expect(run([`verify ${key} ${message} ${second}`])).toEqual(["0"]);
});

test("a random source that gives a word three times in a row is not taken from (SP 800-90B)", () => {
  const [one, other] = ["0badcafe", "12345678"];
  const calls: [string, string][] = [
    [one + one + other + one, "1"],
    [one + one + one, "0"],
    [`${other + one + one + one}ff`, "0"],
    [`${one + one}0badca`, "1"],
    ["00".repeat(32), "0"],
    ["00".repeat(8), "1"],
  ];
  expect(run(calls.map(([bytes]) => `health ${bytes} -`))).toEqual(calls.map(([, told]) => told));
});
