/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { Read, Since, SlotView } from "./check.ts";
import type { WrongAnswer } from "../wrong_answer.ts";

/** A right answer, with what may be wrong in it. */
function reader(
  {
    first = (slot, seen, last) => Math.max(seen, last - slot.depth) + 1,
    last = (slot) => slot.sequence(),
    entryOf = (slot, number) => number % slot.entries,
    isWhole = (slot, number, entry) => slot.stamp(entry) === number,
    copy = (slot, entry) => slot.copy(entry),
    lost = (number, before) => number - before - 1,
  }: {
    first?: (slot: SlotView, seen: number, last: number) => number;
    last?: (slot: SlotView) => number;
    entryOf?: (slot: SlotView, number: number) => number;
    isWhole?: (slot: SlotView, number: number, entry: number) => boolean;
    copy?: (slot: SlotView, entry: number, number: number) => string;
    lost?: (number: number, before: number, seen: number) => number;
  } = {},
): Since {
  return (slot, seen) => {
    const messages: Read[] = [];
    const end = last(slot);
    let before = seen;
    for (let number = first(slot, seen, end); number <= end; number++) {
      const entry = entryOf(slot, number);
      const text = copy(slot, entry, number);
      if (!isWhole(slot, number, entry)) continue;
      messages.push({ number, text, lost: lost(number, before, seen) });
      before = number;
    }
    return messages;
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Since>[] {
  const [some, gaps] = ["it returns the messages after", "it tells how many are lost"];
  const [death, whole, fair] = ["a writer that died", "messages that are", "of those, every gap"];
  return [
    { mistake: "returns nothing", answer: () => [], fails: some },
    {
      mistake: "returns the newest first",
      answer: (slot, seen) => Array.from(reader()(slot, seen)).reverse(),
      fails: some,
    },
    {
      mistake: "returns what was seen again",
      answer: reader({ first: (slot, seen, last) => Math.max(seen, last - slot.depth + 1) }),
      fails: some,
    },
    {
      mistake: "looks into the wrong entry",
      answer: reader({ entryOf: (slot, number) => number % slot.depth }),
      fails: some,
    },
    { mistake: "never tells a loss", answer: reader({ lost: () => 0 }), fails: gaps },
    {
      mistake: "takes old entries for messages",
      answer: reader({
        first: (_, seen) => seen + 1,
        isWhole: () => true,
      }),
      fails: gaps,
    },
    {
      mistake: "tells the loss in every message",
      answer: reader({ lost: (number, _, seen) => number - seen - 1 }),
      fails: some,
    },
    {
      mistake: "reads the message that is being written",
      answer: reader({ last: (slot) => slot.sequence() + 1, isWhole: () => true }),
      fails: some,
    },
    {
      mistake: "waits for a writer that is dead",
      answer: (slot, seen) => {
        const next = slot.sequence() + 1;
        while (next > slot.entries && slot.stamp(next % slot.entries) === 0);
        return reader()(slot, seen);
      },
      fails: death,
    },
    {
      mistake: "does not look at the stamp",
      answer: reader({ isWhole: () => true }),
      fails: whole,
    },
    {
      mistake: "looks at the stamp before the copy",
      answer: reader({
        isWhole: () => true,
        copy: (slot, entry, number) => slot.stamp(entry) === number ? slot.copy(entry) : "",
      }),
      fails: whole,
    },
    {
      mistake: "takes every stamp but 0 for the right one",
      answer: reader({ isWhole: (slot, _, entry) => slot.stamp(entry) !== 0 }),
      fails: whole,
    },
    {
      mistake: "gives up at the first message that is gone",
      answer: (slot, seen) => {
        const last = slot.sequence();
        const messages: Read[] = [];
        for (let number = Math.max(seen, last - slot.depth) + 1; number <= last; number++) {
          const text = slot.copy(number % slot.entries);
          if (slot.stamp(number % slot.entries) !== number) break;
          const before = messages.at(-1)?.number ?? seen;
          messages.push({ number, text, lost: number - before - 1 });
        }
        return messages;
      },
      fails: fair,
    },
    {
      mistake: "does not count what was overwritten meanwhile",
      answer: (slot, seen) => {
        const last = slot.sequence();
        const gap = Math.max(seen, last - slot.depth) - seen;
        return Array.from(
          { length: Math.min(last - seen, slot.depth) },
          (_, i) => Math.max(seen, last - slot.depth) + 1 + i,
        ).flatMap((number, i) => {
          const text = slot.copy(number % slot.entries);
          const isWhole = slot.stamp(number % slot.entries) === number;
          return isWhole ? [{ number, text, lost: i === 0 ? gap : 0 }] : [];
        });
      },
      fails: fair,
    },
  ];
}
