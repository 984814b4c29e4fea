// SPDX-License-Identifier: Apache-2.0
// Test-only image: lets a test reach each import of the board contract (assembly/board.ts) through
// HOST messages, and makes OWN and PEER messages visible. The first body byte says what to do.
import {
  clock,
  counterRaise,
  counterRead,
  deviceKey,
  flashErase,
  flashRead,
  flashWrite,
  Port,
  random,
  send,
  step,
} from "../board";

const INBOX_SIZE: i32 = 8704;
const OUTBOX_SIZE: i32 = 8704;

const inboxBuffer = memory.data(8704, 8);
const outboxBuffer = memory.data(8704, 8);

// State of both kinds that a snapshot must carry: a wasm global, and an object on the heap.
let eventCount: i32 = 0;
let ticksLeft: i32 = 0;
let tickDelay: i32 = -1;
let heapCount: StaticArray<i32> = new StaticArray<i32>(1);

/** What a HOST message asks for; the answer begins with the same byte. */
namespace Request {
  export const ECHO: u8 = 1;
  export const RANDOM: u8 = 2;
  export const FLASH_WRITE: u8 = 3;
  export const FLASH_READ: u8 = 4;
  export const FLASH_ERASE: u8 = 5;
  export const COUNTER_READ: u8 = 6;
  export const COUNTER_RAISE: u8 = 7;
  export const DEVICE_KEY: u8 = 8;
  export const CLOCK: u8 = 9;
  /** Ticks: delay in ms (4 bytes), count (1 byte); each tick sends HOST [TICK, ticks left]. */
  export const TICK: u8 = 10;
  export const PANIC: u8 = 11;
  export const TRAP: u8 = 12;
  export const TO_OWN: u8 = 13;
  export const TO_PEER: u8 = 14;
  export const SEND_BAD_RANGE: u8 = 15;
  export const COUNTS: u8 = 16;
  export const STEP: u8 = 17;
  /** Makes every later boot fail: the flag is the first flash word of the last page. */
  export const FAIL_BOOTS: u8 = 18;
  /** Makes every later boot send HOST [SPEAK_AT_BOOTS]: the flag is the word after that one. */
  export const SPEAK_AT_BOOTS: u8 = 19;
}

const FAIL_FLAG_OFFSET: u32 = 126976;
const SPEAK_FLAG_OFFSET: u32 = 126984;

export function inbox(): usize {
  return inboxBuffer;
}

export function inboxSize(): i32 {
  return INBOX_SIZE;
}

export function boot(): i32 {
  flashRead(FAIL_FLAG_OFFSET, outboxBuffer, 16);
  assert(load<u8>(outboxBuffer) == 0xff);
  if (load<u8>(outboxBuffer, 8) != 0xff) reply(Request.SPEAK_AT_BOOTS, 0, 0);
  return -1;
}

export function tick(): i32 {
  eventCount += 1;
  ticksLeft -= 1;
  reply(Request.TICK, ticksLeft, 0);
  return ticksLeft > 0 ? tickDelay : -1;
}

export function receive(length: i32): i32 {
  eventCount += 1;
  heapCount[0] += 1;
  const port = load<u8>(inboxBuffer);
  if (length < 2) return deadline();
  if (port == Port.HOST) host(inboxBuffer + 2, length - 2);
  else {
    // What came from elsewhere is shown to the host with the port in front.
    send(Port.HOST, inboxBuffer, length);
  }
  __collect();
  return deadline();
}

function deadline(): i32 {
  return ticksLeft > 0 ? tickDelay : -1;
}

/** Sends HOST [request, status (4 bytes), data already at outboxBuffer + 5]. */
function reply(request: u8, status: i32, dataLength: i32): void {
  store<u8>(outboxBuffer, request);
  store<i32>(outboxBuffer + 1, status);
  send(Port.HOST, outboxBuffer, 5 + dataLength);
}

function host(argument: usize, length: i32): void {
  const request = load<u8>(inboxBuffer, 1);
  const data = outboxBuffer + 5;
  if (request == Request.ECHO) {
    memory.copy(data, argument, min(length, OUTBOX_SIZE - 5));
    reply(request, 0, length);
  } else if (request == Request.RANDOM) {
    const count = <i32>load<u8>(argument);
    const status = random(data, count);
    reply(request, status, status == 0 ? count : 0);
  } else if (request == Request.FLASH_WRITE) {
    reply(request, flashWrite(load<u32>(argument), argument + 4, length - 4), 0);
  } else if (request == Request.FLASH_READ) {
    const count = <i32>load<u16>(argument, 4);
    const status = flashRead(load<u32>(argument), data, count);
    reply(request, status, status == 0 ? count : 0);
  } else if (request == Request.FLASH_ERASE) {
    reply(request, flashErase(<u32>load<u8>(argument)), 0);
  } else if (request == Request.COUNTER_READ) {
    store<i64>(data, counterRead());
    reply(request, 0, 8);
  } else if (request == Request.COUNTER_RAISE) {
    store<i64>(data, counterRaise());
    reply(request, 0, 8);
  } else if (request == Request.DEVICE_KEY) {
    const status = deviceKey(argument, length, data);
    reply(request, status, status == 0 ? 32 : 0);
  } else if (request == Request.CLOCK) {
    store<i64>(data, clock());
    reply(request, 0, 8);
  } else if (request == Request.TICK) {
    tickDelay = load<i32>(argument);
    ticksLeft = <i32>load<u8>(argument, 4);
    reply(request, ticksLeft, 0);
  } else if (request == Request.PANIC) {
    assert(length < 0);
  } else if (request == Request.TRAP) {
    unreachable();
  } else if (request == Request.TO_OWN) {
    send(Port.OWN, argument, length);
  } else if (request == Request.TO_PEER) {
    send(Port.PEER, argument, length);
  } else if (request == Request.SEND_BAD_RANGE) {
    send(Port.HOST, 65530, 10);
  } else if (request == Request.COUNTS) {
    store<i32>(data, unchecked(heapCount[0]));
    reply(request, eventCount, 4);
  } else if (request == Request.STEP) {
    step(load<i32>(argument));
    reply(request, 0, 0);
  } else if (request == Request.FAIL_BOOTS) {
    store<u64>(data, 0);
    reply(request, flashWrite(FAIL_FLAG_OFFSET, data, 8), 0);
    assert(false);
  } else if (request == Request.SPEAK_AT_BOOTS) {
    store<u64>(data, 0);
    reply(request, flashWrite(SPEAK_FLAG_OFFSET, data, 8), 0);
  }
}
