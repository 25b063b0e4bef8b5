/**
 * The arrays that a caller passes, without the methods and properties that a subclass or a proxy may
 * have. The native library would trust a wrong length or address.
 *
 * @module
 */

import { inWords } from "./arguments.ts";

type Getter = (this: unknown) => unknown;

const TypedArray = Object.getPrototypeOf(Uint8Array) as { readonly prototype: object };

/** Returns the engine's own getter, which no subclass, own property or proxy can replace. */
function intrinsic(name: PropertyKey): Getter {
  return Object.getOwnPropertyDescriptor(TypedArray.prototype, name)!.get!;
}

const tagOf = intrinsic(Symbol.toStringTag);
const lengthOf = intrinsic("byteLength");
const offsetOf = intrinsic("byteOffset");
const bufferOf = intrinsic("buffer");
const { keys: keysOf, set: setOf } = TypedArray.prototype as Uint8Array;

/**
 * Returns the true length of a Uint8Array; throws a TypeError for any other value. Call it after
 * all code of the caller has run, and use the result: the array's own `length` may differ.
 *
 * @param doing The verb of the attempt, such as `write to`.
 * @param what Its object, such as `ring "demo"`.
 */
export function byteLengthOf(value: unknown, doing: string, what: string): number {
  if (tagOf.call(value) !== "Uint8Array") throw notBytes(value, doing, what);
  const length = trueLengthOf(value as Uint8Array);
  if (length === 0) checkAttached(value as Uint8Array, doing, what);
  return length;
}

/** Returns the length of an array, without its own `length`, which may be code of the caller. */
export function trueLengthOf(array: Uint8Array): number {
  // Loading an element runs no code of the caller, and it tells the compiler the class of the
  // array. The compiler then inlines the getter.
  void array[0];
  return lengthOf.call(array) as number;
}

function notBytes(value: unknown, doing: string, what: string): TypeError {
  return new TypeError(`Cannot ${doing} ${what}: ${inWords(value)} is not a Uint8Array; pass one`);
}

/**
 * Returns the byte length of a typed array of a class, `Float32Array` say; undefined for others.
 */
export function byteLengthIn(value: unknown, className: string): number | undefined {
  return tagOf.call(value) === className ? lengthOf.call(value) as number : undefined;
}

/**
 * Throws if the array has lost its memory. Such an array has length 0, and no caller means to pass
 * it.
 */
function checkAttached(value: Uint8Array, doing: string, what: string): void {
  try {
    keysOf.call(value);
  } catch {
    throw new TypeError(
      `Cannot ${doing} ${what}: the memory of the array was transferred, closed or cut off; pass ` +
        "one that has its memory",
    );
  }
}

/** Returns `length` bytes of a Uint8Array from `start` on, without its own methods. */
export function partOf(array: Uint8Array, start: number, length: number): Uint8Array<ArrayBuffer> {
  const offset = offsetOf.call(array) as number + start;
  return new Uint8Array(bufferOf.call(array) as ArrayBuffer, offset, length);
}

/**
 * Returns a DataView of `length` bytes of an array from `start` on, without the array's own
 * methods.
 */
export function dataOf(array: Uint8Array, start: number, length: number): DataView {
  const offset = offsetOf.call(array) as number + start;
  return new DataView(bufferOf.call(array) as ArrayBuffer, offset, length);
}

/** Copies into an array, without its own methods. */
export function fill(target: Uint8Array, source: Uint8Array): void {
  setOf.call(target, source);
}

/**
 * Returns a Uint8Array whose `length` is true: the same array, unless the caller has subclassed it.
 */
export function plainBytes(value: Uint8Array, doing: string, what: string): Uint8Array {
  const length = byteLengthOf(value, doing, what);
  const isPlain = Object.getPrototypeOf(value) === Uint8Array.prototype &&
    !Object.hasOwn(value, "length");
  return isPlain ? value : partOf(value, 0, length);
}

/** Whether a value is the constructor of typed arrays of one kind. */
export function isArrayConstructor(value: unknown): boolean {
  return typeof value === "function" && Object.prototype.isPrototypeOf.call(TypedArray, value);
}
