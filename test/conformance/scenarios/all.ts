// SPDX-License-Identifier: Apache-2.0
// Every scenario, in the order in which docs/conformance.md names the first that saw a step.
import type { Scenario } from "../recorder.ts";
import { abortScenarios } from "./aborts.ts";
import { agentSessionScenarios } from "./agentSessions.ts";
import { economyScenarios } from "./economy.ts";
import { moduleSessionScenarios } from "./moduleSessions.ts";
import { networkServerScenarios } from "./networkServer.ts";
import { noteScenarios } from "./notes.ts";
import { paymentScenarios } from "./payments.ts";
import { purchaseScenarios } from "./purchases.ts";

export const allScenarios: Scenario[] = [
  ...purchaseScenarios,
  ...paymentScenarios,
  ...agentSessionScenarios,
  ...moduleSessionScenarios,
  ...networkServerScenarios,
  ...noteScenarios,
  ...abortScenarios,
  ...economyScenarios,
];
