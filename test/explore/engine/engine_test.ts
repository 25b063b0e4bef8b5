/**
 * The explorer's engine: nothing reachable is missed, nothing is taken for what it is not, and every
 * run can be repeated. The actors here call the leaves themselves, so no import map is needed.
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { currentActor, process } from "./mod.ts";
import { now, sleep, sleepSync } from "../leaves/clock.ts";
import * as files from "../leaves/files.ts";
import { FutexVector, wait, wake } from "../leaves/futex.ts";
import { closeLockFile, Lock, openLockFile, setLock, testLock } from "../leaves/locks.ts";
import { copyIn, copyOut, type Memory, Word32 } from "../leaves/word.ts";
import { replay } from "./replay.ts";
import { Run } from "./run.ts";
import { type ActorSpec, arranged, type Bounds, type End, type Scenario } from "./scenario.ts";
import { makeMemory, messageOf, pattern } from "../scenario.ts";
import { explore, type Report, type SearchOptions } from "./search.ts";
import { SeenStates } from "./seen.ts";
import { decode, encode } from "./token.ts";

const EAGAIN = 11;
const ETIMEDOUT = 110;
const SLICE_NS = 250e6;
const NONE: Bounds = { preemptions: 0, deaths: 0, noise: 0 };

function openShared(): number {
  return process().openFile(currentActor().world.names.get("/dev/shm/shared")!);
}

/** The memory that every scenario here has, of 4 words 64 bytes apart. */
function memory(): Memory {
  const length = 256;
  const { read, write } = files.Protection;
  const request = { length, protection: read | write, flags: files.MapFlag.shared };
  const address = files.map({ ...request, fd: openShared() });
  const buffer = files.bufferAt(address, length);
  return { address, bytes: new Uint8Array(buffer), doubles: new Float64Array(buffer) };
}

function word(i: number): Word32 {
  return new Word32(memory(), { path: `word[${i}]`, offset: 64 * i });
}

function scenario(actors: Scenario["actors"], parts: Partial<Scenario> = {}): Scenario {
  return {
    name: "test",
    about: "",
    setup: () => makeMemory("shared", 256),
    actors,
    bounds: NONE,
    check: () => undefined,
    ...parts,
  };
}

/** Whole random numbers below a limit, the same for the same seed. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => (state = state * 48271 % 2147483647) % limit;
}

type Step = readonly [what: number, where: number, value: number];

/** Two or three actors that do a few things at random, the same each time they are run. */
function randomActors(random: (limit: number) => number): Scenario["actors"] {
  const actors: Record<string, ActorSpec> = {};
  for (let actor = 0; actor < 2 + random(2); actor++) {
    const plan = Array.from({ length: 2 + random(3) }, () => [random(8), random(2), random(3)]);
    const body = randomBody(plan as unknown as Step[], random(4));
    actors[`actor${actor}`] = actor > 0 && random(4) === 0
      ? { body, after: `actor${random(actor)}` }
      : { body };
  }
  return actors;
}

function randomBody(plan: readonly Step[], flavour: number): () => unknown {
  const open = () => openLockFile(files.pathOfFd(openShared()), true);
  if (flavour > 1) {
    return () => {
      const lock = open();
      return plan.map((step) => doSomething(lock, ...step));
    };
  }
  const inTurn = async (lock: number, steps: readonly Step[]) => {
    const results = [];
    for (const step of steps) results.push(await doSomethingLater(lock, ...step));
    return results;
  };
  if (flavour === 1) return () => inTurn(open(), plan);
  return () => { // two things at once
    const lock = open();
    return Promise.all([inTurn(lock, plan.slice(0, 2)), inTurn(lock, plan.slice(2))]);
  };
}

async function doSomethingLater(lock: number, ...[what, where, value]: Step): Promise<unknown> {
  if (what === 6) return await sleep(1 + value);
  if (what !== 3) return doSomething(lock, what, where, value);
  const vector = new FutexVector();
  vector.push(word(where).address, value);
  return await vector.wait(5e6 * (value + 1));
}

function doSomething(lock: number, ...[what, where, value]: Step): unknown {
  switch (what) {
    case 0:
      return word(where).load();
    case 1:
      return word(where).store(value);
    case 2:
      return word(where).compareExchange(0, value + 1);
    case 3:
      return wait(word(where).address, value, 5e6 * (value + 1));
    case 4:
      return wake(word(where).address, 1 + value);
    case 5:
      return setLock(lock, value, where);
    case 6:
      return sleepSync(1 + value);
    default:
      return copyIn(memory(), 128, pattern(4, 1 + value));
  }
}

