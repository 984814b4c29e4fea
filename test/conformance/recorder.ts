// SPDX-License-Identifier: Apache-2.0
// Records which machine reached which numbered step, in order, while a scenario runs: traced images
// of bare modules and of whole economies, and the marks of hosts and networks.
import { onStep } from "../../host/patent/step.ts";
import { Channel } from "../../host/link/protocol.ts";
import type { BoardObserver } from "../../host/simulator/types.ts";
import type { ImageName } from "../../host/economy/partyDevice.ts";
import { traceModules } from "../../host/torture/tracing.ts";

/** What a machine is: its image, or a part of a host or network. */
export type Kind = ImageName | "host" | "card network" | "network server";

/** One step that one machine reached. */
export interface Mark {
  /** Unique within the scenario. */
  machine: string;
  kind: Kind;
  step: number;
}

/** One run of one scenario. */
export interface Recording {
  scenario: string;
  marks: Mark[];
}

/** A run that shows some of the figures; it throws where it does not end as it must. */
export interface Scenario {
  name: string;
  run(recorder: Recorder): void | Promise<void>;
}

/** What a scenario may tell about the machines that it makes itself. */
export class Recorder {
  readonly marks: Mark[] = [];
  private readonly names = new Map<string, string>();

  take(machine: string, kind: Kind, step: number): void {
    this.marks.push({ machine: this.names.get(machine) ?? machine, kind, step });
  }

  /** Says whose host it is that marks under a general name. */
  rename(host: string, name: string): void {
    this.names.set(host, name);
  }

  /** Observers of the boards of an economy, whose images `kinds` tells by the device's name. */
  observer(kinds: (device: string) => [agent: Kind, module: Kind]) {
    return (device: string): BoardObserver => ({
      step: (channel, step) => {
        const isAgent = channel === Channel.AGENT;
        const kind = kinds(device)[isAgent ? 0 : 1];
        this.take(`${device} ${isAgent ? "agent" : "module"}`, kind, step);
      },
    });
  }
}

/** Marks of hosts are told apart by their names. */
function hostKind(who: string): Kind {
  return who === "card network" || who === "network server" ? who : "host";
}

/** Runs one scenario and returns what was marked meanwhile. */
export async function record(scenario: Scenario): Promise<Recording> {
  const recorder = new Recorder();
  traceModules((module, image, step) => recorder.take(module, image as Kind, step));
  const stop = onStep((who, step) => recorder.take(who, hostKind(who), step));
  try {
    await scenario.run(recorder);
  } finally {
    stop();
    traceModules(null);
  }
  return { scenario: scenario.name, marks: recorder.marks };
}
