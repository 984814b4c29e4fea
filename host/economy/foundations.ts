// SPDX-License-Identifier: Apache-2.0
// What everybody in an economy stands on: the two agencies, the books, the credential register and
// the gateway (Fig. 5), and the making of certified devices.
import { hexToBytes } from "@noble/hashes/utils.js";
import { join } from "node:path";
import {
  type AgencyState,
  agencyRoot,
  distrust,
  foundAgency,
  signingKeyById,
  trustAgain,
} from "../network/agency/agency.ts";
import { loadAgency, saveAgency } from "../network/agency/agencyFile.ts";
import {
  type Agencies,
  type CertifiedDevice,
  certifyDevice,
  type DevicePlan,
  inform,
} from "../network/agency/certification.ts";
import { CredentialRegister } from "../network/authority/credentialRegister.ts";
import { sqlLedgerStore } from "../network/bank/sqlLedger.ts";
import type { LedgerStore } from "../network/bank/ledger.ts";
import { newGateway } from "../network/gateway/gateway.ts";
import { GatewayClient } from "../network/gateway/gatewayClient.ts";
import { type GatewayServer, serveGateway } from "../network/gateway/gatewayServer.ts";
import { type Database, openDatabase } from "../network/store/database.ts";
import { migrate } from "../network/store/migrations.ts";
import { MIGRATIONS } from "../network/store/schema.ts";
import { type Closure, closureOf, closureSentence } from "../application/closedModule.ts";
import { exportCertificates } from "../application/wallet.ts";
import { type Certificate, parseCertificate, type Root } from "../trust/certificates.ts";
import { BankNetwork } from "./bankNetwork.ts";
import { type ImageName, LOCAL_HOST, makePartyDevice, type PartyDevice } from "./partyDevice.ts";
import type { WorldSettings } from "./worldSettings.ts";

/** A certified device and its certificates. */
export interface CertifiedParty extends PartyDevice {
  certified: CertifiedDevice;
  /** Halves that do not open, each with the reason; empty for a device that is as it should be. */
  closures: readonly Closure[];
}

