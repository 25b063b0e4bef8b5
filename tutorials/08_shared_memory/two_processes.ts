/**
 * Tutorial 8 with two real processes, one in each terminal: they count together, and then one of
 * them is killed.
 *
 * @module
 */

import {
  array,
  lock,
  type SemaphoreLock,
  type SharedMemory,
  sharedMemory,
  struct,
  type View,
} from "../../mod.ts";
import { sleepSync } from "../../src/os/clock.ts";
import { filesOf } from "../kernel_view.ts";
import { table } from "../picture.ts";
import { ask, look, picture, run, say, step, tidyUp } from "../narrator.ts";
import { Purses } from "./purses.ts";

const COUNT_MS = 200;
const COUNT_LOCKED = 2000;

/** Where the two processes meet: each place counts the arrivals. */
const MEETINGS = ["start", "count", "counted", "countLocked", "countedLocked", "locked"] as const;
type Meeting = (typeof MEETINGS)[number];

/** What the two share. */
const Shared = struct("two_processes", {
  meetings: { type: array("i32", MEETINGS.length), doc: "how many have arrived at each" },
  steps: { type: array("f64", 2), doc: "how often each of the two has counted" },
  counter: { type: "f64", doc: "the counter that both increase without a lock" },
  guarded: { type: "f64", doc: "the counter that both increase under the lock" },
  pid: { type: "u32", doc: "the process that has the lock" },
  purses: Purses,
});

/** One of the two processes. */
interface Party {
  readonly memory: SharedMemory;
  readonly mine: SemaphoreLock;
  readonly shared: View<typeof Shared>;
  /** 0 for the process that started first, 1 for the other. */
  readonly place: 0 | 1;
}

/** The process that is killed. */
export function firstProcess(name: string): void {
  const party = begin(name, "second");
  countWithoutLock(party);
  countWithLock(party);
  stopInTheMiddle(party);
}

/** The process that finds the half-done work. */
export function secondProcess(name: string): void {
  const party = begin(name, "first");
  countWithoutLock(party);
  countWithLock(party);
  takeOver(party);
}

function begin(name: string, other: string): Party {
  step("Meet");
  const memory = tidyUp(run("memory", () => sharedMemory(name, { size: Shared.size }).open()));
  const mine = tidyUp(run("mine", () => lock(name).open()), lock(name));
  const shared = memory.view(Shared);
  look(() => memory.references);
  const place = Atomics.add(shared.meetings, MEETINGS.indexOf("start"), 1);
  if (place > 1) {
    say(
      `Two have been here before, and one of them still runs. Stop it, and start both again; or pass
      another \`--name\` to both.`,
    );
    Deno.exit(1);
  }
  if (memory.references < 2) {
    say("Now the other terminal:");
    picture(`deno run --allow-ffi tutorials/08_shared_memory/step.ts ${other}`);
  }
  const party = { memory, mine, shared, place: place as 0 | 1 };
  until(party, "start", { isAlone: true });
  look(() => memory.references);
  say("Both are here, with the same memory and the same lock.");
  return party;
}

/** Arrives at a meeting, and waits for the other one. */
function meet(party: Party, meeting: Meeting): void {
  come(party, meeting);
  until(party, meeting);
}

function come({ shared }: Party, meeting: Meeting): void {
  Atomics.add(shared.meetings, MEETINGS.indexOf(meeting), 1);
}

/** Waits until so many have arrived, or the other one is gone. */
function until(party: Party, meeting: Meeting, { isAlone = false, count = 2 } = {}): void {
  const { memory, shared } = party;
  const isThere = () => Atomics.load(shared.meetings, MEETINGS.indexOf(meeting)) >= count;
  if (!isThere()) {
    console.log("\nWaiting for the other process; it may be waiting for you to press Enter ...");
  }
  while (!isThere()) {
    if (!isAlone && memory.references < 2) {
      say("The other process is gone. Start both again.");
      Deno.exit(1);
    }
    sleepSync(1);
  }
}

