/**
 * Sleeping without losing a wake-up. Run it with
 * `deno run --allow-ffi tutorials/13_doorbell/step.ts`; the prose is in README.md beside it.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { wait, wake } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { table } from "../picture.ts";
import { look, picture, predict, run, say, step, tell, tidyUp } from "../narrator.ts";
import {
  type Bell,
  flag,
  inTwoSteps,
  onPosition,
  sequence,
  sleeper,
  unlooked,
  waker,
} from "./bells.ts";
import { film } from "./film.ts";
import {
  type Event,
  type Exploration,
  explore,
  Machine,
  type Party,
  putWords,
  words,
} from "./machine.ts";

const MS = 1e6;
const SPIN_MS = 20;
const everyone = 2 ** 31 - 1;

/** Memory for the steps that need no party. */
function newWords(): { count: Word32; bell: Doorbell; mapping: Mapping } {
  const mapping = tidyUp(Mapping.anonymous(pageSize(), "a count and a bell"));
  const count = new Word32(mapping, { path: "count", offset: 0 });
  return { count, bell: new Doorbell(mapping, { path: "bell", offset: 64 }), mapping };
}

function main(): void {
  spin();
  sleepOnThePosition();
  raiseAFlag();
  twoSleepers();
  theBell();
  theShippedOne();
  say(
    `The library sleeps like this everywhere, and for no longer than 250 ms at a time: a writer can
    be killed between its message and the bell, and no protocol helps against that. See
    \`src/wait/until.ts\`. To see the price of a death if ringing takes two steps:`,
  );
}

function spin(): void {
  step("Look until it changes");
  say(
    `A ring is empty, and its reader wants the next message. Memory does not call. So the reader
    looks again and again: it spins. Here no writer comes, and it spins for ${SPIN_MS} ms.`,
  );
  const { count } = newWords();
  let looks = 0;
  predict("How often does it look?");
  look(() => {
    const end = performance.now() + SPIN_MS;
    while (count.load() === 0 && performance.now() < end) {
      looks++;
    }
  });
  look(() => looks);
  say(
    `Nothing is faster if the message arrives within a few microseconds. If it takes a second, a
    processor is busy for a second. So spin for a moment, and then go to sleep. The rest of this
    tutorial is about going to sleep, which is harder than it looks.`,
  );
}

function sleepOnThePosition(): void {
  step("Sleep on a word");
  say(
    `The kernel can put a thread to sleep on a word of memory: a futex. You pass the value that you
    have seen. The kernel compares, and if the word has changed since, the thread does not sleep.
    The comparison and the sleep are one operation: nothing can happen in between.`,
  );
  const { count } = newWords();
  look(() => {
    count.store(7);
  });
  predict(
    "The word is 7. What does a sleep on 6 return? And a sleep on 7, for 50 ms?",
  );
  look(() => wait(count.address, 6, now() + 50 * MS));
  look(() => wait(count.address, 7, now() + 50 * MS));
  say(
    `EAGAIN: the word differs, so the thread did not sleep. ETIMEDOUT: it slept, and nobody woke it.
    So a reader can sleep on the count of messages, and a writer that adds one wakes it. From now on
    we watch two parties. Each line shows one operation, and then the two words. Any order is
    possible: the two run on two processors, and each can be interrupted at any moment. (Here both
    run on a machine that this program simulates. It can go back to any moment, which no real
    machine can.)`,
  );
  predict("The reader sees 0, and then a message arrives. Does the reader go to sleep?");
  show([sleeper("reader", onPosition), waker("writer", onPosition)], [0, 0, 0, 1, 0, 1, 0]);
  say(
    `I chose this order. A program can try all orders: it remembers every state, and lets every
    party take its next operation from each. If an order ends with a reader asleep although the
    message is there, a wake-up is lost. The library's explorer does that, with its own code too.`,
  );
  const parties = [sleeper("reader", onPosition), waker("writer", onPosition)];
  tellResult(run("result", () => explore(parties)));
  say("None. But the writer does not know whether a reader sleeps. So it always calls the kernel.");
  predict("A thousand messages, and no reader sleeps. How many system calls?");
  let calls = 0;
  look(() => {
    for (let i = 0; i < 1000; i++) {
      count.add(1);
      wake(count.address, everyone);
      calls++;
    }
  });
  look(() => calls);
  say("A message takes a small copy and a store; a system call costs many times as much.");
}

