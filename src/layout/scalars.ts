/**
 * The scalars: how each is stored, which values fit, and its name in C. They are
 * little-endian, like both supported processors. So a view needs no swapping and typed arrays need
 * no copy.
 *
 * @module
 */

/** The type of one number (its kind and its size in bits), or of a boolean in one byte. */
export type Scalar =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "f32"
  | "f64"
  | "bool";

/** The scalars that may be atomic. */
export type Word = "u32" | "i32" | "u64";

/** The JavaScript type of each scalar. */
export interface ScalarValues {
  /** An integer from 0 to 255. */
  u8: number;
  /** An integer from 0 to 65535. */
  u16: number;
  /** An integer from 0 to 2^32 - 1. */
  u32: number;
  /** An integer from 0 to 2^64 - 1. */
  u64: bigint;
  /** An integer from -128 to 127. */
  i8: number;
  /** An integer from -32768 to 32767. */
  i16: number;
  /** An integer from -2^31 to 2^31 - 1. */
  i32: number;
  /** An integer from -2^63 to 2^63 - 1. */
  i64: bigint;
  /** A number, rounded to 24 significant bits when stored. */
  f32: number;
  /** Any number. */
  f64: number;
  /** True or false; in memory, every byte but 0 is true. */
  bool: boolean;
}

/** The JavaScript type of an array of each scalar. */
export interface ScalarArrays<B extends ArrayBufferLike = ArrayBufferLike> {
  /** Bytes. */
  u8: Uint8Array<B>;
  /** 16-bit unsigned integers. */
  u16: Uint16Array<B>;
  /** 32-bit unsigned integers. */
  u32: Uint32Array<B>;
  /** 64-bit unsigned integers. */
  u64: BigUint64Array<B>;
  /** 8-bit signed integers. */
  i8: Int8Array<B>;
  /** 16-bit signed integers. */
  i16: Int16Array<B>;
  /** 32-bit signed integers. */
  i32: Int32Array<B>;
  /** 64-bit signed integers. */
  i64: BigInt64Array<B>;
  /** Single precision. */
  f32: Float32Array<B>;
  /** Double precision. */
  f64: Float64Array<B>;
  /** Booleans as bytes: 0 is false. */
  bool: Uint8Array<B>;
}

/** The constructor of a typed array, in its two forms in use here. */
interface ArrayClass {
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
  new (values: ArrayLike<never>): { readonly buffer: ArrayBuffer };
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayLike<unknown>;
}

type Load = (data: DataView, at: number) => number | bigint | boolean;
type Store = (data: DataView, at: number, value: unknown) => boolean;

const loadF64: Load = (data, at) => data.getFloat64(at, true);
const storeF64: Store = (data, at, value) => {
  if (typeof value !== "number") return false;
  data.setFloat64(at, value, true);
  return true;
};

const loadF32: Load = (data, at) => data.getFloat32(at, true);
const storeF32: Store = (data, at, value) => {
  if (typeof value !== "number") return false;
  data.setFloat32(at, value, true);
  return true;
};

const loadU32: Load = (data, at) => data.getUint32(at, true);
const storeU32: Store = (data, at, value) => {
  if (typeof value !== "number" || value >>> 0 !== value) return false;
  data.setUint32(at, value, true);
  return true;
};

const loadI32: Load = (data, at) => data.getInt32(at, true);
const storeI32: Store = (data, at, value) => {
  if (typeof value !== "number" || (value | 0) !== value) return false;
  data.setInt32(at, value, true);
  return true;
};

const loadU8: Load = (data, at) => data.getUint8(at);
const storeU8: Store = (data, at, value) => {
  if (typeof value !== "number" || (value & 0xff) !== value) return false;
  data.setUint8(at, value);
  return true;
};

const loadU16: Load = (data, at) => data.getUint16(at, true);
const storeU16: Store = (data, at, value) => {
  if (typeof value !== "number" || (value & 0xffff) !== value) return false;
  data.setUint16(at, value, true);
  return true;
};

const loadI8: Load = (data, at) => data.getInt8(at);
const storeI8: Store = (data, at, value) => {
  if (typeof value !== "number" || value << 24 >> 24 !== value) return false;
  data.setInt8(at, value);
  return true;
};

const loadI16: Load = (data, at) => data.getInt16(at, true);
const storeI16: Store = (data, at, value) => {
  if (typeof value !== "number" || value << 16 >> 16 !== value) return false;
  data.setInt16(at, value, true);
  return true;
};

const loadI64: Load = (data, at) => data.getBigInt64(at, true);
const storeI64: Store = (data, at, value) => {
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) return false;
  data.setBigInt64(at, value, true);
  return true;
};

const loadBool: Load = (data, at) => data.getUint8(at) !== 0;
const storeBool: Store = (data, at, value) => {
  if (typeof value !== "boolean") return false;
  data.setUint8(at, value ? 1 : 0);
  return true;
};

const U64_MAX = 0xffff_ffff_ffff_ffffn;

const loadU64: Load = (data, at) => data.getBigUint64(at, true);
const storeU64: Store = (data, at, value) => {
  if (typeof value !== "bigint" || value < 0n || value > U64_MAX) return false;
  data.setBigUint64(at, value, true);
  return true;
};

