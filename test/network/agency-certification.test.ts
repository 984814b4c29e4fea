// SPDX-License-Identifier: Apache-2.0
// Agencies: who is certified as what, the signed lists and time, and the file with the keys.
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AgencyState,
  agencyRoot,
  chainById,
  directory,
  distrust,
  foundAgency,
  signedListParts,
  signedTimeAt,
  signingKeyById,
} from "../../host/network/agency/agency.ts";
import { loadAgency, saveAgency } from "../../host/network/agency/agencyFile.ts";
import { certifyDevice, type DevicePlan } from "../../host/network/agency/certification.ts";
import { verifyListPart, verifyTime } from "../../host/trust/agencyStatements.ts";
import { equalBytes } from "../../host/trust/cbor.ts";
import { Role, verifyChain } from "../../host/trust/certificates.ts";
import { seededRandom } from "../../host/trust/random.ts";
import { DoubleDevice } from "./agency-device.ts";

const NOW = 1_800_000_000;
const CUSTOMER: DevicePlan = {
  agent: { role: Role.CUSTOMER, hasCounter: true },
  module: { role: Role.TRANSACTION, hasCounter: true },
};

function found() {
  const random = seededRandom(new Uint8Array([1]));
  const agencies = {
    agent: foundAgency("agent", NOW, random),
    module: foundAgency("module", NOW, random),
  };
  return { agencies, nowSeconds: NOW, random };
}

const customer = (fill = 20) => new DoubleDevice(Role.CUSTOMER, Role.TRANSACTION, fill, NOW);

describe("certification of a device", () => {
  it("certifies, informs and pairs agent and module of one device", async () => {
    const setting = found();
    const device = customer();
    const certified = await certifyDevice(device, CUSTOMER, setting);
    expect(device.agent.commands).toEqual([1, 2, 3, 4, 7, 6, 5]);
    expect(device.module.commands).toEqual([1, 2, 3, 4, 7, 6]);
    expect(device.agent.certificate?.device).toEqual(certified.device);
    expect(device.module.certificate?.device).toEqual(certified.device);
    expect(device.module.seconds).toBe(NOW);
    const { agent } = setting.agencies;
    const id = certified.agent!.subject;
    expect(signingKeyById(agent, id)).toEqual(device.agent.certificate?.signingKey);
    expect(verifyChain(chainById(agent, id), agencyRoot(agent), NOW).ok).toBe(true);
    expect(verifyChain(chainById(agent, id), agencyRoot(setting.agencies.module), NOW).ok).toBe(
      false,
    );
  });

  it("goes on where it stopped, and changes nothing in a finished device", async () => {
    const setting = found();
    const device = customer();
    const command = device.command.bind(device);
    device.command = (target, body) =>
      target === "module" ? Promise.reject(new Error("unplugged")) : command(target, body);
    const identifyOnly = { agent: CUSTOMER.agent! };
    await certifyDevice(device, identifyOnly, setting);
    await expect(certifyDevice(device, CUSTOMER, setting)).rejects.toThrow("unplugged");
    device.command = command;
    const certified = await certifyDevice(device, CUSTOMER, setting);
    expect(equalBytes(device.module.certificate!.device!, device.agent.certificate!.device!)).toBe(
      true,
    );
    const again = await certifyDevice(device, CUSTOMER, setting);
    expect(again).toEqual(certified);
    expect(device.agent.commands.filter((number) => number === 2)).toHaveLength(1);
    expect(directory(setting.agencies.agent)).toHaveLength(1);
  });

  it("makes the agency's state durable before the device hears of it", async () => {
    const setting = found();
    const device = customer();
    const kept: [string, number, number][] = [];
    const keep = (half: "agent" | "module", agency: AgencyState) =>
      kept.push([half, directory(agency).length, device[half].life]);
    await certifyDevice(device, CUSTOMER, { ...setting, keep });
    await certifyDevice(device, CUSTOMER, { ...setting, keep });
    expect(kept).toEqual([
      ["agent", 1, 1],
      ["module", 1, 1],
    ]);
  });

  it("keeps the id of a device that comes again with its keys", async () => {
    const setting = found();
    const device = customer();
    const first = await certifyDevice(device, CUSTOMER, setting);
    const restored = customer();
    const second = await certifyDevice(restored, CUSTOMER, setting);
    expect(second.agent?.subject).toEqual(first.agent?.subject);
    const other = await certifyDevice(customer(40), CUSTOMER, setting);
    expect(other.agent?.subject).not.toEqual(first.agent?.subject);
    expect(directory(setting.agencies.agent)).toHaveLength(2);
  });

  it("brings a device the whole list, and a new one when it changed", async () => {
    const setting = found();
    const device = customer();
    const { agent } = setting.agencies;
    for (let value = 0; value < 800; value += 1) distrust(agent, setting.random(8), NOW);
    await certifyDevice(device, CUSTOMER, setting);
    expect(device.agent.listed).toBe(800);
    await certifyDevice(device, CUSTOMER, setting);
    expect(device.agent.listed).toBe(800);
    distrust(agent, setting.random(8), NOW);
    await certifyDevice(device, CUSTOMER, setting);
    expect(device.agent.listed).toBe(1601);
    expect(device.module.listed).toBe(0);
  });

  it("certifies tellers with their bank and authorities with their rights", async () => {
    const setting = found();
    const device = new DoubleDevice(Role.AUTHORITY, Role.TELLER, 20, NOW);
    const { agent, module } = await certifyDevice(
      device,
      {
        agent: { role: Role.AUTHORITY, organisation: "First Bank", rights: 1, hasCounter: true },
        module: { role: Role.TELLER, organisation: "First Bank", hasCounter: false },
      },
      setting,
    );
    expect(agent).toMatchObject({ organisation: "First Bank", rights: 1, hasCounter: true });
    expect(module).toMatchObject({ organisation: "First Bank", hasCounter: false });
  });

  it.each<[string, (device: DoubleDevice) => void, string]>([
    [
      "runs another image than planned",
      (device) => {
        device.agent.role = Role.MERCHANT;
      },
      "load the image that belongs to the plan",
    ],
    [
      "cannot open the box",
      (device) => {
        const { answer } = device.agent;
        device.agent.answer = (body) => {
          if (body[1] === 3) device.agent.sealingSecret = new Uint8Array(32).fill(99);
          return answer.call(device.agent, body);
        };
      },
      "refused command 3 for reason 16",
    ],
    [
      "signs with another key than it showed",
      (device) => {
        const { answer } = device.agent;
        device.agent.answer = (body) => {
          if (body[1] === 3) device.agent.signingSeed = new Uint8Array(32).fill(99);
          return answer.call(device.agent, body);
        };
      },
      "did not prove that it holds its keys",
    ],
    [
      "answers something else",
      (device) => {
        device.agent.answer = () => new Uint8Array([0x81, 0x09]);
      },
      "not of the agreed shape",
    ],
  ])("refuses a device that %s", async (_what, spoil, message) => {
    const setting = found();
    const device = customer();
    spoil(device);
    await expect(certifyDevice(device, CUSTOMER, setting)).rejects.toThrow(message);
    expect(directory(setting.agencies.agent)).toEqual([]);
    expect(device.agent.life).toBeLessThan(2);
  });

  it("refuses a device that another agency certified", async () => {
    const device = customer();
    await certifyDevice(device, CUSTOMER, found());
    const random = seededRandom(new Uint8Array([2]));
    const agencies = {
      agent: foundAgency("agent", NOW, random),
      module: foundAgency("module", NOW, random),
    };
    await expect(
      certifyDevice(device, CUSTOMER, { agencies, nowSeconds: NOW, random }),
    ).rejects.toThrow("not by this agency");
  });
});

