/**
 * Judges an exercise: checks in order, the first that fails is explained, the rest wait.
 *
 * @module
 */

import { paint } from "./paint.ts";
import { wrap } from "./picture.ts";

/** One thing that an answer must do. */
export interface Check {
  /** What is asked, as the reader sees it. */
  readonly what: string;
  /** Throws a {@linkcode Wrong} if the answer does not do it. */
  readonly check: () => void;
  /** Something to think about if it fails. */
  readonly hint: string;
}

/** What was seen instead of what was asked. */
export class Wrong extends Error {}

/** Fails with the message unless the condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Wrong(message);
}

/** Runs the checks for the exercise in a folder of tutorials/ and sets the exit code. */
export function judge(folder: string, checks: readonly Check[]): void {
  console.log();
  const failed = checks.findIndex((check) => !passes(check));
  if (failed === -1) {
    console.log(`\n${paint("green", "Solved.")} All ${checks.length} checks pass.\n`);
    return;
  }
  Deno.exitCode = 1;
  console.log(`
Not yet: ${failed} of ${checks.length} checks pass.
Change tutorials/${folder}/exercise.ts and run it again. When you want to compare, one answer
is in tutorials/answers/${folder}.ts.
`);
}

function passes(check: Check): boolean {
  const failure = failureOf(check);
  if (failure === undefined) {
    console.log(`  ${paint("green", "✓")} ${check.what}`);
    return true;
  }
  console.log(`  ${paint("red", "✗")} ${check.what}`);
  const lines = `\n${failure}\n\n${wrap(`Hint: ${check.hint}`, 84)}`;
  console.log(lines.replace(/^(?=.)/gm, "      "));
  return false;
}

/** What was seen instead of what was asked; nothing if the check passes. */
export function failureOf({ check }: Check): string | undefined {
  try {
    check();
  } catch (error) {
    return error instanceof Wrong ? error.message : `Your code throws: ${error}`;
  }
  return undefined;
}
