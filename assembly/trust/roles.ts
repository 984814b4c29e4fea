// SPDX-License-Identifier: Apache-2.0
// Who a certificate speaks for (docs/protocol.cddl section 2; Figs. 3 and 5). Agents and money
// modules hang under different roots, so that a role of one kind is never taken for the other.

/** Roles of certificates. */
export namespace Role {
  export const CUSTOMER: u8 = 1;
  export const MERCHANT: u8 = 2;
  export const AUTHORITY: u8 = 3;
  export const AGENT_SERVER: u8 = 4;
  export const TRANSACTION: u8 = 16;
  export const TELLER: u8 = 17;
  export const GENERATOR: u8 = 18;
  export const MODULE_SERVER: u8 = 19;
}

/** Whether the role is that of a trusted agent (its server not included). */
export function isAgentRole(role: u8): bool {
  return role >= Role.CUSTOMER && role <= Role.AUTHORITY;
}

/** Whether the role is that of a money module (its server not included). */
export function isModuleRole(role: u8): bool {
  return role >= Role.TRANSACTION && role <= Role.GENERATOR;
}

/** Whether the role is that of a server, of agents or of money modules. */
export function isServerRole(role: u8): bool {
  return role == Role.AGENT_SERVER || role == Role.MODULE_SERVER;
}

/** Whether two roles belong under one root. */
export function sameRoot(one: u8, other: u8): bool {
  return one >= Role.TRANSACTION == other >= Role.TRANSACTION;
}
