/** Runs the example of the leapfrog ring as a user would, with `--allow-ffi` and nothing else. */

import { assertEquals, assertMatch } from "@std/assert";
import { assertFits, Program } from "./program.ts";

Deno.test("leapfrog ring: the windows move forward, and start over at the end of the range", async () => {
  await using program = new Program("examples/leapfrog_ring.ts");
  await program.well();
  assertFits(program.out);
  const strips = [...program.out.matchAll(/^ {2}\|([AB#.]{48})\| /gm)].map(([, strip]) => strip!);
  assertEquals(strips.length, 34);
  const begins = strips.map((strip) => strip.search(/[AB#]/));
  const back = begins.findIndex((begin, i) => i > 0 && begin < begins[i - 1]!);
  assertEquals([begins[0], begins[back]], [0, 0]); // grows until it goes back to the start
  for (let i = 1; i < back; i++) assertEquals(begins[i]! >= begins[i - 1]!, true, strips[i]!);
  assertMatch(program.out, /\n1\d leaps, and 1 time back to the start of the range\n/);
  assertMatch(program.out, /reads 0 0 0 0\n$/);
});