/** The result of trying everything, without the film. */
function tellResult({ states, lost }: Exploration): void {
  say(
    lost === undefined
      ? `${states} states, and no wake-up is lost.`
      : `There it is, in ${states} states.`,
  );
}

/** Shows the operations of parties in this order, and skips a party that cannot run. */
function show(parties: readonly Party[], order: readonly number[]): void {
  const machine = new Machine(parties);
  const events: Event[] = [];
  for (const index of order) {
    if (machine.canRun(index)) events.push(machine.step(index));
  }
  film(events, parties.map(({ name }) => name));
}

/** Tries every order, and shows the shortest one that ends in a sleep for ever. */
function findLoss(parties: readonly Party[]): void {
  const { states, lost } = explore(parties);
  if (lost === undefined) {
    throw new Error(`Cannot show a loss: none of ${states} states has one`);
  }
  film(lost, parties.map(({ name }) => name));
  putWords(lost.at(-1)!.state);
}

function raiseAFlag(): void {
  step("A flag for the sleeper");
  say(
    `The second word, the bell, is a flag. A reader that is about to sleep raises it, and sleeps on
    it. The writer lowers it, and calls the kernel only if it was up. Our first try:`,
  );
  picture(sourceOf(unlooked));
  predict("Can you find an order in which the reader sleeps although there is a message?");
  findLoss([sleeper("reader", unlooked), waker("writer", unlooked)]);
  say(
    `The message arrived after the look and before the flag. Does this reader ever wake up? I store
    the same values in two real words, and ask the kernel.`,
  );
  look(() => words.count.load());
  look(() => wait(words.bell.address, 1, now() + 100 * MS));
  say(
    `That was 100 ms of real sleep, with a message in the ring. Without the limit it would last for
    ever. The rule is: raise the flag, look again, and then sleep.`,
  );
  picture(sourceOf(flag));
  const parties = [sleeper("reader", flag), waker("writer", flag)];
  tellResult(run("result", () => explore(parties)));
  say(
    `The writer publishes and then takes the flag; the reader raises the flag and then looks. In any
    order, at least one of the two sees the store of the other. (A processor may reorder plain loads
    and stores; \`Atomics\` keeps these four in order.)`,
  );
}

