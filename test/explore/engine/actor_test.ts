/**
 * One actor: its code is stopped at an operation and brought back, whatever the code does.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { endings, findingOf, increment, raise, returned, waitForBoth, word } from "../fixture.ts";
import { sleep } from "../leaves/clock.ts";
import { wait } from "../leaves/futex.ts";
import { currentActor } from "./mod.ts";

Deno.test("asynchronous actors continue in any order", async () => {
  const actors = { waiter: waitForBoth, first: raise(0), second: raise(1) };
  const pruned = await endings(actors, { preemptions: 1 });
  assertEquals(returned(pruned.ends, "waiter"), ["0 then 1", "1 then 0"]);
  const whole = await endings(actors, { preemptions: 1 }, { again: true });
  assertEquals(pruned.ends, whole.ends);
});

Deno.test("an asynchronous actor dies in its sleep, and the run ends without its threads", async () => {
  const immortal = (i: number) => ({ body: raise(i), immortal: true });
  const actors = { waiter: waitForBoth, first: immortal(0), second: immortal(1) };
  const { ends } = await endings(actors, { preemptions: 1, deaths: 1 });
  assert(ends.some((end) => JSON.parse(end)[1].includes("waiter")));
});

Deno.test("everything that a promise leads to happens before the next operation", async () => {
  const actor = async () => {
    let turns = 0;
    for (; turns < 1000; turns++) await null;
    word(0).add(1);
    await sleep(1);
    return turns + word(0).load();
  };
  const { ends } = await endings({ actor, other: increment }, { preemptions: 2 });
  assertEquals(returned(ends, "actor"), [1001, 1002]);
});

Deno.test("code that differs between runs is reported", async (t) => {
  let runs = 0;
  const cases: Record<string, () => unknown> = {
    "another operation": () => [1, 2, 3].map(() => word(runs++ % 4).load()),
    "no operations": () => runs++ > 3 || [1, 2, 3].map(() => word(0).load()),
    "a promise or none": async () => {
      word(0).load();
      if (runs++ % 2 === 0) await sleep(1);
      word(0).load();
    },
  };
  for (const [name, actor] of Object.entries(cases)) {
    await t.step(name, async () => {
      runs = 0;
      const { kind, message } = await findingOf({ actor, other: increment }, { preemptions: 1 });
      assertEquals(kind, "error");
      assertStringIncludes(message, "is not deterministic");
    });
  }
});

Deno.test("code that catches everything is unwound all the same", async () => {
  const stubborn = () => {
    for (let tries = 0; tries < 3; tries++) {
      try {
        word(0).add(1);
      } catch {
        word(1).add(1);
      } finally {
        try {
          word(2).add(1);
        } catch {
          // on the way out
        }
      }
    }
    return "done";
  };
  const { ends } = await endings({ stubborn, other: increment }, { preemptions: 1 });
  assertEquals(returned(ends, "stubborn"), ["done"]);
  assertEquals(ends.map((end) => JSON.parse(end)[2]), [[1, 3], [4, 3]]);
});

Deno.test("memory that is not mapped is an error that no code can catch", async () => {
  const beyond = () => {
    try {
      return wait(word(0).address + 4096, 0, Infinity);
    } catch {
      return "caught";
    }
  };
  const { kind, message } = await findingOf({ beyond });
  assertEquals(kind, "error");
  assertStringIncludes(message, "SIGSEGV");
});

Deno.test("touching shared state outside of every actor throws", () => {
  let message = "";
  try {
    word(0);
  } catch (error) {
    message = `${error}`;
  }
  assertStringIncludes(message, "outside of every actor");
});

Deno.test("an actor performs an operation that its own code describes", async () => {
  const actor = () => {
    assertEquals(currentActor().name, "actor");
    return currentActor().operate({
      label: () => "sleep",
      perform: (world, thread) => world.fallAsleep(thread, [], 5),
      wakeResult: (why) => why,
    });
  };
  assertEquals(returned((await endings({ actor }, {})).ends, "actor"), ["timeout"]);
});
