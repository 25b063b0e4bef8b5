/**
 * What an actor arranges: it is done alone, before anything else, and with no alternative.
 */

import { assertEquals } from "@std/assert";
import { endings, findingOf, increment, word } from "../fixture.ts";
import { wait, wake } from "../leaves/futex.ts";
import { arranged } from "./mod.ts";

Deno.test("an actor arranges before all else, without preemption or death", async () => {
  const both = () => {
    increment();
    return word(0).load();
  };
  const actors = { first: arranged(both, (seen) => seen), second: arranged(both, (seen) => seen) };
  const { ends, report } = await endings(actors, { preemptions: 3, deaths: 1 });
  const [all, ...others] = ends.map((end) => JSON.parse(end));
  assertEquals(all, [{ first: 1, second: 2 }, [], [2]]);
  assertEquals([others, report.deaths], [[], 0]);
});

Deno.test("the code after the arranged part is scheduled, also in an actor that begins later", async () => {
  const add = arranged(() => word(1).add(1), increment);
  const actors = { first: add, second: add, third: { ...add, after: "first" } };
  const few = await endings(actors, { preemptions: 1, deaths: 1 });
  const all = await endings(actors, { preemptions: 1, deaths: 1 }, { again: true });
  assertEquals(few.ends, all.ends);
  const complete = few.ends.map((end) => JSON.parse(end)).filter(([, dead]) => dead.length === 0)
    .map(([, , words]) => words);
  assertEquals(complete, [[1, 3], [2, 3], [3, 3]]);
});

Deno.test("an actor arranges nothing after its first sleep", async () => {
  const sleeper = arranged(() => {
    const how = wait(word(0).address, 0, Infinity);
    increment();
    return how;
  }, (how) => how);
  const waker = () => {
    word(0).store(1);
    wake(word(0).address, 1);
    increment();
  };
  const { ends } = await endings({ sleeper, waker }, { preemptions: 1 });
  assertEquals(ends.map((end) => JSON.parse(end)[2]), [[2], [3]]);
});

Deno.test("an actor that arranges for ever is a hang", async () => {
  const endless = arranged(() => {
    for (;;) word(0).load();
  }, () => {});
  const { kind } = await findingOf({ endless });
  assertEquals(kind, "hang");
});