/** Every way in which a scenario can end, as text, and what the search did. */
async function endings(
  actors: Scenario["actors"],
  bounds: Partial<Bounds>,
  options: SearchOptions = {},
): Promise<{ ends: string[]; report: Report }> {
  const ends = new Set<string>();
  const check = ({ results, dead, bytes }: End) => {
    const words = [...new Uint32Array(bytes("shared").buffer)].filter((value) => value !== 0);
    ends.add(JSON.stringify([results, [...dead], words]));
    return undefined;
  };
  const tested = scenario(actors, { bounds: { ...NONE, ...bounds }, check });
  const report = await explore(tested, { conventions: { sliceNs: SLICE_NS }, ...options });
  assertEquals(report.finding, undefined);
  return { ends: [...ends].sort(), report };
}

/** What one actor returned in all the ways to end. */
function returned(ends: readonly string[], name: string): unknown[] {
  const texts = ends.map((end) => JSON.stringify(JSON.parse(end)[0][name]));
  return [...new Set(texts)].sort().map((text) =>
    text === undefined ? undefined : JSON.parse(text)
  );
}

/** Adds 1 to a word, in two steps. */
const increment = () => {
  const count = word(0);
  count.store(count.load() + 1);
};

/** Actors that use everything that the machine has. */
const MIXED: Scenario["actors"] = {
  sleeper: () => {
    const bell = word(0);
    const result = bell.load() === 0 ? wait(bell.address, 0, 10e6) : 1;
    return [result, bell.add(1)];
  },
  locker: () => {
    const fd = openLockFile(files.pathOfFd(openShared()), true);
    const result = setLock(fd, Lock.write, 7);
    const bell = word(0);
    bell.add(2);
    wake(bell.address, 1);
    closeLockFile(fd);
    return result;
  },
  copier: () => {
    const fd = openLockFile(files.pathOfFd(openShared()), true);
    const held = testLock(fd, Lock.write, 7);
    copyIn(memory(), 128, pattern(8, 1));
    sleepSync(1);
    return held;
  },
};

// ---- nothing is missed ----

Deno.test("a lost update is found with one preemption, and not without", async () => {
  const actors = { first: increment, second: increment };
  const none = await endings(actors, {});
  assertEquals(none.ends.map((end) => JSON.parse(end)[2]), [[2]]);
  const one = await endings(actors, { preemptions: 1 });
  assertEquals(one.ends.map((end) => JSON.parse(end)[2]), [[1], [2]]);
});

Deno.test("remembering states changes no way to end", async (t) => {
  const cases: Record<string, [Scenario["actors"], Partial<Bounds>]> = {
    "three counters": [
      { first: increment, second: increment, third: increment },
      { preemptions: 3, deaths: 1 },
    ],
    "sleep, locks and copies": [MIXED, { preemptions: 2, deaths: 1, noise: 1 }],
    "a newcomer": [
      { first: increment, second: { body: increment, after: "first" }, third: increment },
      { preemptions: 2, deaths: 2 },
    ],
  };
  for (const [name, [actors, bounds]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const pruned = await endings(actors, bounds);
      const whole = await endings(actors, bounds, { again: true });
      assert(pruned.report.exhausted && whole.report.exhausted);
      assert(whole.report.schedules > pruned.report.schedules);
      assertEquals(pruned.ends, whole.ends);
    });
  }
});

Deno.test("remembering states changes no way to end of random actors", async () => {
  const random = generator(1);
  for (let i = 0; i < 25; i++) {
    const actors = randomActors(random);
    const bounds = { preemptions: random(4), deaths: random(3), noise: random(2) };
    const pruned = await endings(actors, bounds);
    const whole = await endings(actors, bounds, { again: true, schedules: 4000 });
    assertEquals(whole.ends.filter((end) => !pruned.ends.includes(end)), []);
    if (whole.report.exhausted) assertEquals(pruned.ends, whole.ends);
  }
});

