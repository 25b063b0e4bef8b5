/**
 * Random layouts, their values, and where C would place their fields, worked out from the random
 * choices alone.
 *
 * @module
 */

import fc from "fast-check";
import {
  type AnyLayout,
  type Declarations,
  type FieldType,
  layout,
  type Scalar,
} from "../../src/layout/layout.ts";

/** Bytes of each scalar. */
export const SCALAR_SIZES: Record<Scalar, number> = {
  u8: 1,
  u16: 2,
  u32: 4,
  u64: 8,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  f32: 4,
  f64: 8,
  bool: 1,
};

/** One random field. */
export type Choice =
  | { kind: "scalar"; scalar: Scalar; line: boolean; gap: number }
  | { kind: "bytes" | "text"; size: number }
  | { kind: "array"; scalar: Scalar; length: number }
  | { kind: "nested"; fields: Choice[]; length: number };

const scalars = fc.constantFrom(...Object.keys(SCALAR_SIZES) as Scalar[]);

/** Random fields; `gap` is how many places are left free before a field with `at`. */
export function choices(options: { plain: boolean }): fc.Arbitrary<Choice[]> {
  const special = options.plain ? fc.constant(false) : fc.boolean();
  const { fields } = fc.letrec<{ fields: Choice[]; field: Choice }>((tie) => ({
    fields: fc.array(tie("field"), { minLength: 1, maxLength: 6 }),
    field: fc.oneof(
      { maxDepth: 3 },
      fc.record({
        kind: fc.constant("scalar" as const),
        scalar: scalars,
        line: special,
        gap: options.plain ? fc.constant(0) : fc.nat(2),
      }),
      fc.record({
        kind: fc.constantFrom("bytes" as const, "text" as const),
        size: fc.integer({ min: 1, max: 20 }),
      }),
      fc.record({
        kind: fc.constant("array" as const),
        scalar: scalars,
        length: fc.integer({ min: 1, max: 5 }),
      }),
      fc.record({
        kind: fc.constant("nested" as const),
        fields: tie("fields"),
        length: fc.nat(3),
      }),
    ),
  }));
  return fields;
}

/** Where something lies, or would, by the rules of C and of lines. */
export interface Place {
  readonly size: number;
  readonly alignment: number;
}

/** A place with those of its fields in it. */
export interface Places extends Place {
  readonly offsets: readonly number[];
}

/** Places the fields as the documentation says, not as the library does it. */
export function placesOf(fields: readonly Choice[]): Places {
  const offsets: number[] = [];
  let end = 0;
  let alignment = 1;
  for (const choice of fields) {
    const place = placeOf(choice);
    while (end % place.alignment !== 0) end++;
    if (choice.kind === "scalar") end += choice.gap * place.alignment;
    offsets.push(end);
    end += place.size;
    alignment = Math.max(alignment, place.alignment);
  }
  while (end % alignment !== 0) end++;
  return { offsets, size: end, alignment };
}

function placeOf(choice: Choice): Place {
  switch (choice.kind) {
    case "bytes":
    case "text":
      return { size: choice.size, alignment: 1 };
    case "array": {
      const size = SCALAR_SIZES[choice.scalar];
      return { size: size * choice.length, alignment: size };
    }
    case "nested": {
      const { size, alignment } = placesOf(choice.fields);
      return { size: size * Math.max(1, choice.length), alignment };
    }
    case "scalar": {
      if (isLine(choice)) return { size: 64, alignment: 64 };
      const size = SCALAR_SIZES[choice.scalar];
      return { size, alignment: size };
    }
  }
}

function isLine({ line, scalar }: { line: boolean; scalar: Scalar }): boolean {
  return line && ["u32", "i32", "u64"].includes(scalar);
}

/** Declares the fields; nested layouts get names of their own. */
export function declare(name: string, fields: readonly Choice[]): AnyLayout {
  const { offsets } = placesOf(fields);
  const declarations: Record<string, Declarations[string]> = {};
  fields.forEach((choice, index) => {
    declarations[`f${index}`] = declaration(choice, `${name}_${index}`, offsets[index]!);
  });
  return layout(name, declarations);
}

function declaration(choice: Choice, name: string, offset: number): Declarations[string] {
  switch (choice.kind) {
    case "bytes":
      return layout.bytes(choice.size);
    case "text":
      return layout.text(choice.size);
    case "array":
      return layout.array(choice.scalar, choice.length);
    case "nested": {
      const inner = declare(name, choice.fields);
      return choice.length === 0 ? inner : layout.array(inner, choice.length);
    }
    case "scalar": {
      const { scalar: type, gap } = choice;
      const line = isLine(choice);
      return { type, line, ...(gap > 0 ? { at: offset } : {}) } as Declarations[string];
    }
  }
}

const NUMBERS = {
  u8: fc.integer({ min: 0, max: 0xff }),
  u16: fc.integer({ min: 0, max: 0xffff }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  u64: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  i8: fc.integer({ min: -0x80, max: 0x7f }),
  i16: fc.integer({ min: -0x8000, max: 0x7fff }),
  i64: fc.bigInt({ min: -0x8000_0000_0000_0000n, max: 0x7fff_ffff_ffff_ffffn }),
  bool: fc.boolean(),
  i32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  f32: fc.float(),
  f64: fc.double(),
};

const ARRAYS = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** Random values of a type, in the form in which they are read. */
export function values(type: FieldType): fc.Arbitrary<unknown> {
  if (typeof type === "string") return NUMBERS[type];
  switch (type.kind) {
    case "bytes":
      return fc.uint8Array({ minLength: type.size, maxLength: type.size })
        .map((bytes) => new Uint8Array(bytes));
    case "text":
      return fc.string({ unit: "binary", maxLength: type.size })
        .filter((text) => !text.includes("\0") && byteLength(text) <= type.size);
    case "array": {
      const { element, length } = type;
      const exactly = { minLength: length, maxLength: length };
      if (typeof element !== "string") return fc.array(values(element), exactly);
      return fc.array<unknown>(NUMBERS[element], exactly)
        .map((numbers) => new ARRAYS[element](numbers as never));
    }
    case "layout": {
      const fields = Object.values(type.fields);
      return fc.record(
        Object.fromEntries(fields.map(({ name, shape }) => [name, values(shape)])),
        { noNullPrototype: true },
      );
    }
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The offsets of all bytes that belong to a value. */
export function* usedBytes(type: FieldType, at = 0): Generator<number> {
  const each = function* (size: number) {
    for (let index = 0; index < size; index++) yield at + index;
  };
  if (typeof type === "string") yield* each(SCALAR_SIZES[type]);
  else if (type.kind === "bytes" || type.kind === "text") yield* each(type.size);
  else if (type.kind === "layout") {
    for (const { shape, offset } of Object.values(type.fields)) {
      yield* usedBytes(shape, at + offset);
    }
  } else {
    const { element, length } = type;
    const size = typeof element === "string" ? SCALAR_SIZES[element] : element.size;
    for (let index = 0; index < length; index++) yield* usedBytes(element, at + index * size);
  }
}
