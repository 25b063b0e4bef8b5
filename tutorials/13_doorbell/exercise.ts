/**
 * Exercise: fix a bell.
 *
 * This bell sleeps on the count of messages, which never has the same value twice. A flag says
 * whether a reader sleeps. It seems to work. The check tries every order of the operations, and
 * shows you the shortest one that goes wrong. Fix it. You have:
 *
 *     count, bell                two words in shared memory, both 0 at first; each has
 *     load()  store(v)           one operation each; the next three return the value
 *     exchange(v)  add(v)  or(v)   that the word had before
 *     sleepWhile(v)              sleeps if the word is v, until woken
 *     wakeAll()                  wakes all that sleep on the word
 *     addAndWake()               adds 1 and wakes all, in one operation
 *
 * The check counts the messages for you. Your functions must keep no other state, and must do the
 * same for the same values. Run it with
 * `deno run --allow-ffi tutorials/13_doorbell/exercise.ts`.
 *
 * @module
 */

import { checkBell, type Shared } from "./check.ts";

/** Sleeps unless `ready()`. It may return too early, and is then called again. */
function sleep({ count, bell }: Shared, ready: () => boolean): void {
  const seen = count.load();
  bell.store(1);
  if (!ready()) count.sleepWhile(seen);
}

/** Wakes all sleepers. The writer calls it after each message. */
function ring({ count, bell }: Shared): void {
  if (bell.load() === 0) return;
  bell.store(0);
  count.wakeAll();
}

checkBell({ sleep, ring });
