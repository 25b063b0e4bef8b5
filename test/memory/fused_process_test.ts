/** Fused calls store in the order of their steps: a process dies at each store. */

import { assertEquals } from "@std/assert";
import { Mapping } from "../../src/memory/mapping.ts";
import { copyIn, copyOut, storeDouble } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import { Child } from "../os/child.ts";
import { ScratchFile } from "../os/scratch.ts";
import { inSteps } from "./fused.ts";
import { type Calls, PAGES, perform, positionIn, STORES } from "./fused_pages.ts";

const CHILD = new URL("./child_fused.ts", import.meta.url);

/** Returns the memory after so many stores of the steps. */
function memoryAfter(call: keyof Calls, stores: number): Uint8Array {
  using mapping = Mapping.anonymous(PAGES * pageSize(), "a test");
  let left = stores;
  const limited = <A extends unknown[], R>(store: (...given: A) => R) => (...given: A): R | 0 =>
    left-- > 0 ? store(...given) : 0;
  const position = positionIn(mapping);
  const steps = inSteps<Mapping, Parameters<typeof position.storeThenGlance>[1]>({
    copyIn: limited(copyIn),
    copyOut,
    storeDouble: limited(storeDouble),
  });
  const storeThenGlance = limited(position.storeThenGlance.bind(position));
  perform(call, steps, mapping, { storeThenGlance });
  return mapping.bytes.slice();
}

for (const call of ["sendIn", "receiveOut"] as const) {
  Deno.test(`${call}() stores in the order of its steps`, async () => {
    for (const [stores, page] of STORES[call].entries()) {
      using file = new ScratchFile(PAGES * pageSize());
      await using child = new Child(CHILD, { args: [call, file.path, `${page}`] });
      const { success, lines } = await child.ending();
      assertEquals([success, lines], [false, []], `it died at store ${stores}`);
      assertEquals(Deno.readFileSync(file.path), memoryAfter(call, stores), `store ${stores}`);
    }
  });
}
