// SPDX-License-Identifier: Apache-2.0
// One payment between two modules, their own sides, the paths between them, power cuts and losses
// (docs/protocol.md section 4). What the modules may do comes from the tables; here is what their
// surroundings let them do, and what that brings about. payment.pml and exchange.pml include this.
//
// A message that is there may be taken any number of times, early, late or never: that is
// duplication, reordering and delay. Loss takes it away. Faults are bounded in number, and each move
// changes something for good, so every run ends; what must hold at its end is HEALED.
#include "states.pml"

#ifndef CUTS
#define CUTS 2
#endif
#ifndef LOSSES
#define LOSSES 2
#endif

// An own side, the agent or the bank's ledger: it holds, and then carries out or gives back.
#define HELD 0
#define CARRIED_OUT 1
#define GIVEN_BACK 2
// What a module told its own side; lost with the power.
#define NO_WORD 0
#define WORD_COMMITTED 1
#define WORD_ABORTED 2

byte payer = PAYER_IDLE, payee = PAYEE_IDLE;
byte payerSide = HELD, payeeSide = HELD;
byte payerWord = NO_WORD, payeeWord = NO_WORD;
// `close` and `noted`, from an own side to its module.
bool payerClose, payeeClose, payerNoted, payeeNoted;
// The modules' session, each end of it; a payment has one, and a later session is another payment's.
bool payerOpen = true, payeeOpen = true;
// What is on its way, by the session or by any other path.
bool readyThere, releasedThere, doneThere, abortedThere, payeeAsks, payerAsks;
// What a module sends behind an append if the power stays on.
bool owesRelease, owesDone;
// A claim that was told, and the Certification Agency's verdict on it.
bool claimThere, verdictPaid, verdictRefused;
// Horizon: signed time at the payer passed it, which it does in some runs only.
bool expires, isExpired;
// The payer's log names its 24 newest payments, so it forgets too.
bool logKnows = true;
byte cuts, losses;

#define PAYER_COMMITTED_EVER (payer >= PAYER_COMMITTING)
#define PAYEE_OWNS (payee >= PAYEE_TAKING && payee <= PAYEE_RECEIVED)
#define HAS_DROPPED (payee >= PAYEE_REFUSING)
#define PAYEE_PAID_BY_AGENCY (payee >= PAYEE_PAYING && payee <= PAYEE_COMPENSATED_OUT)
#define PAYEE_HAS_MONEY (PAYEE_OWNS || PAYEE_PAID_BY_AGENCY)
#define PAYEE_IN_DOUBT (payee >= PAYEE_PREPARING && payee <= PAYEE_CLAIMED)

// ------------------------------------------------------------ the payer: commit.ts, answers.ts
#define MAY_PAYER_COMMIT (readyThere && payerOpen)
#define DO_PAYER_COMMIT payerOpen = false; owesRelease = true; COMMIT_SECOND_LEG
#define MAY_PAYER_RAISE true
#define DO_PAYER_RAISE skip
#define MAY_PAYER_NOTE payerNoted
#define DO_PAYER_NOTE skip
#define MAY_PAYER_ACKNOWLEDGE ((owesRelease || payeeAsks) && !releasedThere)
#define DO_PAYER_ACKNOWLEDGE releasedThere = true; owesRelease = false
#define MAY_PAYER_ASK !payerAsks
#define DO_PAYER_ASK payerAsks = true
#define MAY_PAYER_PEER_DONE doneThere
#define DO_PAYER_PEER_DONE skip
#define MAY_PAYER_FORGET true
#define DO_PAYER_FORGET skip
#define MAY_PAYER_EXPIRE isExpired
#define DO_PAYER_EXPIRE skip
// The session ends with a word on how the payment ended: nobody is told what may yet change.
#ifdef CLOSE_LEAVES_SESSION_OPEN
#define CLOSE_PAYER_SESSION skip
#else
#define CLOSE_PAYER_SESSION payerOpen = false
#endif
#ifdef ABORTED_PAST_HORIZON
#define MAY_SAY_ABORTED true
#else
#define MAY_SAY_ABORTED (payer != PAYER_FORGOTTEN || (!isExpired && !logKnows))
#endif
#define MAY_PAYER_ANSWER_ABORTED (payeeAsks && !abortedThere && MAY_SAY_ABORTED)
#define DO_PAYER_ANSWER_ABORTED abortedThere = true; CLOSE_PAYER_SESSION
#define MAY_PAYER_TELL (payerSide == HELD && payerWord == NO_WORD)
#define MAY_PAYER_TELL_COMMITTED MAY_PAYER_TELL
#define DO_PAYER_TELL_COMMITTED payerWord = WORD_COMMITTED
#define MAY_PAYER_TELL_ABORTED (MAY_PAYER_TELL && (payerClose || !payerOpen))
#define DO_PAYER_TELL_ABORTED payerWord = WORD_ABORTED; CLOSE_PAYER_SESSION
// Where the own side has ended it changes nothing: forgotten is only what was noted.
#define MAY_PAYER_TELL_NO_RECORD (MAY_PAYER_TELL && payerClose)
#define DO_PAYER_TELL_NO_RECORD DO_PAYER_TELL_ABORTED

