/**
 * Exercise: messages that may be overwritten while you read them.
 *
 * Write `since`: it returns copies of all messages after number `seen` that the slot still has,
 * oldest first. Each says how many were lost just before it. A writer may write at any moment, also
 * in the middle of your copy, and it may die in the middle of a message. Return only whole messages:
 * what is overwritten while you copy it is lost. You need not return messages that are written after
 * you began. You have:
 *
 *     slot.depth          how many messages it keeps
 *     slot.entries        how many entries it has: one more, for the next message; what is in that
 *                         one is not kept. Message n is in entry n % entries
 *     slot.sequence()     the number of the newest complete message; 0 if there is none
 *     slot.stamp(entry)   the number of the complete message in an entry; 0 while it is written
 *     slot.copy(entry)    copies the text of an entry
 *
 * A writer sets the stamp to 0, writes the text, sets the stamp to the number, and then moves
 * `sequence`. Run it with `deno run --allow-ffi tutorials/21_slots/exercise.ts`.
 *
 * @module
 */

import { checkSince, type Read, type SlotView } from "./check.ts";

/** Returns the messages after this number, each whole. */
function since(slot: SlotView, seen: number): Read[] {
  const messages: Read[] = [];
  const last = slot.sequence();
  for (let number = seen + 1; number <= last; number++) {
    const entry = number % slot.entries;
    messages.push({ number, text: slot.copy(entry), lost: 0 });
  }
  return messages;
}

checkSince(since);
