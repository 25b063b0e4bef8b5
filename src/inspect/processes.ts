/**
 * The state of processes, as the kernel shows it.
 *
 * @module
 */

import * as files from "../os/files.ts";

/** A process. */
export interface Process {
  readonly pid: number;
  /** The name of its program. */
  readonly name: string;
  /** The script that it runs, such as `camera.ts`, if its command line names one. */
  readonly program: string | undefined;
  /** Whether a signal or a debugger has stopped it. */
  readonly isStopped: boolean;
}

/** Describes a process; undefined if it is gone, or not visible in this PID namespace. */
export function processOf(pid: number): Process | undefined {
  const bytes = files.readAll(`/proc/${pid}/stat`);
  if (typeof bytes === "number") return undefined;
  const match = /^\d+ \((.*)\) (\S)/s.exec(new TextDecoder().decode(bytes));
  if (match === null) return undefined;
  const [, name, state] = match;
  const program = scriptOf(pid);
  return { pid, name: name!, program, isStopped: state === "T" || state === "t" };
}

/** Returns the name of the first argument that is a script. */
function scriptOf(pid: number): string | undefined {
  const bytes = files.readAll(`/proc/${pid}/cmdline`);
  if (typeof bytes === "number") return undefined;
  const words = new TextDecoder().decode(bytes).split("\0");
  return words.slice(1).find((word) => /\.[jt]s$/.test(word))?.split("/").at(-1);
}
