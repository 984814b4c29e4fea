// SPDX-License-Identifier: Apache-2.0
// Written from host/torture/commitTable.ts by host/torture/promela.ts; change it there, then run
// npx vitest run test/torture/model -u

:: atomic { journal == JOURNAL_OFF && MAY_JOURNAL_START_FRESH -> journal = JOURNAL_FRESH; DO_JOURNAL_START_FRESH }
:: atomic { journal == JOURNAL_OFF && MAY_JOURNAL_START_EVEN -> journal = JOURNAL_EVEN; DO_JOURNAL_START_EVEN }
:: atomic { journal == JOURNAL_OFF && MAY_JOURNAL_START_BEHIND -> journal = JOURNAL_BEHIND; DO_JOURNAL_START_BEHIND }
:: atomic { journal == JOURNAL_FRESH && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_FRESH && MAY_JOURNAL_APPEND_SEALED -> journal = JOURNAL_OPENING; DO_JOURNAL_APPEND_SEALED }
:: atomic { journal == JOURNAL_EVEN && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_EVEN && MAY_JOURNAL_APPEND_COPY -> journal = JOURNAL_REWRITTEN; DO_JOURNAL_APPEND_COPY }
:: atomic { journal == JOURNAL_BEHIND && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_BEHIND && MAY_JOURNAL_APPEND_COPY -> journal = JOURNAL_REWRITTEN_BEHIND; DO_JOURNAL_APPEND_COPY }
:: atomic { journal == JOURNAL_REWRITTEN_BEHIND && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_REWRITTEN_BEHIND && MAY_JOURNAL_RAISE -> journal = JOURNAL_REWRITTEN; DO_JOURNAL_RAISE }
:: atomic { journal == JOURNAL_REWRITTEN && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_REWRITTEN && MAY_JOURNAL_APPEND_PLAIN -> journal = JOURNAL_REWRITTEN; DO_JOURNAL_APPEND_PLAIN }
:: atomic { journal == JOURNAL_REWRITTEN && MAY_JOURNAL_APPEND_SEALED -> journal = JOURNAL_OPENING; DO_JOURNAL_APPEND_SEALED }
:: atomic { journal == JOURNAL_OPENING && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_OPENING && MAY_JOURNAL_RAISE -> journal = JOURNAL_OPENED; DO_JOURNAL_RAISE }
:: atomic { journal == JOURNAL_OPENED && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_OPENED && MAY_JOURNAL_APPEND_SEALED -> journal = JOURNAL_CONFIRMING; DO_JOURNAL_APPEND_SEALED }
:: atomic { journal == JOURNAL_CONFIRMING && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_CONFIRMING && MAY_JOURNAL_RAISE -> journal = JOURNAL_OPEN; DO_JOURNAL_RAISE }
:: atomic { journal == JOURNAL_OPEN && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_OPEN && MAY_JOURNAL_SEND -> journal = JOURNAL_OPEN; DO_JOURNAL_SEND }
:: atomic { journal == JOURNAL_OPEN && MAY_JOURNAL_APPEND_PLAIN -> journal = JOURNAL_OPEN; DO_JOURNAL_APPEND_PLAIN }
:: atomic { journal == JOURNAL_OPEN && MAY_JOURNAL_APPEND_SEALED -> journal = JOURNAL_UNRAISED; DO_JOURNAL_APPEND_SEALED }
:: atomic { journal == JOURNAL_UNRAISED && MAY_JOURNAL_CUT -> journal = JOURNAL_OFF; DO_JOURNAL_CUT }
:: atomic { journal == JOURNAL_UNRAISED && MAY_JOURNAL_RAISE -> journal = JOURNAL_OPEN; DO_JOURNAL_RAISE }
