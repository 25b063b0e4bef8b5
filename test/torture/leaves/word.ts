/**
 * Stands in for src/memory/word.ts: the same, with a step before every access. A copy has one more
 * in its middle, so that a process can die with half a message written.
 *
 * @module
 */

import * as real from "../../../src/memory/word.ts?real";
import { step, stepped } from "../steps.ts";

export * from "../../../src/memory/word.ts?real";

export class Word32 extends real.Word32 {}
export class Word64 extends real.Word64 {
  /** In two parts. */
  override storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }
}

/** Puts a step before every method of a class of words. */
function announce(stepping: object, shipped: object): void {
  for (
    const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(shipped))
  ) {
    if (name === "constructor" || Object.hasOwn(stepping, name) || typeof method !== "function") {
      continue;
    }
    const value = function (this: { path: string }, ...given: unknown[]): unknown {
      step(`${this.path} ${name}`);
      return method.apply(this, given);
    };
    Object.defineProperty(stepping, name, { value });
  }
}

announce(Word32.prototype, real.Word32.prototype);
announce(Word64.prototype, real.Word64.prototype);

export function copyIn(memory: real.Memory, offset: number, source: Uint8Array): void {
  const middle = source.length >> 1;
  step("copy in");
  real.copyIn(memory, offset, source.subarray(0, middle));
  step("copy in, half done");
  real.copyIn(memory, offset + middle, source.subarray(middle));
}

export function copyOut(
  memory: real.Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): void {
  const middle = length >> 1;
  step("copy out");
  real.copyOut(memory, offset, target, middle);
  step("copy out, half done");
  real.copyOut(memory, offset + middle, target.subarray(middle), length - middle);
}

export function copyOutThenLoad(
  memory: real.Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number,
  word: Word64,
): number {
  copyOut(memory, offset, target, length);
  return word.loadLast();
}

export function copyDoublesIn(memory: real.Memory, offset: number, source: Float64Array): void {
  const middle = source.length >> 1;
  step("copy doubles in");
  real.copyDoublesIn(memory, offset, source.subarray(0, middle));
  step("copy doubles in, half done");
  real.copyDoublesIn(memory, offset + 8 * middle, source.subarray(middle));
}

export function copyDoublesOut(memory: real.Memory, offset: number, target: Float64Array): void {
  const middle = target.length >> 1;
  step("copy doubles out");
  real.copyDoublesOut(memory, offset, target.subarray(0, middle));
  step("copy doubles out, half done");
  real.copyDoublesOut(memory, offset + 8 * middle, target.subarray(middle));
}

export const storeDouble: typeof real.storeDouble = stepped("store double", real.storeDouble);
export const loadDouble: typeof real.loadDouble = stepped("load double", real.loadDouble);
export const claimView: typeof real.claimView = stepped("claim view", real.claimView);
export const commitView: typeof real.commitView = stepped("commit view", real.commitView);
export const peekView: typeof real.peekView = stepped("peek view", real.peekView);