active proctype Payer() {
end:
  do
#include "payerMoves.pml"
  // A time-out, a cancel, a closed tunnel.
  :: payerOpen -> payerOpen = false
#ifdef ACKNOWLEDGES_BEFORE_COMMITTED
  :: atomic { payer == PAYER_IDLE && readyThere && payerOpen && !releasedThere -> releasedThere = true }
#endif
#ifdef CLOSE_LEAVES_SESSION_OPEN
  :: atomic { payer == PAYER_CLOSED && readyThere && payerOpen -> payer = PAYER_COMMITTING; DO_PAYER_COMMIT }
#endif
#ifdef FORGETS_BEFORE_HORIZON
  :: atomic { payer == PAYER_NOTED -> payer = PAYER_FORGOTTEN }
#endif
#ifdef FORGETS_BEFORE_NOTED
  :: atomic { payer == PAYER_DONE -> payer = PAYER_FORGOTTEN }
#endif
  od
}

// ------------------------------------------------------------ the payee: commit.ts, questions.ts
#define MAY_PAYEE_PREPARE payeeOpen
#define DO_PAYEE_PREPARE skip
#define DO_PAYEE_RAISE skip
#define MAY_PAYEE_READY (payeeOpen && !readyThere)
#define DO_PAYEE_READY readyThere = true
#ifdef NEVER_ASKS
#define MAY_PAYEE_ASK false
#else
#define MAY_PAYEE_ASK !payeeAsks
#endif
#define DO_PAYEE_ASK payeeAsks = true
// Only told again, and changes nothing.
#define MAY_PAYEE_TELL_IN_DOUBT false
#define DO_PAYEE_TELL_IN_DOUBT skip
#define MAY_PAYEE_TAKE releasedThere
#define DO_PAYEE_TAKE payeeOpen = false; owesDone = true
#define MAY_PAYEE_DROP abortedThere
#define DO_PAYEE_DROP payeeOpen = false
#define DO_PAYEE_KEEP skip
// Before the horizon; whether anybody claims is the owner's choice.
#define MAY_PAYEE_CLAIM (expires && !isExpired && !payeeOpen)
#define DO_PAYEE_CLAIM skip
#define MAY_PAYEE_TELL_CLAIM !claimThere
#define DO_PAYEE_TELL_CLAIM claimThere = true
#define MAY_PAYEE_PAID verdictPaid
#define DO_PAYEE_PAID skip
#define MAY_PAYEE_REFUSED verdictRefused
#define DO_PAYEE_REFUSED skip
#define MAY_PAYEE_SAY_DONE ((owesDone || payerAsks) && !doneThere)
#define DO_PAYEE_SAY_DONE doneThere = true; owesDone = false
#define MAY_PAYEE_NOTE payeeNoted
#define DO_PAYEE_NOTE skip
#define DO_PAYEE_FORGET skip
#define MAY_PAYEE_EXPIRE isExpired
#define DO_PAYEE_EXPIRE skip
#define MAY_PAYEE_TELL (payeeSide == HELD && payeeWord == NO_WORD)
#define MAY_PAYEE_TELL_COMMITTED MAY_PAYEE_TELL
#define DO_PAYEE_TELL_COMMITTED payeeWord = WORD_COMMITTED
#define MAY_PAYEE_TELL_ABORTED (MAY_PAYEE_TELL && (payeeClose || !payeeOpen || HAS_DROPPED))
#define DO_PAYEE_TELL_ABORTED payeeWord = WORD_ABORTED; payeeOpen = false
// Nobody notes, and nobody asks about, a payment that a command started: MAY_PAYEE_FORGET.
#define PAYEE_HAS_RECEIVED (payee == PAYEE_RECEIVED || payee == PAYEE_COMPENSATED_OUT)
#define MAY_PAYEE_TELL_NO_RECORD (MAY_PAYEE_TELL && payeeClose && (!PAYEE_HAS_RECEIVED || payeeNoted))
#define DO_PAYEE_TELL_NO_RECORD DO_PAYEE_TELL_ABORTED

active proctype Payee() {
end:
  do
#include "payeeMoves.pml"
  :: payeeOpen -> payeeOpen = false
#ifdef READY_BEFORE_PREPARED
  :: atomic { payee == PAYEE_IDLE && payeeOpen && !readyThere -> readyThere = true }
#endif
#ifdef CLAIM_LEAVES_OTHER_ENDS
  :: atomic { payee == PAYEE_CLAIMED && releasedThere -> payee = PAYEE_TAKING; DO_PAYEE_TAKE }
#endif
#ifdef TELLS_CLAIM_BEFORE_IT_IS_DURABLE
  :: atomic { payee == PAYEE_PREPARED && MAY_PAYEE_CLAIM && !claimThere -> claimThere = true }
#endif
#ifdef PAYEE_ABORTS_AFTER_READY
  :: atomic { payee == PAYEE_PREPARED && !payeeOpen -> payee = PAYEE_DROPPING }
#endif
  od
}

