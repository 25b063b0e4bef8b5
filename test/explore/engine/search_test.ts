/**
 * The search: it misses nothing that can happen, and takes no state for another one.
 */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  CONVENTIONS,
  endings,
  generator,
  increment,
  memory,
  MIXED,
  NONE,
  openLock,
  returned,
  scenario,
  word,
} from "../fixture.ts";
import { sleep, sleepSync } from "../leaves/clock.ts";
import * as files from "../leaves/files.ts";
import { FutexVector, wait, wake } from "../leaves/futex.ts";
import { setLock } from "../leaves/locks.ts";
import { copyIn, Word32 } from "../leaves/word.ts";
import { pattern } from "../scenario.ts";
import {
  type ActorSpec,
  type Bounds,
  currentActor,
  decode,
  type End,
  explore,
  exploreSync,
  replay,
  type Scenario,
  type SearchOptions,
} from "./mod.ts";

type Step = readonly [what: number, where: number, value: number];

/** Makes two or three actors that do a few things at random, and the same things in every run. */
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
  if (flavour > 1) {
    return () => {
      const lock = openLock();
      return plan.map((step) => doSomething(lock, ...step));
    };
  }
  const inTurn = async (lock: number, steps: readonly Step[]) => {
    const results = [];
    for (const step of steps) results.push(await doSomethingLater(lock, ...step));
    return results;
  };
  if (flavour === 1) return () => inTurn(openLock(), plan);
  return () => { // two things at once
    const lock = openLock();
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

Deno.test("a file that is made again after going back is the same inode", async () => {
  const first = (fd: number) => {
    const { read, write } = files.Protection;
    const request = { length: 64, protection: read | write, flags: files.MapFlag.shared };
    const address = files.map({ ...request, fd });
    const buffer = files.bufferAt(address, 64);
    const memory = {
      address,
      bytes: new Uint8Array(buffer),
      buffer,
      doubles: new Float64Array(buffer),
      values: new DataView(buffer),
    };
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

Deno.test("the results of finished actors are distinguished, whatever their type", async () => {
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

Deno.test("a search tries every choice of an operation, and a token repeats each", async () => {
  const chooser = () =>
    currentActor().operate({
      label: () => "choose",
      choices: () => 3,
      perform: (_world, _thread, choice) => choice,
    });
  const { ends } = await endings({ chooser }, {});
  assertEquals(returned(ends, "chooser"), [0, 1, 2]);
  const { trace } = await replay(scenario({ chooser }), "A:2");
  assertEquals(trace, ["chooser  choose -> 2"]);
});

Deno.test("a search stops after a number of states", async () => {
  const storer = (first: number) => () =>
    Array.from({ length: 300 }, (_, i) => word(0).store(first + i));
  const tested = scenario({ one: storer(1), two: storer(1000) });
  const bounds = { preemptions: 3 };
  const { states, exhausted } = await explore(tested, { bounds, states: 1000 });
  assertEquals(exhausted, false);
  assert(states >= 1000 && states < 2000, `it entered ${states} states`);
});

Deno.test("the shortest run of random actors is as short as without remembering states", async () => {
  const random = generator(5);
  let found = 0;
  for (let i = 0; i < 12; i++) {
    const check: Scenario["check"] = ({ bytes }) =>
      (bytes("shared")[0]! + bytes("shared")[64]!) % 3 === 0 ? "divisible" : undefined;
    const tested = scenario(randomActors(random), { check });
    const options = { conventions: CONVENTIONS, bounds: { preemptions: 2, deaths: 1 } };
    const { finding } = await explore(tested, { ...options, shortest: true });
    if (finding === undefined) continue;
    found++;
    const length = decode(finding.token).codes.length;
    const shorter = { ...options, again: true, longest: length - 1 };
    const report = await explore(tested, { ...shorter, schedules: 4000 });
    assertEquals(report.finding, undefined);
  }
  assert(found > 5, `only ${found} have a run that goes wrong`);
});

Deno.test("of two ways to go wrong, the shortest is found where the search meets the longer first", async () => {
  const long = () => {
    for (let i = 0; i < 20; i++) word(1).add(1);
    if (word(0).load() === 0) throw new Error("slow");
  };
  const short = () => {
    word(0).store(1);
    throw new Error("quick");
  };
  const tested = scenario({ long, short });
  const first = await explore(tested);
  const shortest = await explore(tested, { shortest: true });
  assertEquals([first, shortest].map(({ finding }) => decode(finding!.token).codes.length), [
    21,
    1,
  ]);
  assertEquals(shortest.finding!.trace, ["short  word[0] store 1"]);
});

Deno.test("synchronous actors are explored at once, with the same result", async () => {
  const bounds = { preemptions: 2, deaths: 1, noise: 1 };
  const { sleeper, locker } = MIXED;
  const tested = scenario({ sleeper: sleeper!, locker: locker! });
  const { milliseconds: _, ...expected } = await explore(tested, { bounds });
  const { milliseconds: __, ...report } = exploreSync(tested, { bounds });
  assertEquals(report, expected);
  const asynchronous = scenario({ actor: () => Promise.resolve(1) });
  const message = "the search of test at once: an actor is asynchronous";
  assertThrows(() => exploreSync(asynchronous), Error, message);
});
