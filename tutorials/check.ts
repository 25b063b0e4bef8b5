/**
 * Checks an exercise in order, explains the first failure, and stops there.
 *
 * @module
 */

import { COLUMNS, paint } from "./paint.ts";
import { fit, wrap } from "./picture.ts";

/** One thing that an answer must do. */
export interface Check {
  /** The requirement, as the reader sees it. */
  readonly what: string;
  /** Throws a {@linkcode Wrong} if the answer does not do it. */
  readonly check: () => void;
  /** A hint for an answer that fails. */
  readonly hint: string;
}

/** Thrown when an answer fails a check; the message describes what it does instead. */
export class Wrong extends Error {}

/** Fails with the message unless the condition holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Wrong(message);
}

/** Runs the checks for the exercise in a folder of tutorials/ and sets the exit code. */
export function runChecks(folder: string, checks: readonly Check[]): void {
  console.log();
  const failed = checks.findIndex((check) => !passes(check));
  if (failed === -1) {
    console.log(`\n${paint("green", "Solved.")} All ${checks.length} checks pass.\n`);
    return;
  }
  Deno.exitCode = 1;
  console.log(`
Not yet: ${failed} of ${checks.length} checks pass.
${
    wrap(
      `Change tutorials/${folder}/exercise.ts and run it again. To compare, see one answer
      in tutorials/answers/${folder}.ts.`,
    )
  }
`);
}

function passes(check: Check): boolean {
  const failure = failureOf(check);
  if (failure === undefined) {
    print(`${paint("green", "✓")} ${check.what}`, 2);
    return true;
  }
  print(`${paint("red", "✗")} ${check.what}`, 2);
  print(`\n${failure}\n\n${wrap(`Hint: ${check.hint}`, COLUMNS - 6)}`, 6);
  return false;
}

function print(text: string, indent: number): void {
  console.log(fit(text, indent));
}

/** Describes the mistake of an answer; undefined if the check passes. */
export function failureOf({ check }: Check): string | undefined {
  try {
    check();
  } catch (error) {
    return error instanceof Wrong ? error.message : `Your code throws: ${error}`;
  }
  return undefined;
}
