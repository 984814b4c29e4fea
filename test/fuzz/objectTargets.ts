// SPDX-License-Identifier: Apache-2.0
// Everything that hosts read from outside: CBOR, COSE, certificates, lists, signed time, offers,
// notes, statements, ISO 8583, and the messages of gateway, mailbox, bank, network server and
// message manager. Right objects come from a world of devices; the changed ones are signed anew.
import { ed25519 } from "@noble/curves/ed25519.js";
import { newMessageManager, messageManagerStep } from "../../host/device/messageManager.ts";
import { decodeMessage, encodeMessage } from "../../host/network/authorization/codec.ts";
import { authenticate } from "../../host/network/authorization/messageAuthentication.ts";
import {
  parseApproval,
  parseCompletion,
  parseMandate,
  parsePosting,
  signApproval,
  signMandate,
} from "../../host/network/authorization/signedObjects.ts";
import { readPosted } from "../../host/network/bank/mailbox.ts";
import {
  encodeMailRequest,
  parseMailAnswer,
  parseMailRequest,
} from "../../host/network/bank/mailMessages.ts";
import { parseModuleMessage } from "../../host/network/bank/moduleMessages.ts";
import { handleGatewayEvent, newGateway } from "../../host/network/gateway/gateway.ts";
import { encodeAnswer, encodeRequest, parseAnswer } from "../../host/network/gateway/messages.ts";
import {
  handleNetworkEvent,
  startNetworkServer,
} from "../../host/network/networkServer/networkServer.ts";
import { PurchaseWorld, signOffer, willingCustomer } from "../../host/torture/purchaseWorld.ts";
import { itemsOf } from "../../host/torture/items.ts";
import type { Random } from "../../host/torture/random.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";
import {
  signList,
  signTime,
  verifyListPart,
  verifyTime,
} from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor, equalBytes } from "../../host/trust/cbor.ts";
import { parseCertificate, verifyChain } from "../../host/trust/certificates.ts";
import { parseSigned } from "../../host/trust/cose.ts";
import { verifyOffer } from "../../host/trust/merchantOffer.ts";
import { parseNote } from "../../host/trust/notes.ts";
import { paymentProofComplaint, readPaymentProof } from "../../host/trust/paymentProof.ts";
import { parseStatement } from "../../host/trust/statements.ts";
import {
  acquirerKey,
  approvalSeed,
  customerSeed,
  hold,
  mandate,
  merchantSeed,
  settle,
} from "../network/authorization-world.ts";
import { bytesTarget } from "./bytesTarget.ts";
import { readTree } from "./cborTree.ts";
import { bytesMutated } from "./mutation.ts";
import { Signer } from "./signer.ts";
import { type Target, toHex } from "./target.ts";

const NOW = START_SECONDS;
const hash = "ab".repeat(32);

/** Right objects of a world in which a purchase was made. */
function rightObjects() {
  const world = new PurchaseWorld();
  world.fund(world.merchant, 400_000);
  world.customer.host = willingCustomer(2_000);
  world.order(1);
  world.pass(60_000);
  const exported = (half: "agent" | "module", kind: number) =>
    itemsOf((cursor) => world.customer.half(half).ask(8, kind, cursor));
  const { agency } = world;
  const server = agency.moduleServer;
  const root = agency.moduleRoot;
  const chain = exported("agent", 3)[0]!;
  const notes = exported("module", 2);
  return {
    ...{ root, agentRoot: agency.agentRoot, chain, notes },
    moduleChain: exported("module", 3)[0]!,
    proofs: itemsOf((cursor) => world.merchant.half("module").ask(8, 6, cursor)),
    payerChain: itemsOf((cursor) => world.merchant.half("module").ask(8, 3, cursor))[0]!,
    tickets: exported("agent", 1),
    offer: signOffer(world, world.merchant, 1),
    lists: signList(server, 3, NOW, [new Uint8Array(8), new Uint8Array(8).fill(1)]),
    time: signTime(server, NOW + 50),
  };
}

/** The signing key of who exported a chain. */
function keyOf(chain: Uint8Array): Uint8Array {
  return parseCertificate(encodeCbor((decodeCbor(chain) as unknown[])[0]))!.signingKey;
}

