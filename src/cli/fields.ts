/**
 * The fields of messages, as command lines name them: `pose.x`, `rotors.1`.
 *
 * @module
 */

import { type FieldTypeDescription, isSingle, type TypeDescription } from "../layout/describe.ts";
import type { MessageType } from "../region/header.ts";
import { UsageError } from "./command.ts";
import { isMistyped } from "./found.ts";
import { harmless } from "./output.ts";

/** Throws a UsageError if no message of a type has a field at this path. */
export function checkPath(path: string, type: MessageType | undefined): void {
  const description = type?.description;
  if (description === undefined || !("struct" in description)) return; // JSON has any fields
  let at: FieldTypeDescription = isSingle(description) ? description.fields[0]!.type : description;
  for (const name of path.split(".")) {
    const names = namesIn(at);
    if (!names.has(name)) throw new UsageError(noField(path, name, [...names.keys()]));
    at = names.get(name)!;
  }
}

function noField(path: string, name: string, names: readonly string[]): string {
  const near = names.find((known) => isMistyped(known, name));
  const shown = names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), "..."] : names;
  const hint = near !== undefined
    ? `did you mean ${near}?`
    : names.length === 0
    ? "it has no parts"
    : `pass one of ${shown.join(", ")}`;
  return `Cannot show the field ${path}: the messages have no ${name} there; ${harmless(hint)}`;
}

/** The most names that an error lists. */
const MOST_NAMES = 12;

/** The parts of a value, by name; the elements of an array by number. */
function namesIn(type: FieldTypeDescription | TypeDescription): Map<string, FieldTypeDescription> {
  if (typeof type !== "object") return new Map();
  if ("struct" in type) return new Map(type.fields.map(({ name, type }) => [name, type]));
  const [length, element] = "array" in type
    ? [type.length, type.array]
    : "bytes" in type
    ? [type.bytes, "u8" as const]
    : [0, "u8" as const];
  return new Map(Array.from({ length }, (_, k) => [String(k), element]));
}

/** Returns the part of a value at a path, such as `pose.x`. */
export function partAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => Object(at)[key], value);
}

type Comparison = (a: number | bigint | string, b: number | string) => boolean;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  "==": (a, b) => a == b, // a number of 64 bits equals the same number
  "!=": (a, b) => a != b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
};

/** Returns the test that a filter states: a field, a comparison, and a number or a text. */
export function testOf(
  filter: string | true | undefined,
  type: MessageType | undefined,
): (value: unknown) => boolean {
  if (typeof filter !== "string") return () => true;
  const found = /^\s*([\w.]+)\s*(==|!=|>=|<=|>|<)\s*(.+?)\s*$/.exec(filter);
  if (found === null) {
    throw new UsageError(`Cannot use the filter ${filter}: pass a test, such as 'pose.x > 3'`);
  }
  const [, path, sign, stated] = found;
  if (path !== "value") checkPath(path!, type);
  const wanted = Number.isNaN(Number(stated))
    ? stated!.replace(/^(["'])(.*)\1$/, "$2")
    : Number(stated);
  return (value) => {
    const part = path === "value" ? value : partAt(value, path!);
    return part !== undefined && COMPARISONS[sign!]!(part as number, wanted);
  };
}

/** The scalars in a value, by path. */
export function flattened(value: unknown, path = ""): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path || "value", csv(String(value))]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flattened(inner, path === "" ? key : `${path}.${key}`)
  );
}

function csv(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