/** The properties of one scalar. */
export interface ScalarRow {
  /** The type in C. */
  readonly c: string;
  /** The class of an array of it, whose elements have its size and its alignment. */
  readonly Array: ArrayClass;
  /** Reads it. */
  readonly load: Load;
  /** Writes a value; returns false, and writes nothing, if it does not fit. */
  readonly store: Store;
  /** The integers that fit, in words; undefined if every value of its type fits. */
  readonly range?: string;
}

/** Every scalar. */
export const SCALARS: Readonly<Record<Scalar, ScalarRow>> = {
  u8: { c: "uint8_t", Array: Uint8Array, load: loadU8, store: storeU8, range: "0 to 255" },
  u16: { c: "uint16_t", Array: Uint16Array, load: loadU16, store: storeU16, range: "0 to 65535" },
  u32: {
    c: "uint32_t",
    Array: Uint32Array,
    load: loadU32,
    store: storeU32,
    range: "0 to 4294967295",
  },
  u64: {
    c: "uint64_t",
    Array: BigUint64Array,
    load: loadU64,
    store: storeU64,
    range: "0n to 18446744073709551615n",
  },
  i8: { c: "int8_t", Array: Int8Array, load: loadI8, store: storeI8, range: "-128 to 127" },
  i16: {
    c: "int16_t",
    Array: Int16Array,
    load: loadI16,
    store: storeI16,
    range: "-32768 to 32767",
  },
  i32: {
    c: "int32_t",
    Array: Int32Array,
    load: loadI32,
    store: storeI32,
    range: "-2147483648 to 2147483647",
  },
  i64: {
    c: "int64_t",
    Array: BigInt64Array,
    load: loadI64,
    store: storeI64,
    range: "-9223372036854775808n to 9223372036854775807n",
  },
  f32: { c: "float", Array: Float32Array, load: loadF32, store: storeF32 },
  f64: { c: "double", Array: Float64Array, load: loadF64, store: storeF64 },
  // a byte that a peer stored may be neither 0 nor 1, which a C bool must be
  bool: { c: "uint8_t", Array: Uint8Array, load: loadBool, store: storeBool },
};

/** The bytes of a scalar; its alignment is the same. */
export function scalarSize(type: Scalar): number {
  return SCALARS[type].Array.BYTES_PER_ELEMENT;
}

/** Whether a name is a scalar. */
export function isScalar(name: unknown): name is Scalar {
  return typeof name === "string" && Object.hasOwn(SCALARS, name);
}

/** Whether a name is a scalar that may be atomic. */
export function isWord(name: unknown): name is Word {
  return name === "u32" || name === "i32" || name === "u64";
}

// The switches below are the hot path of every struct: the engine inlines what they call, and cannot
// inline a call through the table.

/** Reads a scalar. */
export function loadScalar(type: Scalar, data: DataView, at: number): number | bigint | boolean {
  switch (type) {
    case "f64":
      return loadF64(data, at);
    case "f32":
      return loadF32(data, at);
    case "u32":
      return loadU32(data, at);
    case "i32":
      return loadI32(data, at);
    case "u8":
      return loadU8(data, at);
    case "u16":
      return loadU16(data, at);
    case "u64":
      return loadU64(data, at);
    case "i8":
      return loadI8(data, at);
    case "i16":
      return loadI16(data, at);
    case "i64":
      return loadI64(data, at);
    case "bool":
      return loadBool(data, at);
  }
}

/** Writes a scalar; returns false, and writes nothing, if the value does not fit. */
export function storeScalar(type: Scalar, data: DataView, at: number, value: unknown): boolean {
  switch (type) {
    case "f64":
      return storeF64(data, at, value);
    case "f32":
      return storeF32(data, at, value);
    case "u32":
      return storeU32(data, at, value);
    case "i32":
      return storeI32(data, at, value);
    case "u8":
      return storeU8(data, at, value);
    case "u16":
      return storeU16(data, at, value);
    case "u64":
      return storeU64(data, at, value);
    case "i8":
      return storeI8(data, at, value);
    case "i16":
      return storeI16(data, at, value);
    case "i64":
      return storeI64(data, at, value);
    case "bool":
      return storeBool(data, at, value);
  }
}

const trial = new DataView(new ArrayBuffer(8));

/** Throws if the value does not fit this scalar; `path` names the field. */
export function checkScalar(type: Scalar, value: unknown, path: string): void {
  if (storeScalar(type, trial, 0, value)) return;
  const found = typeof value;
  const wanted = typeof loadScalar(type, trial, 0);
  if (found !== wanted) throw wrongType(value, path, `a ${wanted}`);
  const { range } = SCALARS[type];
  throw new RangeError(
    `Cannot write ${path}: ${value} does not fit in ${type}; pass an integer from ${range}`,
  );
}

/** Makes the error for a value of a wrong type for the field at `path`. */
export function wrongType(value: unknown, path: string, wanted: string): TypeError {
  const found = value === null ? "null" : typeof value;
  return new TypeError(`Cannot write ${path}: the value is of type ${found}; pass ${wanted}`);
}
