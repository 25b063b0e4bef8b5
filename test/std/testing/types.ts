/**
 * The part of `@std/testing/types` this suite uses: facts about types, stated where the compiler
 * checks them. It replaces the real module where its registry is out of reach.
 *
 * @module
 */

/** Compiles only when the type argument and the value are the same boolean. */
export function assertType<T extends boolean>(_expectTrue: T): void {}

/** True when two types are the same: a function returning one can stand for the other. */
export type IsExact<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;
