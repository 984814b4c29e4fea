// SPDX-License-Identifier: Apache-2.0
// Computes the constants of curve25519 that the firmware keeps (assembly/crypto/table25519.ts) from
// the definitions of RFC 8032, section 5.1. Run it again after a change of the layout:
//
//   node scripts/tables25519.mjs
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The comb of assembly/crypto/baseTables.ts: blocks of teeth, and bits between neighbours. */
const BLOCKS = 2;
const TEETH = 5;
const SPACING = 26;
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

const offset = modulo((2n ** BigInt(BLOCKS * TEETH * SPACING) - 1n) * invert(2n, L), L);

const text = `// SPDX-License-Identifier: Apache-2.0
// Constants of curve25519 (RFC 8032, section 5.1), computed by scripts/tables25519.mjs; do not
// edit. Elements are ten limbs of 26 and 25 bits.

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
/** The base point B as section 5.1.5 encodes it. */
${literal("BASE_POINT", "u64", words(BASE.y, 4, 64))}`;

const output = fileURLToPath(new URL("../assembly/crypto/table25519.ts", import.meta.url));
writeFileSync(output, text);
