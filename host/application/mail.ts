// SPDX-License-Identifier: Apache-2.0
// When a device's host asks about payments in doubt, and what it does with the mail for its module
// (protocol rule 4.5): the owner does nothing for it. The module makes and judges every statement;
// the host carries them. An event machine: (state, event) -> effects over plain state.

/** From a doubt to the first question: the session that it came from may still end it. */
export const FIRST_ASK_MS = 3_000;
/** Between questions that get no answer: twice the pause before, up to this. */
export const LONGEST_ASK_MS = 15 * 60_000;

/** Where nothing is open: a line that died unnoticed tells of no mail. */
export const IDLE_ASK_MS = 30_000;

/** Plain, cloneable state of one module's mail. */
export interface Mail {
  /** When the module is to be asked next what is open; null for not now. */
  askAtMs: number | null;
  /** Pause before the next question. */
  pauseMs: number;
  /** Payments that the module has still to ask about in this round. */
  left: number;
  /** Number of the last letter that was handed over. */
  lastLetter: number;
  isFetching: boolean;
  /** New mail was told of while older mail was being fetched. */
  isMore: boolean;
}

export type MailEvent =
  /** The module was started, or is heard of for the first time: whatever was open is over. */
  | { type: "started"; nowMs: number }
  /** A payment ended in doubt. */
  | { type: "doubt"; nowMs: number }
  | { type: "tick"; nowMs: number }
  /** The module asked about one payment, and `open` are open (89). */
  | { type: "asked"; open: number; nowMs: number }
  /** The module was not reached. */
  | { type: "unasked"; nowMs: number }
  /** The mailbox has mail for the module. */
  | { type: "arrived" }
  /** The mailbox's answer to a fetch. */
  | {
      type: "letters";
      letters: readonly { number: number; statement: Uint8Array }[];
      hasMore: boolean;
    }
  | { type: "not fetched" }
  /**
   * The mailbox has the answer to a question: it was fetched before, and lost on the last steps.
   */
  | { type: "answered" };

export type MailEffect =
  /** Have the module ask about the next open payment (89). */
  | { type: "ask" }
  | { type: "fetch"; after: number }
  /** For the module. */
  | { type: "deliver"; statement: Uint8Array };

export function newMail(): Mail {
  return {
    askAtMs: null,
    pauseMs: FIRST_ASK_MS,
    left: 0,
    lastLetter: 0,
    isFetching: false,
    isMore: false,
  };
}

/** Takes one event and changes `state`; gives what is to be done, in order. */
export function stepMail(state: Mail, event: MailEvent): MailEffect[] {
  switch (event.type) {
    case "started":
      state.pauseMs = FIRST_ASK_MS;
      state.askAtMs = event.nowMs;
      return fetch(state);
    case "doubt":
      state.pauseMs = FIRST_ASK_MS;
      state.askAtMs = Math.min(state.askAtMs ?? Infinity, event.nowMs + FIRST_ASK_MS);
      return [];
    case "tick":
      if (state.askAtMs === null || event.nowMs < state.askAtMs) return [];
      state.askAtMs = null;
      state.left = 0;
      // A mailbox that forgot to tell is asked, too.
      return [{ type: "ask" }, ...fetch(state)];
    case "asked": {
      // Each command asks about the next payment: one for each that is open.
      state.left = state.left === 0 ? event.open - 1 : state.left - 1;
      if (state.left > 0) return [{ type: "ask" }];
      state.left = 0;
      rest(state, event.open > 0 ? state.pauseMs : IDLE_ASK_MS, event.nowMs);
      return [];
    }
    case "unasked":
      state.left = 0;
      rest(state, state.pauseMs, event.nowMs);
      return [];
    case "arrived":
      return fetch(state);
    case "letters": {
      state.isFetching = false;
      const fresh = event.letters.filter(({ number }) => number > state.lastLetter);
      state.lastLetter = Math.max(state.lastLetter, ...fresh.map(({ number }) => number));
      const more = (event.hasMore && fresh.length > 0) || state.isMore ? fetch(state) : [];
      return [...fresh.map(({ statement }) => ({ type: "deliver" as const, statement })), ...more];
    }
    case "not fetched":
      state.isFetching = false;
      return [];
    case "answered":
      state.lastLetter = 0;
      return fetch(state);
  }
}

function fetch(state: Mail): MailEffect[] {
  state.isMore = state.isFetching;
  if (state.isFetching) return [];
  state.isFetching = true;
  return [{ type: "fetch", after: state.lastLetter }];
}

function rest(state: Mail, pauseMs: number, nowMs: number): void {
  state.pauseMs = Math.min(pauseMs * 2, LONGEST_ASK_MS);
  state.askAtMs = Math.min(state.askAtMs ?? Infinity, nowMs + pauseMs);
}
