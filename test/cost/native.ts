/** Stands in for src/native/load.ts: the same, with a count of every call. @module */

import * as real from "../../src/native/load.ts?real";
import { count } from "./counter.ts";

export * from "../../src/native/load.ts?real";

type Call = (...given: unknown[]) => unknown;

/** Counts the calls of the functions that a function returns. */
function counting<T extends object>(functions: () => T): () => T {
  const counted: Record<string, Call> = {};
  const proxy = new Proxy({} as T, {
    get(_, name: string) {
      return counted[name] ??= (...given) => {
        count("native", name.replace("vring_", ""));
        return (functions() as Record<string, Call>)[name]!(...given);
      };
    },
  });
  return () => proxy;
}

export const native = counting(real.native);
export const directWords = counting(real.directWords);
export const directWide = counting(real.directWide);
export const directFutexes = counting(real.directFutexes);
