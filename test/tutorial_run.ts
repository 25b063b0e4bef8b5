/**
 * Runs tutorials as a learner would, with no permission but `--allow-ffi`, and finds the results in
 * their output.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { assertFits, hasTerminal, sharedFiles, uniqueName } from "./program.ts";

/** The root of the repository. */
export const ROOT: URL = new URL("../", import.meta.url);

export interface Run {
  readonly code: number;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Typed text; the input is not a terminal. */
  readonly input?: string;
  /** The command in place of this Deno with `--allow-ffi`, in front of the arguments. */
  readonly command?: readonly string[];
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const deno = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi"];
  const [program, ...rest] = [...options.command ?? deno, ...args];
  const child = new Deno.Command(program!, {
    args: rest,
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.input ?? ""));
  await writer.close().catch(() => {}); // a program that has ended does not read
  const { code, signal, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertFits(out!);
  return { code, signal, out: out!, err: err! };
}

export function assertWell({ code, signal, err }: Run): void {
  assertEquals({ code, signal, err }, { code: 0, signal: null, err: "" });
}

/** Runs all steps of a story; returns its output. */
export async function tell(folder: string, ...options: string[]): Promise<string> {
  const result = await run([`tutorials/${folder}/step.ts`, "--auto", ...options]);
  assertWell(result);
  const steps = Array.from(
    result.out.matchAll(/── Step (\d+) of (\d+) ──/g),
    (step) => step.slice(1),
  );
  const total = steps[0]?.[1] ?? "none";
  assertEquals(steps, Array.from({ length: Number(total) }, (_, i) => [`${i + 1}`, total]));
  return result.out;
}

/** Fails unless the output matches, for any line breaks; a space in the pattern is any white space.
 */
export function assertShows(out: string, pattern: RegExp): void {
  assertMatch(out.replace(/\s+/g, " "), pattern);
}

/** The results behind the arrows, for each run of this code. */
export function results(out: string, code: string): string[] {
  const words = code.split(" ").map(RegExp.escape).join("\\s+"); // a long line is broken at spaces
  return out.split(new RegExp(`\n *${words}\n *→ `)).slice(1).map((rest) => rest.split("\n")[0]!);
}

/** Runs the quiz, which needs no permission. */
export function quiz(...args: string[]): Promise<Run> {
  const command = [Deno.execPath(), "run", "--no-prompt"];
  return run(["tutorials/quiz.ts", ...args], { command });
}

/** Checks the answered quiz on a tutorial, all on one line, for so many seeds. */
export async function checkQuiz(
  tutorial: number,
  seeds: number,
  check: (words: string, seed: number) => void,
): Promise<void> {
  await Promise.all(Array.from({ length: seeds }, async (_, seed) => {
    const { out } = await quiz(`${tutorial}`, "--seed", `${seed}`, "--answers");
    check(out.replace(/[\n ]+/g, " "), seed);
  }));
}

/** Registers a test that steps through a story by these keys, stops it by q, and finds nothing left. */
export function testStopped(folder: string, keys: string, shows: RegExp): void {
  Deno.test({
    name: `tutorial ${Number(folder.slice(0, 2))} that is stopped in the middle leaves nothing`,
    ignore: !hasTerminal,
    fn: async () => {
      const name = uniqueName();
      const step = `tutorials/${folder}/step.ts`;
      const line = `'${Deno.execPath()}' run --allow-ffi ${step} --name ${name}`;
      const command = ["/usr/bin/script", "-qec", line, "/dev/null"];
      const { code, out } = await run([], { command, input: keys });
      assertEquals(code, 0);
      assertShows(out, shows);
      assertEquals(sharedFiles(name), []);
    },
  });
}
