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
