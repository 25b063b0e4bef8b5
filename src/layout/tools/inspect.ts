/**
 * Memory as readable text: each value at its offset. No contents of the memory can make it throw,
 * take long or move the cursor of a terminal.
 *
 * @module
 */

import { type AnyLayout, byOffset, type FieldType, isArray, isLayout } from "../fields.ts";
import { hexHash } from "../hash.ts";
import { isScalar } from "../scalars.ts";
import { loadValue } from "../values.ts";

/** The number of elements shown of a long value. */
const SHOWN = { bytes: 32, elements: 16, layouts: 4 };

/**
 * The parts of a line: the offset from the beginning of the layout, the name from there, the value.
 */
type Row = readonly [offset: number, name: string, value: string];

/** Shows the value of every field of a layout that begins at `data`. */
export function inspect(layout: AnyLayout, data: DataView): string {
  const rows = [...rowsOf(layout, data, 0, "")];
  const offsetWidth = `${layout.size}`.length;
  const nameWidth = Math.max(...rows.map(([, name]) => name.length));
  const { name, version, size, hash } = layout;
  return [
    `${name}, version ${version}, ${size} bytes, hash ${hexHash(hash)}`,
    ...rows.map(([offset, name, value]) =>
      `  ${`${offset}`.padStart(offsetWidth)}  ${name.padEnd(nameWidth)}  ${value}`
    ),
    "",
  ].join("\n");
}

function* rowsOf(layout: AnyLayout, data: DataView, base: number, prefix: string): Generator<Row> {
  for (const { name, shape, offset } of byOffset(layout)) {
    const [at, path] = [base + offset, prefix + name];
    if (isLayout(shape)) yield* rowsOf(shape, data, at, `${path}.`);
    else if (isArray(shape) && isLayout(shape.element)) {
      yield* elementRows(shape.element, shape.length, data, at, path);
    } else yield [at, path, valueText(shape, data, at)];
  }
}

function* elementRows(
  element: AnyLayout,
  length: number,
  data: DataView,
  base: number,
  path: string,
): Generator<Row> {
  const shown = Math.min(length, SHOWN.layouts);
  for (let index = 0; index < shown; index++) {
    yield* rowsOf(element, data, base + index * element.size, `${path}[${index}].`);
  }
  if (shown < length) {
    yield [base + shown * element.size, `${path}[${shown}]`, `... ${length - shown} more`];
  }
}

function valueText(type: FieldType, data: DataView, at: number): string {
  if (isScalar(type) || isLayout(type)) return String(loadValue(type, data, at));
  if (type.kind === "text") return quoted(loadValue(type, data, at) as string);
  const length = type.kind === "array" ? type.length : type.size;
  const shown = Math.min(length, type.kind === "array" ? SHOWN.elements : SHOWN.bytes);
  const first = type.kind === "array" ? { ...type, length: shown } : { ...type, size: shown };
  const values = Array.from(loadValue(first, data, at) as ArrayLike<number>);
  const more = shown < length ? ` ... ${length - shown} more` : "";
  if (type.kind === "array") return values.join(", ") + more;
  return values.map((byte) => byte.toString(16).padStart(2, "0")).join(" ") + more;
}

/** Quotes a text, with escapes for everything that a terminal might obey. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\p{C}\p{Z}]/gu, (character) => {
    return character === " " ? " " : `\\u{${character.codePointAt(0)!.toString(16)}}`;
  });
}
