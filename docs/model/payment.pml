// SPDX-License-Identifier: Apache-2.0
// A payment, withdrawal or deposit: one leg (Fig. 21; docs/protocol.md rules 4.1 to 4.7).
#define MAY_PAYEE_RAISE true
// A payment that a command started has no own side that notes: its record goes with the commit.
#define MAY_PAYEE_FORGET true
#define MAY_PAYEE_KEEP false
#define COMMIT_SECOND_LEG skip
#define LOSE_SECOND_LEG skip
#define LEGS_AGREE true
#define LEGS_ENDED true
#include "commit.pml"
