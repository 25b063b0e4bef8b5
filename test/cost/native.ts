/** Stands in for src/native/load.ts: the same, with a count of every call. @module */

import * as real from "../../src/native/load.ts?real";
import { count } from "./counter.ts";

export * from "../../src/native/load.ts?real";

type Call = (...given: unknown[]) => unknown;

const counted: Record<string, Call> = {};

const proxy = new Proxy({} as real.Native, {
  get(_, name: keyof real.Native) {
    return counted[name] ??= (...given) => {
      count("native", name.replace("vring_", ""));
      return (real.native()[name] as Call)(...given);
    };
  },
});

export function native(): real.Native {
  return proxy;
}