export interface Foundations {
  settings: WorldSettings;
  agencies: Agencies;
  database: Database;
  ledger: LedgerStore;
  register: CredentialRegister;
  gatewayServer: GatewayServer;
  gateway: GatewayClient;
  /** The way of devices' modules to banks' modules. */
  network: BankNetwork;
  nowSeconds(): number;
  agentRoot(): Root;
  moduleRoot(): Root;
  /** The signing key of a certified agent, by hexadecimal id. */
  agentKeyById(agentId: string): Uint8Array | undefined;
  /** Makes a device and certifies it; one that exists is switched on and brought up to date. */
  makeDevice(
    name: string,
    images: { agent?: ImageName; module?: ImageName },
    plan: DevicePlan,
  ): Promise<CertifiedParty>;
  /**
   * The Certification Agency puts a module (8 bytes) on its list, which goes to every device that
   * is switched on. Repeated, it sends the list again.
   */
  distrustModule(id: Uint8Array): Promise<void>;
  /** The reverse: what convicted the module turned out to be no guilt of its. */
  trustModule(id: Uint8Array): Promise<void>;
  /** Does something once in the life of this economy. */
  once(step: string, work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** @param isNetworked whether modules reach banks by a network server, or straight */
export async function layFoundations(
  settings: WorldSettings,
  isNetworked: boolean,
): Promise<Foundations> {
  const nowSeconds = () => Math.floor(settings.clock.epochMs() / 1000);
  const database = await openDatabase(settings.database);
  try {
    await migrate(database, MIGRATIONS);
    const agencies = openAgencies(settings, nowSeconds());
    const register = await CredentialRegister.open(database);
    const address = { host: LOCAL_HOST, port: settings.gatewayPort };
    const gatewayServer = await serveGateway(
      newGateway(agencyRoot(agencies.agent)),
      address,
      nowSeconds,
    );
    const gateway = await GatewayClient.connect(gatewayServer.url);
    const parties: CertifiedParty[] = [];
    const network = isNetworked
      ? await BankNetwork.serve({
          agency: agencies.module,
          nowSeconds,
          find: (name) => parties.find((party) => party.name === name),
        })
      : BankNetwork.straight(nowSeconds);
    const publishList = async () => {
      if (settings.directory !== undefined) {
        saveAgency(agencyPath(settings.directory, "module"), agencies.module);
      }
      await tellList(settings, agencies, nowSeconds(), parties);
    };
    return {
      settings,
      agencies,
      database,
      ledger: sqlLedgerStore(database),
      register,
      gatewayServer,
      gateway,
      network,
      nowSeconds,
      agentRoot: () => agencyRoot(agencies.agent),
      moduleRoot: () => agencyRoot(agencies.module),
      agentKeyById: (agentId) => signingKeyById(agencies.agent, hexToBytes(agentId)),
      makeDevice: async (name, images, plan) => {
        const what = { name, images, plan };
        const party = await makeCertifiedDevice(settings, agencies, nowSeconds(), what);
        parties.push(party);
        return {
          ...party,
          close: () => {
            parties.splice(parties.indexOf(party), 1);
            return party.close();
          },
        };
      },
      distrustModule: async (id) => {
        distrust(agencies.module, id, nowSeconds());
        await publishList();
      },
      trustModule: async (id) => {
        trustAgain(agencies.module, id, nowSeconds());
        await publishList();
      },
      once: (step, work) => once(database, step, work),
      close: async () => {
        gateway.close();
        await network.close();
        await gatewayServer.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A device that cannot be told now hears of the list when it is switched on again. */
async function tellList(
  settings: WorldSettings,
  agencies: Agencies,
  nowSeconds: number,
  parties: readonly CertifiedParty[],
): Promise<void> {
  for (const { name, device, certified, closures } of parties) {
    if (certified.module === undefined || closures.length > 0) continue;
    try {
      await inform(device, "module", { agencies, nowSeconds, random: settings.random });
    } catch (error) {
      settings.alarm(`${name} does not take the list of untrusted modules: ${String(error)}`);
    }
  }
}

function agencyPath(directory: string, kind: AgencyState["kind"]): string {
  return join(directory, `${kind}-agency.cbor`);
}

function openAgencies(settings: WorldSettings, nowSeconds: number): Agencies {
  const open = (kind: AgencyState["kind"]): AgencyState => {
    const { directory } = settings;
    const path = directory === undefined ? undefined : agencyPath(directory, kind);
    const known = path === undefined ? undefined : loadAgency(path);
    if (known !== undefined) return known;
    const state = foundAgency(kind, nowSeconds, settings.random);
    if (path !== undefined) saveAgency(path, state);
    return state;
  };
  return { agent: open("agent"), module: open("module") };
}

async function makeCertifiedDevice(
  settings: WorldSettings,
  agencies: Agencies,
  nowSeconds: number,
  what: { name: string; images: { agent?: ImageName; module?: ImageName }; plan: DevicePlan },
): Promise<CertifiedParty> {
  const { name, images, plan } = what;
  const storage = settings.storageFor(name);
  const observer = settings.observerFor(name);
  const boardMaker = images.agent === "customer-agent" ? settings.peopleBoards : undefined;
  const party = await makePartyDevice({
    name,
    ...images,
    secret: settings.secretFor(`board/${name}`),
    random: settings.boardRandom(name),
    clock: settings.clock,
    isTraced: settings.isTraced,
    ...(boardMaker === undefined ? {} : { boardMaker }),
    ...(storage === undefined ? {} : { storage }),
    ...(observer === undefined ? {} : { observer }),
  });
  const closures = await closuresOf(party, images);
  for (const closure of closures) settings.alarm(closureSentence(name, closure));
  if (closures.length > 0)
    return { ...party, certified: await knownDevice(party, images), closures };
  const { random, directory } = settings;
  const certified = await certifyDevice(party.device, plan, {
    agencies,
    nowSeconds,
    random,
    ...(directory === undefined
      ? {}
      : { keep: (kind, agency) => saveAgency(agencyPath(directory, kind), agency) }),
  });
  return { ...party, certified, closures };
}

/** Why halves of a device do not open. */
async function closuresOf(
  { device }: PartyDevice,
  images: { agent?: ImageName; module?: ImageName },
): Promise<Closure[]> {
  const closures: Closure[] = [];
  for (const half of ["agent", "module"] as const) {
    const closure = images[half] === undefined ? null : await closureOf(device, half);
    if (closure !== null) closures.push(closure);
  }
  return closures;
}

/** Who a device is that has a closed half, by the chains that its halves still read out. */
async function knownDevice(
  { device }: PartyDevice,
  images: { agent?: ImageName; module?: ImageName },
): Promise<CertifiedDevice> {
  const known: { agent?: Certificate; module?: Certificate } = {};
  for (const half of ["agent", "module"] as const) {
    if (images[half] === undefined) continue;
    const [own] = await exportCertificates(device, half);
    const certificate = own && parseCertificate(own);
    if (certificate !== undefined) known[half] = certificate;
  }
  return { device: new Uint8Array(8), ...known };
}

async function once(database: Database, step: string, work: () => Promise<void>): Promise<void> {
  const done = await database.query("SELECT 1 FROM world_steps WHERE step = $1", [step]);
  if (done.length > 0) return;
  await work();
  await database.query("INSERT INTO world_steps (step) VALUES ($1) ON CONFLICT DO NOTHING", [step]);
}
