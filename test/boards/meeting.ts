// SPDX-License-Identifier: Apache-2.0
// Two devices that transact, with real time, on emulated boards or on simulated ones. The power of
// either may be cut in the middle; then they meet again until nothing is open, and it is counted.
import { COMMITTED, connect, isFinal, type Party, RUNNING, until } from "./party.ts";

/** Number of a refusal: a command that never arrived did nothing. */
const REFUSED = 0;
/** After this a survivor that still waits for its peer is switched off and on by its owner. */
const WAIT_MS = 3_000;

export abstract class Meeting {
  /** Whose host gives the orders. */
  abstract readonly first: Party;
  abstract readonly second: Party;
  protected abstract readonly unit: string;

  get parties(): [Party, Party] {
    return [this.first, this.second];
  }

  /** What of a party's work is not at its end; 0 for nothing. */
  protected abstract openAt(party: Party): Promise<number>;

  /** Whatever must be done before each order. */
  abstract prepare(): Promise<void>;

  /** Gives an order; does not wait for anything. */
  abstract order(command: Uint8Array): void;

  /** What the first device gains by one committed order, in minor units. */
  abstract readonly gainMinor: number;

  /** Brings the two devices together anew. */
  connect(): void {
    for (const { device } of this.parties) device.disconnect();
    connect(this.first, this.second);
  }

  /** Gives an order and waits for the first device's outcome. */
  async carryOut(command: Uint8Array): Promise<void> {
    this.order(command);
    await until("the order's outcome", () => isFinal(this.first.stateOf(command)));
  }

  /** Kills a party's emulator; nothing of the board runs when it returns. */
  async cut({ emulated }: Party): Promise<void> {
    await emulated!.powerOff();
  }

  async restore({ emulated, device }: Party): Promise<void> {
    const before = device.board.bootCounter;
    await emulated!.powerOn();
    await until("the board to be back", () => device.board.bootCounter > before);
  }

  /** Switches both off and on, and brings them together. */
  async restart(): Promise<void> {
    for (const party of this.parties) await this.cut(party);
    await Promise.all(this.parties.map((party) => this.restore(party)));
    this.connect();
  }

  /** [first's, second's] money once both agree that nothing is open or in doubt. */
  async rest(command: Uint8Array): Promise<{ isCommitted: boolean; money: [number, number] }> {
    this.connect();
    let isPatient = true;
    const endMs = performance.now() + WAIT_MS;
    let state = RUNNING;
    let money: [number, number] = [0, 0];
    await until("an end of all doubt", async () => {
      state = await this.stateAt(command);
      const open = [await this.openAt(this.first), await this.openAt(this.second)];
      const held = [await this.first.balance(this.unit), await this.second.balance(this.unit)];
      money = [held[0]![0], held[1]![0]];
      const isAtRest = open.every((count) => count === 0) && held.every(([, doubt]) => doubt === 0);
      if (isAtRest && state !== RUNNING) return true;
      if (isPatient && performance.now() > endMs) {
        isPatient = false;
        await this.restart();
      }
      return false;
    });
    return { isCommitted: state === COMMITTED, money };
  }

  /** Waits until nothing has crossed the lines for half a second. */
  async settle(): Promise<void> {
    const count = () => this.first.tap.messages.length + this.second.tap.messages.length;
    for (let before = -1; before !== count(); ) {
      before = count();
      await new Promise((wake) => setTimeout(wake, 500));
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.first.close(), this.second.close()]);
  }

  /** The first device's word on an order now. */
  private async stateAt(command: Uint8Array): Promise<number> {
    const [number, , state] = await this.first.ask("agent", 30, command);
    return number === REFUSED ? REFUSED : Number(state);
  }
}
