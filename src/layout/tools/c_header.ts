/**
 * Layouts as C11 structs. All padding is a member and all offsets are asserted. So a compiler with
 * another layout refuses the header instead of reading the wrong bytes.
 *
 * @module
 */

import { inWords } from "../../arguments.ts";
import {
  type AnyLayout,
  byOffset,
  type Field,
  type FieldType,
  isArray,
  isLayout,
} from "../fields.ts";
import { hexHash } from "../hash.ts";
import { snakeCase } from "../names.ts";
import { isScalar, SCALARS } from "../scalars.ts";

/** Writes the struct of a layout, after those it contains. */
export function toC(layout: AnyLayout): string {
  return structs([layout]).map(structText).join("\n");
}

/** Writes one complete header file of several layouts; each struct once, before its first use. */
export function toCHeader(layouts: readonly AnyLayout[], guardName: string): string {
  if (typeof guardName !== "string" || !/^[A-Z][A-Z0-9_]*$/.test(guardName)) {
    throw new TypeError(
      `Cannot make a C header: guard ${inWords(guardName)} is not a macro name; ` +
        "use capital letters, digits and underscores, a letter first",
    );
  }
  return [
    `#ifndef ${guardName}\n#define ${guardName}\n`,
    "/* Generated from the layouts in TypeScript: change those. */\n",
    "#include <stddef.h>\n#include <stdint.h>\n",
    ...structs(layouts).map(structText),
    "#endif\n",
  ].join("\n");
}

/** Lists the layouts and all they contain, the contained first. */
function structs(layouts: readonly AnyLayout[]): AnyLayout[] {
  const found = new Map<string, AnyLayout>();
  const visit = (layout: AnyLayout) => {
    for (const { shape } of Object.values(layout.fields)) {
      const inner = elementOf(shape);
      if (isLayout(inner)) visit(inner);
    }
    const name = snakeCase(layout.name);
    const same = found.get(name) ?? layout;
    if (same.hash !== layout.hash) {
      throw new TypeError(
        `Cannot make a C header: two different layouts are "struct ${name}"; rename one`,
      );
    }
    found.set(name, same);
  };
  layouts.forEach(visit);
  return [...found.values()];
}

function elementOf(type: FieldType): FieldType {
  return isArray(type) ? type.element : type;
}

function structText(layout: AnyLayout): string {
  const name = snakeCase(layout.name);
  const [macro, fields] = [name.toUpperCase(), byOffset(layout)];
  return [
    `#define ${macro}_VERSION ${layout.version}u`,
    `#define ${macro}_HASH UINT64_C(${hexHash(layout.hash)})`,
    `struct ${name} {`,
    ...members(fields, layout.size),
    "};",
    ...fields.map((field) => {
      const member = snakeCase(field.name);
      return assertion(`offsetof(struct ${name}, ${member}) == ${field.offset}`, field.path);
    }),
    assertion(`_Alignof(struct ${name}) == ${layout.alignment}`, `alignment of ${layout.name}`),
    assertion(`sizeof(struct ${name}) == ${layout.size}`, `size of ${layout.name}`),
    "",
  ].join("\n");
}

function assertion(condition: string, message: string): string {
  return `_Static_assert(${condition}, "${message}");`;
}

function* members(fields: readonly Field[], size: number): Generator<string> {
  let end = 0;
  for (const field of fields) {
    yield* padding(end, field.offset);
    yield `  ${member(field)};${comment(field)}`;
    end = field.offset + field.size;
  }
  yield* padding(end, size);
}

function* padding(start: number, end: number): Generator<string> {
  if (start < end) yield `  uint8_t _pad_${start}[${end - start}];`;
}

function member({ name, shape, atomic, line }: Field): string {
  const type = (line ? "_Alignas(64) " : "") + (atomic ? "_Atomic " : "") + cType(shape);
  return `${type} ${snakeCase(name)}${count(shape)}`;
}

function cType(type: FieldType): string {
  const element = elementOf(type);
  if (isScalar(element)) return SCALARS[element].c;
  if (isLayout(element)) return `struct ${snakeCase(element.name)}`;
  return element.kind === "text" ? "char" : "uint8_t";
}

function count(type: FieldType): string {
  if (isScalar(type) || isLayout(type)) return "";
  return `[${type.kind === "array" ? type.length : type.size}]`;
}

/** Writes a comment on one line, with nothing in it that begins or ends a comment. */
function comment({ doc, shape }: Field): string {
  const text = doc.replace(/\s+/g, " ").replace(/\*(?=\/)/g, "* ").replace(/\/(?=\*)/g, "/ ");
  const note = typeof shape === "object" && shape.kind === "text"
    ? "UTF-8, padded with NUL unless full"
    : "";
  const parts = [text.trim(), note].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` /* ${parts.join("; ")} */`;
}
