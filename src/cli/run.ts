/**
 * From a command line to a command.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { VringError } from "../errors.ts";
import { useDirectory, usualDirectory } from "../region/names.ts";
import { COMMANDS } from "./commands.ts";
import { type Command, Exit, type Option, UsageError } from "./command.ts";
import { completions, SHELLS } from "./completions.ts";
import { isMistyped } from "./found.ts";
import { Output, wrapped } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** The options of every command. */
export const COMMON: Readonly<Record<string, Option>> = {
  json: { summary: "one JSON object a line" },
  directory: { value: "PATH", summary: "the directory of the regions; /dev/shm by default" },
  timeout: { value: "SECONDS", summary: "end after so many seconds" },
  help: { summary: "show this help" },
};

/** A longer time-out, 292,000 years, never passes. */
const LONGEST_S = 2 ** 43;

/** The surroundings of a run. */
export interface Surroundings {
  write(text: string): void;
  error(text: string): void;
  /** Whether a person reads the output in a terminal. */
  readonly isTerminal: boolean;
  readonly noColor: boolean;
  readonly width: number;
  /** The terminal, if a person reads the output in one. */
  readonly terminal?: Terminal | undefined;
  /** Aborts at Ctrl-C. */
  readonly interrupt: AbortSignal;
}

/** Runs a command line; returns the exit code. */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  const [first, ...rest] = args;
  try {
    if (first === undefined || first === "help" || first === "--help") {
      const asked = COMMANDS.find(({ name }) => name === rest[0]);
      around.write(asked === undefined ? overview() : helpOf(asked));
      return first === undefined ? Exit.usage : Exit.ok;
    }
    if (first === "completions") return printCompletions(rest[0], around);
    const command = COMMANDS.find(({ name }) => name === first);
    if (command === undefined) throw new UsageError(unknownCommand(first));
    return await runCommand(command, rest, around);
  } catch (error) {
    if (error instanceof UsageError) {
      around.error(`${error.message}\n`);
      return Exit.usage;
    }
    if (!(error instanceof VringError)) throw error;
    around.error(`${error.message}\n`);
    return Exit.problem;
  }
}

async function runCommand(command: Command, args: string[], around: Surroundings) {
  const { values, positionals } = parse(command, args);
  if (values.help) {
    around.write(helpOf(command));
    return Exit.ok;
  }
  const { json, timeout, directory, ...options } = values;
  const seconds = Number(timeout ?? Infinity);
  if (!(seconds >= 0)) throw new UsageError(`Cannot use --timeout ${timeout}: pass seconds`);
  const limit = seconds < LONGEST_S ? [AbortSignal.timeout(seconds * 1000)] : [];
  const out = new Output({
    json: json === true,
    write: around.write,
    color: around.isTerminal && !around.noColor,
    width: around.isTerminal ? around.width : Infinity,
  });
  const end = AbortSignal.any([around.interrupt, ...limit]);
  const usual = usualDirectory();
  useDirectory(directoryIn(directory) ?? usual);
  try {
    return await command.run({ names: positionals, options, out, end, terminal: around.terminal });
  } catch (error) {
    if (!end.aborted || error !== end.reason) throw error;
    const why = around.interrupt.aborted ? "it was interrupted" : `${timeout} seconds have passed`;
    throw new VringError(`Cannot end vring ${command.name}: ${why}, and it still waits`);
  } finally {
    useDirectory(usual);
  }
}

function directoryIn(given: string | true | undefined): string | undefined {
  if (given === undefined || typeof given === "string" && given.startsWith("/")) return given;
  throw new UsageError(`Cannot use --directory ${given}: pass an absolute path`);
}

function parse(command: Command, args: string[]) {
  const all = { ...COMMON, ...command.options };
  const options = Object.fromEntries(
    Object.entries(all).map((
      [name, { value }],
    ) => [name, { type: value === undefined ? "boolean" as const : "string" as const }]),
  );
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Record<string, string | true | undefined>, positionals };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; see vring ${command.name} --help`);
  }
}

function unknownCommand(name: string): string {
  const near = COMMANDS.find((command) => isMistyped(command.name, name)) ??
    COMMANDS.find((command) => command.name[0] === name[0]);
  const hint = near === undefined ? "" : `did you mean ${near.name}? `;
  return `Cannot run ${
    JSON.stringify(name)
  }: vring has no such command; ${hint}vring --help lists all`;
}

const COMPLETIONS = {
  name: "completions",
  summary: "Prints the completions for bash, zsh or fish.",
};

/** The columns of the help. */
const HELP_WIDTH = 80;

/** The help of all commands. */
export function overview(): string {
  const listed = [...COMMANDS, COMPLETIONS];
  const lines = listed.flatMap(({ name, summary }) =>
    wrapped(`  ${name.padEnd(11)} ${summary}`, HELP_WIDTH, 14)
  );
  return [
    "vring looks at the shared memory of running programs.",
    "",
    "  vring COMMAND [NAME...] [OPTIONS]",
    "",
    ...lines,
    "",
    "vring COMMAND --help shows the options and examples of a command.",
    "",
  ].join("\n");
}

/** The help of one command. */
export function helpOf({ name, summary, usage, options, examples }: Command): string {
  const lines = Object.entries({ ...options, ...COMMON }).flatMap(
    ([option, { value, summary }]) => {
      const shown = `--${option}${value === undefined ? "" : ` ${value}`}`;
      return wrapped(`  ${shown.padEnd(22)} ${summary}`, HELP_WIDTH, 25);
    },
  );
  const shown = examples.map((example) => `  ${example}`);
  return [
    ...wrapped(summary, HELP_WIDTH, 0),
    "",
    `  vring ${name} ${usage}`,
    "",
    ...lines,
    "",
    "Examples:",
    ...shown,
    "",
  ]
    .join("\n");
}

function printCompletions(shell: string | undefined, around: Surroundings): number {
  if (shell === undefined || !SHELLS.includes(shell)) {
    throw new UsageError(`Cannot complete for ${shell ?? "no shell"}: pass ${SHELLS.join(", ")}`);
  }
  around.write(completions(shell, COMMANDS, COMMON));
  return Exit.ok;
}
