/**
 * The set of states that a search has entered.
 */

import { assert, assertEquals } from "@std/assert";
import { SeenStates } from "./seen.ts";

Deno.test("a state is of use again only with more preemptions left", () => {
  const seen = new SeenStates();
  const key = (i: number) => [Math.imul(i, 0x9e3779b1), i] as const;
  for (let i = 0; i < 200_000; i++) assert(seen.enter(...key(i), 2));
  for (let i = 0; i < 200_000; i++) assert(!seen.enter(...key(i), i % 3));
  assert(seen.enter(...key(5), 3));
  assert(!seen.enter(...key(5), 3));
  assertEquals(seen.size, 200_000);
});
