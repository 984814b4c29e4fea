// SPDX-License-Identifier: Apache-2.0
// Exchange and refresh: two legs in one commit (docs/protocol.md rules 4.8 and 4.9). The payer
// decides; the payee's own note, the second leg, is promised from its Ready-to-Commit on.
bool isSpentElsewhere;
bool hasSecondLeg, owesSecondLeg;

// The payer's signed `aborted` is kept in the append that drops the notes, and to the horizon.
#define MAY_PAYEE_KEEP true
#define MAY_PAYEE_RAISE (payee != PAYEE_DROPPING)
#define MAY_PAYEE_FORGET (payee != PAYEE_DROPPING)
// The decider makes both legs true with one append.
#ifdef LEGS_IN_TWO_APPENDS
#define COMMIT_SECOND_LEG owesSecondLeg = true
#else
#define COMMIT_SECOND_LEG hasSecondLeg = true
#endif
#define LOSE_SECOND_LEG owesSecondLeg = false
// What the decider has got, the other one has not paid to somebody else.
#define LEGS_AGREE (!hasSecondLeg || !isSpentElsewhere)
#define LEGS_ENDED (!PAYER_COMMITTED_EVER || hasSecondLeg)
#include "commit.pml"

#ifdef PROMISED_STAYS_SPENDABLE
#define MAY_SPEND !PAYEE_HAS_MONEY
#else
#define MAY_SPEND (!PAYEE_HAS_MONEY && !PAYEE_IN_DOUBT)
#endif

active proctype SecondLeg() {
end:
  do
  // The payee pays its own note to a third party; it can then not offer it here.
  :: atomic { MAY_SPEND && !isSpentElsewhere -> isSpentElsewhere = true; payeeOpen = false }
  :: atomic { owesSecondLeg && !hasSecondLeg -> hasSecondLeg = true }
  od
}
