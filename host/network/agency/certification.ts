// SPDX-License-Identifier: Apache-2.0
// Makes a blank transaction device a certified one, over the commands of its host port
// (docs/protocol.cddl section 8: identify, make-keys, prove, install, time, list, pair).
import { HostMessage, HostPortError, hostBody, parseHostBody } from "../../application/hostPort.ts";
import { decodeCbor, encodeCbor, equalBytes } from "../../trust/cbor.ts";
import { type Certificate, type Role, verifyChain } from "../../trust/certificates.ts";
import type { RandomSource } from "../../trust/random.ts";
import { isBytes, isId, isWhole } from "../../trust/shapes.ts";
import {
  type AgencyState,
  agencyRoot,
  type CertificationRequest,
  certificateById,
  certify,
  challenge,
  isPossessionProven,
  signedListParts,
  signedTimeAt,
} from "./agency.ts";

export type DeviceHalf = "agent" | "module";

/** What certification needs of a device: one command, and the answer to it. */
export interface DevicePort {
  command(target: DeviceHalf, body: Uint8Array): Promise<Uint8Array>;
}

/** What one half of a device shall be. */
export interface HalfPlan {
  readonly role: Role;
  /** Bank of a teller or generator; bank or registry of an authority. */
  readonly organisation?: string;
  /** Sum of `Rights`, for an authority. */
  readonly rights?: number;
  /** Whether the board has a monotonic counter; the agency knows it from the board's maker. */
  readonly hasCounter: boolean;
}

/** A device has an agent, a money module or both; only a device with both is paired. */
export interface DevicePlan {
  readonly agent?: HalfPlan;
  readonly module?: HalfPlan;
}

export interface Agencies {
  /** The Trusted Agency. */
  readonly agent: AgencyState;
  /** The Certification Agency. */
  readonly module: AgencyState;
}

/** Reason of docs/protocol.cddl section 9. */
const ALREADY_DONE = 5;

/** Life of an image as `identify` tells it. */
const Life = { BLANK: 0, KEYED: 1, CERTIFIED: 2, PAIRED: 3 } as const;

interface Identity {
  readonly image: string;
  readonly life: number;
  readonly id: Uint8Array | null;
  readonly device: Uint8Array | null;
  readonly role: number;
}

export interface CertifiedDevice {
  readonly device: Uint8Array;
  readonly agent?: Certificate;
  readonly module?: Certificate;
}

/** The agencies, the time in seconds and the randomness that a certification draws on. */
export interface CertificationSetting {
  readonly agencies: Agencies;
  readonly nowSeconds: number;
  readonly random: RandomSource;
  /**
   * Makes an agency's state durable. Called after it certified and before the device hears of it:
   * an agency that forgot would not know its own device again.
   */
  readonly keep?: (half: DeviceHalf, agency: AgencyState) => void;
}

/**
 * Certifies, informs and pairs a device. Repeated after a failure it goes on where it stopped;
 * repeated on a finished device it brings time and lists up to date.
 * @throws {HostPortError} when the device refuses or answers in another shape
 * @throws {Error} when the device is not what the plan says or does not hold its keys
 */
export async function certifyDevice(
  port: DevicePort,
  plan: DevicePlan,
  setting: CertificationSetting,
): Promise<CertifiedDevice> {
  const halves = (["agent", "module"] as const).filter((half) => plan[half] !== undefined);
  const identities = new Map<DeviceHalf, Identity>();
  for (const half of halves) identities.set(half, await identify(port, half));
  const known = [...identities.values()].flatMap(({ device }) => (device ? [device] : []));
  if (known.length === 2 && !equalBytes(known[0]!, known[1]!)) {
    throw new Error("The agent and the module were certified for two different devices.");
  }
  const device = known[0] ?? setting.random(8);
  const certified: { agent?: Certificate; module?: Certificate } = {};
  for (const half of halves) {
    const identity = identities.get(half)!;
    certified[half] = await certifyHalf(port, half, plan[half]!, identity, device, setting);
    await inform(port, half, setting);
  }
  const isPaired = [...identities.values()].every(({ life }) => life === Life.PAIRED);
  if (halves.length === 2 && !isPaired) await ask(port, "agent", HostMessage.PAIR);
  return { device, ...certified };
}