// ------------------------------------------------------------ own sides: agents, bank ledgers
active proctype OwnSides() {
end:
  do
  :: payerSide == HELD && !payerClose -> payerClose = true
  :: atomic { payerWord == WORD_COMMITTED && payerSide == HELD -> payerSide = CARRIED_OUT }
  :: atomic { payerWord == WORD_ABORTED && payerSide == HELD -> payerSide = GIVEN_BACK }
  :: payerSide == CARRIED_OUT && !payerNoted -> payerNoted = true
#ifdef OWN_SIDE_ABORTS_ALONE
  :: atomic { payerSide == HELD && payerClose -> payerSide = GIVEN_BACK }
#endif
  :: payeeSide == HELD && !payeeClose -> payeeClose = true
  :: atomic { payeeWord == WORD_COMMITTED && payeeSide == HELD -> payeeSide = CARRIED_OUT }
  :: atomic { payeeWord == WORD_ABORTED && payeeSide == HELD -> payeeSide = GIVEN_BACK }
  :: payeeSide != HELD && !payeeNoted -> payeeNoted = true
  od
}

// ------------------------------------------------------------ the Certification Agency
// Behind the horizon it knows from the issuers where the money went.
active proctype Agency() {
end:
  do
  :: atomic { claimThere && isExpired && !verdictPaid && !verdictRefused ->
      if
      :: PAYER_COMMITTED_EVER -> verdictPaid = true
      :: else -> verdictRefused = true
      fi }
  od
}

// ------------------------------------------------------------ faults and time
// An append is there whole or not at all, so a cut within it is one before or behind it
// (journal.pml); an append that was not raised is raised at the next boot.
active proctype Faults() {
end:
  do
  :: atomic { cuts < CUTS -> cuts++; payerOpen = false; owesRelease = false; payerWord = NO_WORD; LOSE_SECOND_LEG }
  :: atomic { cuts < CUTS -> cuts++; payeeOpen = false; owesDone = false; payeeWord = NO_WORD }
  :: atomic { losses < LOSSES && readyThere -> losses++; readyThere = false }
  :: atomic { losses < LOSSES && releasedThere -> losses++; releasedThere = false }
  :: atomic { losses < LOSSES && doneThere -> losses++; doneThere = false }
  :: atomic { losses < LOSSES && abortedThere -> losses++; abortedThere = false }
  :: atomic { losses < LOSSES && payeeAsks -> losses++; payeeAsks = false }
  :: atomic { losses < LOSSES && payerAsks -> losses++; payerAsks = false }
  :: atomic { losses < LOSSES && claimThere -> losses++; claimThere = false }
  :: atomic { losses < LOSSES && payerWord -> losses++; payerWord = NO_WORD }
  :: atomic { losses < LOSSES && payerNoted -> losses++; payerNoted = false }
  // The notes live for months, a session for minutes.
  :: expires && !isExpired && !payerOpen -> isExpired = true
  :: logKnows && payer == PAYER_FORGOTTEN -> logKnows = false
  od
}

// ------------------------------------------------------------ what must hold
// No unit twice, and none gone: the payer has it until it commits, the payee from its own commit on;
// between the two the payee must still be able to ask.
#define ONE_OWNER (!PAYEE_HAS_MONEY || PAYER_COMMITTED_EVER)
#define NOT_LOST (!PAYER_COMMITTED_EVER || PAYEE_IN_DOUBT || PAYEE_HAS_MONEY)
// What the agency paid, the claimant does not own besides.
#define PAID_ONCE (!verdictPaid || !PAYEE_OWNS)
// Receipt, card and ledger say what the money says.
#define PAYER_SIDE_AGREES ((payerSide != CARRIED_OUT || PAYER_COMMITTED_EVER) && (payerSide != GIVEN_BACK || !PAYER_COMMITTED_EVER))
#define PAYEE_SIDE_AGREES ((payeeSide != CARRIED_OUT || PAYEE_HAS_MONEY) && (payeeSide != GIVEN_BACK || (!PAYEE_HAS_MONEY && !PAYEE_IN_DOUBT)))
// At the end of a run nothing is open. Behind the horizon a doubt may remain that nobody claimed.
#define PAYEE_ENDED ((!PAYEE_IN_DOUBT && payeeSide != HELD) || (isExpired && payee == PAYEE_PREPARED))
#define HEALED (PAYEE_ENDED && payerSide != HELD && LEGS_ENDED)

active proctype Judge() {
  atomic { if :: expires = true :: skip fi }
end:
  do
  :: atomic { !(ONE_OWNER && NOT_LOST && PAID_ONCE && LEGS_AGREE) -> assert(false) }
  :: atomic { !(PAYER_SIDE_AGREES && PAYEE_SIDE_AGREES) -> assert(false) }
  :: atomic { timeout -> assert(HEALED); break }
  od
}
