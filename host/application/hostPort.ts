// SPDX-License-Identifier: Apache-2.0
// Commands to, and prompts and outcomes from, agents and money modules: the host port of
// docs/protocol.cddl section 8. Numbers and shapes live here once for all applications.
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";

/** First element of each HOST body; a command is answered under its own number or by FAILED. */
export const HostMessage = {
  FAILED: 0,
  IDENTIFY: 1,
  MAKE_KEYS: 2,
  PROVE: 3,
  INSTALL: 4,
  PAIR: 5,
  LIST: 6,
  TIME: 7,
  EXPORT: 8,
  LOG: 9,
  NETWORK: 10,
  LEAVE_NETWORK: 11,
  BUY: 20,
  MERCHANT: 21,
  CONFIRM_MERCHANT: 22,
  ASK_AMOUNT: 23,
  AMOUNT: 24,
  ASK_CREDENTIAL: 25,
  CREDENTIAL: 26,
  RECEIPT: 27,
  CONFIRM_RECEIPT: 28,
  FINISHED: 29,
  STATUS: 30,
  SERVE: 40,
  FUNDS_SHORT: 43,
  FUNDS_ANSWER: 44,
  AUTHORIZE: 45,
  AUTHORIZATION: 46,
  COMPLETE: 47,
  COMPLETED: 48,
  SERVED: 49,
  SIGN_OFFER: 55,
  OBLIGATIONS: 56,
  PAY: 60,
  EXPECT: 61,
  REQUEST: 62,
  EXCHANGE: 63,
  RECEIVED: 64,
  ASKED: 65,
  ANSWERED: 66,
  ACQUIRE: 70,
  REQUESTED: 71,
  CREATE: 72,
  CREATED: 73,
  BALANCE: 80,
  BANK: 81,
  HOLD_WANTED: 82,
  HOLD: 83,
  SETTLE: 84,
  NOTED: 85,
  REFUSED: 87,
  CLOSE: 88,
  RESUME: 89,
  RECONCILED: 90,
  CLAIM: 91,
  VERDICT: 92,
} as const;

/** How a payment or transaction stands, as its own module or agent says. */
export const PaymentState = {
  NONE: 0,
  ABORTED: 1,
  COMMITTED: 2,
  IN_DOUBT: 3,
  RUNNING: 4,
} as const;

/** What is asked of a bank's module (docs/protocol.cddl section 6, request-kind). */
export const RequestKind = {
  /** In a report about a payment that there is no record of. */
  NONE: 0,
  WITHDRAW: 1,
  ISSUE: 2,
  DEPOSIT: 3,
  REDEEM: 4,
  REFRESH: 5,
} as const;

/** What an export command gives. */
export const ExportKind = {
  TICKETS: 1,
  NOTES: 2,
  CERTIFICATES: 3,
  /** Drafts of payments in doubt. */
  DOUBTFUL: 4,
  /** Signed words that an exchange or refresh was aborted. */
  ABORTED: 5,
  /** What proves each payment to another device. */
  PAID: 6,
} as const;

/** What a credential certifies. */
export const CredentialKind = { CARD: 1, MERCHANT: 2 } as const;

/** One HOST body, decoded: its number and the elements after it. */
export interface HostBody {
  readonly number: number;
  readonly fields: readonly unknown[];
}

/** Encodes one HOST body. */
export function hostBody(number: number, ...fields: unknown[]): Uint8Array {
  return encodeCbor([number, ...fields]);
}

/** Decodes one HOST body; undefined when it is not an array that begins with a number. */
export function parseHostBody(body: Uint8Array): HostBody | undefined {
  const item = decodeCbor(body);
  if (!Array.isArray(item)) return undefined;
  const [number, ...fields] = item as unknown[];
  return typeof number === "number" ? { number, fields } : undefined;
}

/** The agent or module refused a command, or what it said is not of the agreed shape. */
export class HostPortError extends Error {
  override readonly name = "HostPortError";
  /** Reason of docs/protocol.cddl section 9; 1 where the shape was wrong. */
  readonly reason: number;

  constructor(message: string, reason: number) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Reads the fields of one HOST body in order and checks the type of each.
 * @throws {HostPortError} at the first field of another type
 */
export class FieldReader {
  private index = 0;
  private readonly fields: readonly unknown[];
  private readonly what: string;

  constructor(body: HostBody, what: string) {
    this.fields = body.fields;
    this.what = what;
  }

  bytes(size?: number): Uint8Array {
    const value = this.next();
    if (value instanceof Uint8Array && (size === undefined || value.length === size)) return value;
    throw this.wrong(size === undefined ? "bytes" : `${size} bytes`);
  }

  bytesOrNull(): Uint8Array | null {
    const value = this.next();
    if (value === null || value instanceof Uint8Array) return value;
    throw this.wrong("bytes or null");
  }

  uint(): number {
    const value = this.next();
    if (typeof value === "number" && value >= 0) return value;
    throw this.wrong("a number");
  }

  uintOrNull(): number | null {
    const value = this.next();
    if (value === null || (typeof value === "number" && value >= 0)) return value;
    throw this.wrong("a number or null");
  }

  text(): string {
    const value = this.next();
    if (typeof value === "string") return value;
    throw this.wrong("text");
  }

  textOrNull(): string | null {
    const value = this.next();
    if (value === null || typeof value === "string") return value;
    throw this.wrong("text or null");
  }

  /** A field that is itself an array. */
  list(): readonly unknown[] {
    const value = this.next();
    if (Array.isArray(value)) return value;
    throw this.wrong("a list");
  }

  /** The encoded bytes of a field that holds a whole object, such as a signed one. */
  encoded(): Uint8Array {
    return encodeCbor(this.next());
  }

  private next(): unknown {
    const value = this.fields[this.index];
    this.index += 1;
    return value;
  }

  private wrong(expected: string): HostPortError {
    const place = `element ${this.index} of ${this.what}`;
    return new HostPortError(`${place} is not ${expected}; firmware and host do not match`, 1);
  }
}
