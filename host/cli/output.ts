// SPDX-License-Identifier: Apache-2.0
// How the florin command speaks: results on stdout, progress and errors on stderr, colours only on
// a terminal, one JSON object with --json.

/** Exit codes; `florin --help` lists them. */
export const ExitCode = {
  OK: 0,
  /** The order was refused, or an audit found that the books do not agree. */
  REFUSED: 1,
  /** The command line or a file is wrong; nothing was begun. */
  USAGE: 2,
  /** Something else failed; the message says what to do. */
  FAILED: 3,
} as const;

/** An error that ends the command with one sentence and an exit code. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = ExitCode.USAGE) {
    super(message);
    this.exitCode = exitCode;
  }
}

type Colour = "bold" | "dim" | "green" | "red" | "cyan";
const CODES: Record<Colour, [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
};

/** Colours a text for a stream, if that is a terminal and NO_COLOR is not set. */
export function colour(text: string, name: Colour, stream: NodeJS.WriteStream): string {
  if (!stream.isTTY || process.env.NO_COLOR) return text;
  const [on, off] = CODES[name];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Writes one line to stdout. */
export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one JSON object to stdout. */
export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes one line of progress to stderr. */
export function progress(line: string): void {
  process.stderr.write(`${colour(line, "dim", process.stderr)}\n`);
}

/** Writes one line to stderr that a person has to see. */
export function warn(line: string): void {
  process.stderr.write(`${colour("florin:", "red", process.stderr)} ${line}\n`);
}

/**
 * Progress of a story with a known number of steps: a bar, the rate and the time that remains. On
 * a terminal the line is rewritten, otherwise each step is a line.
 */
export class ProgressBar {
  private readonly total: number;
  private readonly startedMs = performance.now();
  private done = 0;

  constructor(total: number) {
    this.total = total;
  }

  step(text: string): void {
    this.done = Math.min(this.done + 1, this.total);
    const seconds = (performance.now() - this.startedMs) / 1000;
    const rate = this.done / Math.max(seconds, 0.001);
    const remaining = Math.ceil((this.total - this.done) / Math.max(rate, 0.001));
    const width = 24;
    const filled = Math.round((this.done / Math.max(this.total, 1)) * width);
    const bar = `[${"#".repeat(filled)}${".".repeat(width - filled)}]`;
    const line = `${bar} ${this.done}/${this.total}  ${rate.toFixed(1)}/s  ${remaining} s left  ${text}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${line}`);
    else progress(line);
  }

  /** Takes the line away, for text that stays. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
  }
}
