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

/** The option of commands that are about regions. */
export const KIND_OPTION: Readonly<Record<string, Option>> = {
  kind: { value: "KIND", summary: "only this kind, such as topic or spsc" },
};

/** The options of commands that print again and again; `millisecondsIn` and `countIn` read them. */
export function againOptions(what: string, usualSeconds: number): Readonly<Record<string, Option>> {
  return {
    every: {
      value: "SECONDS",
      summary: `the time between two looks; ${usualSeconds} by default`,
    },
    count: { value: "N", summary: `end after so many ${what}s` },
    once: { summary: `end after one ${what}` },
  };
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

/** Returns an option as a number; throws a UsageError unless it is one from `least` to `most`. */
export function numberIn(call: Call, name: string, least = 0, most = Infinity): number | undefined {
  return checkedNumber(call, name, "a number", [least, most], () => true);
}

/** Returns an option as a whole number; throws a UsageError unless it is one from `least` to `most`. */
export function wholeIn(call: Call, name: string, least = 0, most = Infinity): number | undefined {
  return checkedNumber(call, name, "a whole number", [least, most], Number.isInteger);
}

function checkedNumber(
  { options }: Call,
  name: string,
  noun: string,
  [least, most]: readonly [number, number],
  isOne: (value: number) => boolean,
): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given !== "" && value >= least && value <= most && isOne(value)) return value;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  throw new UsageError(`Cannot use --${name} ${given}: pass ${noun}, ${range}`);
}

/** The longest time of a timer: some days. */
const LONGEST_S = 2_000_000;

/** Returns an option with seconds in milliseconds. */
export function millisecondsIn(
  call: Call,
  name: string,
  usual: number,
  least = 0.01,
): number {
  return (numberIn(call, name, least, LONGEST_S) ?? usual) * 1000;
}

/** Returns how many lines or messages to print, as --count or --once say. */
export function countIn(call: Call): number {
  return call.options.once ? 1 : wholeIn(call, "count", 1) ?? Infinity;
}

/** Returns the port to listen at. */
export function portIn(call: Call, usual: number): number {
  return wholeIn(call, "port", 0, 65_535) ?? usual;
}
