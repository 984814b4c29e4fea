// SPDX-License-Identifier: Apache-2.0
// Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker, IEEE/ACM Transactions on Networking
// 7(2), 1999): bytes without any zero, so that a zero always and only ends a frame.

/** Longest run of non-zero bytes that one code byte can announce. */
const LONGEST_RUN = 254;

/** Encodes any bytes; the result has no zero and is at most 1 + length / 254 bytes longer. */
export function cobsEncode(bytes: Uint8Array): Uint8Array {
  const output = new Uint8Array(bytes.length + 1 + Math.floor(bytes.length / LONGEST_RUN));
  let codeAt = 0;
  let end = 1;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!;
    if (byte !== 0) {
      output[end] = byte;
      end += 1;
    }
    const isRunFull = end - codeAt === LONGEST_RUN + 1;
    if (byte === 0 || (isRunFull && index + 1 < bytes.length)) {
      output[codeAt] = end - codeAt;
      codeAt = end;
      end += 1;
    }
  }
  output[codeAt] = end - codeAt;
  return output.subarray(0, end);
}

/** Decodes what `cobsEncode` made, without the ending zero; null for anything else. */
export function cobsDecode(encoded: Uint8Array): Uint8Array | null {
  const output = new Uint8Array(encoded.length);
  let length = 0;
  let at = 0;
  while (at < encoded.length) {
    const code = encoded[at]!;
    const end = at + code;
    // A zero inside, or a run that would reach beyond the frame, is not COBS.
    if (code === 0 || end > encoded.length) return null;
    for (at += 1; at < end; at += 1) {
      if (encoded[at] === 0) return null;
      output[length] = encoded[at]!;
      length += 1;
    }
    // A full run stands for no zero, and the last run's zero is only the frame's end.
    if (code !== LONGEST_RUN + 1 && at < encoded.length) {
      output[length] = 0;
      length += 1;
    }
  }
  return encoded.length === 0 ? null : output.subarray(0, length);
}