Deno.test("a file that is made again after going back is the one that is remembered", async () => {
  const first = (fd: number) => {
    const { read, write } = files.Protection;
    const request = { length: 64, protection: read | write, flags: files.MapFlag.shared };
    const address = files.map({ ...request, fd });
    const buffer = files.bufferAt(address, 64);
    const memory = { address, bytes: new Uint8Array(buffer), doubles: new Float64Array(buffer) };
    return new Word32(memory, { path: "made", offset: 0 });
  };
  const maker = () => {
    word(0).load();
    const fd = files.open("", files.Open.unnamed);
    files.allocate(fd, 0, 64);
    const made = first(fd);
    made.store(7);
    word(1).add(1);
    files.link(fd, "/dev/shm/made");
    word(1).add(1);
    return [made.add(1), made.add(1)];
  };
  const looker = () => {
    for (let i = 0; i < 2; i++) word(2).add(1);
    const fd = files.open("/dev/shm/made", 0);
    return fd < 0 ? "absent" : first(fd).load();
  };
  const few = await endings({ maker, looker }, { preemptions: 3 });
  const all = await endings({ maker, looker }, { preemptions: 3 }, { again: true });
  assertEquals(returned(few.ends, "looker"), ["absent", 7, 8, 9]);
  assertEquals(few.ends, all.ends);
});

Deno.test("a higher bound sees everything that a lower one sees", async () => {
  for (const bound of ["preemptions", "deaths", "noise"] as const) {
    let before: readonly string[] = [];
    for (let value = 0; value <= 2; value++) {
      const { ends } = await endings(MIXED, { preemptions: 1, [bound]: value });
      assertEquals(before.filter((end) => !ends.includes(end)), []);
      before = ends;
    }
  }
});

Deno.test("random runs end in no other way than all runs do, and in most of the same", async () => {
  const all = await endings(MIXED, { preemptions: 20, deaths: 1 });
  const random = await endings(MIXED, { deaths: 1 }, { seed: 1, schedules: 3000 });
  assertEquals(random.ends.filter((end) => !all.ends.includes(end)), []);
  assert(random.ends.length > all.ends.length / 2);
});

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

