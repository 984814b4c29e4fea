// SPDX-License-Identifier: Apache-2.0
// Replays what the boards of a torture world were called for against the model's state machine, at
// the end of each point, from where the world was forked.
import { BoardRecorder, recordBoards } from "./boardEvents.ts";
import { CommitMachine, type CommitState } from "./commitMachine.ts";
import { journalKey } from "./journalReader.ts";

export class CommitReplay {
  private readonly recorder: BoardRecorder;
  private readonly machine: CommitMachine;

  private constructor(recorder: BoardRecorder) {
    this.recorder = recorder;
    this.machine = new CommitMachine(recorder.modules, recorder.modules.map(journalKey));
  }

  /** Makes a world whose modules are watched from their first start. */
  static watch<World>(make: () => World): { world: World; replay: CommitReplay } {
    const recorder = new BoardRecorder();
    recordBoards(recorder);
    try {
      const world = make();
      return { world, replay: new CommitReplay(recorder) };
    } finally {
      recordBoards(null);
    }
  }

  /** Rows of the tables that were used so far, as "payer committed acknowledge". */
  get seen(): ReadonlySet<string> {
    return this.machine.seen;
  }

  /** Where the machine stands, behind all that has happened. */
  snapshot(): CommitState {
    this.advance();
    return this.machine.snapshot();
  }

  /** Goes on from a snapshot; what happened since is forgotten. */
  restore(state: CommitState): void {
    this.recorder.take();
    this.machine.restore(state);
  }

  /** What happened since the last call and is not allowed, in words. */
  complaints(): string[] {
    this.advance();
    return this.machine.takeComplaints();
  }

  private advance(): void {
    for (const { module, event } of this.recorder.take()) this.machine.take(module, event);
  }
}
