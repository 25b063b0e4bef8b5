/**
 * One run: how it ends, and that going back restores it.
 */

import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import {
  CONVENTIONS,
  EAGAIN,
  endings,
  ETIMEDOUT,
  findingOf,
  generator,
  MIXED,
  openLock,
  raise,
  returned,
  scenario,
  waitForBoth,
  word,
} from "../fixture.ts";
import { now, sleep } from "../leaves/clock.ts";
import { FutexVector, wait, wake } from "../leaves/futex.ts";
import { Lock, setLock } from "../leaves/locks.ts";
import { Run } from "./mod.ts";

Deno.test("a sleep that no actor ends is a lost wake-up", async () => {
  const { kind, trace } = await findingOf({ sleeper: () => wait(word(0).address, 0, Infinity) });
  assertEquals(kind, "lost wake-up");
  assertEquals(trace, ["sleeper  sleep while word[0] is 0 falls asleep"]);
});

Deno.test("a run can end where an actor could still die", async () => {
  const { kind } = await findingOf({ sleeper: () => wait(word(0).address, 0, Infinity) }, {
    deaths: 1,
  });
  assertEquals(kind, "lost wake-up");
  const holder = () => setLock(openLock(), Lock.write, 1);
  const { ends } = await endings({ holder }, { deaths: 1 });
  const finished = ends.map((end) => JSON.parse(end)).filter(([{ holder }]) => holder === 0);
  assertEquals(finished.map(([, dead]) => dead), [["holder"], []]);
});

Deno.test("a sleep without a deadline does not end because an actor died", async () => {
  const sleeper = { body: () => wait(word(0).address, 0, Infinity), immortal: true };
  const { kind } = await findingOf({
    sleeper,
    waker: () => {
      word(1).load();
      wake(word(0).address, 1);
    },
  }, { deaths: 1 });
  assertEquals(kind, "hang");
});

Deno.test("slices are for deaths: without one, a sleep that only a slice ends is lost", async () => {
  const sleeper = {
    body: () => wait(word(0).address, 0, now() + CONVENTIONS.sliceNs),
    immortal: true,
  };
  assertEquals((await findingOf({ sleeper })).kind, "lost wake-up");
  const { ends } = await endings({ sleeper, waker: raise(0) }, { deaths: 1 });
  assertEquals(returned(ends, "sleeper"), [-EAGAIN, -ETIMEDOUT, 0]);
});

Deno.test("an endless loop is a hang", async () => {
  const { kind } = await findingOf({
    spinner: () => {
      while (word(0).load() === 0);
    },
  });
  assertEquals(kind, "hang");
});

Deno.test("a thread that sleeps on after its actor has finished is a hang", async () => {
  const { kind, message } = await findingOf({
    actor: async () => {
      const vector = new FutexVector();
      vector.push(word(0).address, 0);
      vector.wait(Infinity).catch(() => {});
      await null;
    },
  });
  assertEquals(kind, "hang");
  assertStringIncludes(message, "a thread of actor");
});

Deno.test("an error that no code catches is a finding", async () => {
  const sync = await findingOf({
    actor: () => {
      throw new RangeError("too far");
    },
  });
  assertEquals(sync.kind, "error");
  assertStringIncludes(sync.message, "too far");
  const later = await findingOf({
    actor: async () => {
      await sleep(1);
      word(0).load();
      throw new RangeError("too far");
    },
  });
  assertEquals(later.kind, "error");
});

Deno.test("going back restores the machine and every actor exactly", async () => {
  const bounds = { preemptions: 50, deaths: 2, noise: 3 };
  for (const actors of [MIXED, { waiter: waitForBoth, first: raise(0), second: raise(1) }]) {
    const run = new Run(scenario(actors), bounds);
    await run.begin();
    const picture = () => {
      const transitions = run.choices();
      const bytes = run.world.inodes.map((inode) => [...inode.bytes].join());
      return JSON.stringify([
        run.key(),
        transitions.map(({ code }) => code),
        bytes,
        run.world.time,
      ]);
    };
    const way = [{ position: run.position(), picture: picture() }];
    const draw = generator(1);
    for (let step = 0; step < 3000; step++) {
      const transitions = run.choices();
      if (transitions.length === 0 || draw(12) === 0) {
        way.length = 1 + draw(way.length);
        run.goBack(way[way.length - 1]!.position);
        assertEquals(picture(), way[way.length - 1]!.picture);
        continue;
      }
      await run.follow(transitions[draw(transitions.length)]!, { next: () => undefined });
      way.push({ position: run.position(), picture: picture() });
    }
  }
});

Deno.test("two runs have a machine each, and do not disturb each other", async () => {
  const bounds = { preemptions: 9, deaths: 1, noise: 0 };
  const runs = [new Run(scenario(MIXED), bounds), new Run(scenario(MIXED), bounds)];
  for (const run of runs) await run.begin();
  const start = runs[0]!.key();
  const draw = generator(1);
  for (let choices = runs[0]!.choices(); choices.length > 0; choices = runs[0]!.choices()) {
    const choice = draw(choices.length);
    for (const run of runs) await run.follow(run.choices()[choice]!, { next: () => undefined });
    const [first, second] = runs.map((run) => run.choices().map(({ code }) => code));
    assertEquals(first, second);
    assertEquals(runs[0]!.key(), runs[1]!.key());
  }
  assertNotEquals(runs[0]!.key(), start);
});

Deno.test("atOperation() is called within the code that reaches an operation", async () => {
  const reached: string[] = [];
  const storeTwo = () => word(0).store(2);
  const run = new Run(
    scenario({
      storer: () => {
        word(0).store(1);
        storeTwo();
      },
    }),
    { preemptions: 0, deaths: 0, noise: 0 },
    {
      atOperation: ({ name, pending }) => {
        const isInside = new Error().stack!.includes("storeTwo");
        reached.push(`${name} ${pending!.label()} ${isInside}`);
      },
    },
  );
  await run.begin();
  const next = () => run.choices()[0];
  await run.follow(next(), { next });
  assertEquals(reached, ["storer word[0] store 1 false", "storer word[0] store 2 true"]);
});

Deno.test("endedWithinBounds() finds the end of a run that a wake-up for no reason could go on", async () => {
  const sleeper = () => wait(word(0).address, 0, 10e6);
  const waiting = scenario({ sleeper, other: { body: () => 0, after: "sleeper" } });
  const run = new Run(waiting, { preemptions: 9, deaths: 9, noise: 9 }, {
    conventions: CONVENTIONS,
  });
  await run.begin();
  const [first] = run.choices();
  await run.follow(first, { next: () => undefined });
  const choices = run.choices().map(({ code }) => code);
  assertEquals(choices, ["t", "z0", "y0", "kA"]);
  assertEquals(run.endedWithinBounds(1), undefined);
  assertEquals(run.choices().map(({ code }) => code), choices);
});