/** A value that was taken is one that can be written again, to the same bytes. */
function checkCbor(bytes: Uint8Array): string {
  const value = decodeCbor(bytes);
  if (value === undefined) return "refused";
  if (!equalBytes(encodeCbor(value), bytes)) throw new Error("CBOR was taken in a second form.");
  return `taken ${typeof value} ${bytes[0]}`;
}

/** A message that was taken has one form, which is what arrived. */
function checkCard(bytes: Uint8Array): string {
  const covered = bytes.slice();
  // Behind the code, which no stranger can make.
  if (covered.length > 8) authenticate(covered, acquirerKey);
  const message = decodeMessage(covered, acquirerKey);
  if (typeof message === "string") return message;
  if (!equalBytes(encodeMessage(message, acquirerKey), covered)) {
    throw new Error("A card message was taken in a second form.");
  }
  return `${message.type} ${Object.keys(message.fields).join(",")}`;
}

/** Bytes of card messages: digits become other digits as well. */
function cardMutated(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.chance(0.5)) return bytesMutated(bytes, random);
  const changed = bytes.slice();
  for (let more = 1 + random.below(4); more > 0 && changed.length > 0; more -= 1) {
    const at = random.below(changed.length);
    const other = random.pick(others);
    changed[at] = random.chance(0.5) ? 48 + random.below(10) : (other[at] ?? 32);
  }
  return changed;
}

/** A serving gateway, a network server and a message manager, each at one message. */
function servers(agentRoot: Parameters<typeof newGateway>[0]) {
  return {
    gateway(bytes: Uint8Array): string {
      const state = newGateway(agentRoot);
      const effects = handleGatewayEvent(state, { type: "message", connection: 1, bytes }, NOW);
      const answer = effects[0]?.type === "send" ? parseAnswer(effects[0].bytes) : undefined;
      if (effects[0]?.type === "send" && answer === undefined) {
        throw new Error("The gateway answers what is no answer.");
      }
      return `${effects.map(({ type }) => type).join()} ${answer?.type} ${parseAnswer(bytes)?.type}`;
    },
    network(bytes: Uint8Array): string {
      const state = startNetworkServer("a network");
      const words: string[] = [];
      const give = (event: Parameters<typeof handleNetworkEvent>[1]) => {
        for (const effect of handleNetworkEvent(state, event, NOW)) words.push(effect.type);
      };
      give({ type: "sign-on", connection: 1, chain: bytes, random: new Uint8Array(48) });
      give({ type: "connected", connection: 2, module: "00".repeat(8), destination: "x" });
      for (const from of ["module", "destination"] as const) {
        give({ type: "body", connection: 2, from, body: bytes });
        give({ type: "reached", connection: 2 });
        give({ type: "body", connection: 2, from, body: bytes });
      }
      return words.join();
    },
    messages(bytes: Uint8Array): string {
      const manager = newMessageManager();
      messageManagerStep(manager, { type: "linkUp", halves: ["agent", "module"] });
      messageManagerStep(manager, { type: "peerConnected", connection: 1 });
      const words: string[] = [];
      for (const channel of [2, 3] as const) {
        const effects = [
          ...messageManagerStep(manager, { type: "fromPeer", connection: 1, channel, body: bytes }),
          ...messageManagerStep(manager, { type: "fromBoard", channel, id: 0, body: bytes }),
        ];
        words.push(...effects.map(({ type }) => type));
      }
      return `${words.join()} ${Object.values(manager.statistics).join("")}`;
    },
  };
}

