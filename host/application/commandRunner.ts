// SPDX-License-Identifier: Apache-2.0
// Commands that take more than one step: they end with `finished` (docs/protocol.cddl section 8,
// 29), asked for by command id, so that a lost answer or a restart of the board loses nothing.
import { randomBytes } from "node:crypto";
import type { Clock } from "../link/clock.ts";
import type { ConnectionId, Target, TransactionDevice } from "../device/types.ts";
import { belongsTo, finishedResult, type PurchaseResult } from "./customerApplication.ts";
import { type HostBody, HostMessage, hostBody, parseHostBody } from "./hostPort.ts";
import { reasonSentence } from "./reasons.ts";

/** How long a command may take in all before its outcome is asked for and reported as it stands. */
const COMMAND_PATIENCE_MS = 120_000;
/** Pause between questions about a command whose outcome did not come by itself. */
const STATUS_PAUSE_MS = 5_000;

/** The part of a device that runs commands. */
export type CommandDevice = Pick<TransactionDevice, "command" | "send" | "onEvent">;

/** Sends a command and gives the fields of its answer; throws when the device refuses it. */
export async function ask(
  device: Pick<TransactionDevice, "command">,
  target: Target,
  number: number,
  ...fields: unknown[]
): Promise<HostBody> {
  const answer = parseHostBody(await device.command(target, hostBody(number, ...fields)));
  if (answer?.number === number) return answer;
  const reason = answer?.number === HostMessage.FAILED ? Number(answer.fields[1]) : 1;
  throw new Error(`the ${target} refused: ${reasonSentence(reason)}`);
}

export interface RunOptions {
  device: CommandDevice;
  target: Target;
  clock: Clock;
  /**
   * Fresh if absent; the same id again gives the same transaction's outcome, never a second one.
   */
  commandId?: Uint8Array;
  connection?: ConnectionId;
  /** Told each body of the device that carries the command's id, before the last. */
  onBody?: (body: HostBody) => void;
}

/**
 * Runs one command that ends with `finished`.
 * @param bodyFor makes the command's bytes from its id
 * @returns the outcome; state "in-doubt" also when the device gave none in time
 */
export function runCommand(
  options: RunOptions,
  bodyFor: (commandId: Uint8Array) => Uint8Array,
): Promise<PurchaseResult> {
  const { device, target, clock } = options;
  const commandId = options.commandId ?? new Uint8Array(randomBytes(16));
  const startMs = clock.nowMs();
  return new Promise((resolve) => {
    const stop = device.onEvent((event) => {
      if (event.type === "linkDown") return;
      if (event.type !== "message" || event.target !== target) return;
      const body = parseHostBody(event.body);
      if (body !== undefined) take(body);
    });
    let timer = clock.after(STATUS_PAUSE_MS, askStatus);
    const finish = (result: PurchaseResult) => {
      timer.cancel();
      stop();
      resolve(result);
    };
    function take(body: HostBody): void {
      if (body.number === HostMessage.FAILED && body.fields[0] === commandNumber) {
        finish(failure("aborted", Number(body.fields[1])));
        return;
      }
      if (!belongsTo(body, commandId)) return;
      if (body.number !== HostMessage.FINISHED) {
        options.onBody?.(body);
        return;
      }
      const result = finishedResult(body);
      if (result !== undefined) finish(result);
    }
    function askStatus(): void {
      if (clock.nowMs() - startMs > COMMAND_PATIENCE_MS) {
        finish(failure("in-doubt", 17));
        return;
      }
      device.send(target, hostBody(HostMessage.STATUS, commandId));
      timer = clock.after(STATUS_PAUSE_MS, askStatus);
    }
    const bytes = bodyFor(commandId);
    const commandNumber = parseHostBody(bytes)?.number;
    const { connection } = options;
    device.send(target, bytes, connection === undefined ? {} : { connection });
  });
}

function failure(state: "aborted" | "in-doubt", reasonNumber: number): PurchaseResult {
  return {
    state,
    reason: reasonSentence(reasonNumber),
    reasonNumber,
    responseCode: null,
    transactionId: null,
    payId: null,
    ticket: null,
  };
}
