// SPDX-License-Identifier: Apache-2.0
// The commit protocol as tables, state by event (docs/protocol.md sections 4 and 7): what a payer's
// and a payee's module may do about one payment, and what any module may do with its journal. The
// Promela model (docs/model) explores all that they allow; every torture run is held against them.

/** Next state by state and event; what is not in it must not happen. */
export type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * The payer, or who decides where both pay. Events: `commit`, `note` (the own side noted),
 * `peerDone`, `forget` and `expire` (the record goes before the horizon, or behind it) are appends,
 * `raise` the counter's; `acknowledge`, `ask`, `answerAborted` and `tell...` (to the own side)
 * leave the module. `tellNoRecord` answers a bank whose question may have come late: to one that
 * still holds it means aborted, and nothing to one that was told the end (rule 4.6).
 */
export const PAYER: Table = {
  idle: {
    commit: "committing",
    tellAborted: "closed",
    tellNoRecord: "closed",
    answerAborted: "closed",
  },
  // Somebody relies on this word: the payment must not begin any more (rules 4.4, 4.6).
  closed: { tellAborted: "closed", tellNoRecord: "closed", answerAborted: "closed" },
  committing: { note: "committingNoted", raise: "committed" },
  committingNoted: { raise: "noted" },
  committed: {
    acknowledge: "committed",
    tellCommitted: "committed",
    ask: "committed",
    note: "noted",
    peerDone: "done",
  },
  noted: {
    acknowledge: "noted",
    tellCommitted: "noted",
    ask: "noted",
    peerDone: "settled",
    expire: "forgotten",
  },
  done: { acknowledge: "done", tellCommitted: "done", note: "settled" },
  settled: {
    acknowledge: "settled",
    tellCommitted: "settled",
    forget: "forgotten",
    expire: "forgotten",
  },
  // A missing record is answered `aborted` below the horizon only (rule 4.6): the payee is done.
  forgotten: { tellCommitted: "forgotten", tellNoRecord: "forgotten", answerAborted: "forgotten" },
};

/**
 * The payee, or who does not decide where both pay. Appends: `prepare`, `take` (the notes are its
 * own), `drop` (the payer said aborted), `keep` (and that word is kept), `claim`, `paid` and
 * `refused` (the agency's verdict), `note`, `forget`, `expire`; the rest leaves the module.
 */
export const PAYEE: Table = {
  idle: { prepare: "preparing", tellAborted: "closed", tellNoRecord: "closed" },
  closed: { tellAborted: "closed", tellNoRecord: "closed" },
  preparing: { raise: "prepared" },
  // In doubt (rule 4.3): nothing but the payer's word leads out.
  prepared: {
    ready: "prepared",
    ask: "prepared",
    tellInDoubt: "prepared",
    take: "taking",
    drop: "dropping",
    claim: "claiming",
  },
  // Claimed, nothing but the agency's verdict leads out (rule 4.11).
  claiming: { raise: "claimed" },
  claimed: { tellClaim: "claimed", tellInDoubt: "claimed", paid: "paying", refused: "refusing" },
  taking: { forget: "takingOut", raise: "taken" },
  takingOut: { raise: "received" },
  taken: { sayDone: "taken", tellCommitted: "taken", note: "takenNoted" },
  takenNoted: {
    sayDone: "takenNoted",
    tellCommitted: "takenNoted",
    forget: "received",
    expire: "received",
  },
  received: { sayDone: "received", tellCommitted: "received", tellNoRecord: "received" },
  paying: { forget: "payingOut", raise: "compensated" },
  payingOut: { raise: "compensatedOut" },
  compensated: { sayDone: "compensated", tellCommitted: "compensated", note: "compensatedNoted" },
  compensatedNoted: {
    sayDone: "compensatedNoted",
    tellCommitted: "compensatedNoted",
    forget: "compensatedOut",
    expire: "compensatedOut",
  },
  compensatedOut: {
    sayDone: "compensatedOut",
    tellCommitted: "compensatedOut",
    tellNoRecord: "compensatedOut",
  },
  refusing: { forget: "droppingOut", raise: "dropped" },
  dropping: { forget: "droppingOut", keep: "droppingKept", raise: "dropped" },
  droppingOut: { raise: "released" },
  droppingKept: { note: "droppingKeptNoted", raise: "droppedKept" },
  droppingKeptNoted: { raise: "droppedKeptNoted" },
  dropped: { tellAborted: "dropped", note: "droppedNoted" },
  droppedNoted: { tellAborted: "droppedNoted", forget: "released", expire: "released" },
  droppedKept: { tellAborted: "droppedKept", note: "droppedKeptNoted" },
  // Proof against a decider that lies, so it stays to the horizon (rule 4.9).
  droppedKeptNoted: { tellAborted: "droppedKeptNoted", expire: "released" },
  released: { tellAborted: "released", tellNoRecord: "released" },
};

/**
 * The journal of any module (section 7). The board started it where nothing was ever appended
 * (`startFresh`), where the last sealed number is the counter's (`startEven`) or one more
 * (`startBehind`). `appendCopy` writes the last batch again, before it is believed.
 */
export const JOURNAL: Table = {
  off: { startFresh: "fresh", startEven: "even", startBehind: "behind" },
  fresh: { cut: "off", appendSealed: "opening" },
  even: { cut: "off", appendCopy: "rewritten" },
  behind: { cut: "off", appendCopy: "rewrittenBehind" },
  rewrittenBehind: { cut: "off", raise: "rewritten" },
  rewritten: { cut: "off", appendPlain: "rewritten", appendSealed: "opening" },
  // Two records of this boot: one leaves alive a copy whose last batch was never raised, and that
  // was started once since (docs/model/README.md). Only then a message may leave.
  opening: { cut: "off", raise: "opened" },
  opened: { cut: "off", appendSealed: "confirming" },
  confirming: { cut: "off", raise: "open" },
  open: { cut: "off", send: "open", appendPlain: "open", appendSealed: "unraised" },
  unraised: { cut: "off", raise: "open" },
};
