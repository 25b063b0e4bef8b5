/**
 * Checks the parties of chapter 13, and the machine that runs them.
 */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Bell,
  BELLS,
  onPosition,
  sequence,
  sleeper,
  waker,
} from "../tutorials/13_doorbell/bells.ts";
import { explore, Machine } from "../tutorials/13_doorbell/machine.ts";
import { deathsIn } from "../tutorials/13_doorbell/tracks.ts";
import { checkQuiz } from "./tutorial_run.ts";

Deno.test("explore() finds each loss, and no others", () => {
  const scenes = (bell: Bell) => ({
    one: [sleeper("a", bell), waker("w", bell)],
    two: [sleeper("a", bell), sleeper("b", bell), waker("w", bell)],
    twoWakers: [sleeper("a", bell), sleeper("b", bell, 2), waker("w", bell), waker("v", bell)],
    killed: [
      sleeper("a", bell),
      waker("w", bell, { mayDie: true }),
      waker("v", bell, { after: "w" }),
    ],
  });
  const lossesOf = (bell: Bell) =>
    Object.entries(scenes(bell)).filter(([, parties]) => explore(parties).lost !== undefined)
      .map(([name]) => name);
  assertEquals(Object.fromEntries(Object.entries(BELLS).map(([n, bell]) => [n, lossesOf(bell)])), {
    onPosition: [],
    unlooked: ["one", "two", "twoWakers", "killed"],
    flag: ["two", "twoWakers", "killed"],
    sequence: [],
    inTwoSteps: ["killed"],
  });
});

Deno.test("a death between the bell and the wake-up is the only one that strands the reader", () => {
  const parties = [
    sleeper("reader", BELLS["inTwoSteps"]!),
    waker("writer", BELLS["inTwoSteps"]!),
    waker("heir", BELLS["inTwoSteps"]!, { after: "writer" }),
  ];
  const machine = new Machine(parties);
  const events = [0, 0, 0, 0, 1, 1, 1].map((index) => machine.step(index));
  const ends = deathsIn(events, parties).map((death) => death?.end);
  assertEquals(events.at(-1)!.text, "bell.add(1) → 1");
  assertEquals(ends.slice(4), [
    "The heir starts from `bell`, which is 1. Nobody sleeps.",
    "The heir starts from `bell`, which is 1. Nobody sleeps.",
    "The heir starts from `bell`, which is 2. There is a message, and nobody will wake reader.",
  ]);
});

Deno.test("a Machine passes sleepers over, wakes them, and ends code that does not end", () => {
  const machine = new Machine([sleeper("a", onPosition), waker("w", onPosition)]);
  for (let i = 0; i < 4; i++) machine.step(0);
  assertEquals([machine.isAsleep(0), machine.canRun(0), machine.canRun(1)], [true, false, true]);
  machine.step(1);
  assertEquals(machine.step(1).text, "count.wakeAll(): a");
  assertEquals([machine.isAsleep(0), machine.canRun(0), machine.canRun(1)], [false, true, false]);
  const endless: Bell = {
    ...sequence,
    sleep: (_, ready) => {
      while (!ready());
    },
  };
  assertThrows(() => explore([sleeper("a", endless)]), Error, "no end");
});

Deno.test("the quiz on tutorial 13 answers right", async () => {
  await checkQuiz(13, 6, (words) => {
    const after = (story: string, from: number) => {
      let [bell, calls] = [from, 0];
      for (const [, what] of story.matchAll(/(raises|rings)/g)) {
        if (what === "raises") bell |= 1;
        else if (bell % 2 === 1) [bell, calls] = [bell + 1, calls + 1];
      }
      return [bell, calls];
    };
    const [, from, story, to, calls] = /1\. A bell is (\d+)\. Then (.*?) → (\d+); (\d+) /.exec(
      words,
    )!;
    assertEquals([Number(to), Number(calls)], after(story!, Number(from)));
    const second = /2\. A bell is (\d+)\. .*?Then (.*?) → (\d+) with (\d+): it (sleeps|does not)/;
    const [, start, then, raised, bell, does] = second.exec(words)!;
    assertEquals(Number(raised), Number(start) + 1);
    assertEquals(Number(bell), after(then!, Number(raised))[0]);
    assertEquals(does === "sleeps", raised === bell);
  });
});