describe("lists and time", () => {
  const idOf = (value: number) => {
    const id = new Uint8Array(8);
    new DataView(id.buffer).setUint32(4, value);
    return id;
  };

  it("signs a list in parts, in order, under a higher version each time", () => {
    const { agent } = found().agencies;
    const root = agencyRoot(agent);
    expect(verifyListPart(signedListParts(agent)[0]!, root, NOW)).toMatchObject({
      version: 1,
      parts: 1,
      ids: [],
    });
    for (let value = 799; value >= 0; value -= 1) distrust(agent, idOf(value), NOW + 5);
    distrust(agent, idOf(3), NOW + 6);
    const parts = signedListParts(agent).map((part) => verifyListPart(part, root, NOW));
    expect(parts.map((part) => part?.ids.length)).toEqual([480, 320]);
    expect(parts.flatMap((part) => part!.ids)).toEqual(
      Array.from({ length: 800 }, (_, at) => idOf(at)),
    );
    expect(parts[1]).toMatchObject({ version: 801, issued: NOW + 5, part: 1, parts: 2 });
  });

  it("says so when the list is longer than devices can store", () => {
    const { agent } = found().agencies;
    const full: AgencyState = {
      ...agent,
      untrusted: Array.from({ length: 4321 }, (_, at) => at.toString(16).padStart(16, "0")),
    };
    expect(() => signedListParts(full)).toThrow("devices store at most 4320");
  });

  it("is believed by no other root, for no other purpose and with no byte changed", () => {
    const { agent, module } = found().agencies;
    const time = signedTimeAt(agent, NOW);
    expect(verifyTime(time, agencyRoot(agent), NOW)).toBe(NOW);
    expect(verifyTime(time, agencyRoot(module), NOW)).toBeUndefined();
    expect(verifyListPart(time, agencyRoot(agent), NOW)).toBeUndefined();
    expect(verifyTime(signedListParts(agent)[0]!, agencyRoot(agent), NOW)).toBeUndefined();
    for (let index = 0; index < time.length; index += 1) {
      const changed = Uint8Array.from(time);
      changed[index]! ^= 1;
      expect(verifyTime(changed, agencyRoot(agent), NOW)).toBeUndefined();
    }
  });
});

describe("the file with an agency's keys", () => {
  it("keeps the state, for its owner alone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "florin-agency-"));
    try {
      const path = join(folder, "trusted-agency");
      expect(loadAgency(path)).toBeUndefined();
      const setting = found();
      await certifyDevice(customer(), CUSTOMER, setting);
      distrust(setting.agencies.agent, new Uint8Array(8), NOW);
      saveAgency(path, setting.agencies.agent);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(loadAgency(path)).toEqual(setting.agencies.agent);
      chmodSync(path, 0o640);
      expect(() => loadAgency(path)).toThrow("chmod it 600");
      writeFileSync(path, "rubbish");
      chmodSync(path, 0o600);
      expect(() => loadAgency(path)).toThrow("is not an agency's state");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
