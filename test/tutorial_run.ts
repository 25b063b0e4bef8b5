/**
 * Runs programs of the tutorials as a learner would, with no permission but `--allow-ffi`.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { assertFits } from "./program.ts";

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
