/**
 * Exercise: a listener.
 *
 * Write the core of `Listener`. It takes a mask: bit 3 is set if it listens to slot 3. It sleeps
 * until a slot of the mask has news, and returns the bits of all that have. News is a message that
 * it has not reported yet. A writer may write at any moment, between any two of these:
 *
 *     room.slots              how many slots there are
 *     room.sequence(slot)     the number of the newest message in a slot; 0 if the slot is empty
 *     room.raise(slot)        raises the bell of a slot; returns the value to sleep on
 *     room.sleep(bells)       sleeps while each bell has its value; `bells` is a list of
 *                             [slot, value]. It may wake up without news
 *     mind.seen[slot]         a number for each slot, to remember; 0 at first
 *
 * A writer stores its message, and then calls the kernel only if the bell of its slot is up. So raise
 * no bell in vain: not while there is news, and not for a slot outside the mask. Run it with
 * `deno run --allow-ffi tutorials/20_any_of_many/exercise.ts`.
 *
 * @module
 */

import { checkListen, type Mind, type Raised, type Room } from "./check.ts";

/** Returns the slots of the mask that have news; sleeps until one has. */
function listen(room: Room, mask: number, mind: Mind): number {
  for (;;) {
    let news = 0;
    for (let slot = 0; slot < room.slots; slot++) {
      if (room.sequence(slot) > mind.seen[slot]!) news |= 1 << slot;
    }
    if ((news & mask) !== 0) return news & mask;
    const bells: Raised[] = [];
    for (let slot = 0; slot < room.slots; slot++) {
      bells.push([slot, room.raise(slot)]);
    }
    room.sleep(bells);
  }
}

checkListen(listen);
