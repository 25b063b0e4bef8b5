/**
 * The types that TypeScript infers from the declaration of a layout.
 *
 * @module
 */

import type { AnyLayout, ArrayType, BytesType, Declarations, TextType } from "./fields.ts";
import type { Scalar, ScalarArrays, ScalarValues } from "./scalars.ts";

/** The accessors of a layout: `type ImuView = View<typeof Imu>`. */
export type View<L extends AnyLayout> = ReturnType<L["view"]>;

/** A copy of the values of a layout: `type ImuValue = Value<typeof Imu>`. */
export type Value<L extends AnyLayout> = ReturnType<L["read"]>;

/**
 * The values that can be stored; arrays may be of any kind: `type ImuInput = Input<typeof Imu>`.
 */
export type Input<L extends AnyLayout> = Parameters<L["write"]>[1];

/** The properties of a type as hovers and errors show them: by themselves, not by its name. */
export type Flat<T> = T extends infer P ? { [K in keyof P]: P[K] } : never;

/** The type of a field, in either form of declaration. */
export type TypeOf<D> = D extends Scalar | { readonly kind: string } ? D
  : D extends { readonly type: infer T } ? T
  : D;

/**
 * The accessors of the fields: a single value can be assigned, a compound one is changed in place.
 */
export type ViewOf<F extends Declarations> = Flat<
  & { -readonly [K in keyof F as TypeOf<F[K]> extends Scalar | TextType ? K : never]: Seen<F[K]> }
  & { readonly [K in keyof F as TypeOf<F[K]> extends Scalar | TextType ? never : K]: Seen<F[K]> }
>;

/** The type of a field's accessor. */
export type Seen<D, T = TypeOf<D>> = T extends Scalar ? ScalarValues[T]
  : T extends TextType ? string
  : T extends BytesType ? Uint8Array
  : T extends ArrayType<infer E> ? E extends Scalar ? ScalarArrays[E]
    : E extends AnyLayout ? readonly ReturnType<E["view"]>[]
    : never
  : T extends AnyLayout ? ReturnType<T["view"]>
  : never;

/** The fields as plain values. */
export type ValueOf<F extends Declarations> = Flat<{ -readonly [K in keyof F]: Copied<F[K]> }>;

/** The copy of a field. */
export type Copied<D, T = TypeOf<D>> = T extends Scalar ? ScalarValues[T]
  : T extends TextType ? string
  : T extends BytesType ? Uint8Array<ArrayBuffer>
  : T extends ArrayType<infer E> ? E extends Scalar ? ScalarArrays<ArrayBuffer>[E]
    : E extends AnyLayout ? ReturnType<E["read"]>[]
    : never
  : T extends AnyLayout ? ReturnType<T["read"]>
  : never;

/** Values for all fields. */
export type InputOf<F extends Declarations> = Flat<{ readonly [K in keyof F]: Stored<F[K]> }>;

/** The values that can be stored in a field. */
export type Stored<D, T = TypeOf<D>> = T extends Scalar ? ScalarValues[T]
  : T extends TextType ? string
  : T extends BytesType ? Uint8Array
  : T extends ArrayType<infer E>
    ? E extends Scalar ? ArrayLike<ScalarValues[E]> | (E extends "bool" ? Uint8Array : never)
    : E extends AnyLayout ? ArrayLike<Parameters<E["write"]>[1]>
    : never
  : T extends AnyLayout ? Parameters<T["write"]>[1]
  : never;
