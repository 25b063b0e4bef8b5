import { assert, assertNotEquals } from "@std/assert";
import { matches } from "../../src/vdds/matches.ts";
import { createTopic } from "../../src/vdds/topic.ts";
import { Name } from "../shared/scene.ts";

Deno.test("matches() never yields the same number twice in a row, however fast peers come and go", async () => {
  using name = new Name();
  const ring = createTopic(name.name, {}, { name: "", hash: 0n });
  using _region = ring.region;
  let looks = 0;
  const count = () => looks++ % 2; // changes between any two looks
  let last = NaN;
  let words = 0;
  for await (const number of matches(ring, count, {})) {
    assertNotEquals(number, last);
    last = number;
    if (++words === 10) break;
  }
  assert(words === 10);
});