/** Brings an agent's or module's time and list of untrusted ids up to date. */
export async function inform(
  port: DevicePort,
  half: DeviceHalf,
  { agencies, nowSeconds }: CertificationSetting,
): Promise<void> {
  const time = decodeCbor(signedTimeAt(agencies[half], nowSeconds));
  await ask(port, half, HostMessage.TIME, time);
  for (const part of signedListParts(agencies[half])) {
    try {
      await ask(port, half, HostMessage.LIST, decodeCbor(part));
    } catch (error) {
      // The device has this version of the list, or a later one.
      if (!(error instanceof HostPortError) || error.reason !== ALREADY_DONE) throw error;
      return;
    }
  }
}

async function certifyHalf(
  port: DevicePort,
  half: DeviceHalf,
  plan: HalfPlan,
  identity: Identity,
  device: Uint8Array,
  { agencies, nowSeconds, random, keep }: CertificationSetting,
): Promise<Certificate> {
  if (identity.role !== plan.role) {
    throw new Error(
      `The ${half} runs the image "${identity.image}" of role ${identity.role}, but role ` +
        `${plan.role} is to be certified; load the image that belongs to the plan.`,
    );
  }
  const agency = agencies[half];
  if (identity.life >= Life.CERTIFIED) return knownCertificate(agency, half, identity);
  const keys = await ask(port, half, HostMessage.MAKE_KEYS);
  const [signingKey, sealingKey] = keys;
  if (!isBytes(signingKey, 32) || !isBytes(sealingKey, 32)) throw wrongShape(half, "make-keys");
  const request: CertificationRequest = { ...plan, device, signingKey, sealingKey };
  const { nonce, box } = challenge(sealingKey, random);
  const [possession] = await ask(port, half, HostMessage.PROVE, box);
  if (!isPossessionProven(encodeCbor(possession ?? null), nonce, request)) {
    throw new Error(`The ${half} did not prove that it holds its keys; it is not certified.`);
  }
  const chain = certify(agency, request, nowSeconds, random);
  keep?.(half, agency);
  const roots = [agencies.agent, agencies.module].map((state) => {
    const root = agencyRoot(state);
    return [root.id, root.key];
  });
  await ask(port, half, HostMessage.INSTALL, decodeCbor(chain), ...roots);
  const verified = verifyChain(chain, agencyRoot(agency), nowSeconds);
  if (!verified.ok) throw new Error(`The agency's chain for the ${half} is ${verified.reason}.`);
  return verified.holder;
}

function knownCertificate(agency: AgencyState, half: DeviceHalf, identity: Identity): Certificate {
  const certificate = identity.id === null ? undefined : certificateById(agency, identity.id);
  if (certificate === undefined) {
    throw new Error(
      `The ${half} is certified, but not by this agency; erase its flash to certify it anew.`,
    );
  }
  return certificate;
}

async function identify(port: DevicePort, half: DeviceHalf): Promise<Identity> {
  const [image, life, id, device, role] = await ask(port, half, HostMessage.IDENTIFY);
  const isIdOrNull = (value: unknown): value is Uint8Array | null => value === null || isId(value);
  if (typeof image !== "string" || !isWhole(life) || !isWhole(role)) {
    throw wrongShape(half, "identify");
  }
  if (!isIdOrNull(id) || !isIdOrNull(device)) throw wrongShape(half, "identify");
  return { image, life, id, device, role };
}

/**
 * Sends one command to a half of a device; gives the fields of its answer.
 * @throws {HostPortError} when it refuses, or answers in another shape
 */
export async function ask(
  port: DevicePort,
  half: DeviceHalf,
  number: number,
  ...fields: unknown[]
): Promise<readonly unknown[]> {
  const answer = parseHostBody(await port.command(half, hostBody(number, ...fields)));
  if (answer?.number === number) return answer.fields;
  if (answer?.number !== HostMessage.FAILED) throw wrongShape(half, `command ${number}`);
  const reason = isWhole(answer.fields[1]) ? answer.fields[1] : 1;
  throw new HostPortError(
    `The ${half} refused command ${number} for reason ${reason} of docs/protocol.cddl section 9.`,
    reason,
  );
}

function wrongShape(half: DeviceHalf, what: string): HostPortError {
  return new HostPortError(
    `The ${half}'s answer to ${what} is not of the agreed shape; firmware and host do not match.`,
    1,
  );
}
