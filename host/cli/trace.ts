// SPDX-License-Identifier: Apache-2.0
// florin demo --trace: each numbered step of Figs. 6 to 21 as a traced image reaches it, with its
// figure, component and meaning (host/patent/figures.json).
import { readFileSync } from "node:fs";
import { Channel } from "../link/protocol.ts";
import { projectFile } from "../projectFile.ts";
import { onStep } from "../patent/step.ts";
import type { BoardObserver } from "../simulator/types.ts";

interface Figures {
  figures: {
    id: string;
    title: string;
    steps: { step: number; component: string; action: string; branch: string }[];
  }[];
}

interface StepMeaning {
  figure: string;
  component: string;
  action: string;
}

function loadMeanings(): Map<number, StepMeaning> {
  const file = projectFile("host/patent/figures.json");
  const { figures } = JSON.parse(readFileSync(file, "utf8")) as Figures;
  const meanings = new Map<number, StepMeaning>();
  for (const { id, steps } of figures) {
    for (const { step, component, action } of steps) {
      meanings.set(step, { figure: id, component, action });
    }
  }
  return meanings;
}

/**
 * Makes, for each device, an observer that prints the steps its images reach. The steps of hosts
 * and networks are printed too, until the process ends.
 */
export function stepObserver(print: (line: string) => void): (name: string) => BoardObserver {
  const meanings = loadMeanings();
  const tell = (who: string, step: number) => {
    const meaning = meanings.get(step);
    const where = meaning === undefined ? "" : `Fig. ${meaning.figure}`.padEnd(8);
    const what = meaning === undefined ? "" : `${meaning.component}: ${meaning.action}`;
    print(`${String(step).padStart(6)}  ${where} ${who.padEnd(28)} ${what}`);
  };
  onStep(tell);
  return (name) => ({
    step: (channel, step) => {
      tell(`${name} ${channel === Channel.AGENT ? "agent" : "module"}`, step);
    },
  });
}
