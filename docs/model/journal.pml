// SPDX-License-Identifier: Apache-2.0
// A module's journal and its counter against power cuts and somebody who copies its flash and puts
// copies back (docs/protocol.md section 7). The flash is the number of the last sealed batch, which
// of two payments it holds, and a batch that was cut and reads differently at each boot.
#include "states.pml"

#ifndef BOOTS
#define BOOTS 5
#endif
#define COPIES 2

#define NOTHING 0
#define BOOT_RECORD 1
#define PAYMENT_D 2
#define PAYMENT_E 3

typedef Flash { byte sealed; bool hasD; bool hasE; byte torn; byte behindTorn }

byte journal = JOURNAL_OFF;
byte counter, boots;
Flash flash;
Flash copy[COPIES];
bool isCopied[COPIES];
// How a torn batch reads at this boot; the batch last appended and not raised.
bool readsTorn;
byte latest;
// Messages left that rely on a payment.
bool sentD, sentE;
bool isHonest = true;

// The number at which the log seems to end.
#define TAIL (flash.sealed + ((flash.torn != NOTHING && readsTorn) -> 1 + flash.behindTorn : 0))
#define IS_FRESH (flash.sealed == 0 && (flash.torn == NOTHING || !readsTorn))

#define MAY_START (boots < BOOTS)
#define MAY_JOURNAL_START_FRESH (MAY_START && IS_FRESH && counter == 0)
#define DO_JOURNAL_START_FRESH boots++; flash.torn = NOTHING
#ifdef TAKES_ANY_TAIL
#define MAY_JOURNAL_START_EVEN (MAY_START && !IS_FRESH && TAIL <= counter)
#else
#define MAY_JOURNAL_START_EVEN (MAY_START && !IS_FRESH && TAIL == counter)
#endif
#define DO_JOURNAL_START_EVEN boots++
#ifdef TAKES_EQUAL_TAIL_ONLY
#define MAY_JOURNAL_START_BEHIND false
#else
#define MAY_JOURNAL_START_BEHIND (MAY_START && !IS_FRESH && TAIL == counter + 1)
#endif
#define DO_JOURNAL_START_BEHIND boots++
#define MAY_JOURNAL_CUT true
#define DO_JOURNAL_CUT cutPower()
#define MAY_JOURNAL_APPEND_COPY true
#ifdef BELIEVES_TORN_BATCH
#define DO_JOURNAL_APPEND_COPY skip
#else
#define DO_JOURNAL_APPEND_COPY rewrite()
#endif
#define MAY_JOURNAL_APPEND_PLAIN false
#define DO_JOURNAL_APPEND_PLAIN skip
#define MAY_JOURNAL_APPEND_SEALED (journal != JOURNAL_OPEN || !flash.hasD || !flash.hasE)
#define DO_JOURNAL_APPEND_SEALED append()
#define MAY_JOURNAL_RAISE true
#define DO_JOURNAL_RAISE counter++; latest = NOTHING
#define MAY_JOURNAL_SEND true
#define DO_JOURNAL_SEND sentD = sentD || flash.hasD; sentE = sentE || flash.hasE

// Adds one batch behind the last: a payment where the journal is open, else the boot's record.
inline append() {
  if
  :: journal == JOURNAL_OPENING || journal == JOURNAL_CONFIRMING -> latest = BOOT_RECORD
  :: journal == JOURNAL_UNRAISED && !flash.hasD -> flash.hasD = true; latest = PAYMENT_D
  :: journal == JOURNAL_UNRAISED && !flash.hasE -> flash.hasE = true; latest = PAYMENT_E
  fi;
  if
  :: flash.torn != NOTHING -> flash.behindTorn++
  :: else -> flash.sealed++
  fi
}

// The power goes: behind a batch, or within the last one, which is then torn.
inline cutPower() {
  if
  :: true
  :: latest != NOTHING && flash.torn == NOTHING ->
    flash.sealed--;
    flash.torn = latest;
    if
    :: latest == PAYMENT_D -> flash.hasD = false
    :: latest == PAYMENT_E -> flash.hasE = false
    :: else
    fi
  fi;
  latest = NOTHING
}

// What the last batch reads now becomes what it is.
inline rewrite() {
  if
  :: flash.torn != NOTHING && readsTorn ->
    flash.sealed++;
    flash.hasD = flash.hasD || flash.torn == PAYMENT_D;
    flash.hasE = flash.hasE || flash.torn == PAYMENT_E
  :: else
  fi;
  flash.torn = NOTHING
}

inline assign(to, from) {
  to.sealed = from.sealed; to.hasD = from.hasD; to.hasE = from.hasE;
  to.torn = from.torn; to.behindTorn = from.behindTorn
}

active proctype Module() {
end:
  do
#include "journalMoves.pml"
#ifdef NO_RECORD_OF_BOOTS
  :: journal == JOURNAL_REWRITTEN -> journal = JOURNAL_OPEN
#endif
#ifdef ONE_RECORD_OF_BOOTS
  :: journal == JOURNAL_OPENED -> journal = JOURNAL_OPEN
#endif
#ifdef SENDS_BEFORE_RAISE
  :: atomic { journal == JOURNAL_UNRAISED -> DO_JOURNAL_SEND }
#endif
#ifdef APPENDS_BEFORE_RAISE
  :: atomic { journal == JOURNAL_UNRAISED && !(flash.hasD && flash.hasE) -> DO_JOURNAL_APPEND_SEALED }
#endif
  od
}

active proctype FlashOwner() {
  byte which;
end:
  do
  :: atomic { journal == JOURNAL_OFF && flash.torn != NOTHING -> readsTorn = !readsTorn }
  :: atomic { journal == JOURNAL_OFF -> select(which : 0 .. COPIES - 1);
      assign(copy[which], flash); isCopied[which] = true; which = 0 }
  :: atomic { journal == JOURNAL_OFF -> select(which : 0 .. COPIES - 1);
      if
      :: isCopied[which] -> assign(flash, copy[which]); isHonest = false
      :: else
      fi; which = 0 }
  od
}

// A module that is open has every payment that somebody relies on; and one whose flash nobody
// touched opens again, however its torn words read.
#define NOTHING_UNDONE (journal != JOURNAL_OPEN || ((!sentD || flash.hasD) && (!sentE || flash.hasE)))
#define OPENS (MAY_JOURNAL_START_FRESH || MAY_JOURNAL_START_EVEN || MAY_JOURNAL_START_BEHIND)

active proctype Judge() {
end:
  do
  :: atomic { !NOTHING_UNDONE -> assert(false) }
  :: atomic { journal == JOURNAL_OFF && isHonest && boots < BOOTS && !OPENS -> assert(false) }
  od
}
