/**
 * Layouts from their descriptions.
 *
 * @module
 */

import type { FieldTypeDescription, StructDescription } from "./describe.ts";
import type { FieldOptions, FieldType, WordOptions } from "./fields.ts";
import { type Declarations, type Layout, layout } from "./layout.ts";

/** A layout whose fields only its description knows. */
export type DescribedLayout = Layout<Declarations>;

/**
 * Declares the layout of a description. Throws a TypeError or a RangeError, as a declaration does,
 * if it is invalid.
 */
export function layoutOf(description: StructDescription): DescribedLayout {
  return declare(description, new Map());
}

/** Declares a struct; each one that is described several times becomes one layout. */
function declare(
  description: StructDescription,
  made: Map<string, DescribedLayout>,
): DescribedLayout {
  const { struct, version, fields } = description;
  const key = JSON.stringify(description);
  const known = made.get(key);
  if (known !== undefined) return known;
  const declarations = fields.map((field): [string, FieldOptions | WordOptions] => {
    const { name, at, atomic = false, line = false } = field;
    const type = typeOf(field.type, made);
    return [name, { type, at, ...(atomic && { atomic }), ...(line && { line }) } as WordOptions];
  });
  const declared = layout(struct, Object.fromEntries(declarations) as Declarations, { version });
  made.set(key, declared);
  return declared;
}

function typeOf(type: FieldTypeDescription, made: Map<string, DescribedLayout>): FieldType {
  if (typeof type === "string") return type;
  if ("struct" in type) return declare(type, made);
  if ("bytes" in type) return layout.bytes(type.bytes);
  if ("text" in type) return layout.text(type.text);
  const { array, length } = type;
  return layout.array(typeof array === "string" ? array : declare(array, made), length);
}
