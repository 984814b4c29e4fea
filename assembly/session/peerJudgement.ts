// SPDX-License-Identifier: Apache-2.0
// Whether a handshake goes on with this peer: its certificate, its role, the lists of the bad, and
// between money modules its clock (Fig. 8, 306-338; Fig. 14, 1482-1530; protocol rule 2).
import { bytesEqual } from "../codec/bytes";
import { Certificate } from "../trust/certificate";
import { Chain, Root } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { isAgentRole, isModuleRole, Role } from "../trust/roles";
import { nowSeconds, toldMs } from "../trust/signedTime";
import { Label } from "./path";

/** Clocks of two money modules may differ by this (1530, 1550). */
const CLOCK_WINDOW_MS: u64 = 600000;

/**
 * Verifies the chain at `pointer` into `chain`, and that its holder may have a session of this
 * label with this module: a reason, 0 if so.
 */
export function judgePeer(label: u8, chain: Chain, pointer: usize, length: i32): i32 {
  const reason = chain.verify(pointer, length, nowSeconds(), peerRoot(label));
  if (reason != Reason.NONE) return reason;
  const peer = chain.holder;
  // Protocol rule 2: nobody has a session with itself, however its messages were turned round.
  if (bytesEqual(peer.id, identity.certificate.id)) return Reason.CERTIFICATE_INVALID;
  return roleFits(label, peer) ? Reason.NONE : Reason.WRONG_ROLE;
}

/** Looks the peer and its server up in the untrusted list or the bad id list. */
export function isPeerListed(label: u8, chain: Chain): bool {
  // The stored list is of the own kind: an agent holds no list of modules, nor the reverse.
  if (label == Label.PAIR) return false;
  return isListed(chain.holder.id) || isListed(chain.server.id);
}

/** Reason why the peer's clock is too far from the own one; agents only record it. */
export function clockReason(label: u8, peerTimeMs: u64): i32 {
  if (label == Label.AGENT || label == Label.PAIR) return Reason.NONE;
  const own = toldMs();
  // A board without a clock cannot compare; its floor of signed time still bounds what it takes.
  if (own == 0 || peerTimeMs == 0) return Reason.NONE;
  const apart = own > peerTimeMs ? own - peerTimeMs : peerTimeMs - own;
  return apart > CLOCK_WINDOW_MS ? Reason.CLOCKS_DIFFER : Reason.NONE;
}

function peerRoot(label: u8): Root {
  const isAgent = isAgentRole(identity.certificate.role);
  const wantsAgent = label == Label.PAIR ? !isAgent : label == Label.AGENT;
  return wantsAgent ? identity.agentRoot : identity.moduleRoot;
}

function roleFits(label: u8, peer: Certificate): bool {
  const own = identity.certificate;
  if (label == Label.AGENT) return isAgentRole(own.role) && isAgentRole(peer.role);
  if (label == Label.PAIR) {
    const isOtherHalf = isAgentRole(own.role) ? isModuleRole(peer.role) : isAgentRole(peer.role);
    return isOtherHalf && bytesEqual(own.device, peer.device);
  }
  if (!isModuleRole(own.role) || !isModuleRole(peer.role)) return false;
  // Two transaction modules meet only through their agents, who know what the money is for.
  return label == Label.MODULE || own.role != Role.TRANSACTION || peer.role != Role.TRANSACTION;
}
