/**
 * The types of messages as options, and a message as every receiver delivers it.
 *
 * @module
 */

import { inWords, isCodec } from "./arguments.ts";
import { bytes, type Codec } from "./codec.ts";
import { scalarCodec } from "./struct.ts";
import type { AnyLayout } from "./layout/fields.ts";
import { isScalar, type Scalar, type ScalarValues } from "./layout/scalars.ts";

/**
 * The type of messages: a scalar, or a codec, such as `struct()`, `array()`, `text()` or `json()`
 * makes.
 */
// deno-lint-ignore no-explicit-any -- inference finds the parameters
export type Type = Scalar | Codec<any, any, any>;

/** The type of messages of plain bytes, the default. */
export type Bytes = Codec<Uint8Array<ArrayBuffer>, Uint8Array, undefined>;

/** The values that a type decodes: `type ScanValue = Value<typeof Scan>`. */
export type Value<K> = K extends Scalar ? ScalarValues[K]
  : K extends Codec<infer T, infer _I, infer _V> ? T
  : K extends AnyLayout ? ReturnType<K["read"]>
  : never;

/** The values that a type encodes: `type ScanInput = Input<typeof Scan>`. */
export type Input<K> = K extends Scalar ? ScalarValues[K]
  : K extends Codec<infer _T, infer I, infer _V> ? I
  : K extends AnyLayout ? Parameters<K["write"]>[1]
  : never;

/**
 * The view that a type has of a message in place: accessors for a struct, an array for an array.
 * Undefined for scalars, and for codecs without `view`.
 */
export type View<K> = K extends Scalar ? undefined
  : K extends Codec<infer _T, infer _I, infer V> ? V
  : K extends AnyLayout ? ReturnType<K["view"]>
  : never;

/**
 * The accessors of a type to a received message in place. They only read, because other receivers
 * can share the memory. The compiler cannot prevent writing into the elements of typed arrays.
 */
export type ReadonlyView<K> = K extends { readonly kind: "layout" | "array" } ? ReadOnly<View<K>>
  : View<K>;

/** A view whose fields, and those of the structs in it, cannot be assigned. */
export type ReadOnly<V> = V extends ArrayBufferView ? V
  : V extends object ? { readonly [P in keyof V]: ReadOnly<V[P]> }
  : V;

const NO_TYPE = bytes();

/**
 * Returns the codec of a type that a caller states, in the option of this name; that of bytes if it
 * states none.
 */
export function typeIn<K extends Type = Bytes>(
  type: K | undefined,
  action: string,
  option = "type",
): Codec<Value<K>, Input<K>, View<K>> {
  const find = (): unknown => {
    if (type === undefined) return NO_TYPE;
    if (isScalar(type)) return scalarCodec(type);
    if (isCodec(type)) return type;
    throw new TypeError(
      `Cannot ${action}: the option ${option} is ${
        inWords(type)
      }; pass a type such as "f64", struct(), ` +
        "array(), bytes(), text(), json(), or a codec",
    );
  };
  return find() as Codec<Value<K>, Input<K>, View<K>>;
}

/** The most bytes of a message of a type; undefined if the type does not limit them. */
export function sizeOfType({ sizeBytes }: Codec<unknown>): number | undefined {
  return typeof sizeBytes === "number" ? sizeBytes : undefined;
}

/** A message as every receiver delivers it. */
export interface Message<K extends Type = Bytes> {
  /** The value, yours to keep. */
  readonly value: Value<K>;
  /** The number of the message, from 1 on, as its sender counts. */
  readonly sequence: number;
  /** The number of messages that this receiver lost just before this one. */
  readonly lost: number;
}

/** A message in shared memory, as a receiver shows it in place. */
export interface MessageInPlace<K extends Type = Bytes> extends Message<K> {
  /** The bytes in shared memory, for reading only; empty once the message is released. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /**
   * The view in place, of a struct or an array, for reading only: all receivers share the memory.
   * Throws a VringError once the message is released. Do not keep a view: after the release it shows
   * whatever has that memory then, and its fields throw a TypeError once the handle is closed.
   */
  readonly view: ReadonlyView<K>;
}

/** A message in shared memory, read in place. Its bytes do not change until it is disposed. */
export interface TakenMessage<K extends Type = Bytes> extends MessageInPlace<K>, Disposable {}

/**
 * Returns a function that makes the accessors to bytes in place and caches them by array, because
 * making them costs more than a store through them.
 */
export function viewsOf<K extends Type>(
  codec: Codec<Value<K>, Input<K>, View<K>>,
): (bytes: Uint8Array<ArrayBuffer>) => View<K> {
  const views = new WeakMap<Uint8Array<ArrayBuffer>, View<K>>();
  return (bytes) => {
    let view = views.get(bytes);
    if (view === undefined && codec.view !== undefined) views.set(bytes, view = codec.view(bytes));
    return view as View<K>;
  };
}
