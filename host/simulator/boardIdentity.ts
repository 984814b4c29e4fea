// SPDX-License-Identifier: Apache-2.0
// The answer to IDENTITY (docs/link.md, "Channel 1"): whose images the board takes and what it
// tells in SYNC, with the nonce of the SYNC that opened this link, under a signature of the board's
// own key (docs/decisions/0011).
import { ed25519 } from "@noble/curves/ed25519.js";
import type { BoardInformation } from "../link/protocol.ts";
import { decodeSyncAnswer, encodeSyncAnswer, sameBytes } from "../link/sync.ts";
import { parseSigned, signObject, verifySigned } from "../trust/cose.ts";
import { BoardRequest } from "./management.ts";

const PURPOSE = "florin/board";
const KEY_SIZE = 32;

/** What a board signs of itself. */
export interface BoardIdentity {
  /** Ed25519 public key of the signer whose images it takes; zeros where it has none. */
  signer: Uint8Array;
  board: BoardInformation;
}

/** Makes the answer; `seed` is the board's Ed25519 secret. */
export function encodeIdentity(
  seed: Uint8Array,
  nonce: Uint8Array,
  { signer, board }: BoardIdentity,
): Uint8Array {
  const payload = Uint8Array.of(...signer, ...encodeSyncAnswer(nonce, board));
  const statement = signObject(PURPOSE, payload, seed);
  return Uint8Array.of(BoardRequest.IDENTITY, ...ed25519.getPublicKey(seed), ...statement);
}

/**
 * The board's key and what it signed; null unless the answer is well-formed, the signature is of
 * that key, and `nonce` is the one under which the link was opened.
 */
export function verifyIdentity(
  answer: Uint8Array,
  nonce: Uint8Array,
): (BoardIdentity & { key: Uint8Array }) | null {
  if (answer[0] !== BoardRequest.IDENTITY || answer.length <= 1 + KEY_SIZE) return null;
  const key = answer.slice(1, 1 + KEY_SIZE);
  const signed = parseSigned(answer.slice(1 + KEY_SIZE));
  if (signed === undefined || !verifySigned(signed, PURPOSE, key)) return null;
  const signer = signed.payload.slice(0, KEY_SIZE);
  const told = decodeSyncAnswer(signed.payload.slice(KEY_SIZE));
  return told !== null && sameBytes(told.nonce, nonce) ? { key, signer, board: told.board } : null;
}
