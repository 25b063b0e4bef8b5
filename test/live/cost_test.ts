/** Watching costs the watched nothing; `deno task test:browsers` has the same with a hundred topics. */

import { compareCounts } from "./counting.ts";

Deno.test("three pages and a tool watch, and the publishers do what they do alone", async () => {
  await compareCounts(10);
});
