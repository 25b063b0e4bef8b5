/**
 * The checks of the exercise: they try every order of a writer and a reader, first of their
 * operations, and then also of what a processor may do to them.
 *
 * @module
 */

import { type Check, expect, runChecks, Wrong } from "../check.ts";
import { tracksOf } from "./tracks.ts";
import { FIRST_MESSAGE, type OrderedMemory, type OrderedWord, tryOrders } from "./weak.ts";

/** An answer. */
export interface Order {
  readonly overwrite: (memory: OrderedMemory, message: string) => void;
  readonly copy: (memory: OrderedMemory) => string | undefined;
}

const MESSAGES = [FIRST_MESSAGE, "RICE8.00", "CORN6.50"] as const;
const [, RICE, CORN] = MESSAGES;

/** A writer and a reader that are right, and have more barriers than they need. */
const SLOW: Order = {
  overwrite({ count, write }, message) {
    const before = count.loadLast();
    count.storeFirst(before + 1);
    write(message);
    count.storeFirst(before + 2);
  },
  copy({ count, read }) {
    const before = count.loadLast();
    const message = read();
    return count.loadLast() === before && before % 2 === 0 ? message : undefined;
  },
};

/** Checks an answer and prints the results. */
export function checkOrder(answer: Order): void {
  runChecks(import.meta.url, checksOf(answer));
}

/** The checks that an answer must pass. */
export function checksOf(answer: Order): Check[] {
  const { overwrite, copy } = answer;
  return [
    {
      what: "alone, the reader gets the newest message",
      check: () => readAlone(answer),
      hint: "when nobody writes, `count` is even, and stays the same.",
    },
    {
      what: "while a message is being overwritten, the reader returns undefined",
      check: () => readAmid(answer),
      hint: "what does an odd `count` say?",
    },
    {
      what: "operations in the order of the program: no half message",
      check: () => tryAll(answer, 0),
      hint: "`count` is odd from before the first byte to after the last one.",
    },
    {
      what: "the same with two messages in a row",
      check: () => tryAll(answer, 0, [RICE, CORN]),
      hint: "`count` must be another number after each message.",
    },
    {
      what: "a processor that reorders: the writer's stores",
      check: () => tryAll({ overwrite, copy: SLOW.copy }, 2),
      hint: "which store must stay behind all bytes, and which in front of them?",
    },
    {
      what: "a processor that reorders: the reader's loads",
      check: () => tryAll({ overwrite: SLOW.overwrite, copy }, 2),
      hint: "which look must stay in front of all bytes, and which behind them?",
    },
    {
      what: "both together, and two messages",
      check: () => tryAll(answer, 2, [RICE, CORN]),
      hint: "see the operation that comes late or early, and what its order allows.",
    },
    {
      what: "at most one barrier in each function",
      check: () => countBarriers(answer),
      hint: "a release needs no barrier, and neither does an acquire.",
    },
  ];
}

/** Memory without another party. */
class Alone implements OrderedMemory {
  barriers = 0;
  message: string = FIRST_MESSAGE;
  value = 0;
  readonly count: OrderedWord = {
    store: (value) => this.#store(value),
    storePlainly: (value) => this.#store(value),
    storeFirst: (value) => this.#store(value, 1),
    load: () => this.value,
    glance: () => this.value,
    loadLast: () => {
      this.barriers++;
      return this.value;
    },
    exchange: (value) => {
      const before = this.value;
      this.#store(value, 1);
      return before;
    },
  };
  readonly x = this.count;
  readonly y = this.count;

  #store(value: number, barriers = 0): void {
    this.value = value;
    this.barriers += barriers;
  }

  readonly write = (message: string): void => {
    this.message = message;
  };
  readonly read = (): string => this.message;
}

function readAlone({ overwrite, copy }: Order): void {
  const memory = new Alone();
  const expectCopy = (message: string) => {
    const copied = copy(memory);
    expect(
      copied === message,
      `count is ${memory.value}, and the message ${message}. The reader returns ${copied}.`,
    );
  };
  expectCopy(FIRST_MESSAGE);
  for (const message of [RICE, CORN]) {
    overwrite(memory, message);
    expectCopy(message);
  }
}

function readAmid({ overwrite, copy }: Order): void {
  const memory = new Alone();
  overwrite(memory, RICE);
  let copied: string | undefined;
  let seen: number | undefined;
  const amid = Object.assign(Object.create(memory), {
    write: () => {
      seen = memory.value;
      copied = copy(memory);
    },
  });
  overwrite(amid, CORN);
  expect(
    seen !== undefined && copied === undefined,
    seen === undefined
      ? "The writer writes no message."
      : `The writer is about to write, and count is ${seen}. The reader returns ${copied}.`,
  );
}

function countBarriers({ overwrite, copy }: Order): void {
  const memory = new Alone();
  overwrite(memory, RICE);
  expect(memory.barriers <= 1, `overwrite() has ${memory.barriers} barriers.`);
  memory.barriers = 0;
  copy(memory);
  expect(memory.barriers <= 1, `copy() has ${memory.barriers} barriers.`);
}

function tryAll(
  { overwrite, copy }: Order,
  reorderings: number,
  messages: readonly string[] = [RICE],
): void {
  const found = tryOrders({
    parties: {
      writer: (memory) => {
        for (const message of messages) overwrite(memory, message);
      },
      reader: copy,
    },
    check: ({ reader }) => {
      if (reader === undefined || MESSAGES.some((message) => message === reader)) return undefined;
      return `the reader returns ${reader}`;
    },
    reorderings,
    shown: ["count", "message"],
  });
  if (found.wrong === undefined) return;
  throw new Wrong(
    `In this order, ${found.wrong}.`,
    tracksOf(found, "An order that goes wrong"),
  );
}
