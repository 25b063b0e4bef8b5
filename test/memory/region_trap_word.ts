/** Stands in for src/memory/word.ts: the same, with a trap before what regions do to memory. @module */

import * as real from "../../src/memory/word.ts?real";
import { spring, trapped } from "./region_trap.ts";

export type * from "../../src/memory/word.ts?real";
export { Word64 } from "../../src/memory/word.ts?real";

export const copyIn: typeof real.copyIn = trapped("copyIn", real.copyIn);
export const copyOut: typeof real.copyOut = trapped("copyOut", real.copyOut);

export class Word32 extends real.Word32 {
  override load(): number {
    spring("load");
    return super.load();
  }

  override or(bits: number): number {
    spring("or");
    return super.or(bits);
  }
}
