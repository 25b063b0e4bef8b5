/**
 * Completions for shells, from the table of commands.
 *
 * @module
 */

import type { Command, Option } from "./command.ts";

/** The shells that can be completed for. */
export const SHELLS: readonly string[] = ["bash", "zsh", "fish"];

/** Makes the completions of a shell. */
export function completions(
  shell: string,
  commands: readonly Command[],
  common: Readonly<Record<string, Option>>,
): string {
  const optionsOf = (command: Command) => Object.entries({ ...command.options, ...common });
  const names = commands.map(({ name }) => name).join(" ");
  if (shell === "fish") {
    return commands.flatMap((command) => [
      `complete -c vring -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...optionsOf(command).map(([name, { value, summary }]) =>
        `complete -c vring -n '__fish_seen_subcommand_from ${command.name}' -l ${name}` +
        `${value === undefined ? "" : " -r"} -d ${quoted(summary)}`
      ),
    ]).concat("").join("\n");
  }
  const cases = commands.map((command) =>
    `    ${command.name}) words="${optionsOf(command).map(([name]) => `--${name}`).join(" ")}" ;;`
  );
  const bash = [
    "_vring() {",
    "  local words",
    '  case "${COMP_WORDS[1]}" in',
    ...cases,
    `    *) words="${names} help completions" ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    "}",
    "complete -F _vring vring",
    "",
  ];
  const zsh = ["autoload -U +X bashcompinit && bashcompinit"];
  return [...shell === "zsh" ? zsh : [], ...bash].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