export function objectTargets(): Target[] {
  const right = rightObjects();
  const { root, agentRoot, chain, moduleChain, notes, tickets, offer, lists, time, proofs } = right;
  const seeds = [customerSeed, merchantSeed, approvalSeed];
  const signer = new Signer(
    new Map(seeds.map((seed) => [toHex(ed25519.getPublicKey(seed)), seed] as const)),
  );
  const order = mandate();
  const cards = [hold(order), settle(order, "post"), settle(order, "void")];
  const cardBytes = cards.map((message) => encodeMessage(message, acquirerKey));
  const signedMandate = signMandate(order, customerSeed);
  const approval = signApproval(
    { mandateHash: hash, approved: true, code: "00", untilS: NOW },
    approvalSeed,
  );
  const certificates = [chain, moduleChain].flatMap((one) => [
    one,
    ...(decodeCbor(one) as unknown[]).map(encodeCbor),
  ]);
  const statements = [
    encodeCbor([new Uint8Array(16), [new Uint8Array(64)]]),
    approval,
    encodeCbor([decodeCbor(approval), decodeCbor(moduleChain)]),
  ];
  const all = [
    ...certificates,
    ...notes,
    ...proofs,
    ...tickets,
    offer,
    ...lists,
    time,
    signedMandate,
    approval,
  ];
  for (const bytes of all) {
    const tree = readTree(bytes);
    if (tree !== null) signer.learn(tree);
  }
  const told = [
    encodeCbor([82, new Uint8Array(8), new Uint8Array(16), new Uint8Array(8), 1, 900, "USD", "12"]),
    encodeCbor([84, new Uint8Array(16), 2, 1, 900, "USD", new Uint8Array(8)]),
  ];
  const mail = encodeMailRequest({
    ...{
      type: "post",
      request: 1,
      isRelayed: false,
      statement: statements[0]!,
      chain: moduleChain,
    },
  });
  const asked = encodeRequest({ type: "publish", request: 1, offer });
  const listed = encodeAnswer({ type: "offers", request: 2, offers: [offer], next: null });
  const query = {
    type: "query",
    request: 3,
    direction: "buy",
    moneyUnit: "USD",
    after: "",
  } as const;
  const served = servers(agentRoot);
  const [payerKey, payeeKey] = [right.payerChain, moduleChain].map(keyOf) as [
    Uint8Array,
    Uint8Array,
  ];
  const is = (value: unknown) => (value === undefined ? "refused" : "taken");
  const yes = (result: { ok: boolean; reason?: string }) => result.reason ?? "taken";
  const make = (name: string, right: readonly Uint8Array[], check: (bytes: Uint8Array) => string) =>
    bytesTarget({ name, seeds: right, check, signer });
  return [
    make("host/cbor", all, checkCbor),
    make("host/cose", all, (bytes) => {
      const parsed = parseSigned(bytes);
      return parsed === undefined ? "refused" : `taken ${parsed.keyId?.length}`;
    }),
    make("host/certificates", certificates, (bytes) => {
      const at = NOW + 100;
      const results = [root, agentRoot].map((one) => yes(verifyChain(decodeCbor(bytes), one, at)));
      return `${is(parseCertificate(bytes))} ${results.join()}`;
    }),
    make("host/lists", [...lists, time], (bytes) =>
      [verifyListPart(bytes, root, NOW), verifyTime(bytes, root, NOW)].map(is).join(),
    ),
    make("host/offers", [offer], (bytes) => yes(verifyOffer(bytes, agentRoot, NOW + 100))),
    make("host/notes", notes, (bytes) => is(parseNote(bytes))),
    make("host/payment proofs", proofs, (bytes) => {
      const proof = readPaymentProof(bytes);
      if (proof === undefined) return "refused";
      return paymentProofComplaint(proof, payerKey, payeeKey) ?? "taken";
    }),
    make("host/statements", statements, (bytes) => {
      const posted = readPosted(bytes, moduleChain, root);
      return `${parseStatement(bytes)?.kind} ${typeof posted === "string" ? posted : "taken"}`;
    }),
    make("host/card objects", [signedMandate, approval], (bytes) =>
      [parseMandate, parseApproval, parseCompletion, parsePosting]
        .map((one) => is(one(bytes)))
        .join(),
    ),
    bytesTarget({ name: "host/iso8583", seeds: cardBytes, check: checkCard, mutate: cardMutated }),
    make("host/gateway", [asked, listed, encodeRequest(query)], served.gateway),
    make(
      "host/mailbox",
      [mail],
      (bytes) => `${parseMailRequest(bytes)?.type} ${parseMailAnswer(bytes)?.type}`,
    ),
    make("host/bank", told, (bytes) => parseModuleMessage(bytes)?.type ?? "refused"),
    make("host/network server", [chain, ...statements], served.network),
    make("host/message manager", [...told, ...statements, mail], served.messages),
  ];
}
