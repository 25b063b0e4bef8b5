/**
 * A layout as declarations in TypeScript, to paste into a program.
 *
 * @module
 */

import {
  alignmentOf,
  type AnyLayout,
  type ArrayType,
  type Field,
  type FieldType,
  isArray,
  isLayout,
} from "../fields.ts";
import { LINE_BYTES, roundUp } from "../sizes.ts";

/** The names of the constants so far, by the hashes of their layouts. */
type Names = Map<bigint, string>;

/** Writes the declarations of a layout and, before it, of those it contains. */
export function toDefinition(layout: AnyLayout): string {
  const written: string[] = [];
  write(layout, new Map(), written);
  return written.join("\n");
}

/** Writes the declaration of a layout unless it is there; returns the name of its constant. */
function write(layout: AnyLayout, names: Names, written: string[]): string {
  const known = names.get(layout.hash);
  if (known !== undefined) return known;
  let end = 0;
  const lines = Object.values(layout.fields).map((field) => {
    const { name, shape, offset, size, line } = field;
    const next = roundUp(end, line ? LINE_BYTES : alignmentOf(shape));
    end = Math.max(end, offset + (line ? LINE_BYTES : size));
    return `  ${name}: ${fieldText(field, offset !== next, typeText(shape, names, written))},\n`;
  });
  const name = freeName(layout.name, names);
  names.set(layout.hash, name);
  const options = layout.version === 1 ? "" : `, { version: ${layout.version} }`;
  written.push(`const ${name} = struct("${layout.name}", {\n${lines.join("")}}${options});\n`);
  return name;
}

/** Makes the name of a constant: `pose` becomes `Pose`, and `next_place` becomes `NextPlace`. */
function freeName(layoutName: string, names: Names): string {
  const name = layoutName.replace(/(?:^|_+)([a-z])/g, (_, letter) => letter.toUpperCase());
  const taken = new Set(names.values());
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}${number}`;
  return free;
}

function fieldText({ offset, atomic, line, doc }: Field, isMoved: boolean, type: string): string {
  const options = [
    isMoved ? `at: ${offset}` : "",
    line ? "line: true" : atomic ? "atomic: true" : "",
    doc === "" ? "" : `doc: ${JSON.stringify(doc)}`,
  ].filter((option) => option !== "");
  return options.length === 0 ? type : `{ ${[`type: ${type}`, ...options].join(", ")} }`;
}

function typeText(type: FieldType, names: Names, written: string[]): string {
  if (typeof type === "string") return `"${type}"`;
  if (isLayout(type)) return write(type, names, written);
  if (isArray(type)) return arrayText(type, names, written);
  return `${type.kind}(${type.size})`;
}

function arrayText({ element, length }: ArrayType, names: Names, written: string[]): string {
  return `array(${typeText(element, names, written)}, ${length})`;
}
