// SPDX-License-Identifier: Apache-2.0
// Computes the constants of curve25519 that the firmware keeps (assembly/crypto/table25519.ts) from
// the definitions of RFC 8032, section 5.1. Run it again after a change of the layout:
//
//   node scripts/tables25519.mjs
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** Layout of the comb: blocks of teeth, and the distance between neighbouring teeth in bits. */
const BLOCKS = 2;
const TEETH = 5;
const SPACING = 26;
/** Odd multiples of the base point for verification: 1, 3, up to 2 * ODD_MULTIPLES - 1. */
const ODD_MULTIPLES = 8;

const modulo = (value, modulus = P) => ((value % modulus) + modulus) % modulus;

function power(base, exponent, modulus = P) {
  let result = 1n;
  for (let square = modulo(base, modulus); exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

const invert = (value, modulus = P) => power(value, modulus - 2n, modulus);

const D = modulo(-121665n * invert(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const BASE = basePoint();

/** The point with y = 4/5 and even x. */
function basePoint() {
  const y = modulo(4n * invert(5n));
  const square = modulo((y * y - 1n) * invert(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (modulo(x * x - square) !== 0n) x = modulo(x * ROOT_OF_MINUS_ONE);
  return { x: x & 1n ? P - x : x, y };
}

/** Affine addition on -x^2 + y^2 = 1 + d x^2 y^2; complete, so it doubles as well. */
function add(a, b) {
  const product = modulo(D * a.x * b.x * a.y * b.y);
  return {
    x: modulo((a.x * b.y + b.x * a.y) * invert(1n + product)),
    y: modulo((a.y * b.y + a.x * b.x) * invert(1n - product)),
  };
}

const negate = (point) => ({ x: modulo(-point.x), y: point.y });

function doubled(point, times) {
  for (let i = 0; i < times; i++) point = add(point, point);
  return point;
}

/** Entry `index` of a comb block: the top tooth positive, tooth t by bit t of the index. */
function combEntry(teeth, index) {
  let sum = teeth[TEETH - 1];
  for (let t = 0; t < TEETH - 1; t++) {
    sum = add(sum, (index >> t) & 1 ? teeth[t] : negate(teeth[t]));
  }
  return sum;
}

/** (y + x) / 2, (y - x) / 2 and d x y: what an addition needs of a fixed point. */
function cached({ x, y }) {
  const half = invert(2n);
  return [modulo((y + x) * half), modulo((y - x) * half), modulo(D * x * y)];
}

function combTable() {
  const entries = [];
  for (let block = 0; block < BLOCKS; block++) {
    const teeth = [];
    for (let t = 0; t < TEETH; t++) teeth.push(doubled(BASE, SPACING * (t + TEETH * block)));
    for (let i = 0; i < 1 << (TEETH - 1); i++) entries.push(...cached(combEntry(teeth, i)));
  }
  return entries;
}

function oddMultiples() {
  const entries = [];
  const twice = add(BASE, BASE);
  for (let i = 0, point = BASE; i < ODD_MULTIPLES; i++, point = add(point, twice)) {
    entries.push(...cached(point));
  }
  return entries;
}

/** The ten limbs of an element, 26 and 25 bits in turn. */
function limbs(value) {
  const words = [];
  for (let i = 0; i < 10; i++) {
    const width = i % 2 === 0 ? 26n : 25n;
    words.push(value & ((1n << width) - 1n));
    value >>= width;
  }
  return words;
}

function words(value, count, bits) {
  return Array.from(
    { length: count },
    (_, i) => (value >> BigInt(bits * i)) & (2n ** BigInt(bits) - 1n),
  );
}

function literal(name, type, values) {
  const digits = type === "u64" ? 16 : 8;
  const perLine = type === "u64" ? 4 : 8;
  const lines = [];
  for (let i = 0; i < values.length; i += perLine) {
    const part = values.slice(i, i + perLine);
    lines.push(
      `  ${part.map((value) => `0x${value.toString(16).padStart(digits, "0")}`).join(", ")},`,
    );
  }
  return `export const ${name} = memory.data<${type}>([\n${lines.join("\n")}\n]);\n`;
}

const packed = (entries) => entries.flatMap((value) => words(value, 4, 64));
const offset = modulo((2n ** BigInt(BLOCKS * TEETH * SPACING) - 1n) * invert(2n, L), L);

const text = `// SPDX-License-Identifier: Apache-2.0
// Constants of curve25519 (RFC 8032, section 5.1), computed by scripts/tables25519.mjs; do not edit.
// Elements in use are ten limbs of 26 and 25 bits; those of the tables are packed in 32 bytes.

/** The curve constant d = -121665/121666. */
${literal("CURVE_D", "u32", limbs(D))}
/** 2d. */
${literal("CURVE_2D", "u32", limbs(modulo(2n * D)))}
/** A square root of -1: 2^((p-1)/4). */
${literal("ROOT_OF_MINUS_ONE", "u32", limbs(ROOT_OF_MINUS_ONE))}
/** The group order L = 2^252 + 27742317777372353535851937790883648493, 9 words. */
${literal("GROUP_ORDER", "u32", words(L, 9, 32))}
/** floor(2^512 / L), 9 words: the multiplier of Barrett's reduction. */
${literal("BARRETT_MULTIPLIER", "u32", words(2n ** 512n / L, 9, 32))}
/** 1/2 modulo L, 8 words. */
${literal("SCALAR_HALF", "u32", words(invert(2n, L), 8, 32))}
/** (2^${BLOCKS * TEETH * SPACING} - 1) / 2 modulo L, 8 words; see comb25519.ts. */
${literal("COMB_OFFSET", "u32", words(offset, 8, 32))}
/**
 * The comb: ${BLOCKS} blocks of ${1 << (TEETH - 1)} points; entry i of block j is the sum over teeth t of
 * +-2^(${SPACING}t + ${SPACING * TEETH}j) B, the top tooth positive, the others by the bits of i. Each point as
 * (y + x) / 2, (y - x) / 2 and d x y.
 */
${literal("COMB_TABLE", "u64", packed(combTable()))}
/** B, 3B, 5B up to ${2 * ODD_MULTIPLES - 1}B in the same form. */
${literal("ODD_MULTIPLES", "u64", packed(oddMultiples()))}`;

const output = fileURLToPath(new URL("../assembly/crypto/table25519.ts", import.meta.url));
writeFileSync(output, text);
