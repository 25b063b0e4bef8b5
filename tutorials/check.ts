/**
 * Checks an exercise in order, explains the first failure, and stops there. With `--report` it writes
 * {@linkcode CheckReport}s for the stage, a line each, in place of text for people.
 *
 * @module
 */

import { COLUMNS, paint } from "./paint.ts";
import { fit, wrap } from "./picture.ts";
import type { Picture } from "./stage/story.ts";
import { textPicture } from "./stage/text_pictures.ts";

/** The beginning of every name in shared memory that the checks of a process use. */
export function namesOf(pid: number): string {
  return `exercise-${pid}`;
}

/** Returns a name in shared memory for a check. Should its process be killed, the judge removes it. */
export function ownName(what: string): string {
  return `${namesOf(Deno.pid)}.${what}`;
}

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
export class Wrong extends Error {
  /** What happened, as a picture for the stage. */
  readonly picture: Picture | undefined;

  constructor(message: string, picture?: Picture) {
    super(message);
    this.picture = picture;
  }
}

/** Fails with the message, and perhaps a picture, unless the condition holds. */
export function expect(
  condition: boolean,
  message: string,
  picture?: () => Picture,
): asserts condition {
  if (!condition) throw new Wrong(message, picture?.());
}

/** What the stage reads of a check. The marker keeps these lines apart from what an answer prints. */
export type CheckReport =
  | { readonly type: "all"; readonly whats: readonly string[] }
  | { readonly type: "begins"; readonly index: number }
  | { readonly type: "passed"; readonly index: number }
  | { readonly type: "failed"; readonly index: number; readonly failure: Failure };

/** The first character of each line with a {@linkcode CheckReport}. */
export const REPORT_MARK = "\x1e";

/** Why a check failed. */
export interface Failure {
  readonly message: string;
  readonly hint: string;
  readonly picture?: Picture;
}

/** Runs the checks in this file, and sets the exit code. Its folder is that of the exercise. */
export function runChecks(file: string, checks: readonly Check[]): void {
  if (Deno.args.includes("--report")) return reportChecks(checks);
  console.log();
  const failed = checks.findIndex((check) => !passes(check));
  if (failed === -1) {
    console.log(`\n${paint("green", "Solved.")} All ${checks.length} checks pass.\n`);
    return;
  }
  Deno.exitCode = 1;
  const folder = file.split("/").at(-2);
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

/** Writes what happens before it happens, because an answer may end the process. */
function reportChecks(checks: readonly Check[]): void {
  const report = (report: CheckReport) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${REPORT_MARK}${JSON.stringify(report)}\n`));
  };
  report({ type: "all", whats: checks.map(({ what }) => what) });
  for (const [index, check] of checks.entries()) {
    report({ type: "begins", index });
    const failure = failureIn(check);
    if (failure !== undefined) {
      report({ type: "failed", index, failure });
      Deno.exitCode = 1;
      return;
    }
    report({ type: "passed", index });
  }
}

function passes(check: Check): boolean {
  const failure = failureIn(check);
  if (failure === undefined) {
    print(`${paint("green", "✓")} ${check.what}`, 2);
    return true;
  }
  print(`${paint("red", "✗")} ${check.what}`, 2);
  print(`\n${failure.message}`, 6);
  const { picture } = failure;
  if (picture !== undefined) print(`\n${textPicture(picture, COLUMNS - 6).join("\n")}`, 6);
  print(`\n${wrap(`Hint: ${check.hint}`, COLUMNS - 6)}`, 6);
  return false;
}

function print(text: string, indent: number): void {
  console.log(fit(text, indent));
}

/** Describes the mistake of an answer; undefined if the check passes. */
export function failureIn({ check, hint }: Check): Failure | undefined {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Wrong)) return { message: `Your code throws: ${error}`, hint };
    const { message, picture } = error;
    return picture === undefined ? { message, hint } : { message, hint, picture };
  }
  return undefined;
}
