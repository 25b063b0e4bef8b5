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
  help: { short: "h", summary: "show this help" },
};

/** A longer time-out, 292,000 years, never passes. */
const LONGEST_S = 2 ** 43;

/** The surroundings of a run. */
export interface Surroundings {
  write(text: string): void;
  /** Writes bytes unchanged; without it, they are written as text. */
  readonly writeBytes?: ((bytes: Uint8Array) => void) | undefined;
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
    if (first === undefined || ["help", "--help", "-h"].includes(first)) {
      around.write(rest[0] === undefined ? overview() : helpOf(commandNamed(rest[0])));
      return first === undefined ? Exit.usage : Exit.ok;
    }
    if (first === "completions") return printCompletions(rest[0], around);
    return await runCommand(commandNamed(first), rest, around);
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
    writeBytes: around.writeBytes ?? ((bytes) => around.write(new TextDecoder().decode(bytes))),
    error: around.error,
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
    const reason = around.interrupt.aborted ? "it was interrupted" : `--timeout ${timeout} is over`;
    const hint = positionals[0] === undefined ? "" : `; vring why ${positionals[0]} may say why`;
    throw new VringError(
      `Cannot finish vring ${command.name}: ${reason}, and it still waits${hint}`,
    );
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
    Object.entries(all).map(([name, { value, short }]) => {
      const type = value === undefined ? "boolean" as const : "string" as const;
      return [name, short === undefined ? { type } : { type, short }];
    }),
  );
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    return { values: values as Record<string, string | true | undefined>, positionals };
  } catch (error) {
    const { message } = error as Error;
    const see = `vring ${command.name} --help lists all`;
    const [, used] = /^Option '(?:-\w, )?(--[\w-]+)/.exec(message) ?? [];
    if (used !== undefined) {
      const wanted = message.includes("not take") ? "it takes no value" : `pass ${used}=VALUE`;
      throw new UsageError(`Cannot use ${used}: ${wanted}; ${see}`);
    }
    const [, dashes = "", name] = /^Unknown option '(-+)([^']+)'/.exec(message) ?? [];
    if (name === undefined) throw new UsageError(message);
    const near = Object.keys(all).find((known) => isMistyped(known, name));
    const hint = near === undefined ? "" : `did you mean --${near}? `;
    throw new UsageError(
      `Cannot use ${dashes}${name}: vring ${command.name} has no such option; ${hint}${see}`,
    );
  }
}

/** Returns a command; throws a UsageError that says which name was probably meant. */
function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  const near = COMMANDS.find((command) => isMistyped(command.name, name)) ??
    COMMANDS.find((command) => command.name[0] === name[0]);
  const hint = near === undefined ? "" : `did you mean ${near.name}? `;
  const text = JSON.stringify(name);
  throw new UsageError(
    `Cannot run ${text}: vring has no such command; ${hint}vring --help lists all`,
  );
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
