/** Stands in for src/memory/word.ts: the same, with a count of every access. @module */

import * as real from "../../src/memory/word.ts?real";
import { count } from "./counter.ts";

export * from "../../src/memory/word.ts?real";

for (const { prototype } of [real.Word32, real.Word64]) {
  const methods = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  for (const [name, { value: method }] of methods) {
    if (name === "constructor" || typeof method !== "function") continue;
    const value = function (this: unknown, ...given: unknown[]): unknown {
      count("words", name);
      return method.apply(this, given);
    };
    Object.defineProperty(prototype, name, { value });
  }
}

/** The function with a count of its calls. */
function counted<A extends unknown[], R>(name: string, call: (...given: A) => R) {
  return (...given: A): R => {
    count("plain", name);
    return call(...given);
  };
}

export const copyIn: typeof real.copyIn = counted("copyIn", real.copyIn);
export const copyOut: typeof real.copyOut = counted("copyOut", real.copyOut);
export const copyOutThenLoad: typeof real.copyOutThenLoad = counted(
  "copyOutThenLoad",
  real.copyOutThenLoad,
);
export const sendIn: typeof real.sendIn = counted("sendIn", real.sendIn);
export const receiveOut: typeof real.receiveOut = counted("receiveOut", real.receiveOut);
export const storeDouble: typeof real.storeDouble = counted("storeDouble", real.storeDouble);
export const loadDouble: typeof real.loadDouble = counted("loadDouble", real.loadDouble);
export const prefetch: typeof real.prefetch = counted("prefetch", real.prefetch);
export const prefetchToWrite: typeof real.prefetchToWrite = counted(
  "prefetchToWrite",
  real.prefetchToWrite,
);
export const claimData: typeof real.claimData = counted("claimData", real.claimData);
export const peekData: typeof real.peekData = counted("peekData", real.peekData);

export const copyDoublesIn: typeof real.copyDoublesIn = (memory, offset, source) => {
  count("plain", "storeDouble", source.length);
  real.copyDoublesIn(memory, offset, source);
};

export const copyDoublesOut: typeof real.copyDoublesOut = (memory, offset, target) => {
  count("plain", "loadDouble", target.length);
  real.copyDoublesOut(memory, offset, target);
};

/** Counts the views that are made, not those that are used again. */
export const claimView: typeof real.claimView = (memory, offset, length, last) => {
  const view = real.claimView(memory, offset, length, last);
  if (view !== last) count("plain", "view");
  return view;
};

export const peekView: typeof real.peekView = (memory, offset, length, last) => {
  const view = real.peekView(memory, offset, length, last);
  if (view !== last) count("plain", "view");
  return view;
};
