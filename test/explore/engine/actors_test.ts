/**
 * The steps that actors take, and the kernel on their behalf: sleeping, dying, dropping locks.
 */

import { assert, assertEquals } from "@std/assert";
import { endings, ETIMEDOUT, openLock, returned, word } from "../fixture.ts";
import { sleepSync } from "../leaves/clock.ts";
import { wait, wake } from "../leaves/futex.ts";
import { Lock, setLock, testLock } from "../leaves/locks.ts";

Deno.test("an actor dies before each of its operations", async () => {
  const count = 7;
  const steps = () => {
    const target = word(0);
    for (let i = 1; i <= count; i++) target.store(i);
  };
  const { ends, report } = await endings({ steps }, { deaths: 1 });
  assertEquals(report.deaths, count);
  const reached = ends.map((end) => JSON.parse(end)).map(([, dead, [last = 0]]) => [dead, last]);
  const expected = Array.from({ length: count }, (_, i) => [["steps"], i]);
  assertEquals(reached.sort((a, b) => a[1] - b[1]), [...expected, [[], count]]);
});

Deno.test("a wake of one reaches any of the sleepers", async () => {
  const sleeper = () => wait(word(0).address, 0, 50e6);
  const waker = () => wake(word(0).address, 1);
  const { ends } = await endings({ first: sleeper, second: sleeper, waker }, { preemptions: 0 });
  const results = new Set(ends.map((end) => {
    const { first, second } = JSON.parse(end)[0];
    return `${first} ${second}`;
  }));
  assert(results.has(`0 -${ETIMEDOUT}`) && results.has(`-${ETIMEDOUT} 0`));
});

Deno.test("a sleep ends by a wake, for no reason, or when its time is up", async () => {
  const sleeper = () => wait(word(0).address, 0, 10e6);
  const waker = () => wake(word(0).address, 1);
  const quiet = await endings({ sleeper, waker: { body: waker, after: "sleeper" } }, {});
  assertEquals(returned(quiet.ends, "sleeper"), [-ETIMEDOUT]);
  const woken = await endings({ sleeper, waker: () => [waker(), waker()] }, { preemptions: 0 });
  assertEquals(returned(woken.ends, "sleeper"), [-ETIMEDOUT, 0]);
  const noisy = await endings({ sleeper }, { noise: 1 });
  assertEquals(returned(noisy.ends, "sleeper"), [-ETIMEDOUT, 0]);
});

Deno.test("a pause ends while others are in the middle of something, for a preemption", async () => {
  const pauser = () => {
    sleepSync(1);
    return word(0).load();
  };
  const worker = () => [1, 2, 3].forEach((value) => word(0).store(value));
  const without = await endings({ pauser, worker }, {});
  assertEquals(returned(without.ends, "pauser"), [3]);
  const within = await endings({ pauser, worker }, { preemptions: 1 });
  assertEquals(returned(within.ends, "pauser"), [0, 1, 2, 3]);
});

Deno.test("the locks of the dead vanish later, one file after another, in any order", async () => {
  const holder = () => {
    for (const byte of [1, 2]) setLock(openLock(), 1, byte);
    word(0).store(1);
  };
  const looker = () => {
    const fd = openLock();
    return [1, 2].map((byte) => testLock(fd, Lock.write, byte) === Lock.none ? "free" : "held");
  };
  const actors = { holder, looker: { body: looker, after: "holder", immortal: true } };
  const { ends } = await endings(actors, { preemptions: 2, deaths: 1 });
  const seen = ends.map((end) => JSON.parse(end)).filter(([, , words]) => words[0] === 1)
    .map(([{ looker }]) => looker.join(" "));
  assertEquals(new Set(seen).size, 4);
});

Deno.test("an actor that has finished and holds a lock can still die", async () => {
  const holder = () => setLock(openLock(), Lock.write, 1);
  const looker = () => {
    const fd = openLock();
    return testLock(fd, Lock.write, 1);
  };
  const actors = { holder, looker: { body: looker, after: "holder", immortal: true } };
  const { ends } = await endings(actors, { deaths: 1 });
  const finished = ends.map((end) => JSON.parse(end)).filter(([{ holder }]) => holder === 0)
    .map(([{ looker }, dead]) => [looker, dead]);
  assertEquals(finished, [[Lock.write, ["holder"]], [Lock.write, []], [Lock.none, ["holder"]]]);
  const gone = await endings({ holder, looker: { ...actors.looker, last: true } }, {});
  assertEquals(returned(gone.ends, "looker"), [Lock.none]); // the last actor is alone
});
