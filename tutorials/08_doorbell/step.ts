/**
 * Sleeping without losing a wake-up. Run it with
 * `deno run --allow-ffi tutorials/08_doorbell/step.ts`; the prose is in README.md beside it.
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
import { type Event, type Exploration, explore, Machine, type Party, words } from "./machine.ts";

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
    `The library sleeps like this everywhere, and for no longer than 250 ms at a time: a waker can
    be killed between its message and the bell, and no protocol can help against that. See
    \`src/wait/until.ts\`. To see what a death costs if the last step is two steps:`,
  );
}

function spin(): void {
  step("Look until it changes");
  say(
    `A ring is empty, and its reader wants the next message. Memory cannot call anybody. So it looks
    again, and again: it spins. Here nobody writes, and it spins for ${SPIN_MS} ms.`,
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
    `Nothing is faster when the message arrives within a few microseconds. If it takes a second, a
    processor is busy for a second. So: spin for a moment, and then go to sleep. The rest of this
    tutorial is about going to sleep, which is harder than it looks.`,
  );
}

function sleepOnThePosition(): void {
  step("Sleep on a word");
  say(
    `The kernel can put a thread to sleep on a word of memory: a futex. You pass the value that you
    have seen. The kernel compares, and if the word has changed since, the thread does not sleep.
    Comparing and going to sleep are one operation: nothing can happen in between.`,
  );
  const { count } = newWords();
  look(() => {
    count.store(7);
  });
  predict(
    "The word is 7. What does a sleep while it is 6 return? And a sleep while it is 7, for 50 ms?",
  );
  look(() => wait(count.address, 6, now() + 50 * MS));
  look(() => wait(count.address, 7, now() + 50 * MS));
  say(
    `EAGAIN: the word differs, so it did not sleep. ETIMEDOUT: it slept, and nobody woke it. So a
    reader can sleep on the count of messages, and a writer that adds one wakes it. From now on we
    watch two parties, one operation in a line, and behind it the two words afterwards. Any order is
    possible: the two run on two processors, and each can be interrupted at any moment. (Both are in
    this program. The operations are real ones on real words; the kernel is asked to sleep until a
    time that is over, and only compares.)`,
  );
  predict("The reader sees 0, and then the message comes. Does it sleep on it?");
  show([sleeper("reader", onPosition), waker("writer", onPosition)], [0, 0, 0, 1, 0, 1, 0]);
  say(
    `I chose this order. There are more, and a program can try them all: it remembers every state,
    and lets every party take its next operation from each. An end at which a reader sleeps, though
    the message is there, is a lost wake-up.`,
  );
  const parties = [sleeper("reader", onPosition), waker("writer", onPosition)];
  tellResult(run("result", () => explore(parties)));
  say("None. But the writer does not know whether anybody sleeps. So it calls the kernel, always.");
  predict("A thousand messages, and nobody sleeps. How many system calls?");
  let calls = 0;
  look(() => {
    for (let i = 0; i < 1000; i++) {
      count.add(1);
      wake(count.address, everyone);
      calls++;
    }
  });
  look(() => calls);
  say("A message is a small copy and a store; a system call costs many times as much.");
}

/** The result of trying everything, without the film. */
function tellResult({ states, lost }: Exploration): void {
  say(
    lost === undefined
      ? `${states} states, and no wake-up is lost.`
      : `There it is, in ${states} states.`,
  );
}

/** Shows what happens if parties take turns in this order; somebody who cannot is passed over. */
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
  new Machine(parties).restore(lost.at(-1)!.state);
}

