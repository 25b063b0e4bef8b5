/**
 * Checks the small ring of chapter 18, and the programs of chapter 19.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type Operations,
  Reader,
  SmallRing,
  textOf,
  Writer,
} from "../tutorials/18_vring/small_ring.ts";
import { type Arrive, checksOf as checksOfBridge } from "../tutorials/23_bridge/check.ts";
import { failureIn } from "../tutorials/check.ts";
import { topic } from "../mod.ts";
import { Program, sharedFiles, uniqueName } from "./program.ts";
import { checkQuiz } from "./tutorial_run.ts";

/** Does so many operations, or all; returns whether more are left. */
function operate(does: Operations<unknown>, count = Infinity): boolean {
  for (let i = 0; i < count; i++) if (does.next().done) return false;
  return true;
}

Deno.test("SmallRing gives every sample once to all, wherever writers and their heirs are killed", () => {
  for (let first = 0, more = true; more; first++) {
    for (let second = 0, again = true; again; second++) {
      for (const [quick, taken] of [[0, 99], [1, 99], [0, 3], [1, 3]] as const) {
        const ring = new SmallRing();
        const readers = [new Reader(ring, 0), new Reader(ring, 1)];
        operate(new Writer(ring, 0).publish("one"));
        more = operate(new Writer(ring, 1).publish("two"), first);
        operate(readers[quick]!.receive());
        const receiving = readers[quick]!.receive();
        operate(receiving, taken); // and gives it back, or not yet
        again = operate(new Writer(ring).finish(), second);
        const holds = taken === 3 && readers[quick]!.seen.includes("two");
        if (holds) assertEquals(textOf(ring.rows[quick]![1]!.load()), "held 2");
        operate(receiving);
        const heir = new Writer(ring);
        operate(heir.finish());
        operate(heir.publish("three"));
        for (const reader of readers) for (let i = 0; i < 9; i++) operate(reader.receive());
        const at = `killed at ${first} and ${second}`;
        assertEquals(readers[0]!.seen, readers[1]!.seen, at);
        assertEquals(readers[0]!.seen.filter((text) => text !== "two"), ["one", "three"], at);
        assert(readers[0]!.seen.length <= 3, at);
      }
    }
  }
});

Deno.test("the display of tutorial 19 outlives the camera, and the next one continues its numbers", async () => {
  const name = uniqueName();
  await using display = new Program("tutorials/19_vdds/display.ts", name);
  await using camera = new Program("tutorials/19_vdds/camera.ts", name);
  await display.until(new RegExp(`frame \\d+ by process ${camera.pid}\\n`));
  await camera.killed();
  await using next = new Program("tutorials/19_vdds/camera.ts", name);
  const [, number] = await display.until(new RegExp(`frame (\\d+) by process ${next.pid}\\n`));
  assert(Number(number) > 1);
  await next.killed();
  await display.killed();
  assertEquals(sharedFiles(name).length, 1);
  topic(name).unlink();
});

Deno.test("the quiz on tutorials 18 and 19 answers right", async () => {
  const verdicts = new Set<string>();
  await checkQuiz(18, 12, (words) => {
    const rows = Array.from(words.matchAll(/place \d: (\w+), (\w+)/g), (row) => row.slice(1));
    const those = (has: (row: string[]) => boolean) =>
      rows.flatMap((row, d) => has(row) ? [d] : []).join(", ") || "none";
    const free = those((row) => row.every((word) => word === "none"));
    const dropped = those((row) => row.includes("ready") && !row.includes("held"));
    assertStringIncludes(words, `→ free: ${free}; by dropping: ${dropped} `);
    const [, last, journal, list, verdict] =
      /sequence` is (\d+), the journal says (\d+), .* readers are (.*?)\. To .*→ to ([\d, ]+|none)/
        .exec(words)!;
    const given = list!.split(", ").flatMap((word, k) => word.endsWith(` ${journal}`) ? [] : [k]);
    assertEquals(verdict, last === journal ? "none" : given.join(", ") || "none");
    const [, word, index, moment] =
      /3\. Reader 1 .*? is `(\w+) \d+`, .*? USED 1 (has|does) .*? → it (.*?);/.exec(words)!;
    assertEquals(moment!.startsWith("had not looked"), index === "has");
    assertEquals(moment === "held the sample", word === "held");
    assertEquals(/held|had/.test(moment!), word !== "none");
    verdicts.add(verdict!);
  });
  assert(verdicts.size > 1, "all questions have the same answer");
  await checkQuiz(19, 12, (topics) => {
    const [, samples, gaps] = /the samples ([\d, ]+)\. .*? → ([\d, ]+);/.exec(topics)!;
    const numbers = samples!.split(", ").map(Number);
    assertEquals(gaps, numbers.slice(1).map((n, i) => n - numbers[i]! - 1).join(", "));
    const [, sent, dropped, more, from] =
      /sends (\d+) samples, finds no room for (\d+) more .*one sends (\d+)\..*→ (\d+)/
        .exec(topics)!;
    assertEquals(Number(from), Number(sent) + Number(dropped) + 1);
    if (more !== "1") {
      assertMatch(topics, new RegExp(`→ ${from} to ${Number(from) + Number(more) - 1} `));
    }
  });
});

Deno.test("the judge of tutorial 23 accepts an account that looks at the totals only where a gap is", () => {
  const arrive: Arrive = (mind, { first, count, before, inside }, publish) => {
    const { account } = mind;
    const gap = first - mind.last - 1;
    if (gap > 0) {
      account.wire += gap - (before - account.before) - (inside - account.inside);
      account.before = before;
      account.inside = inside;
      mind.last = first - 1;
    }
    for (let number = mind.last + 1; number < first + count; number++) {
      mind.last = number;
      if (publish(number, number - mind.published - 1)) {
        mind.published = number;
        account.published++;
      } else account.here++;
    }
  };
  for (const check of checksOfBridge(arrive)) assertEquals(failureIn(check)?.message, undefined);
});
