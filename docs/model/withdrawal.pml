// SPDX-License-Identifier: Apache-2.0
// A withdrawal for which notes must first be made: generator to teller, teller to customer, and the
// bank's ledger (docs/protocol.md section 4, nested payments; section 6). Each payment by itself is
// payment.pml, so here it commits, or aborts, in one move; what is asked is their order.
#define RUNNING 0
#define COMMITTED 1
#define ABORTED 2

byte issue = RUNNING, payout = RUNNING;
// The customer's account, what is in transit, and what was issued for the payout.
byte account = 1, transit, settled;
byte cuts;

active proctype Generator() {
end:
  do
  :: issue == RUNNING -> issue = ABORTED
#ifdef OUTER_PAYMENT_FIRST
  :: issue == RUNNING && payout == COMMITTED -> issue = COMMITTED
#else
  :: issue == RUNNING -> issue = COMMITTED
#endif
  od
}

active proctype Teller() {
end:
  do
  // The hold is durable before notes leave.
  :: atomic { account == 1 -> account = 0; transit = 1 }
#ifdef NOTES_BEFORE_HOLD
  :: atomic { payout == RUNNING && issue == COMMITTED -> payout = COMMITTED }
#endif
#ifdef OUTER_PAYMENT_FIRST
  :: atomic { payout == RUNNING && transit == 1 -> payout = COMMITTED }
#else
  :: atomic { payout == RUNNING && transit == 1 && issue == COMMITTED -> payout = COMMITTED }
#endif
  :: payout == RUNNING && (issue == ABORTED || transit == 1) -> payout = ABORTED
  // The ledger settles on the module's word alone.
  :: atomic { transit == 1 && payout == COMMITTED -> transit = 0; settled = 1 }
  :: atomic { transit == 1 && payout == ABORTED -> transit = 0; account = 2 }
  od
}

active proctype Judge() {
end:
  do
  // What is in circulation was issued; what was paid out left the account.
  :: atomic { payout == COMMITTED && (issue == ABORTED || account != 0) -> assert(false) }
  :: atomic { timeout -> assert(issue != RUNNING && (payout == COMMITTED) == (settled == 1)); break }
  od
}