function countWithoutLock(party: Party): void {
  step("Count, both at once");
  const { shared, place } = party;
  say(
    `Both processes add 1 to the same counter, as often as they can in ${COUNT_MS} ms. Each counts
    its own additions.`,
  );
  meet(party, "count");
  let steps = 0;
  const end = performance.now() + COUNT_MS;
  look(() => {
    while (performance.now() < end) {
      shared.counter++;
      steps++;
    }
  });
  shared.steps[place] = steps;
  meet(party, "counted");
  showCounts(party, shared.counter);
  say(
    shared.counter < shared.steps[0]! + shared.steps[1]!
      ? "`counter++` is read, add, write; an addition that the other one made in between is gone."
      : `Nothing was lost this time: the two shared one processor and took turns. Run it again.`,
  );
}

function countWithLock(party: Party): void {
  step("Count, one after the other");
  const { shared, mine, place } = party;
  meet(party, "countLocked");
  const steps = COUNT_LOCKED;
  look(() => {
    for (let i = 0; i < steps; i++) {
      using _permit = mine.lockSync();
      shared.guarded++;
    }
  });
  shared.steps[place] = steps;
  meet(party, "countedLocked");
  showCounts(party, shared.guarded);
  say("Slower, and right.");
}

function showCounts({ shared, place }: Party, counter: number): void {
  const [mine, others] = [shared.steps[place]!, shared.steps[1 - place]!];
  picture(table([
    ["counted by this process", mine],
    ["counted by the other", others],
    ["together", mine + others],
    ["the counter", counter],
    ["lost", mine + others - counter],
  ]));
}

function stopInTheMiddle(party: Party): void {
  step("Be killed");
  const { shared, mine } = party;
  const { purses } = shared;
  look(() => {
    purses.ann = 100;
    purses.ben = 100;
  });
  const permit = run("permit", () => mine.lockSync());
  look(() => {
    purses.ann -= 30;
  });
  shared.pid = Deno.pid;
  come(party, "locked");
  say(
    `This process holds the lock, and 30 coins that are in nobody's purse. Continue in the other
    terminal until it waits for the lock. Then kill this process from a third terminal, and watch
    the other:`,
  );
  picture(`kill -9 ${Deno.pid}`);
  ask("\n[or Enter here: put the coins into Ben's purse, and survive] ");
  look(() => {
    purses.ben += 30;
    permit.release();
  });
  say(
    "That was the peaceful end: the second process acquires the lock, and has nothing to repair.",
  );
}

function takeOver(party: Party): void {
  step("Inherit");
  const { memory, shared, mine } = party;
  const { purses } = shared;
  until(party, "locked", { count: 1 });
  say(
    `Process ${shared.pid} acquired the lock and stopped half-way. Only the kernel knows whether it
    is still alive. This process now waits for the lock, however long it takes.`,
  );
  const permit = run("permit", () => mine.lockSync());
  if (permit.recovered) repair(party);
  else say("The owner released the lock in order, so nothing needs repair.");
  look(() => purses.ann + purses.ben);
  permit.release();
  look(() => lock(memory.name).unlink());
  while (!permit.recovered && memory.references > 1) sleepSync(1); // until the other is done too
  look(() => {
    memory.close();
  });
  picture(filesOf(memory.name));
}

function repair({ memory, shared }: Party): void {
  const { purses } = shared;
  while (memory.references > 1) sleepSync(1); // the kernel takes the dead one's locks one by one
  look(() => memory.references);
  look(() => purses.ann + purses.ben);
  say(
    `The owner is dead: the kernel has released its record locks, so \`references\` no longer counts
    it. We got the lock while the semaphore was still 0, hence \`recovered\`. The half-done move is
    ours to finish: 200 coins belong in the two purses.`,
  );
  look(() => {
    purses.ben = 200 - purses.ann;
  });
}
