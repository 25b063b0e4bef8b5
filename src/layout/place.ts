/**
 * The placement of fields, as in a C struct: one after the other, each at the next multiple of its
 * alignment, the whole rounded up to the largest alignment. A declaration can override this: `at`
 * states an offset, and `line` gives a word 64 bytes.
 *
 * @module
 */

import { inWords } from "../arguments.ts";
import {
  alignmentOf,
  checkSize,
  type Declarations,
  type Field,
  type FieldOptions,
  isFieldType,
  kindOf,
  type Placement,
  sizeOf,
  typeName,
  type WordOptions,
} from "./fields.ts";
import { checkName, snakeCase } from "./names.ts";
import { isWord, SCALARS, type Word } from "./scalars.ts";
import { LINE_BYTES, roundUp } from "./sizes.ts";

/** The bytes that no other field may use: those of a field, or of its whole line. */
interface Extent {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly line: boolean;
}

/** Gives each field its place. */
export function place(name: string, declarations: Declarations, version: number): Placement {
  const action = `lay out ${inWords(name)}`;
  checkName(name, action, "the name");
  checkVersion(version, action);
  if (typeof declarations !== "object" || declarations === null) {
    throw new TypeError(
      `Cannot ${action}: its fields are ${inWords(declarations)}; pass an object`,
    );
  }
  const fields: Record<string, Field> = {};
  const taken: Extent[] = [];
  const namesInC = new Map<string, string>();
  let alignment = 1;
  let end = 0;
  for (const key of Reflect.ownKeys(declarations)) {
    const field = String(key);
    checkFieldName(field, namesInC, action);
    const options = optionsOf(declarations[field], field, action);
    const { type, line = false, atomic = line, doc = "" } = options;
    const room = line ? LINE_BYTES : sizeOf(type);
    const step = line ? LINE_BYTES : alignmentOf(type);
    const next = roundUp(end, step);
    const offset = options.at ?? next;
    const extent = { name: field, start: offset, end: offset + room, line };
    checkPlace(extent, { taken, step, next, action });
    taken.push(extent);
    alignment = Math.max(alignment, step);
    end = Math.max(end, extent.end);
    const [path, size] = [`${name}.${field}`, sizeOf(type)];
    fields[field] = Object.freeze(
      { name: field, path, type: typeName(type), shape: type, offset, size, atomic, line, doc },
    );
  }
  if (end === 0) throw new RangeError(`Cannot ${action}: it has no fields; declare at least one`);
  const size = roundUp(end, alignment);
  checkSize(size, action);
  return { name, version, size, alignment, fields: Object.freeze(fields) };
}

function checkVersion(version: number, action: string): void {
  if (Number.isInteger(version) && version >= 0 && version <= 0xffff_ffff) return;
  throw new RangeError(
    `Cannot ${action}: version ${
      inWords(version)
    } is not an integer from 0 to 2^32 - 1; pass one that is`,
  );
}

function checkFieldName(field: string, namesInC: Map<string, string>, action: string): void {
  checkName(field, action, "field");
  const inC = snakeCase(field);
  const same = namesInC.get(inC);
  namesInC.set(inC, field);
  if (same === undefined) return;
  throw new TypeError(
    `Cannot ${action}: fields "${same}" and "${field}" have the same name in C; rename one`,
  );
}

const OPTIONS = ["type", "at", "doc", "atomic", "line"];

/** Returns the options of a field, in either form of declaration. */
function optionsOf(declared: unknown, field: string, action: string): FieldOptions | WordOptions {
  const problem = (text: string) => new TypeError(`Cannot ${action}: field "${field}" ${text}`);
  const isOptions = typeof declared === "object" && declared !== null && "type" in declared &&
    !isFieldType(declared); // the types of messages have a type, too
  const options = isOptions ? declared as WordOptions : { type: declared as Word };
  const { type } = "sizeBytes" in options ? { type: options } : options; // that of messages
  if (!isFieldType(type)) {
    throw problem(
      `is ${kindOf(type)}, which cannot be a field; use bytes(n), text(n), array(), struct(), or ` +
        Object.keys(SCALARS).join(" "),
    );
  }
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) {
    throw problem(`has an unknown option "${unknown}"; there are ${OPTIONS.join(", ")}`);
  }
  const { line = false, atomic = line } = options;
  if (atomic && !isWord(type)) {
    throw problem(`is ${typeName(type)} and cannot be atomic; use u32, i32 or u64`);
  }
  if (line && !atomic) throw problem('has a line but is not atomic; drop "atomic: false"');
  return options;
}

interface Surroundings {
  readonly taken: readonly Extent[];
  readonly step: number;
  readonly next: number;
  readonly action: string;
}

/** Throws unless the place is valid. Only `at` can state an invalid one. */
function checkPlace(extent: Extent, { taken, step, next, action }: Surroundings): void {
  const { name, start, end, line } = extent;
  const problem = (text: string) =>
    new RangeError(
      `Cannot ${action}: field "${name}" at offset ${start} ${text}; move it to ${next} or drop "at"`,
    );
  if (!Number.isInteger(start) || start < 0) throw problem("is not at an integer from 0 on");
  if (start % step !== 0) throw problem(`is not at a multiple of ${step}`);
  const other = taken.find((other) => start < other.end && other.start < end);
  if (other === undefined) return;
  const place = `"${other.name}" (${other.start}..${other.end})`;
  if (other.line) throw problem(`shares the line of ${place}`);
  throw problem(line ? `shares its line with ${place}` : `overlaps ${place}`);
}
