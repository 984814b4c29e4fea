// SPDX-License-Identifier: Apache-2.0
// Wires with the card network behind the merchant's host: its messages are letters as all others
// are, and may be lost, late, repeated or spoilt; switch and issuer may be down, or die between two
// lines of what they do. Who is down comes from the world that knows what returns when.
import type { VirtualClock } from "../simulator/virtualClock.ts";
import type { Device } from "./agentWorld.ts";
import {
  acquirerTime,
  agentTold,
  type CardConfig,
  type CardLeg,
  cardMessage,
  type CardNetwork,
  type CardStep,
  lineToIssuer,
  restartMerchant,
  restartSwitch,
} from "./cardNetwork.ts";
import { outboxDeadlineMs } from "../network/authorization/outbox.ts";
import { decoded } from "./remembered.ts";
import { type Letter, Wires } from "./wires.ts";

/** Hosts of the card network that may be down. */
export type CardHost = "switch" | "issuer";

/** The issuer's host dies at the next message: before its store has written, or before it answers. */
export interface IssuerDeath {
  moment: "unwritten" | "written";
  backMs: number;
}

export abstract class NetworkWires extends Wires {
  /** Null in a world where nobody pays by card. */
  cards: CardNetwork | null = null;
  /** What honest parties asked of a card issuer and never may. */
  conflicts: string[] = [];
  issuerDeath: IssuerDeath | null = null;
  /**
   * The merchant's host dies once its bank has booked a posting and before its agent hears of it;
   * for so long. Null where it does not.
   */
  clearingDeathMs: number | null = null;
  /** What the merchant's host makes of the commands that follow from the network's answers. */
  passAnswers: (commands: unknown[][]) => unknown[][] = (commands) => commands;
  private config: CardConfig | null = null;
  private merchant: Device | null = null;
  /** The line between the merchant's host and the switch is cut. */
  private isLineCut = false;

  constructor(clock: VirtualClock, devices: readonly Device[]) {
    super(clock, devices);
  }

  /** Puts a card network behind a merchant's host, which hands it what its agent says. */
  startCards(merchant: Device, config: CardConfig, network: CardNetwork): void {
    this.merchant = merchant;
    this.config = config;
    this.cards = network;
    merchant.host = (message, half) => {
      if (half === "agent") this.stepCards((now) => agentTold(config, now, message, this.epochMs));
      return [];
    };
  }

  /** Cuts the line between merchant and switch, or joins it again. */
  cutCards(isCut: boolean): void {
    if (this.cards === null || this.isLineCut === isCut) return;
    this.isLineCut = isCut;
    if (isCut) this.loseOnLegs("acquirer>switch", "switch>acquirer");
    else this.acquirerConnected();
  }

  /** Whether this host of the card network is down now. */
  protected abstract isCardHostDown(host: CardHost): boolean;
  /** Whether the host of this device is down now. */
  protected abstract isHostDown(device: Device): boolean;
  /** Kills a host of the card network for so long. */
  abstract loseCardHost(host: CardHost, durationMs: number): void;
  /** Kills a device's host for so long. */
  abstract loseHost(device: Device, durationMs: number): void;
  /** Has the merchant's bank book what the card issuer posted; false where it does not. */
  protected abstract bookPosting(mandateHash: string): boolean;

  protected get isCardLineUp(): boolean {
    return !this.isLineCut && !this.isCardHostDown("switch") && !this.isHostDown(this.merchant!);
  }

  /** A host of the card network has died, with all that was on its lines. */
  protected cardHostLost(host: CardHost): void {
    if (this.cards === null) return;
    this.loseOnLegs("switch>issuer", "issuer>switch");
    if (host === "switch") this.loseOnLegs("acquirer>switch", "switch>acquirer");
    else if (!this.isCardHostDown("switch")) {
      this.cards = lineToIssuer(this.config!, this.cards, false);
    }
  }

  /** It is back, from what its store kept: the issuer's books, nothing of the switch. */
  protected cardHostBack(host: CardHost): void {
    if (this.cards === null || this.isCardHostDown(host)) return;
    if (host === "switch") {
      this.cards = restartSwitch(this.cards, !this.isCardHostDown("issuer"));
      this.acquirerConnected();
    } else if (!this.isCardHostDown("switch")) {
      this.cards = lineToIssuer(this.config!, this.cards, true);
    }
  }

  /** The host of this device has died; if it is the merchant's, its outbox is gone. */
  protected hostLost(device: Device): void {
    if (this.cards === null || device !== this.merchant) return;
    this.loseOnLegs("acquirer>switch", "switch>acquirer");
    this.cards = restartMerchant(this.cards);
  }

  protected override nextDueMs(): number {
    const dueMs = super.nextDueMs();
    const outboxMs = this.cards === null ? undefined : outboxDeadlineMs(this.cards.merchant.outbox);
    if (outboxMs === undefined) return dueMs;
    return Math.min(dueMs, outboxMs - this.epochMs + this.clock.nowMs());
  }

  protected override timePassed(): void {
    super.timePassed();
    const dueMs = this.cards === null ? undefined : outboxDeadlineMs(this.cards.merchant.outbox);
    if (dueMs === undefined || dueMs > this.epochMs) return;
    this.stepCards((now) => acquirerTime(this.config!, now, "tick", this.epochMs));
  }

  protected override cardMessage({ leg, body }: Letter): void {
    const [from, to] = leg!.split(">") as [string, string];
    const touches = (host: string) => from === host || to === host;
    if (touches("switch") && this.isCardHostDown("switch")) return;
    if (touches("issuer") && this.isCardHostDown("issuer")) return;
    if (touches("acquirer") && !this.isCardLineUp) return;
    const death = to === "issuer" ? this.issuerDeath : null;
    if (death !== null) this.issuerDeath = null;
    if (death?.moment !== "unwritten") {
      const receive = (now: CardNetwork) =>
        cardMessage(this.config!, now, leg!, body, this.epochMs);
      if (death === null) this.stepCards(receive);
      else this.cards = { ...this.cards!, issuer: receive(this.cards!).network.issuer };
    }
    if (death !== null) this.loseCardHost("issuer", death.backMs);
  }

  private get epochMs(): number {
    return this.clock.epochMs();
  }

  private acquirerConnected(): void {
    if (!this.isCardLineUp) return;
    this.stepCards((now) => acquirerTime(this.config!, now, "connected", this.epochMs));
  }

  private stepCards(step: (network: CardNetwork) => CardStep): void {
    const { network, posts, commands, posted, conflicts } = step(this.cards!);
    this.cards = network;
    this.conflicts.push(...conflicts);
    const merchant = this.merchant!;
    for (const hash of posted) {
      if (!this.bookPosting(hash)) this.conflicts.push("the merchant's bank refuses a posting");
    }
    if (posted.length > 0 && this.clearingDeathMs !== null) {
      this.loseHost(merchant, this.clearingDeathMs);
      this.clearingDeathMs = null;
      return;
    }
    const between = { from: merchant, to: merchant, half: "agent", id: 0, connection: 0 } as const;
    for (const { leg, bytes } of posts) {
      if (leg === "acquirer>switch" && !this.isCardLineUp) continue;
      this.queue.push({ ...between, wire: "cards", leg, body: bytes });
    }
    const given = commands.map((body) => decoded(body) as unknown[]);
    for (const command of this.passAnswers(given)) this.tell(merchant, "agent", command);
  }

  private loseOnLegs(...legs: CardLeg[]): void {
    this.queue = this.queue.filter(({ leg }) => leg === undefined || !legs.includes(leg));
  }
}
