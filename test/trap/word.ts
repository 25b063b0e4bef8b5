/**
 * Stands in for src/memory/word.ts: the same, with a step before every access. Copies are made in
 * two halves, and numbers one by one, so that a process can die with half a message written.
 *
 * @module
 */

import * as real from "../../src/memory/word.ts?real";
import { inSteps } from "../memory/fused.ts";
import { spring, trapped } from "./trap.ts";

export * from "../../src/memory/word.ts?real";

export class Word32 extends real.Word32 {
  /** In two parts. */
  override storeThenLoad(value: number, other: Word32): number {
    this.store(value);
    return other.load();
  }
  /** In two parts. */
  override storeThenGlance(value: number, bell: Word32): number {
    return this.storeThenLoad(value, bell);
  }
}
export class Word64 extends real.Word64 {
  /** In two parts. */
  override storeThenGlance(value: number, bell: Word32): number {
    this.store(value);
    return bell.load();
  }
}

/** Operations that differ only in their memory order share a name. */
const NAMES: Record<string, string> = {
  storeFirst: "store",
  storeInOrder: "store",
  loadLast: "load",
};

/** Puts a step before every method of a class of words, such as `head store`. */
function announce(stepping: object, shipped: object): void {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(shipped));
  for (const [name, { value: method }] of methods) {
    if (Object.hasOwn(stepping, name) || typeof method !== "function") continue;
    const value = function (this: { path: string }, ...given: unknown[]): unknown {
      const own = this.path.slice(this.path.lastIndexOf(".") + 1); // the last part of the path
      spring(`${own} ${NAMES[name] ?? name}`);
      return method.apply(this, given);
    };
    Object.defineProperty(stepping, name, { value });
  }
}

announce(Word32.prototype, real.Word32.prototype);
announce(Word64.prototype, real.Word64.prototype);

export function copyIn(
  memory: real.Memory,
  offset: number,
  source: Uint8Array,
  length: number = source.length,
): void {
  const middle = length >> 1;
  spring("copy in");
  real.copyIn(memory, offset, source.subarray(0, middle));
  spring("copy in the second half");
  real.copyIn(memory, offset + middle, source.subarray(middle, length));
}

export function copyOut(
  memory: real.Memory,
  offset: number,
  target: Uint8Array<ArrayBuffer>,
  length: number = target.length,
): void {
  const middle = length >> 1;
  spring("copy out");
  real.copyOut(memory, offset, target, middle);
  spring("copy out the second half");
  real.copyOut(memory, offset + middle, target.subarray(middle), length - middle);
}

/** In two parts. */
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
  source.forEach((value, i) => {
    spring(`number ${i} in`);
    real.storeDouble(memory, offset + 8 * i, value);
  });
}

export function copyDoublesOut(memory: real.Memory, offset: number, target: Float64Array): void {
  for (let i = 0; i < target.length; i++) {
    spring(`number ${i} out`);
    target[i] = real.loadDouble(memory, offset + 8 * i);
  }
}

export const storeDouble: typeof real.storeDouble = trapped("length in", real.storeDouble);
export const loadDouble: typeof real.loadDouble = trapped("length out", real.loadDouble);
export const { sendIn, receiveOut } = inSteps<real.Memory, real.Word32>({
  copyIn,
  copyOut,
  storeDouble,
});
export const claimView: typeof real.claimView = trapped("claim view", real.claimView);
export const commitView: typeof real.commitView = trapped("commit view", real.commitView);
export const peekView: typeof real.peekView = trapped("peek view", real.peekView);
export const claimData: typeof real.claimData = trapped("claim data", real.claimData);
export const commitData: typeof real.commitData = trapped("commit data", real.commitData);
export const peekData: typeof real.peekData = trapped("peek data", real.peekData);
