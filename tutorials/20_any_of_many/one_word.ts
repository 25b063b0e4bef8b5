/**
 * One word for the events of all slots, and bits to choose the sleepers that wake up: their limits.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { now } from "../../src/os/clock.ts";
import { addAndWake, wait, wake } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { hex, table } from "../picture.ts";
import { look, picture, predict, run, runAsync, say, step, tidyUp } from "../narrator.ts";
import { Herd, sleepersOn, sleepOn, until } from "./herd.ts";

const MS = 1e6;
const everyone = 2 ** 31 - 1;
const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];

/** How often each listener was woken, and how often it had news. */
function told({ waiters }: Herd): (string | number)[][] {
  const rows = waiters.map((
    { slot, bits, wakes, news },
  ) => [slot, hex(bits), wakes, news, wakes - news]);
  return [["slot", "bits", "woken", "news", "needlessly"], ...rows];
}

/** All listeners sleep on one word; returns the number of wake-ups. */
export async function oneWord(): Promise<number> {
  step("One word for all");
  say(
    `A robot has many sensors, and each writes into its own slot. Several programs listen, each to
    another slot. The simplest way: one word counts all events, and every listener sleeps on it.
    When it wakes up, it looks for news in its slot. Here are eight listeners, for slots 1 to 8.
    Each is a thread of this program that really sleeps:`,
  );
  const herd = new Herd(EIGHT);
  await herd.allAsleep();
  picture(table([
    ["thread", "sleeps while the word is"],
    ...sleepersOn(herd.events).map(({ thread, value }) => [thread, value]),
  ]));
  say(
    "(The kernel shows that: `/proc/self/task/*/syscall` has each thread's system call.)",
  );
  predict("Ten events in slot 3. How often does a thread wake up, and how often needlessly?");
  const woken = await runAsync("woken", () => herd.write(3, 10));
  picture(table(told(herd)));
  say(
    `Each event wakes all eight, and seven of them find nothing and go back to sleep. That is called
    a thundering herd, and every listener makes it worse: with a hundred slots and a hundred
    listeners, 99 of 100 wake-ups are needless.`,
  );
  await herd.dismiss();
  return woken;
}

/** The bit of a slot. */
function bitOf(slot: number): number {
  return (1 << slot - 1) >>> 0;
}

/** Each listener wakes for a bit of its own; without bits, `all` were woken. */
export async function bits(all: number): Promise<void> {
  step("A bit for each");
  say(
    `The kernel can help. A sleeper may pass 32 bits (FUTEX_WAIT_BITSET), and so may a waker
    (FUTEX_WAKE_BITSET). The kernel wakes the sleepers on the word that share at least one bit with
    the waker. So every slot gets a bit.`,
  );
  const herd = new Herd(EIGHT, bitOf);
  await herd.allAsleep();
  picture(table([
    ["thread", "sleeps while the word is", "and wakes for"],
    ...sleepersOn(herd.events).map(({ thread, value, bits }) => [thread, value, hex(bits)]),
  ]));
  predict(
    "Again ten events in slot 3, and the waker passes its bit. How often does a thread wake up?",
  );
  const woken = await runAsync("woken", () => herd.write(3, 10, bitOf(3)));
  picture(table([["", "woken"], ["one word for all", all], ["a bit for each", woken]]));
  picture(table(told(herd)));
  say("No wake-up was needless, with one word and one call. So why not always?");
  await herd.dismiss();
}

