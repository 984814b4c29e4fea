// SPDX-License-Identifier: Apache-2.0
// Requests that try every part of the board contract with two echo images: a board has to say what
// the simulator says.
import { Echo, pack } from "../simulator/echoBoard.ts";

export const BOARD = 1;
export const AGENT = 2;
export const MODULE = 3;
const HOST = 0;

export const word = [1, 2, 3, 4, 5, 6, 7, 8];
export const host = (request: number, ...parts: Parameters<typeof pack>) =>
  pack([HOST, request], ...parts);
const label = new TextEncoder().encode("florin/journal");

/** Requests, by what they try. The order matters: flash keeps what was written. */
export const REQUESTS: Record<string, [channel: number, body: Uint8Array][]> = {
  "messages of every length": [0, 1, 243, 244, 245, 1000, 8443].map((length) => [
    AGENT,
    host(
      Echo.ECHO,
      Uint8Array.from({ length }, (_, index) => index & 0xff),
    ),
  ]),
  "seeded randomness, each module its own": [
    [AGENT, host(Echo.RANDOM, [32])],
    [AGENT, host(Echo.RANDOM, [33])],
    [MODULE, host(Echo.RANDOM, [255])],
    [AGENT, host(Echo.RANDOM, [1])],
  ],
  "the date": [[MODULE, host(Echo.CLOCK)]],
  "flash: erased, aligned words inside the window": [
    [MODULE, host(Echo.FLASH_WRITE, 4088, word, word)],
    [MODULE, host(Echo.FLASH_WRITE, 4096, word)],
    [MODULE, host(Echo.FLASH_WRITE, 8196, word)],
    [MODULE, host(Echo.FLASH_WRITE, 8192, word.slice(0, 4))],
    [MODULE, host(Echo.FLASH_WRITE, 131064, word)],
    [MODULE, host(Echo.FLASH_WRITE, 131072, word)],
    [MODULE, host(Echo.FLASH_WRITE, 0xfffffff8, word)],
    [MODULE, host(Echo.FLASH_READ, 4080, [32, 0])],
    [MODULE, host(Echo.FLASH_READ, 131070, [8, 0])],
    [MODULE, host(Echo.FLASH_READ, 0xffffffff, [8, 0])],
    [MODULE, host(Echo.FLASH_ERASE, [0])],
    [MODULE, host(Echo.FLASH_ERASE, [32])],
    [MODULE, host(Echo.FLASH_READ, 4080, [32, 0])],
    [AGENT, host(Echo.FLASH_READ, 4096, [8, 0])],
  ],
  "counters, each module its own": [
    [AGENT, host(Echo.COUNTER_READ)],
    [AGENT, host(Echo.COUNTER_RAISE)],
    [AGENT, host(Echo.COUNTER_RAISE)],
    [MODULE, host(Echo.COUNTER_READ)],
  ],
  "device keys": [
    [AGENT, host(Echo.DEVICE_KEY, label)],
    [MODULE, host(Echo.DEVICE_KEY, label.slice(1))],
    [MODULE, host(Echo.DEVICE_KEY, new Uint8Array(64))],
    [MODULE, host(Echo.DEVICE_KEY, new Uint8Array(65))],
  ],
  "ports OWN and PEER": [
    [AGENT, host(Echo.TO_OWN, [7, 8])],
    [MODULE, host(Echo.TO_PEER, [9])],
    [MODULE, pack([1, 5, 6])],
    [MODULE, pack([2, 5, 6])],
  ],
  "messages that cannot be handed over": [
    [MODULE, pack([3, 1])],
    [MODULE, new Uint8Array(0)],
    [BOARD, pack([9])],
    [BOARD, pack([2, 7])],
    [BOARD, new Uint8Array(0)],
  ],
  "an assertion, a trap, a bad range: the image starts anew": [
    [AGENT, host(Echo.PANIC)],
    [BOARD, pack([1])],
    [AGENT, host(Echo.TRAP)],
    [BOARD, pack([1])],
    [AGENT, host(Echo.SEND_BAD_RANGE)],
    [AGENT, host(Echo.RANDOM, [0])],
    [BOARD, pack([1])],
    [AGENT, host(Echo.COUNTS)],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([2, 3])],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([1])],
  ],
  "an image that speaks when it starts": [
    [AGENT, host(Echo.SPEAK_AT_BOOTS)],
    [BOARD, pack([2, 2])],
  ],
  "an image that fails at each start is stopped": [
    [MODULE, host(Echo.FAIL_BOOTS)],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([1])],
    [BOARD, pack([2, 3])],
    [AGENT, host(Echo.COUNTS)],
  ],
};