/** The code of a way to sleep and to wake. */
function sourceOf({ sleep, ring }: Bell): string {
  return [sleep, ring].map((code) => {
    const indent = /\n( *)\}$/.exec(`${code}`)?.[1] ?? "";
    return `${code}`.replace(/^(\w+) \(/, "$1(").replaceAll(`\n${indent}`, "\n").replace(
      /\b(if|while)\(/g,
      "$1 (",
    )
      .replace(/\)\{/g, ") {");
  }).join("\n");
}

function twoSleepers(): void {
  step("Two sleepers");
  say(
    `With one reader the flag is right, and many programs use it. Then a second reader waits for the
    same word.`,
  );
  predict("With two readers, what can go wrong in this code?");
  findLoss([sleeper("reader 0", flag), sleeper("reader 1", flag), waker("writer", flag)]);
  say(
    `Reader 0 has raised the flag and seen nothing; it is just about to sleep. The writer lowers the
    flag and wakes all sleepers, but nobody sleeps yet. Reader 1 raises the flag again, sees the
    message, and leaves. Reader 0 goes to sleep on a flag of 1, but that 1 is no longer its own.`,
  );
  look(() => words.count.load());
  look(() => wait(words.bell.address, 1, now() + 100 * MS));
  say(`Tests do not find this. It takes a window of some nanoseconds, twice, and then one reader of
    many is asleep, perhaps only until the next message. To try orders of your own:`);
  picture("deno run --allow-ffi tutorials/13_doorbell/play.ts flag");
}

function theBell(): void {
  step("A bell that knows how often it rang");
  say(
    `A 1 looks like any other 1. So the word gets a number that is never used twice: how often the
    bell was rung. The lowest bit says that a reader waits; the rest is the number.`,
  );
  picture(`
bell = number of rings * 2 + (a reader waits ? 1 : 0)

${sourceOf(sequence)}`.trim());
  predict("The same order as before. What does the kernel return to reader 0 now?");
  const two = [
    sleeper("reader 0", sequence),
    sleeper("reader 1", sequence),
    waker("writer", sequence),
  ];
  show(two, [0, 0, 0, 1, 2, 2, 2, 1, 1, 1, 0, 0, 0]);
  tellResult(run("result", () => explore(two)));
  const more = [
    ...two.slice(0, 2),
    sleeper("reader 2", sequence, 2),
    waker("writer", sequence, { publishes: 2 }),
  ];
  say("Now three readers and two messages; one of the readers wants both:");
  tellResult(run("result", () => explore(more)));
}

function theShippedOne(): void {
  step("The bell in the library");
  say(
    `\`src/wait/doorbell.ts\` does just that. \`raise\` returns the value to sleep on, and a writer
    calls \`ring\` after each message. The number in the bell counts the system calls.`,
  );
  const { count, bell } = newWords();
  const before = run("before", () => bell.word.load());
  look(() => {
    for (let i = 0; i < 1000; i++) {
      count.add(1);
      bell.ring();
    }
  });
  predict(
    "A thousand messages, and no reader sleeps. Which value does the bell have now?",
  );
  const after = run("after", () => bell.word.load());
  picture(table([["system calls", after - before >> 1], ["floor", 0]]));
  say("Now the order in which the flag failed:");
  const raised = run("raised", () => bell.raise());
  look(() => {
    count.add(1);
    bell.ring();
  });
  run("other", () => bell.raise());
  predict("Reader 0 sleeps on the value 1, for a minute at most. How long does it sleep?");
  look(() => wait(bell.word.address, raised, now() + 60_000 * MS));
  say("Not at all: the bell differs. Reader 0 looks again.");
}

/** A waker that is killed between taking the bell and waking. */
function breakIt(): void {
  step("Killed in between");
  say(
    `The bell again, but without the kernel's operation for it: the writer first adds 1, and then
    wakes all. An extra step would be no tragedy. Nothing is lost, either:`,
  );
  picture(sourceOf(inTwoSteps));
  const both = [sleeper("reader", inTwoSteps), waker("writer", inTwoSteps)];
  tellResult(run("result", () => explore(both)));
  say(`Now the writer may be killed at any moment. Then another writer takes over, and publishes
    too.`);
  predict("The reader sleeps. Where must the first writer die, so that the reader never wakes up?");
  findLoss(withHeir(inTwoSteps));
  say(
    `The bell is down, and the reader sleeps. To every later writer, the bell says that no reader
    waits.`,
  );
  look(() => words.count.load());
  look(() => wait(words.bell.address, words.bell.load(), now() + 100 * MS));

  step("In one operation");
  say(`The kernel can add and wake in one system call, FUTEX_WAKE_OP. If the writer dies before it,
    the bell is still up, and the next writer rings it. If it dies after it, all readers are
    awake.`);
  const safe = withHeir(sequence);
  tellResult(run("result", () => explore(safe)));
}

/** A reader, a writer that may be killed, and one that comes after it. */
function withHeir(bell: Bell): Party[] {
  return [
    sleeper("reader", bell),
    waker("writer", bell, { mayDie: true }),
    waker("heir", bell, { after: "writer" }),
  ];
}

tell({
  folder: "13_doorbell",
  title: "Tutorial 13: sleeping without losing a wake-up",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
