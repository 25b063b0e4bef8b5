/**
 * A layout of shared memory, declared once. Offsets, size checks, accessors, a fingerprint, a table
 * for the documentation, a C header and an inspector all come from one declaration.
 *
 * ```
 *   layout("imu", { .. })
 *     place     place.ts      every field gets its offset, or the declaration is refused
 *     hash      hash.ts       64 bits that differ when two parties mean different memory
 *     use       view.ts       accessors in place        values.ts    copies in and out
 *     show      table.ts      for documentation         inspect.ts   what is in memory now
 *               c_header.ts   for C, with every offset asserted
 *               definition.ts for TypeScript
 *     store     describe.ts   as a plain value          rebuild.ts   and back
 * ```
 *
 * Memory is little-endian, like both supported processors.
 *
 * @module
 */

import { checkedOptions, inWords } from "../arguments.ts";
import { byteLengthOf, dataOf } from "../arrays.ts";
import {
  type AnyLayout,
  array,
  type ArrayType,
  bytes,
  type BytesType,
  type Declarations,
  type Field,
  type Placement,
  text,
  type TextType,
} from "./fields.ts";
import { hashOf } from "./hash.ts";
import type { InputOf, ValueOf, ViewOf } from "./inference.ts";
import { place } from "./place.ts";
import type { Scalar } from "./scalars.ts";
import { roundUp } from "./sizes.ts";
import { toC, toCHeader } from "./tools/c_header.ts";
import { toDefinition } from "./tools/definition.ts";
import { inspect } from "./tools/inspect.ts";
import { toMarkdown } from "./tools/table.ts";
import { checkValue, loadValue, misfit, storeValue } from "./values.ts";
import { type ViewClass, viewClass } from "./view.ts";

export type { AnyLayout, ArrayType, BytesType, Declarations, Field, TextType };
export type { InputOf, ValueOf, ViewOf };
export type { FieldOptions, FieldType, WordOptions } from "./fields.ts";
export type { Copied, Flat, Input, Seen, Stored, TypeOf, Value, View } from "./inference.ts";
export type { Scalar, ScalarArrays, ScalarValues, Word } from "./scalars.ts";

/** A layout of memory: the fields with their offsets, and accessors, copies and dumps of them. */
export interface Layout<F extends Declarations> extends AnyLayout {
  /** The fields by name, in the order declared. */
  readonly fields: { readonly [K in keyof F]: Field };
  /**
   * Returns accessors that read and write the fields in place, with plain accesses even for atomic
   * words. They copy nothing. Storing a number that does not fit throws a RangeError, and assigning
   * to a name that is no field a TypeError. Once the memory is closed, the accessors throw a
   * TypeError or return empty arrays.
   *
   * @param bytes The memory.
   * @param offset The offset of the layout in it; aligned within the buffer.
   */
  view(bytes: Uint8Array, offset?: number): ViewOf<F>;
  /**
   * Returns a copy of all values, from any offset. No contents of the memory make it throw, but a
   * RangeError reports memory that is too short.
   *
   * @param bytes The memory.
   * @param offset The offset of the layout in it.
   */
  read(bytes: Uint8Array, offset?: number): ValueOf<F>;
  /**
   * Stores a value for every field, at any offset. If a value does not fit, throws and stores
   * nothing. The bytes between the fields do not change.
   *
   * @param bytes The memory.
   * @param value The values; a view works too.
   * @param offset The offset of the layout in the memory.
   */
  write(bytes: Uint8Array, value: InputOf<F>, offset?: number): void;
  /**
   * Returns a readable dump: offset, name and value of every field. It shows the beginning of long
   * values.
   *
   * @param bytes The memory.
   * @param offset The offset of the layout in it.
   */
  inspect(bytes: Uint8Array, offset?: number): string;
  /** Returns the fields as a table in Markdown. */
  toMarkdown(): string;
  /**
   * Returns the layout as a C11 struct, after those it contains; it needs stddef.h and stdint.h.
   */
  toC(): string;
  /**
   * Returns TypeScript that declares the same layout, after the layouts that it contains.
   */
  toDefinition(): string;
}

/** The options of a layout. */
export interface LayoutOptions {
  /** The version, for changes that old and new parties would read differently; 1 by default. */
  readonly version?: number | undefined;
}

