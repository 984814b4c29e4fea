// SPDX-License-Identifier: Apache-2.0
// Version and signer of the images in build/firmware (assembly/images/release.json), and the
// development signer: its key is made of a public sentence, so everybody has it and it protects
// nothing. An operator puts the public key of a signer of their own into that file.
import { readFileSync } from "node:fs";
import { sha256 } from "@noble/hashes/sha2.js";
import { hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { projectFile } from "../projectFile.ts";

/** Ed25519 secret of the development signer. */
export const DEVELOPMENT_SEED = sha256(
  utf8ToBytes("Florin development signer: everybody has this key"),
);

/** What all images of this build are released as. */
export interface BuildRelease {
  version: number;
  minimumVersion: number;
  /** Ed25519 public key that boards of this build take images of. */
  signer: Uint8Array;
}

let known: BuildRelease | undefined;

/** Reads assembly/images/release.json, which boards' programs are built from too. */
export function buildRelease(): BuildRelease {
  if (known !== undefined) return known;
  const text = readFileSync(projectFile("assembly/images/release.json"), "utf8");
  const { signer, ...versions } = JSON.parse(text) as Omit<BuildRelease, "signer"> & {
    signer: string;
  };
  known = { ...versions, signer: hexToBytes(signer) };
  return known;
}
