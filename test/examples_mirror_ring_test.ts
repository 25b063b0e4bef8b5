/**
 * Runs the example of the mirror ring as a user would: a real process with no permission but
 * `--allow-ffi`.
 */

import { assertMatch } from "@std/assert";
import { Program } from "./program.ts";

Deno.test("mirror ring: shows messages across the seam, and measures", async () => {
  await using program = new Program("examples/mirror_ring.ts");
  await program.well();
  assertMatch(program.out, /^One memory of 4096 bytes, at two addresses\n/);
  assertMatch(program.out, /\n {2}read at +0x[\da-f]+ {2}hello {3}\(nothing was copied\)\n/);
  assertMatch(program.out, /^ {2}[a-z]: \d+ bytes in one piece, across the seam: \.\..+\|.+\.\.$/m);
  assertMatch(program.out, /\n {2}through the mirror +[\d.]+ GB\/s\n/);
});
