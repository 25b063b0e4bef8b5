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
  return { pid, name: name!, isStopped: state === "T" || state === "t" };
}
