/**
 * Operations in words: what a party is about to do, and what it has done.
 *
 * @module
 */

/** Patterns of the labels of operations, and what they mean. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/^sleep while (.+) is (\d+)$/, "sleep while $1 is $2"],
  [/^(\S+) load$/, "read $1"],
  [/^(\S+) load last$/, "read $1 after all before it"],
  [/^(\S+) spin while (\d+)$/, "read $1, hoping that it is not $2"],
  [/^(\S+) store (\d+)$/, "store $2 in $1"],
  [/^(\S+) store first (\d+)$/, "store $2 in $1, before all that follows"],
  [/^(\S+) plain store (\d+)$/, "store $2 in $1, in any order"],
  [/^(\S+) add (\d+)$/, "add $2 to $1"],
  [/^(\S+) sub (\d+)$/, "subtract $2 from $1"],
  [/^(\S+) or (\d+)$/, "set the bits $2 in $1"],
  [/^(\S+) and (\d+)$/, "keep the bits $2 of $1"],
  [/^(\S+) exchange (\d+)$/, "exchange $1 for $2"],
  [/^(\S+) cas (\d+) to (\d+)$/, "if $1 is $2, make it $3"],
  [/^(\S+) add 1 and wake all$/, "add 1 to $1 and wake its sleepers"],
  [/^(\S+) wake all$/, "wake all sleepers of $1"],
  [/^(\S+) wake (\d+)$/, "wake $2 sleeper of $1"],
  [/^copy in (\w+(?:\.\.)?)(?: \((\d+) bytes\))? at (\d+)$/, "copy bytes in, at $3"],
  [/^copy out at (\d+)$/, "copy bytes out, from $1"],
  [/^pause (.+)$/, "pause for $1"],
];

/** Returns an operation in words, and labels that are words already without a change. */
export function inWords(label: string): string {
  for (const [pattern, phrase] of PHRASES) {
    if (pattern.test(label)) return label.replace(pattern, phrase);
  }
  return label;
}

/** Splits what happened into the operation and its result. */
export function outcomeOf(what: string): { operation: string; result: string } {
  const [, operation = what, result = ""] = /^(.*?)(?: -> (.*)| (falls asleep))?$/.exec(what) ?? [];
  return { operation, result: result || (what.endsWith("falls asleep") ? "falls asleep" : "") };
}

/** What a sleep returns, in words. */
const SLEPT: Readonly<Record<string, string>> = {
  "falls asleep": "asleep",
  "-EAGAIN": "it differs (EAGAIN)",
  "-ETIMEDOUT": "the time is up (ETIMEDOUT)",
};

/** Operations that return the value before. */
const CHANGES = /^\S+ (add|sub|or|and|exchange|cas) \d+( to \d+)?$/;

/** Returns a step of the past in a few words for a track. */
export function toldShort(what: string): string {
  if (what === "DIES") return "✕ dies";
  const { operation, result } = outcomeOf(what);
  if (result === "") return operation;
  if (/^sleep /.test(operation)) return `${operation}: ${SLEPT[result] ?? result}`;
  return CHANGES.test(operation) ? `${operation}, was ${result}` : `${operation}: ${result}`;
}

/** Joins names: "a", "a and b", "a, b and c". */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** Writes a count with its noun. */
export function counted(count: number, noun: string): string {
  const number = Math.round(count).toLocaleString("en");
  return `${number} ${noun}${count === 1 ? "" : "s"}`;
}
