/**
 * Exercise: the lock itself.
 *
 * `enter` acquires the lock and returns what it has learned: "busy" if a living party is inside,
 * "dirty" if a party died inside, and "clean" otherwise. `leave` releases the lock. After "busy" a
 * party is outside; after both others it is inside, alone. Any party may be killed before any
 * operation, an heir too. There are four operations:
 *
 *     door.tryRecord()     takes the record lock; false if another living party holds it
 *     door.dropRecord()    drops it; the kernel does so at a death
 *     door.tryWait()       takes the number, 1 becomes 0; false if it is 0
 *     door.post()          adds 1 to the number
 *
 * While a party is inside, the number is 0, because programs in C look at nothing else. At first it
 * is 1. The answer in the file is such a program. Run it with
 * `deno run --allow-ffi tutorials/09_semaphore_lock/exercise.ts`.
 *
 * @module
 */

import { checkLock } from "./check.ts";
import type { Door } from "./door.ts";

/** Acquires the lock unless a living party is inside. */
function enter(door: Door): "busy" | "clean" | "dirty" {
  if (!door.tryWait()) return "busy";
  return "clean";
}

/** Releases the lock. */
function leave(door: Door): void {
  door.post();
}

checkLock({ enter, leave });
