/**
 * A process of the demo: starts it with `--allow-ffi` only, reads its reports, and kills it or asks
 * it to end.
 *
 * @module
 */

import { clock } from "./terminal.ts";

const PATIENCE_MS = 10_000;
const REPORTS_KEPT = 5; // of the last second

/** The demo ends early. */
export class Stopped extends Error {
  /** The exit status. */
  readonly code: number;

  /** Takes the message and the exit status. */
  constructor(message: string, code = 0) {
    super(message);
    this.code = code;
  }
}

/** A process that reports what it does, line by line as JSON. */
export class Child<Report> {
  /** Whether this process has killed it. */
  killed = false;
  /** Its last reports, and when they came. */
  readonly reports: { at: number; report: Report }[] = [];
  readonly #file: string;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<void>;
  #status: Deno.CommandStatus | undefined;

  /** Starts one of the examples. */
  constructor(file: string, ...options: string[]) {
    this.#file = file;
    const { href } = new URL(file, import.meta.url);
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--allow-ffi", href, ...options],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#ended = this.#follow();
  }

  /** The process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Its last report. */
  get last(): Report | undefined {
    return this.reports.at(-1)?.report;
  }

  /** The growth of a reported number each second; undefined before two reports. */
  rate(of: (report: Report) => number): number | undefined {
    const [first, last] = [this.reports[0], this.reports.at(-1)];
    if (first === last) return undefined;
    return 1000 * (of(last!.report) - of(first!.report)) / (last!.at - first!.at);
  }

  /** Throws if it has ended unexpectedly. */
  checkAlive(): void {
    if (this.#status === undefined || this.killed) return;
    const { code, signal } = this.#status;
    if (signal !== null) throw new Stopped(`${this.#file} was ended by ${signal}`);
    throw new Stopped(`${this.#file} has ended, with status ${code}`, code);
  }

  /** Kills it, as `kill -9` does. */
  kill(): void {
    this.killed = true;
    this.#signal("SIGKILL");
  }

  /** Stops it, as Ctrl-C does, and waits for its end. */
  async end(): Promise<void> {
    this.#signal("SIGINT");
    const timer = setTimeout(() => this.kill(), PATIENCE_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
  }

  async #follow(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!; // a killed process may leave half a line
      for (const line of lines) this.reports.push({ at: clock(), report: JSON.parse(line) });
      this.reports.splice(0, this.reports.length - REPORTS_KEPT);
    }
    this.#status = await this.#child.status;
  }
}
