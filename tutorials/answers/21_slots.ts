/**
 * An answer: copy first, and look at the stamp afterwards. A gap is counted from the
 * last message that was returned.
 *
 * @module
 */

import { checkSince, type Read, type SlotView } from "../21_slots/check.ts";

function since(slot: SlotView, seen: number): Read[] {
  const messages: Read[] = [];
  const last = slot.sequence();
  let before = seen;
  for (let number = Math.max(seen, last - slot.depth) + 1; number <= last; number++) {
    const entry = number % slot.entries;
    const text = slot.copy(entry);
    if (slot.stamp(entry) !== number) continue;
    messages.push({ number, text, lost: number - before - 1 });
    before = number;
  }
  return messages;
}

checkSince(since);