function raiseAFlag(): void {
  step("A flag: somebody sleeps");
  say(
    `The second word, the bell, is a flag. A reader that is about to sleep raises it, and sleeps on
    it. The writer takes it down, and calls the kernel only if it was up. Our first try:`,
  );
  picture(sourceOf(unlooked));
  predict("Can you find an order in which the reader sleeps, though there is a message?");
  findLoss([sleeper("reader", unlooked), waker("writer", unlooked)]);
  say("The message came after the look and before the flag. So does this reader ever wake up?");
  look(() => words.count.load());
  look(() => wait(words.bell.address, 1, now() + 100 * MS));
  say(
    `That was 100 ms of real sleep, with a message in the ring. It would last for ever. The rule is:
    first raise the flag, then look again, then sleep.`,
  );
  picture(sourceOf(flag));
  const parties = [sleeper("reader", flag), waker("writer", flag)];
  tellResult(run("result", () => explore(parties)));
  say(
    `The writer publishes and then takes the flag; the reader raises the flag and then looks. In any
    order, at least one of the two sees the store of the other. (On a processor, this holds only if
    none of the four operations overtakes another. That is what \`Atomics\` is for.)`,
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
    `The flag is right, and many programs use it. Then two readers wait for the same word.`,
  );
  predict("The same code, two readers. What can go wrong?");
  findLoss([sleeper("reader 0", flag), sleeper("reader 1", flag), waker("writer", flag)]);
  say(
    `Reader 0 has raised the flag and seen nothing; it is just about to sleep. The writer takes the
    flag and wakes: nobody sleeps yet. Reader 1 raises the flag again, sees the message, and leaves.
    Reader 0 goes to sleep while the flag is 1. It is 1, but it is not its own 1 any more.`,
  );
  look(() => words.count.load());
  look(() => wait(words.bell.address, 1, now() + 100 * MS));
  say(`No test finds this. It takes a window of some nanoseconds, twice, and then one reader of many
    is asleep, until the next message perhaps. To try orders of your own:`);
  picture("deno run --allow-ffi tutorials/08_doorbell/play.ts flag");
}

function theBell(): void {
  step("A bell that knows how often it rang");
  say(
    `A 1 looks like any other 1. So the word gets a number that is never used twice: how often the
    bell was rung. The lowest bit says that somebody waits; the rest is the number.`,
  );
  picture(`
bell = number of rings * 2 + (somebody waits ? 1 : 0)

${sourceOf(sequence)}`.trim());
  predict("The same order as before. What does the kernel say to reader 0 now?");
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
  say("And with three readers and two messages, of which one reader wants both:");
  tellResult(run("result", () => explore(more)));
}

function theShippedOne(): void {
  step("The one in the library");
  say(
    `\`src/wait/doorbell.ts\` is just that. \`raise\` returns the value to sleep on, and a writer
    calls \`ring\` after each message.`,
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
    "A thousand messages, and nobody sleeps. The bell counts system calls. What is its value now?",
  );
  const after = run("after", () => bell.word.load());
  picture(table([["system calls", after - before >> 1], ["floor", 0]]));
  say("And the order in which the flag failed:");
  const raised = run("raised", () => bell.raise());
  look(() => {
    count.add(1);
    bell.ring();
  });
  run("other", () => bell.raise());
  predict("Reader 0 sleeps while the bell is 1, for a minute at most. How long does it take?");
  look(() => wait(bell.word.address, raised, now() + 60_000 * MS));
  say("It differs. Reader 0 did not sleep, and looks again.");
}

/** A waker that is killed between taking the bell and waking. */
function breakIt(): void {
  step("Killed in between");
  say(
    `The bell again, but without the operation that the kernel has for it: first it adds 1, then it
    wakes all. Two system calls would be no tragedy. Nothing is lost, either:`,
  );
  picture(sourceOf(inTwoSteps));
  const both = [sleeper("reader", inTwoSteps), waker("writer", inTwoSteps)];
  tellResult(run("result", () => explore(both)));
  say(`Now the writer may be killed at any moment. Then another one comes, and publishes as well.`);
  predict("The reader sleeps. Where must the first writer die, so that it sleeps on?");
  findLoss(withHeir(inTwoSteps));
  say(
    `The bell is down, and the reader sleeps. Nobody knows about it any more: to every later
    writer, the bell says that nobody waits.`,
  );
  look(() => words.count.load());
  look(() => wait(words.bell.address, words.bell.load(), now() + 100 * MS));

  step("In one operation");
  say(`The kernel can add and wake in one system call, FUTEX_WAKE_OP. Killed before it, the bell is
    still up, and the next writer takes it. Killed after it, all are awake.`);
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
  folder: "08_doorbell",
  title: "Tutorial 8: sleeping without losing a wake-up",
  main: { steps: 6, tell: main },
  break: { steps: 2, tell: breakIt },
});
