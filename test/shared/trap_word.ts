/** Stands in for src/memory/word.ts: the same, with a step before each part of it. @module */

import * as real from "../../src/memory/word.ts?real";
import { spring, trapped } from "./trap.ts";

export type * from "../../src/memory/word.ts?real";
export {
  claimView,
  commitView,
  copyDoublesOut,
  copyOut,
  loadDouble,
  peekView,
  prefetch,
} from "../../src/memory/word.ts?real";

/** The last part of a path such as `circular_buffer_control.oldest`. */
function nameOf(word: { readonly path: string }): string {
  return word.path.slice(word.path.lastIndexOf(".") + 1);
}

export class Word32 extends real.Word32 {
  override load(): number {
    spring(`${nameOf(this)} load`);
    return super.load();
  }
  override store(value: number): void {
    spring(`${nameOf(this)} store`);
    super.store(value);
  }
  override or(bits: number): number {
    spring(`${nameOf(this)} or`);
    return super.or(bits);
  }
  override and(bits: number): number {
    spring(`${nameOf(this)} and`);
    return super.and(bits);
  }
}

export class Word64 extends real.Word64 {
  override load(): number {
    spring(`${nameOf(this)} load`);
    return super.load();
  }
  override store(value: number): void {
    spring(`${nameOf(this)} store`);
    super.store(value);
  }
  override storeFirst(value: number): void {
    spring(`${nameOf(this)} store`);
    super.storeFirst(value);
  }
  override storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }
  override loadLast(): number {
    spring(`${nameOf(this)} load`);
    return super.loadLast();
  }
}

/** In two parts. */
export function copyOutThenLoad(
  memory: real.Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  word: Word64,
): number {
  real.copyOut(memory, offset, target, length);
  return word.loadLast();
}

/** In two halves. */
export function copyIn(memory: real.Memory, offset: number, source: Uint8Array): void {
  const half = source.length >> 1;
  spring("copy in");
  real.copyIn(memory, offset, source.subarray(0, half));
  spring("copy in the second half");
  real.copyIn(memory, offset + half, source.subarray(half));
}

/** One number after another. */
export function copyDoublesIn(memory: real.Memory, offset: number, source: Float64Array): void {
  source.forEach((value, i) => {
    spring(`number ${i} in`);
    real.storeDouble(memory, offset + 8 * i, value);
  });
}

export const storeDouble: typeof real.storeDouble = trapped("length in", real.storeDouble);
