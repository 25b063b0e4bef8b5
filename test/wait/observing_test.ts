/** The wait of an observer, which nobody wakes. */

import { assert, assertEquals } from "@std/assert";
import { now } from "../../src/os/clock.ts";
import { observing } from "../../src/wait/observing.ts";

const MS = 1e6;

Deno.test("an observer sleeps for at most a tenth of its wait, from 1 ms on, in powers of two", () => {
  const before = now();
  const condition = observing({ watch: undefined, ready: () => false, look: () => false });
  const seen = new Set<number>();
  while (!seen.has(4)) {
    const slice = condition.sliceNs! / MS;
    const waited = (now() - before) / MS;
    assert(slice === 1 || slice <= waited / 10, `${slice} ms after ${waited} ms`);
    seen.add(slice);
  }
  assert([...seen].every((slice) => Number.isInteger(Math.log2(slice))), `${[...seen]}`);
});

Deno.test("an observer ends its sleep when it has moved, and spins on a word only if it has one", () => {
  let moved = false;
  const condition = observing({ watch: undefined, ready: () => false, look: () => moved });
  assertEquals([condition.beforeSleep!(), condition.watch], [undefined, condition.bell.word]);
  moved = true;
  assertEquals(condition.beforeSleep!(), "ready");
});
