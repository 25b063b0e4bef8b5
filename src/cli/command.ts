/**
 * The form of a command: what it is called, what it takes, and what it does.
 *
 * @module
 */

import type { Output } from "./output.ts";
import type { Terminal } from "./terminal.ts";

export { matcher } from "../region/pattern.ts";

/** An option of a command. */
export interface Option {
  /** What the help shows for its value, such as `SECONDS`; undefined for a switch. */
  readonly value?: string | undefined;
  /** One letter for it, such as `h` for `-h`. */
  readonly short?: string | undefined;
  readonly summary: string;
}

/** The arguments of a call, and its surroundings. */
export interface Call {
  /** The arguments that are no options. */
  readonly names: readonly string[];
  /** The values of the options; `true` for a switch. */
  readonly options: Readonly<Record<string, string | true | undefined>>;
  readonly out: Output;
  /** The terminal to redraw; undefined if the output goes elsewhere. */
  readonly terminal: Terminal | undefined;
  /** Aborts when the command must end: at Ctrl-C, or when its time is up. */
  readonly end: AbortSignal;
}

/** A command. */
export interface Command {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** The arguments, such as `NAME`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** Runs the command; returns the exit code. */
  run(call: Call): Promise<number> | number;
}

/** The meaning of the exit codes. */
export const Exit = {
  /** Everything went well. */
  ok: 0,
  /** Nothing has that name, or something is wrong with what there is. */
  problem: 1,
  /** The command line is not understood. */
  usage: 2,
} as const;

/** An error of the command line. */
export class UsageError extends Error {}

/** Returns an option as a number; throws a UsageError unless it is one of at least `least`. */
export function numberIn(call: Call, name: string, least = 0): number | undefined {
  const given = call.options[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given !== "" && value >= least) return value;
  throw new UsageError(`Cannot use --${name} ${given}: pass a number, ${least} or more`);
}
