/**
 * Exercise: choose the order of each store and each load.
 *
 * A writer overwrites a message, whether or not somebody reads it. `count` is odd while it does. A reader copies
 * the message, and must never return half of one and half of another. The lines in the file are in
 * the right order. But all stores and loads of `count` are plain, so a processor may reorder them.
 * You have:
 *
 *     count.storePlainly(v)   in no order with other stores
 *     count.store(v)          a release: everything before it is visible before it
 *     count.storeFirst(v)     a store, and then a barrier: nothing that follows comes before it
 *     count.glance()          in no order with other loads
 *     count.load()            an acquire: every load that follows is served after it
 *     count.loadLast()        a barrier, and then a load: everything before it is served before it
 *
 * A barrier is slow. Use at most one in each function. Run it with
 * `deno run --allow-ffi tutorials/11_memory_order/exercise.ts`.
 *
 * @module
 */

import { checkOrder } from "./check.ts";
import type { OrderedMemory } from "./weak.ts";

/** Overwrites the message. It never waits. */
function overwrite({ count, write }: OrderedMemory, message: string): void {
  const before = count.glance();
  count.storePlainly(before + 1);
  write(message);
  count.storePlainly(before + 2);
}

/** Returns the message, or undefined if it was being overwritten. */
function copy({ count, read }: OrderedMemory): string | undefined {
  const before = count.glance();
  if (before % 2 === 1) return undefined;
  const message = read();
  return count.glance() === before ? message : undefined;
}

checkOrder({ overwrite, copy });