/** Declares layouts, and the types of fields that are not scalars. */
export interface LayoutFunction {
  /**
   * Declares a layout.
   *
   * @param name The name, an identifier.
   * @param fields The fields by name: a type, or options with a `type` in them.
   * @param options The version.
   * @returns The layout, which never changes.
   */
  <const F extends Declarations>(name: string, fields: F, options?: LayoutOptions): Layout<F>;
  /**
   * Makes a type of a number of bytes.
   *
   * @param size The number of bytes.
   */
  bytes(size: number): BytesType;
  /**
   * Makes a type of text, as UTF-8, padded with NUL.
   *
   * @param size The size in bytes.
   */
  text(size: number): TextType;
  /**
   * Makes a type of several elements.
   *
   * @param element The type of the elements; put other types into a layout.
   * @param length The number of elements.
   */
  array<E extends Scalar | AnyLayout>(element: E, length: number): ArrayType<E>;
  /**
   * Writes one complete C11 header of several layouts, each struct once.
   *
   * @param layouts The layouts; nested ones are included.
   * @param guardName The macro that guards the file against being included twice.
   */
  toCHeader(layouts: readonly AnyLayout[], guardName: string): string;
}

/**
 * Declares the fields of shared memory and their offsets. Fields have the offsets that C gives the
 * members of a struct, unless `at` states another one. `line: true` gives an atomic word a cache
 * line for itself. A layout has at most 2^30 bytes. Throws a TypeError or a RangeError that says
 * why a declaration is invalid.
 */
export const layout: LayoutFunction = Object.assign(declare, { bytes, text, array, toCHeader });

function declare<const F extends Declarations>(
  name: string,
  fields: F,
  options?: LayoutOptions,
): Layout<F> {
  const { version = 1 } = checkedOptions(options, `lay out ${inWords(name)}`);
  return Object.freeze(new DeclaredLayout<F>(place(name, fields, version)));
}

/** A layout as declared; its maker freezes it. */
export class DeclaredLayout<F extends Declarations> implements Layout<F> {
  readonly kind = "layout";
  readonly name: string;
  readonly version: number;
  readonly size: number;
  readonly alignment: number;
  readonly fields: Layout<F>["fields"];
  #hash: bigint | undefined; // made at first use, as a program uses few of all layouts
  #View: ViewClass | undefined;

  constructor(placement: Placement) {
    this.name = placement.name;
    this.version = placement.version;
    this.size = placement.size;
    this.alignment = placement.alignment;
    this.fields = placement.fields as Layout<F>["fields"];
  }

  get hash(): bigint {
    return this.#hash ??= hashOf(this);
  }

  view(bytes: Uint8Array, offset = 0): ViewOf<F> {
    const data = this.#memory("view", bytes, offset);
    const start = data.byteOffset;
    this.#View ??= viewClass(this);
    if (start % this.alignment === 0) return new this.#View(data) as ViewOf<F>;
    throw new RangeError(
      `Cannot view "${this.name}": it would begin at byte ${start} of the buffer; ` +
        `move it to ${roundUp(start, this.alignment)}, or use read() and write()`,
    );
  }

  read(bytes: Uint8Array, offset = 0): ValueOf<F> {
    return loadValue(this, this.#memory("read", bytes, offset), 0) as ValueOf<F>;
  }

  write(bytes: Uint8Array, value: InputOf<F>, offset = 0): void {
    const data = this.#memory("write", bytes, offset);
    checkValue(this, value, this.name);
    if (!storeValue(this, data, 0, value)) throw misfit(this, value);
  }

  inspect(bytes: Uint8Array, offset = 0): string {
    return inspect(this, this.#memory("inspect", bytes, offset));
  }

  toMarkdown(): string {
    return toMarkdown(this);
  }

  toC(): string {
    return toC(this);
  }

  toDefinition(): string {
    return toDefinition(this);
  }

  /** Returns the bytes of the layout, or throws unless they are all within the memory. */
  #memory(action: string, bytes: Uint8Array, offset: number): DataView {
    const length = byteLengthOf(bytes, action, this.name);
    if (Number.isInteger(offset) && offset >= 0 && offset + this.size <= length) {
      return dataOf(bytes, offset, this.size);
    }
    throw new RangeError(
      `Cannot ${action} "${this.name}": its ${this.size} bytes at offset ${inWords(offset)} are ` +
        `not within the ${length} bytes of memory; pass more, or another offset`,
    );
  }
}
