// SPDX-License-Identifier: Apache-2.0
// Signs changed objects anew, as a party of the world would that lies: what is well signed reaches
// the code behind the check of signatures. It knows every signing key, and finds out by trying for
// what an object was signed.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { parseCertificate } from "../../host/trust/certificates.ts";
import { signedBytes } from "../../host/trust/cose.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { ISSUER_SEED } from "../../host/torture/purchaseWorld.ts";
import type { Item } from "./cborTree.ts";
import { allItems, writeTree } from "./cborTree.ts";
import { toHex } from "./target.ts";

/** docs/protocol.cddl, `signed:` */
const PURPOSES = [
  ...["certificate", "list", "time", "possession", "network", "note-body", "transfer", "offer"],
  ...["ready-to-commit", "question", "answer", "done", "ticket", "ticket-transfer", "mandate"],
  ...["approval", "completion", "posting", "annex", "merchant-offer"],
].map((name) => `florin/${name}`);

const SIGNATURE_SIZE = 64;
const REFERENCE_SIZE = 8;

interface SignedAs {
  purpose: string;
  seed: Uint8Array;
}

export class Signer {
  private readonly seeds = new Map<string, Uint8Array>();
  /** Signing keys by the reference of their certificate. */
  private readonly keys = new Map<string, string>();
  /** By signature: how it was made, null if nobody known made it, "unknown" until that is tried. */
  private readonly made = new Map<string, SignedAs | null | "unknown">();

  /**
   * `seeds`: of the world's modules by public key; the agencies' and the card issuer's are known.
   */
  constructor(seeds: ReadonlyMap<string, Uint8Array>) {
    for (const [key, seed] of seeds) this.seeds.set(key, seed);
    for (const seed of [1, 2, 3, 4].map((byte) => filled(byte, 32)).concat(ISSUER_SEED)) {
      this.seeds.set(toHex(ed25519.getPublicKey(seed)), seed);
    }
  }

  /** Remembers what is signed in a tree, and certificates, so that what names them can be, too. */
  learn(tree: Item): void {
    for (const one of allItems(tree)) {
      if (!isSigned(one)) continue;
      const name = toHex(one.items[3]!.bytes);
      if (!this.made.has(name)) this.made.set(name, "unknown");
      const bytes = writeTree(one);
      const certificate = parseCertificate(bytes);
      if (certificate === undefined) continue;
      const reference = toHex(sha256(bytes).slice(0, REFERENCE_SIZE));
      this.keys.set(reference, toHex(certificate.signingKey));
    }
  }

  /**
   * The signed objects of a tree that may be signed anew, innermost last; to be asked before it is
   * changed.
   */
  objectsOf(tree: Item): Map<Item, SignedAs> {
    const found = new Map<Item, SignedAs>();
    for (const one of allItems(tree).filter(isSigned)) {
      const as = this.signedAs(one);
      if (as !== null) found.set(one, as);
    }
    return found;
  }

  /** Signs objects of a changed tree anew, the inner ones first. */
  sign(objects: ReadonlyMap<Item, SignedAs>): void {
    for (const [object, as] of [...objects].reverse()) {
      const { purpose, seed } = as;
      const [, , payload, signature] = object.items;
      if (payload === undefined || signature === undefined || object.items.length !== 4) continue;
      signature.bytes = ed25519.sign(signedBytes(purpose, contentOf(payload)), seed);
      signature.items = [];
      this.made.set(toHex(signature.bytes), as);
    }
  }

  private signedAs(object: Item): SignedAs | null {
    const [, headers, payload, signature] = object.items as [Item, Item, Item, Item];
    const name = toHex(signature.bytes);
    const known = this.made.get(name) ?? null;
    if (known !== "unknown") return known;
    const reference = headers.items[1];
    const key = reference === undefined ? undefined : this.keys.get(toHex(reference.bytes));
    const seeds = key === undefined ? [...this.seeds.values()] : [this.seeds.get(key)];
    let as: SignedAs | null = null;
    const isNamed = reference !== undefined;
    for (const seed of isNamed && key === undefined ? [] : seeds) {
      if (seed === undefined || as !== null) continue;
      const purpose = PURPOSES.find((one: string) => {
        const made = ed25519.sign(signedBytes(one, contentOf(payload)), seed);
        return toHex(made) === name;
      });
      if (purpose !== undefined) as = { purpose, seed };
    }
    this.made.set(name, as);
    return as;
  }
}

/** Content of a byte string: its item, where that was opened, else its bytes. */
function contentOf(bytes: Item): Uint8Array {
  return bytes.items.length > 0 ? writeTree(bytes.items[0]!) : bytes.bytes;
}

function isSigned({ major, items }: Item): boolean {
  if (major !== 4 || items.length !== 4) return false;
  const [head, headers, payload, signature] = items as [Item, Item, Item, Item];
  return (
    toHex(head.bytes) === "a10127" &&
    headers.major === 5 &&
    payload.major === 2 &&
    signature.bytes.length === SIGNATURE_SIZE
  );
}
