// SPDX-License-Identifier: Apache-2.0
// The board contract: everything a firmware image may ask of the board it runs on (Figs. 4A, 3:
// External Interface 138, Date/Time 154, Random Number Generator 156). Porting to a new board is
// supplying these imports; the simulator (host/simulator) is one board among others.
//
// All pointers are byte addresses in the image's own linear memory. The board checks every range
// against that memory and treats a bad one as a panic of the image. All imports are synchronous.

/** Where a message goes, and, in the first byte of the inbox, where it came from. */
export namespace Port {
  /** The owner's host processor: commands, prompts and answers, in clear. */
  export const HOST: u8 = 0;
  /** The same kind of device elsewhere (agent to agent, or module to module without agents). */
  export const PEER: u8 = 1;
  /** The other half of this transaction device: agent to its money module and back. */
  export const OWN: u8 = 2;
}

/** Size in bytes of the flash window each module owns. */
export const FLASH_SIZE: u32 = 131072;
/** Erase unit in bytes; `flashErase` sets every byte of one page to 0xFF. */
export const FLASH_PAGE_SIZE: u32 = 4096;
/** Program unit in bytes; writes start and end on such a boundary, onto erased bytes only. */
export const FLASH_WORD_SIZE: u32 = 8;

/**
 * Sends one message. The board copies the bytes before it returns; `length` 1 to 8,448.
 * A message leaves in the order of the calls. No failure is reported: the line may lose it.
 */
export declare function send(port: i32, pointer: usize, length: i32): void;

/**
 * Fills `length` bytes (1 to 256) with random bytes from the board's true random source.
 * Returns 0, or -1 where the source failed its health test: the caller must not go on.
 */
export declare function random(pointer: usize, length: i32): i32;

/** The time as milliseconds since 1970-01-01 UTC, or -1 where the board does not know it. */
export declare function clock(): i64;

/** Reads `length` bytes at byte `offset` of the flash window. Returns 0, or -1 on a bad range. */
export declare function flashRead(offset: u32, pointer: usize, length: i32): i32;

/**
 * Programs `length` bytes at `offset`; both are multiples of FLASH_WORD_SIZE and the target is
 * erased. Returns 0, or -1 on a bad range or a word that was not erased. Power lost during the call
 * leaves any subset of each word's 1-to-0 changes done; such a word may read differently each boot.
 */
export declare function flashWrite(offset: u32, pointer: usize, length: i32): i32;

/**
 * Erases page number `page` (0 to 31). Returns 0, or -1 on a bad number. Power lost during the
 * call leaves the page with any content.
 */
export declare function flashErase(page: u32): i32;

/** Reads the monotonic counter of this module, or -1 where the board has none. */
export declare function counterRead(): i64;

/**
 * Raises the monotonic counter to exactly one more than it is; atomic under power loss.
 * Returns the new value, or -1 where the board has none or the counter is worn out.
 */
export declare function counterRaise(): i64;

/**
 * Derives a 32-byte key for `label` (1 to 64 bytes) from the board's secret, bound to this module's
 * image name, signer and minimum version. The same label gives the same key at every boot.
 * Returns 0, or -1 on a bad range.
 */
export declare function deviceKey(label: usize, labelLength: i32, output: usize): i32;

/** Reports a failed assertion; never returns. The board throws the instance away and boots anew. */
export declare function panic(line: i32, column: i32): void;

/** Tells a traced image's board that a numbered step was reached; called by `step` alone. */
declare function stepReached(number: i32): void;

/** Named by the build of traced images only; see `step`. */
export const TRACED: bool = true;

/**
 * Marks a numbered step of the patent's figures. Nothing in a release image; in a traced image a
 * board call that carries the number and no data.
 */
export function step(number: i32): void {
  if (isDefined(FLORIN_TRACED)) stepReached(number);
}

/** AssemblyScript's abort, without its strings: assertions stay on in release images. */
export function abortToBoard(_message: usize, _file: usize, line: i32, column: i32): void {
  panic(line, column);
  unreachable();
}
