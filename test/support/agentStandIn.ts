// SPDX-License-Identifier: Apache-2.0
// A trusted agent as a money module sees it (docs/protocol.cddl section 5), in TypeScript.
export interface AgentStandIn {
  receive(body: Uint8Array): void;
}
