/**
 * Exercise 8: fix a bell.
 *
 * Somebody has built this one. It sleeps on the count of messages, which never has the same value
 * twice, and has a flag that says whether anybody sleeps. It seems to work. The check tries every
 * order of the operations, and shows you the shortest one that goes wrong. Fix it. What you have:
 *
 *     count, bell                two words in shared memory, both 0 at first; each has
 *     load()  store(v)           an operation each, with nothing in between; these give
 *     exchange(v)  add(v)  or(v)   the value before
 *     sleepWhile(v)              sleeps if the word is v, until somebody wakes
 *     wakeAll()                  wakes all who sleep on the word
 *     addAndWake()               adds 1 and wakes all, in one operation
 *
 * Everything else is forgotten, and only the messages are counted for you. Your functions must give
 * the same result for the same values. Run it with
 * `deno run --allow-ffi tutorials/08_doorbell/exercise.ts`.
 *
 * @module
 */

import { checkBell, type Shared } from "./check.ts";

/** Sleeps, unless it is ready. It may come back too early, and is then called again. */
function sleep({ count, bell }: Shared, ready: () => boolean): void {
  const seen = count.load();
  bell.store(1);
  if (!ready()) count.sleepWhile(seen);
}

/** Wakes all who sleep. It is called after each message. */
function ring({ count, bell }: Shared): void {
  if (bell.load() === 0) return;
  bell.store(0);
  count.wakeAll();
}

checkBell({ sleep, ring });
