/**
 * A program that runs beside a test, as in another terminal: the test waits for what it prints,
 * types, sends signals, and sees how it ends.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** However slow the machine: a program that hangs is killed after this, and the test fails. */
const DEADLINE_MS = 60_000;

/** How a program ended. */
export interface Ending {
  readonly code: number;
  readonly signal: string | null;
  readonly err: string;
}

/** A program of this repository, run by this Deno with `--allow-ffi` and nothing else. */
export class Program implements AsyncDisposable {
  /** The process. */
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #ending: Promise<Ending>;
  readonly #deadline: ReturnType<typeof setTimeout>;
  #out = "";
  #searched = 0;
  #printed = Promise.withResolvers<void>();

  /** Starts it: the file, and its arguments. */
  constructor(...args: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-ffi", ...args],
      cwd: ROOT,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#input = this.#child.stdin.getWriter();
    this.#ending = this.#follow();
    this.#deadline = setTimeout(() => this.kill("SIGKILL"), DEADLINE_MS);
  }

  /** Everything that it has printed. */
  get out(): string {
    return this.#out;
  }

  /** Waits until it prints this, behind what was waited for before. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#out.slice(this.#searched));
      if (found !== null) {
        this.#searched += found.index + found[0].length;
        return found;
      }
      const printed = this.#printed.promise.then(() => undefined);
      const ending = await Promise.race([printed, this.#ending]);
      if (ending === undefined || pattern.test(this.#out.slice(this.#searched))) continue;
      throw new Error(
        `The program ended (${ending.code}, ${ending.signal}) and did not print ${pattern}:\n` +
          `${this.#out}\n${ending.err}`,
      );
    }
  }

  /** Types something. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Sends a signal; nothing if it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Waits for its end. */
  async end(): Promise<Ending> {
    const ending = await this.#ending;
    clearTimeout(this.#deadline);
    await this.#input.close().catch(() => {}); // it does not read any more
    return ending;
  }

  /** Ends it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.end();
  }

  async #follow(): Promise<Ending> {
    const err = new Response(this.#child.stderr).text();
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#out += text;
      this.#printed.resolve();
      this.#printed = Promise.withResolvers();
    }
    const { code, signal } = await this.#child.status;
    return { code, signal, err: await err };
  }
}

/** The files in /dev/shm that have this in their names. */
export function sharedFiles(part: string): string[] {
  return Array.from(Deno.readDirSync("/dev/shm"), ({ name }) => name)
    .filter((name) => name.includes(part));
}

/** A name for something in shared memory that no other test has. */
export function uniqueName(): string {
  return `t${crypto.randomUUID().slice(0, 8)}`;
}
