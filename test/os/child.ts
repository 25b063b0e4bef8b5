/**
 * A program that a test starts as a process of its own, talks to by lines and always ends.
 *
 * @module
 */

import { within } from "./until.ts";

/** How to start a program. */
export interface ChildOptions {
  /** Its arguments. */
  args?: readonly string[];
  /** The flags of `deno run`; the one permission that the package needs by default. */
  flags?: readonly string[];
  /** A command that starts the rest of the command line, such as `["unshare", "--pid"]`. */
  wrapper?: readonly string[];
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** How a program ended and what it said last. */
export interface Ending extends Deno.CommandStatus {
  /** The lines that nobody has read. */
  readonly lines: readonly string[];
  /** All that it wrote to its standard error. */
  readonly stderr: string;
}

/** A running `deno run` of a program. */
export class Child implements AsyncDisposable {
  /** The process id. */
  readonly pid: number;
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stderr: Promise<string>;
  #ended = false;

  /** Starts the program at a URL or a path. */
  constructor(program: URL | string, options: ChildOptions = {}) {
    const { args = [], flags = ["--allow-ffi"], wrapper = [], env = {} } = options;
    const [command, ...rest] = [
      ...wrapper,
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      ...flags,
      String(program),
      ...args,
    ];
    this.#process = new Deno.Command(command!, {
      args: rest,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#process.pid;
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(splitLines()).getReader();
    this.#stderr = new Response(this.#process.stderr).text();
    this.#process.status.then(() => this.#ended = true);
  }

  /** The next line that it writes; fails, quoting its standard error, if it ends instead. */
  async line(): Promise<string> {
    const { done, value } = await within("a line of the child", this.#lines.read());
    if (!done) return value;
    throw new Error(`The child ended instead of writing a line: ${await this.#stderr}`);
  }

  /** How it ends; fails if it does not. */
  async ending(): Promise<Ending> {
    const lines: string[] = [];
    const read = async () => {
      for (;;) {
        const { done, value } = await this.#lines.read();
        if (done) return;
        lines.push(value);
      }
    };
    await within("the end of the child", read());
    const status = await within("the end of the child", this.#process.status);
    return { ...status, lines, stderr: await this.#stderr };
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** The letter by which the kernel describes its state, such as `S` for asleep, `T` for stopped. */
  get state(): string {
    const stat = Deno.readTextFileSync(`/proc/${this.pid}/stat`);
    return stat.slice(stat.lastIndexOf(")") + 2)[0]!;
  }

  /** Ends it, whatever it does, and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      try {
        this.#process.kill("SIGKILL");
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // it ended at this moment
      }
    }
    await this.#lines.cancel();
    await this.#process.status;
    await this.#stderr;
  }
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(rest);
    },
  });
}