/** What bits cannot do. */
export async function limits(): Promise<void> {
  step("What bits cannot do");
  say("There are only 32 of them. These are the bits of slots 1, 32 and 33:");
  look(() => [bitOf(1), bitOf(32), bitOf(33)]);
  const herd = new Herd([1, 2, 33], bitOf);
  predict("Ten events in slot 1. Which listeners wake up?");
  await runAsync("woken", () => herd.write(1, 10, bitOf(1)));
  picture(table(told(herd)));
  await herd.dismiss();
  say(
    `The second limit: all share one word. A listener notes the word, looks at its slot, and then
    wants to sleep. Meanwhile there is an event in another slot.`,
  );
  const [events, asleep] = newWords();
  predict("That happens a thousand times. How often does it sleep?");
  const results = new Map<number, number>();
  look(() => {
    for (let i = 0; i < 1000; i++) {
      const seen = events.load();
      events.add(1); // by the writer of slot 5
      const result = wait(events.address, seen, now() + 50 * MS, bitOf(3));
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  });
  look(() => Object.fromEntries(results));
  say(
    `-11 is EAGAIN: the word differs. The kernel compares the word, not the bits. Busy neighbours
    keep a listener awake, at the price of a system call each time.`,
  );
  await twoSteps(events, asleep);
}

/** A flag for each bit, and a death between the flag and the wake. */
async function twoSteps(events: Word32, asleep: Word32): Promise<void> {
  say(
    `The third limit: the writer wants to know whether a listener sleeps. Otherwise it calls the
    kernel for every event. So let another word hold the bits of the sleepers. The writer lowers its
    bit, and wakes. Those are two steps. Here a listener sleeps for slot 3:`,
  );
  look(() => asleep.or(bitOf(3)));
  const seen = events.load();
  const sleeping = sleepOn(events, seen, bitOf(3));
  await until(() => sleepersOn(events).length === 1);
  look(() => {
    events.add(1);
    asleep.and(~bitOf(3)); // and here the writer is killed
  });
  predict("Another writer has an event in slot 3. Which listeners wake up?");
  look(() => {
    events.add(1);
    if ((asleep.load() & bitOf(3)) !== 0) {
      wake(events.address, everyone, bitOf(3));
    }
  });
  picture(table([
    ["thread", "sleeps while the word is", "and wakes for"],
    ...sleepersOn(events).map(({ thread, value, bits }) => [thread, value, hex(bits)]),
    ["", `it is ${events.load()}`],
  ]));
  say(
    `None: the bit is down, so no listener seems to sleep. It is the death of tutorial 13,
    \`--break\`. There, one call lowered the bell and woke all: FUTEX_WAKE_OP. But that call takes
    no bits:`,
  );
  predict("This sleeper waits for its bit. Does a call without bits wake it?");
  look(() => addAndWake(events.address));
  await sleeping;
  say(
    "It does, and it would wake all the others too. Wake in one step, or by bits: not both.",
  );
}

/** Two words that are 0. */
function newWords(): [Word32, Word32] {
  const memory = tidyUp(Mapping.anonymous(pageSize(), "a few words"));
  return [0, 64].map((offset) => new Word32(memory, { path: "word", offset })) as [Word32, Word32];
}

/** The wrong order. */
export function lookThenNote(): void {
  step("Look, then note");
  const [events, count] = newWords();
  say(
    `A listener knows only half of the rule: the kernel compares. It looks at its slot, and finds
    nothing.`,
  );
  look(() => count.load());
  say("Now the event happens. The writer does everything right.");
  look(() => {
    count.add(1);
    events.add(1);
  });
  look(() => wake(events.address, everyone));
  say("And now the listener notes the word, and goes to sleep on it.");
  const value = run("value", () => events.load());
  predict("There is news in its slot. Does the listener sleep?");
  look(() => wait(events.address, value, now() + 100 * MS));
  look(() => count.load());
  say(
    `It slept for 100 ms with news in its slot, and would have slept for ever. It had noted a word
    that counted the event already. Note the word (or raise the bell) first, and then look. The word
    before the event was 0:`,
  );
  look(() => wait(events.address, 0, now() + 100 * MS));
}

/** The wrong one is woken. */
export async function wakeOne(): Promise<void> {
  step("Wake one");
  say(
    `A writer knows that slot 1 has only one listener, so it wakes only one thread. It forgets that
    slot 33 has the same bit, and a listener of its own.`,
  );
  const [events] = newWords();
  const for33 = sleepOn(events, 0, bitOf(33)).then(() => 33);
  await until(() => sleepersOn(events).length === 1);
  const for1 = sleepOn(events, 0, bitOf(1)).then(() => 1);
  await until(() => sleepersOn(events).length === 2);
  predict("News in slot 1. Which of the two wakes up?");
  look(() => {
    events.add(1);
  });
  look(() => wake(events.address, 1, bitOf(1)));
  await runAsync("woken", () => Promise.race([for33, for1]));
  look(() => sleepersOn(events).map(({ value, bits }) => ({ value, bits })));
  say(
    `The first one to sleep. It finds nothing, and goes back to sleep. The other one has news, and
    stays asleep. A writer must wake all listeners that share a word, or a bit, together.`,
  );
  look(() => wake(events.address, everyone, bitOf(1)));
  await for1;
}