Deno.test("copies are torn by others, and by death", async () => {
  const writer = () => copyIn(memory(), 128, pattern(8, 1));
  const reader = () => {
    const bytes = new Uint8Array(8);
    copyOut(memory(), 128, bytes);
    return messageOf(bytes, 1) ?? bytes.some((byte) => byte !== 0);
  };
  const preempted = await endings({ writer, reader }, { preemptions: 1 });
  assertEquals(returned(preempted.ends, "reader"), [1, false, true]);
  const late = { body: reader, after: "writer", immortal: true };
  const died = await endings({ writer, reader: late }, { deaths: 1 });
  assertEquals(returned(died.ends, "reader"), [1, false, true]);
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

Deno.test("a sleep is refused if the word differs", async () => {
  const sleeper = () => wait(word(0).address, 5, Infinity);
  const { ends } = await endings({ sleeper }, {});
  assertEquals(returned(ends, "sleeper"), [-EAGAIN]);
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
    for (const byte of [1, 2]) setLock(openLockFile(files.pathOfFd(openShared()), true), 1, byte);
    word(0).store(1);
  };
  const looker = () => {
    const fd = openLockFile(files.pathOfFd(openShared()), true);
    return [1, 2].map((byte) => testLock(fd, Lock.write, byte) === Lock.none ? "free" : "held");
  };
  const actors = { holder, looker: { body: looker, after: "holder", immortal: true } };
  const { ends } = await endings(actors, { preemptions: 2, deaths: 1 });
  const seen = ends.map((end) => JSON.parse(end)).filter(([, , words]) => words[0] === 1)
    .map(([{ looker }]) => looker.join(" "));
  assertEquals(new Set(seen).size, 4);
});

Deno.test("an actor that has finished and holds a lock can still die", async () => {
  const holder = () => setLock(openLockFile(files.pathOfFd(openShared()), true), Lock.write, 1);
  const looker = () => {
    const fd = openLockFile(files.pathOfFd(openShared()), true);
    return testLock(fd, Lock.write, 1);
  };
  const actors = { holder, looker: { body: looker, after: "holder", immortal: true } };
  const { ends } = await endings(actors, { deaths: 1 });
  const finished = ends.map((end) => JSON.parse(end)).filter(([{ holder }]) => holder === 0)
    .map(([{ looker }, dead]) => [looker, dead]);
  assertEquals(finished, [[Lock.write, ["holder"]], [Lock.write, []], [Lock.none, ["holder"]]]);
  const gone = await endings({ holder, looker: { ...actors.looker, last: true } }, {});
  assertEquals(returned(gone.ends, "looker"), [Lock.none]); // whoever comes last is alone
});

// ---- setting the stage ----

Deno.test("what an actor arranges is done before all else, without preemption or death", async () => {
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

Deno.test("what follows on what was arranged is scheduled, also in an actor that begins later", async () => {
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
  const { kind } = await finding({ endless });
  assertEquals(kind, "hang");
});

Deno.test("the results of those who have finished are told apart, whatever they are", async () => {
  class Hidden {
    readonly #value: number;
    constructor(value: number) {
      this.#value = value;
    }
    get value(): number {
      return this.#value;
    }
  }
  const writer = () => {
    for (const value of [1, 2, 0]) word(0).store(value);
  };
  for (const made of [(value: number) => ({ value }), (value: number) => new Hidden(value)]) {
    const values = new Set<number>();
    const check = ({ results }: End) => {
      values.add((results.reader as { value: number }).value);
      return undefined;
    };
    const actors = { writer, reader: () => made(word(0).load()) };
    await explore(scenario(actors, { bounds: { ...NONE, preemptions: 2 }, check }));
    assertEquals(values, new Set([0, 1, 2]));
  }
});

// ---- asynchronous actors ----

/** Sleeps on two words at once, with a thread of the pool for each. */
async function waitForBoth(): Promise<string> {
  const order: number[] = [];
  await Promise.all([0, 1].map(async (i) => {
    const vector = new FutexVector();
    while (word(i).load() === 0) {
      vector.clear();
      vector.push(word(i).address, 0);
      await vector.wait(Infinity);
    }
    order.push(i);
  }));
  return order.join(" then ");
}

function raise(i: number): () => void {
  return () => {
    word(i).store(1);
    wake(word(i).address, 1);
  };
}

Deno.test("asynchronous actors go on in any order", async () => {
  const actors = { waiter: waitForBoth, first: raise(0), second: raise(1) };
  const pruned = await endings(actors, { preemptions: 1 });
  assertEquals(returned(pruned.ends, "waiter"), ["0 then 1", "1 then 0"]);
  const whole = await endings(actors, { preemptions: 1 }, { again: true });
  assertEquals(pruned.ends, whole.ends);
});

Deno.test("an asynchronous actor dies in its sleep, and nobody waits for its threads", async () => {
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

// ---- what is reported ----

async function finding(actors: Scenario["actors"], bounds: Partial<Bounds> = {}) {
  const conventions = { sliceNs: SLICE_NS };
  const tested = scenario(actors, { bounds: { ...NONE, ...bounds } });
  const { finding } = await explore(tested, { conventions });
  assert(finding !== undefined, "nothing was found");
  return finding;
}

Deno.test("a sleep that nobody ends is a lost wake-up", async () => {
  const { kind, trace } = await finding({ sleeper: () => wait(word(0).address, 0, Infinity) });
  assertEquals(kind, "lost wake-up");
  assertEquals(trace, ["sleeper  sleep while word[0] is 0 falls asleep"]);
});

Deno.test("a run can end where somebody could still die", async () => {
  const { kind } = await finding({ sleeper: () => wait(word(0).address, 0, Infinity) }, {
    deaths: 1,
  });
  assertEquals(kind, "lost wake-up");
  const holder = () => setLock(openLockFile(files.pathOfFd(openShared()), true), Lock.write, 1);
  const { ends } = await endings({ holder }, { deaths: 1 });
  const finished = ends.map((end) => JSON.parse(end)).filter(([{ holder }]) => holder === 0);
  assertEquals(finished.map(([, dead]) => dead), [["holder"], []]);
});

Deno.test("a sleep without a deadline does not end because somebody died", async () => {
  const sleeper = { body: () => wait(word(0).address, 0, Infinity), immortal: true };
  const { kind } = await finding({
    sleeper,
    waker: () => {
      word(1).load();
      wake(word(0).address, 1);
    },
  }, { deaths: 1 });
  assertEquals(kind, "hang");
});

Deno.test("slices are for deaths: without one, a sleep that only a slice ends is lost", async () => {
  const sleeper = { body: () => wait(word(0).address, 0, now() + SLICE_NS), immortal: true };
  assertEquals((await finding({ sleeper })).kind, "lost wake-up");
  const { ends } = await endings({ sleeper, waker: raise(0) }, { deaths: 1 });
  assertEquals(returned(ends, "sleeper"), [-EAGAIN, -ETIMEDOUT, 0]);
});

Deno.test("an endless loop is a hang", async () => {
  const { kind } = await finding({
    spinner: () => {
      while (word(0).load() === 0);
    },
  });
  assertEquals(kind, "hang");
});

Deno.test("a thread that sleeps on after its actor has finished is a hang", async () => {
  const { kind, message } = await finding({
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

Deno.test("an error that nobody catches is an error", async () => {
  const sync = await finding({
    actor: () => {
      throw new RangeError("too far");
    },
  });
  assertEquals(sync.kind, "error");
  assertStringIncludes(sync.message, "too far");
  const later = await finding({
    actor: async () => {
      await sleep(1);
      word(0).load();
      throw new RangeError("too far");
    },
  });
  assertEquals(later.kind, "error");
});

Deno.test("memory that is not mapped is an error that no code can catch", async () => {
  const beyond = () => {
    try {
      return wait(word(0).address + 4096, 0, Infinity);
    } catch {
      return "caught";
    }
  };
  const { kind, message } = await finding({ beyond });
  assertEquals(kind, "error");
  assertStringIncludes(message, "SIGSEGV");
});

Deno.test("a copy beyond the end of the memory throws", async () => {
  const beyond = () => {
    try {
      copyIn(memory(), 252, pattern(8, 1));
    } catch (error) {
      return error instanceof RangeError;
    }
  };
  assertEquals(returned((await endings({ beyond }, {})).ends, "beyond"), [true]);
});

Deno.test("code that does something else each time is reported", async (t) => {
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
      const { kind, message } = await finding({ actor, other: increment }, { preemptions: 1 });
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

Deno.test("nothing may touch shared state outside of every actor", () => {
  let message = "";
  try {
    word(0);
  } catch (error) {
    message = `${error}`;
  }
  assertStringIncludes(message, "outside of every actor");
});

// ---- runs can be repeated ----

const LOSING: Scenario["actors"] = {
  sleeper: async () => {
    const bell = word(0);
    if (bell.load() !== 0) return;
    const vector = new FutexVector();
    vector.push(bell.address, 0);
    await vector.wait(Infinity);
  },
  waker: () => {
    wake(word(0).address, 1);
    word(0).store(1);
  },
};

Deno.test("the same search gives the same result", async () => {
  const counts = async (options: SearchOptions) => {
    const { milliseconds: _, ...rest } = (await endings(MIXED, { preemptions: 2 }, options)).report;
    return rest;
  };
  assertEquals(await counts({}), await counts({}));
  const random = { seed: 7, schedules: 50 };
  assertEquals(await counts(random), await counts(random));
  assertNotEquals(await counts(random), await counts({ ...random, seed: 8 }));
});

Deno.test("a token replays the run that was found, as often as one likes", async () => {
  const losing = scenario(LOSING, { bounds: { preemptions: 2, deaths: 1, noise: 1 } });
  for (const options of [{}, { seed: 3 }]) {
    const { finding } = await explore(losing, options);
    assert(finding !== undefined);
    for (let i = 0; i < 2; i++) {
      const { problem, trace } = await replay(losing, finding.token);
      assertEquals(problem, { kind: finding.kind, message: finding.message });
      assertEquals(trace, finding.trace);
    }
  }
});

Deno.test("a token of another scenario is refused", async () => {
  const message = await replay(scenario(LOSING), "C*9").catch((error) => `${error}`);
  assertStringIncludes(`${message}`, "does not fit");
});

Deno.test("tokens survive writing and reading", () => {
  for (const codes of [[], ["A"], ["A", "A", "B:1", "kA", "kA", "t", "pA64"]]) {
    assertEquals(decode(encode(codes)), codes);
  }
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

Deno.test("a state is of use again only with more preemptions left", () => {
  const seen = new SeenStates();
  const key = (i: number) => [Math.imul(i, 0x9e3779b1), i] as const;
  for (let i = 0; i < 200_000; i++) assert(seen.enter(...key(i), 2));
  for (let i = 0; i < 200_000; i++) assert(!seen.enter(...key(i), i % 3));
  assert(seen.enter(...key(5), 3));
  assert(!seen.enter(...key(5), 3));
  assertEquals(seen.size, 200_000);
});

Deno.test("an operation can be performed by whoever asks the actor for it", async () => {
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
