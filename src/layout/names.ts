/**
 * Names that are valid in TypeScript and in C.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
/** Keywords of C up to C23, and lower-case macros that headers of C on Linux define. */
const RESERVED_IN_C = new Set(
  ("alignas alignof auto bool break case char const constexpr continue default do double else " +
    "enum errno extern false float for goto if inline int linux long nullptr offsetof register " +
    "restrict return short signed sizeof static static_assert stderr stdin stdout struct switch " +
    "thread_local true typedef typeof typeof_unqual union unix unsigned void volatile while")
    .split(" "),
);

/**
 * Throws unless a name is an identifier in TypeScript and C, begins with a letter, and has no
 * meaning yet. Names with a leading underscore belong to the compiler, or to padding.
 */
export function checkName(name: string, action: string, what: string): void {
  const problem = problemOf(name);
  if (problem === undefined) return;
  throw new TypeError(`Cannot ${action}: ${what} ${inWords(name)} ${problem}`);
}

function problemOf(name: string): string | undefined {
  if (typeof name !== "string" || !/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
    return "is not an identifier; use letters, digits and underscores, a letter first";
  }
  if (name in Object.prototype) return "is part of every JavaScript object; choose another";
  if (RESERVED_IN_C.has(snakeCase(name))) return "means something else in C; choose another";
  return undefined;
}

/** Converts a name to C: `sampleCount` becomes `sample_count`. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}
