// SPDX-License-Identifier: Apache-2.0
// A bank's mailbox (protocol rule 4.5): keeps questions, answers and `done` about payments in doubt
// for modules that do not meet any more. Every letter proves who wrote it, and an answer belongs to
// a question that is here, so that nobody can fill a stranger's box; the rest is limits.
// Decisions are functions of the letter and of what the store has about that payment.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Root } from "../../trust/certificates.ts";
import {
  Answer,
  isReleaseOf,
  isStatementOf,
  moduleOfChain,
  parseStatement,
  type Question,
  type Statement,
} from "../../trust/statements.ts";

/** Letters that are kept on one module's account; its oldest gives way to its next. */
export const LETTERS_OF_OWNER = 64;
/** Letters of a bank in all: some 100 MB. */
export const LETTERS_IN_ALL = 50_000;
/** However late the horizon that a question names: nothing is kept for longer. */
export const LONGEST_SECONDS = 200 * 24 * 3600;
/** Letters that are handed over at once. */
export const LETTERS_PER_FETCH = 16;

export type LetterKind = "question" | "answer" | "done";

/** One statement on its way. Ids are hexadecimal, times seconds since 1970. */
export interface Letter {
  readonly payId: string;
  readonly kind: LetterKind;
  readonly sender: string;
  readonly recipient: string;
  /** On whose account it lies here: who asked, also for the answer. */
  readonly owner: string;
  readonly statement: Uint8Array;
  /** From then on it may be thrown away. */
  readonly until: number;
}

/** A letter as it lies in the box: numbers rise in the order in which letters came. */
export interface KeptLetter extends Letter {
  readonly number: number;
}

/** Why a letter was taken or not; the words are what travels. */
export type PostResult =
  | "accepted"
  /** It lies here already. */
  | "known"
  /** A question whose answer lies here already: fetch it. */
  | "answered"
  | "malformed"
  | "signature"
  /** An answer to what nobody asked. */
  | "unasked"
  /** The horizon of the payment is over. */
  | "late"
  | "full";

export interface PostDecision {
  readonly result: PostResult;
  readonly put: readonly Letter[];
  /** Letters that the payment does not need any more. */
  readonly remove: readonly Letter[];
}

/** What the store knows of the matter, read before the decision. */
export interface MailContext {
  /** All letters about the payment. */
  readonly letters: readonly Letter[];
  /** Letters of all payments. */
  readonly total: number;
}

/** A letter that was read and is as signed by `sender` as its kind allows to say alone. */
export interface PostedLetter {
  readonly statement: Statement;
  readonly bytes: Uint8Array;
  readonly sender: NonNullable<ReturnType<typeof moduleOfChain>>;
}

/** Reads a letter and checks its sender's chain; the answer to give where it is none. */
export function readPosted(
  bytes: Uint8Array,
  chain: Uint8Array,
  root: Root,
): PostedLetter | "malformed" | "signature" {
  const statement = parseStatement(bytes);
  if (statement === undefined) return "malformed";
  const sender = moduleOfChain(statement.kind === "question" ? statement.chain : chain, root);
  if (sender === undefined) return "signature";
  if (statement.kind !== "released" && !isStatementOf(sender, statement)) return "signature";
  return { statement, bytes, sender };
}

/**
 * Decides about a posted letter. A question that comes again is put behind the other letters, so
 * that its recipient sees it again; an end stays what it was.
 * @param isRelayed another bank passes it on, at which its sender has its mail
 */
export function decidePost(
  { statement, bytes, sender }: PostedLetter,
  { letters, total }: MailContext,
  nowSeconds: number,
  isRelayed: boolean,
): PostDecision {
  const from = bytesToHex(sender.subject);
  const asked = letters.filter(({ kind, recipient }) => kind === "question" && recipient === from);
  const drafts: Draft[] = [];
  let remove: Letter[] = [];
  if (statement.kind === "question") {
    const { peer: recipient, horizon } = statement;
    if (horizon <= nowSeconds) return only("late");
    const isAnswered = letters.some((one) => one.recipient === from && isEndBy(one, recipient));
    // An answer that is here and did not reach the bank of who asks: its author is asked again.
    if (isAnswered && !isRelayed) return only("answered");
    const until = Math.min(horizon, nowSeconds + LONGEST_SECONDS);
    drafts.push({ kind: "question", recipient, owner: from, until });
  } else if (statement.kind === "done") {
    // To payers that asked, and at the end of what the payee asked itself.
    const own = letters.filter(({ kind, sender }) => kind === "question" && sender === from);
    drafts.push(...own.map((question) => ({ ...question, kind: "done" as const, owner: from })));
    drafts.push(...answersTo(asked, "done"));
    // The payee has the money: what it asked, and what it was answered, is read.
    remove = [
      ...own,
      ...letters.filter(({ recipient, kind }) => recipient === from && kind === "answer"),
    ];
  } else if (statement.kind === "released") {
    const fitting = asked.filter(({ statement: question }) =>
      isReleaseOf(sender, statement, parseStatement(question) as Question),
    );
    if (asked.length > 0 && fitting.length === 0) return only("signature");
    drafts.push(...answersTo(fitting));
  } else if (statement.state === Answer.ABORTED) drafts.push(...answersTo(asked));
  // What ends nothing is of no use to who asked, and is not kept.
  else return only(asked.length > 0 ? "known" : "unasked");
  if (drafts.length === 0) return only("unasked");
  const put = drafts
    .map(({ kind, recipient, owner, until }) => {
      const ends = { payId: statement.payId, kind, sender: from, recipient };
      return { ...ends, owner, until, statement: bytes };
    })
    .filter((letter, index, all) => {
      if (all.findIndex((other) => isSame(other, letter)) !== index) return false;
      return letter.kind === "question" || !letters.some((known) => isSame(known, letter));
    });
  if (put.length === 0) return only("known");
  if (total + put.length > LETTERS_IN_ALL) return only("full");
  return { result: "accepted", put, remove };
}

type Draft = Pick<Letter, "kind" | "recipient" | "owner" | "until">;

function only(result: PostResult): PostDecision {
  return { result, put: [], remove: [] };
}

function answersTo(questions: readonly Letter[], kind: LetterKind = "answer"): Draft[] {
  return questions.map(({ sender, until }) => ({ kind, recipient: sender, owner: sender, until }));
}

function isEndBy({ kind, sender }: Letter, author: string): boolean {
  return kind !== "question" && sender === author;
}

/** Whether two letters have the same place in the box. */
export function isSame(first: Letter, second: Letter): boolean {
  return (["payId", "kind", "sender", "recipient"] as const).every(
    (key) => first[key] === second[key],
  );
}
