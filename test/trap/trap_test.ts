import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  actBefore,
  inHurry,
  isStill,
  spring,
  stepsOf,
  trapped,
  withRefusal,
  withTrap,
} from "./trap.ts";

function walk(...steps: string[]): void {
  for (const step of steps) spring(step);
}

Deno.test("actBefore() acts once, before the n-th step of exactly that name", () => {
  const acted: string[] = [];
  const steps = stepsOf(() => {
    actBefore("lock", () => acted.push("now"), 2);
    walk("lock", "unlock", "lock me");
    assertEquals(acted, []);
    walk("lock", "lock");
  });
  assertEquals(acted, ["now"]);
  assertEquals(steps, ["lock", "unlock", "lock me", "lock", "lock"]);
});

Deno.test("withTrap() numbers the steps, and leaves out those of its watcher", () => {
  const seen: string[] = [];
  const result = withTrap((number, step) => {
    seen.push(`${number} ${step}`);
    walk("of another");
    inHurry(() => walk("in a hurry"));
  }, () => {
    walk("a", "b");
    return "done";
  });
  walk("after it");
  assertEquals([result, ...seen], ["done", "1 a", "2 b"]);
});

Deno.test("withTrap() ends also when the trap throws", () => {
  const seen: string[] = [];
  const trap = (_number: number, step: string) => {
    seen.push(step);
    throw new RangeError("out of addresses");
  };
  assertThrows(() => withTrap(trap, () => walk("map")), RangeError, "out of addresses");
  walk("after it");
  assertEquals([seen, isStill()], [["map"], false]);
});

Deno.test("trapped() names the object of a step, and passes everything on", () => {
  const told: string[] = [];
  const call = trapped("link", (fd: number, path: string) => `${fd}:${path}`);
  const steps = stepsOf(() => told.push(call(3, "/dev/shm/x")));
  assertEquals([steps, told], [["link"], ["3:/dev/shm/x"]]);
});

Deno.test("withRefusal() returns the result in place of the step, and of no other", () => {
  const made: number[] = [];
  const allocate = trapped("allocate", (fd: number) => made.push(fd));
  const open = trapped("open", (fd: number) => made.push(fd));
  const results = withRefusal("allocate", -28, () => [allocate(3), open(4), allocate(5)]);
  assertEquals([results, made], [[-28, 1, -28], [4]]);
  assertEquals([allocate(6), made], [2, [4, 6]]);
});

/** Calls without an effect on other processes that cannot fail half-way; they need no step. */
const UNNOTICED: Record<string, readonly string[]> = {
  "memory/word": [
    "prefetch",
    "prefetchToWrite",
  ],
  "os/clock": [
    "time",
    "hasManyCpus",
    "sleep",
    "nextTurn",
    "perIsolate",
    "onCollected",
    "disposeAtEnd",
    "processId",
    "isWorker",
  ],
  "os/files": ["isRegular", "pathOfFd", "memfd", "readAll", "userId", "ranges", "faultWordOf"],
  "os/futex": ["orderOthers", "interrupts", "hasWaitv", "forceScan"],
  "os/locks": [],
  "os/semaphore": ["semaphoreFile", "inodeOf"],
};

for (const [leaf, unnoticed] of Object.entries(UNNOTICED)) {
  const shipped = await import(`../../src/${leaf}.ts?real`); // once for all: it may load the library
  const stepping = await import(`./${leaf.slice(leaf.indexOf("/") + 1)}.ts`);

  Deno.test(`every function of ${leaf}.ts has a step, or needs none`, () => {
    const functions = Object.keys(shipped).filter((name) => typeof shipped[name] === "function");
    assert(functions.length > 0);
    const without = functions.filter((name) => stepping[name] === shipped[name]);
    assertEquals(without, functions.filter((name) => unnoticed.includes(name)));
  });
}
