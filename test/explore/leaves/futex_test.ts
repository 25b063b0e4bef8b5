/**
 * Sleeping on a word of the simulated memory.
 */

import { assertEquals } from "@std/assert";
import { EAGAIN, endings, returned, word } from "../fixture.ts";
import { wait } from "./futex.ts";

Deno.test("a sleep is refused if the word differs", async () => {
  const sleeper = () => wait(word(0).address, 5, Infinity);
  const { ends } = await endings({ sleeper }, {});
  assertEquals(returned(ends, "sleeper"), [-EAGAIN]);
});
