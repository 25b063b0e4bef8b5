/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { Order } from "./check.ts";

/** How an answer stores and loads, for those that differ in that alone. */
interface Choice {
  readonly begin?: "store" | "storePlainly" | "storeFirst";
  readonly end?: "store" | "storePlainly" | "storeFirst";
  readonly first?: "load" | "glance" | "loadLast";
  readonly second?: "load" | "glance" | "loadLast";
}

/** An answer with the right lines; the choices are right by default. */
function choosing(choice: Choice): Order {
  const { begin = "storeFirst", end = "store", first = "load", second = "loadLast" } = choice;
  return {
    overwrite({ count, write }, message) {
      const before = count.glance();
      count[begin](before + 1);
      write(message);
      count[end](before + 2);
    },
    copy({ count, read }) {
      const before = count[first]();
      if (before % 2 === 1) return undefined;
      const message = read();
      return count[second]() === before ? message : undefined;
    },
  };
}

const right = choosing({});

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<Order>[] {
  return [
    {
      mistake: "returns nothing",
      answer: { ...right, copy: () => undefined },
      fails: "alone, the reader",
    },
    {
      mistake: "leaves the count odd",
      answer: {
        ...right,
        overwrite: ({ count, write }, message) => {
          count.storeFirst(count.glance() + 1);
          write(message);
        },
      },
      fails: "alone, the reader",
    },
    {
      mistake: "counts only once the message is written",
      answer: {
        ...right,
        overwrite: ({ count, write }, message) => {
          write(message);
          count.store(count.glance() + 2);
        },
      },
      fails: "while a message",
    },
    {
      mistake: "accepts an odd count",
      answer: {
        ...right,
        copy: ({ count, read }) => {
          const before = count.load();
          const message = read();
          return count.loadLast() === before ? message : undefined;
        },
      },
      fails: "while a message",
    },
    {
      mistake: "looks only once",
      answer: {
        ...right,
        copy: ({ count, read }) => count.load() % 2 === 1 ? undefined : read(),
      },
      fails: "operations in the order",
    },
    {
      mistake: "looks only behind the copy",
      answer: {
        ...right,
        copy: ({ count, read }) => {
          const message = read();
          return count.loadLast() % 2 === 1 ? undefined : message;
        },
      },
      fails: "operations in the order",
    },
    {
      mistake: "counts to the same numbers each time",
      answer: {
        ...right,
        overwrite: ({ count, write }, message) => {
          count.storeFirst(1);
          write(message);
          count.store(0);
        },
      },
      fails: "operations in the order",
    },
    {
      mistake: "begins with a release",
      answer: choosing({ begin: "store" }),
      fails: "a processor that reorders: the writer",
    },
    {
      mistake: "ends with a plain store",
      answer: choosing({ end: "storePlainly" }),
      fails: "a processor that reorders: the writer",
    },
    {
      mistake: "begins with a plain load",
      answer: choosing({ first: "glance" }),
      fails: "a processor that reorders: the reader",
    },
    {
      mistake: "ends with an acquire",
      answer: choosing({ second: "load" }),
      fails: "a processor that reorders: the reader",
    },
    {
      mistake: "has a barrier at both stores",
      answer: choosing({ end: "storeFirst" }),
      fails: "at most one barrier",
    },
    {
      mistake: "has a barrier at both loads",
      answer: choosing({ first: "loadLast" }),
      fails: "at most one barrier",
    },
  ];
}
