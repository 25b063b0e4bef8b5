/**
 * A program that runs beside a test, as in another terminal: the test waits for its output, types,
 * sends signals, and checks its end.
 *
 * @module
 */

import { stripVTControlCharacters } from "node:util";
import { assertEquals, assertMatch } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** However slow the machine: a program that hangs is killed after this, and the test fails. */
const DEADLINE_MS = 180_000;

/** The sequences that move the cursor of a terminal up, to its first row, or to its other screen. */
const UP = new RegExp(`${"\x1b"}\\[(\\d+A|H|\\?1049[hl])`, "g");

/** Fails if a line would not fit into a terminal of 80 columns. */
export function assertFits(out: string): void {
  const rows = out.replace(UP, "\n"); // another row begins there
  const lines = stripVTControlCharacters(rows).split(/\r*\n/);
  assertEquals(lines.filter((line) => [...line].length > 80), [], "lines are too wide");
}

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
    const [command, ...rest] = this.command([
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--allow-ffi",
      ...args,
    ]);
    this.#child = new Deno.Command(command!, {
      args: rest,
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

  /** The command that runs these words in a terminal. */
  protected command(words: readonly string[]): readonly string[] {
    return words;
  }

  /** Everything that it has printed. */
  get out(): string {
    return this.#out;
  }

  /** Everything that it has printed as words with single spaces, wherever lines were broken. */
  get words(): string {
    return this.#out.replace(/\s+/g, " ");
  }

  /** Waits until it prints this, after the output of the last wait. */
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

  /** Sends a signal, unless it has ended. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Waits for its end; fails if it has printed a line that is too wide. */
  async end(): Promise<Ending> {
    const ending = await this.#exited();
    assertFits(this.#out);
    return ending;
  }

  /** Waits for its successful end; returns the numbers that the pattern finds in its output. */
  async well(pattern?: RegExp): Promise<number[]> {
    assertEquals(await this.end(), { code: 0, signal: null, err: "" });
    if (pattern === undefined) return [];
    assertMatch(this.words, pattern);
    return numbersOf(pattern.exec(this.words)!);
  }

  /** Waits for its end; it must print the reason for refusing, and nothing else. */
  async refused(exitCode: number, reason: RegExp): Promise<void> {
    const { code, err } = await this.end();
    assertEquals([code, this.#out], [exitCode, ""]);
    assertMatch(err, reason);
  }

  /** Kills it, and waits for its end. */
  async killed(): Promise<void> {
    this.kill("SIGKILL");
    assertEquals((await this.end()).signal, "SIGKILL");
  }

  async #exited(): Promise<Ending> {
    const ending = await this.#ending;
    clearTimeout(this.#deadline);
    await this.#input.close().catch(() => {}); // it does not read any more
    return ending;
  }

  /** Ends it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#exited();
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

/** The numbers that a pattern has found, without their commas. */
export function numbersOf(found: RegExpExecArray): number[] {
  return found.slice(1).map((number) => Number(number.replaceAll(",", "")));
}

/** `script`, which makes a terminal; part of util-linux. */
const SCRIPT = "/usr/bin/script";

/** Whether a {@linkcode TerminalProgram} can run here. */
export const hasTerminal: boolean = exists(SCRIPT);

/** A program in a terminal of 80 columns and 24 lines, without colour; signals go to the terminal. */
export class TerminalProgram extends Program {
  protected override command(words: readonly string[]): readonly string[] {
    const line = words.map((word) => `'${word}'`).join(" ");
    return [SCRIPT, "-qec", `stty cols 80 rows 24; NO_COLOR=1 exec ${line}`, "/dev/null"];
  }
}

/** Whether a file exists. */
export function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/**
 * Registers a test whose scenes run at once, and returns a function that adds a scene. Scenes wait
 * for programs much longer than they compute.
 */
export function sideBySide(subject: string): (name: string, scene: () => Promise<void>) => void {
  const scenes: [name: string, scene: () => Promise<void>][] = [];
  // sanitizers cannot tell the resources of one scene from those of another: they check them all
  const unsanitized = { sanitizeExit: false, sanitizeOps: false, sanitizeResources: false };
  Deno.test(subject, async (t) => {
    await Promise.all(scenes.map(([name, fn]) => t.step({ name, fn, ...unsanitized })));
  });
  return (name, scene) => scenes.push([name, scene]);
}

/** The files in /dev/shm that have this in their names. */
export function sharedFiles(part: string): string[] {
  return Array.from(Deno.readDirSync("/dev/shm"), ({ name }) => name)
    .filter((name) => name.includes(part));
}

/** A name in shared memory that no other test uses. */
export function uniqueName(): string {
  return `t${crypto.randomUUID().slice(0, 8)}`;
}
