/**
 * The seven scalars: how each is stored, which values fit, and its name in C. They are
 * little-endian, like both supported processors. So a view needs no swapping and typed arrays need
 * no copy.
 *
 * @module
 */

/** A number in memory: unsigned, signed or floating, with its size in bits. */
export type Scalar = "u8" | "u16" | "u32" | "u64" | "i32" | "f32" | "f64";

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
  /** An integer from -2^31 to 2^31 - 1. */
  i32: number;
  /** A number, rounded to 24 significant bits when stored. */
  f32: number;
  /** Any number. */
  f64: number;
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
  /** 32-bit signed integers. */
  i32: Int32Array<B>;
  /** Single precision. */
  f32: Float32Array<B>;
  /** Double precision. */
  f64: Float64Array<B>;
}

/** The constructor of a typed array, in its two forms in use here. */
interface ArrayClass {
  readonly name: string;
  new (values: ArrayLike<never>): { readonly buffer: ArrayBuffer };
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ArrayLike<unknown>;
}

/** The properties of one scalar. */
export interface ScalarRow {
  /** Bytes; the alignment is the same. */
  readonly size: number;
  /** The type in C. */
  readonly c: string;
  /** The class of an array of it. */
  readonly Array: ArrayClass;
  /** Reads it. */
  readonly load: (data: DataView, at: number) => unknown;
  /** Writes a checked value. */
  readonly store: (data: DataView, at: number, value: unknown) => void;
  /** Throws if the value does not fit this scalar; `path` names the field. */
  readonly check: (value: unknown, path: string) => void;
}

/** Every scalar. */
export const SCALARS: Readonly<Record<Scalar, ScalarRow>> = {
  u8: {
    size: 1,
    c: "uint8_t",
    Array: Uint8Array,
    load: (data, at) => data.getUint8(at),
    store: (data, at, value) => data.setUint8(at, value as number),
    check: integerCheck("u8", 0, 0xff),
  },
  u16: {
    size: 2,
    c: "uint16_t",
    Array: Uint16Array,
    load: (data, at) => data.getUint16(at, true),
    store: (data, at, value) => data.setUint16(at, value as number, true),
    check: integerCheck("u16", 0, 0xffff),
  },
  u32: {
    size: 4,
    c: "uint32_t",
    Array: Uint32Array,
    load: (data, at) => data.getUint32(at, true),
    store: (data, at, value) => data.setUint32(at, value as number, true),
    check: integerCheck("u32", 0, 0xffff_ffff),
  },
  u64: {
    size: 8,
    c: "uint64_t",
    Array: BigUint64Array,
    load: (data, at) => data.getBigUint64(at, true),
    store: (data, at, value) => data.setBigUint64(at, value as bigint, true),
    check: checkU64,
  },
  i32: {
    size: 4,
    c: "int32_t",
    Array: Int32Array,
    load: (data, at) => data.getInt32(at, true),
    store: (data, at, value) => data.setInt32(at, value as number, true),
    check: integerCheck("i32", -0x8000_0000, 0x7fff_ffff),
  },
  f32: {
    size: 4,
    c: "float",
    Array: Float32Array,
    load: (data, at) => data.getFloat32(at, true),
    store: (data, at, value) => data.setFloat32(at, value as number, true),
    check: checkNumber,
  },
  f64: {
    size: 8,
    c: "double",
    Array: Float64Array,
    load: (data, at) => data.getFloat64(at, true),
    store: (data, at, value) => data.setFloat64(at, value as number, true),
    check: checkNumber,
  },
};

const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Whether a name is a scalar. */
export function isScalar(name: unknown): name is Scalar {
  return typeof name === "string" && Object.hasOwn(SCALARS, name);
}

/** Whether a name is a scalar that may be atomic. */
export function isWord(name: unknown): name is Word {
  return name === "u32" || name === "i32" || name === "u64";
}

function integerCheck(scalar: Scalar, min: number, max: number): ScalarRow["check"] {
  return (value, path) => {
    if (Number.isInteger(value) && value as number >= min && value as number <= max) return;
    checkNumber(value, path);
    throw misfit(scalar, value, path, `${min} to ${max}`);
  };
}

function checkU64(value: unknown, path: string): void {
  if (typeof value !== "bigint") throw wrongType(value, path, "a bigint");
  if (value < 0n || value > U64_MAX) throw misfit("u64", value, path, `0n to ${U64_MAX}n`);
}

function checkNumber(value: unknown, path: string): void {
  if (typeof value !== "number") throw wrongType(value, path, "a number");
}

function misfit(scalar: Scalar, value: unknown, path: string, range: string): RangeError {
  return new RangeError(
    `Cannot write ${path}: ${value} does not fit in ${scalar}; pass an integer from ${range}`,
  );
}

/** Makes the error for a value of a wrong type for the field at `path`. */
export function wrongType(value: unknown, path: string, wanted: string): TypeError {
  const found = value === null ? "null" : typeof value;
  return new TypeError(`Cannot write ${path}: the value is of type ${found}; pass ${wanted}`);
}
