// SPDX-License-Identifier: Apache-2.0
// A merchant's signed offer: fee, rate and limits by which customers shop (steps 700-702). The
// customer's agent takes the terms from here, never from its host, and the merchant's agent takes
// only an offer that it signed itself.
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { Certificate } from "../trust/certificate";
import { namesSigner } from "../trust/chain";
import { AMOUNT_MAX, Rate } from "./conversion";
import { readUnit } from "./credential";
import { NAME_MAX } from "./ticket";

/** Largest encoded offer taken: terms about 260 bytes, chain about 420. */
export const OFFER_SIZE_MAX: i32 = 1024;
const ENDPOINT_MAX: i32 = 128;
/** Factors up to here keep products within `scale`. */
const FACTOR_MAX: u64 = 1000000000;
const BASIS_POINTS_MAX: u64 = 10000;

/** The terms; amounts in minor units. */
export class OfferTerms {
  merchant!: Bytes;
  name!: Bytes;
  moneyUnit!: Bytes;
  accountUnit!: Bytes;
  rate: Rate = new Rate();
  /** Least and most electronic money per transaction. */
  minimum: u64 = 0;
  maximum: u64 = 0;
  issued: u64 = 0;
  expires: u64 = 0;
  endpoint!: Bytes;
  /** SHA-256 of the signed payload. */
  hash!: Bytes;
}

/**
 * The terms of an encoded merchant-offer signed by `signer`; null where it is out of form or not so
 * signed. Its chain is not looked at: the session has proven whose the key is.
 */
export function readOffer(pointer: usize, length: i32, signer: Certificate): OfferTerms | null {
  if (length > OFFER_SIZE_MAX) return null;
  const reader = new CborReader(pointer, length);
  const signed = new CoseSign1();
  if (!reader.arrayOf(2) || !reader.raw()) return null;
  if (!signed.parse(reader.viewPointer, reader.viewLength)) return null;
  if (!reader.raw() || !reader.atEnd()) return null;
  const terms = readTerms(signed.payloadPointer, signed.payloadLength);
  if (!terms || !namesSigner(signed, signer)) return null;
  const isSigned = signed.verify(Purpose.MERCHANT_OFFER, pointerOf(signer.signingKey));
  return isSigned ? terms : null;
}

/** The terms in a payload; null where out of form or range. */
export function readTerms(pointer: usize, length: i32): OfferTerms | null {
  const reader = new CborReader(pointer, length);
  const terms = new OfferTerms();
  const rate = terms.rate;
  reader.arrayOf(14);
  terms.merchant = reader.bytesExact(8);
  terms.name = reader.text(NAME_MAX);
  rate.direction = i32(reader.uintAtMost(2));
  terms.moneyUnit = readUnit(reader);
  terms.accountUnit = readUnit(reader);
  rate.feeMinor = reader.uintAtMost(AMOUNT_MAX);
  rate.feeBasisPoints = reader.uintAtMost(BASIS_POINTS_MAX);
  rate.numerator = reader.uintAtMost(FACTOR_MAX);
  rate.denominator = reader.uintAtMost(FACTOR_MAX);
  terms.minimum = reader.uintAtMost(AMOUNT_MAX);
  terms.maximum = reader.uintAtMost(AMOUNT_MAX);
  terms.issued = reader.u64();
  terms.expires = reader.u64();
  terms.endpoint = reader.text(ENDPOINT_MAX);
  if (reader.failed || !reader.atEnd() || rate.direction == 0) return null;
  if (rate.numerator == 0 || rate.denominator == 0) return null;
  terms.hash = new StaticArray<u8>(32);
  sha256(pointer, length, pointerOf(terms.hash));
  return terms;
}

/** Writes the payload of an offer (14 elements). */
export function writeTerms(writer: CborWriter, terms: OfferTerms): void {
  const rate = terms.rate;
  writer.array(14);
  writer.bytesFrom(terms.merchant);
  writer.textFrom(terms.name);
  writer.uint(u64(rate.direction));
  writer.textFrom(terms.moneyUnit);
  writer.textFrom(terms.accountUnit);
  writer.uint(rate.feeMinor);
  writer.uint(rate.feeBasisPoints);
  writer.uint(rate.numerator);
  writer.uint(rate.denominator);
  writer.uint(terms.minimum);
  writer.uint(terms.maximum);
  writer.uint(terms.issued);
  writer.uint(terms.expires);
  writer.textFrom(terms.endpoint);
}

/** True if the offer covers this amount of this unit; whether it is in force is asked apart. */
export function isWithinLimits(terms: OfferTerms, money: u64, unit: Bytes): bool {
  if (!bytesEqual(terms.moneyUnit, unit)) return false;
  return money > 0 && money >= terms.minimum && money <= terms.maximum;
}
