/**
 * The checks of the exercise. The ring is a real one. Its writer interrupts the answer at each of its
 * looks in turn, and writes a little, a whole lap, or more.
 *
 * @module
 */

import { circular, type CircularBufferWriter } from "../../mod.ts";
import { pageSize } from "../../src/os/page.ts";
import { type Check, expect, ownName, runChecks } from "../check.ts";
import { Film } from "../film.ts";
import type { Picture } from "../stage/story.ts";
import { LENGTH, text } from "./messages.ts";
import { CELLS, HEAD_BYTES, RingWindow } from "./ring_window.ts";

/** A ring as the answer sees it. */
export interface NumberedRing {
  /** The number of the oldest message that is intact. */
  oldest(): number;
  /** How many messages were written. */
  published(): number;
  /** Copies a message, or whatever is in its place by now. */
  copy(number: number): string;
}

/** A message, or how many are lost, or neither if the message is not written yet. */
export interface Outcome {
  /** The message that the reader wanted. */
  readonly message?: string;
  /** How many messages are gone, from the one that the reader wanted. */
  readonly lost?: number;
  /** The number of the message that the reader wants now. */
  readonly next: number;
}

/** An answer. */
export type Read = (ring: NumberedRing, next: number) => Outcome;

/** What the writer does when it interrupts. */
type Interruption = (writer: Writer) => void;

/** Where the writer and the reader are when the reader begins. */
interface Start {
  readonly written: number;
  readonly next: number;
}

/** As many as fit beside the head of the next one. */
const FULL = CELLS - 1;
const MOST_LOOKS = 1000;

const STARTS: readonly Start[] = [
  { written: 5, next: 5 },
  { written: 5, next: 2 },
  { written: FULL + 2, next: 2 }, // the oldest that is there
  { written: 100, next: 2 },
];

/** Checks an answer and prints the results. */
export function checkRead(read: Read): void {
  runChecks(import.meta.url, checksOf(read));
}

/** The checks that an answer must pass. */
export function checksOf(read: Read): Check[] {
  const quiet = (start: Start) => () => readOnce(read, start, () => {}, Infinity);
  return [
    {
      what: "without a new message, neither a message nor a loss",
      check: quiet(STARTS[0]!),
      hint: "published() is the number of the next message.",
    },
    {
      what: "a message that is there is read",
      check: quiet(STARTS[1]!),
      hint: "after it, the reader wants the next one.",
    },
    {
      what: "a reader that was lapped returns how many are lost, and continues at the oldest",
      check: quiet(STARTS[3]!),
      hint: "it has lost every message from the one it wanted to the one before the oldest.",
    },
    {
      what: "the oldest message is still intact",
      check: quiet(STARTS[2]!),
      hint: "the message with the number oldest() is still there. Is it <, or <= ?",
    },
    {
      what: "lapped at any moment, even in the middle of a copy: nothing torn is read",
      check: () => readInterrupted(read, [1, FULL, CELLS, 100].map((n) => (w) => w.write(n))),
      hint: "a look before the copy proves nothing after it. See the step Look, then copy.",
    },
    {
      what: "nor is a message read while the writer overwrites it, before it publishes",
      check: () => readInterrupted(read, [(writer) => writer.begin()]),
      hint:
        "published() moves when the writer has finished. Which of the two moves before it begins?",
    },
    {
      what: "interrupted twice: what it returns comes from one look",
      check: () => readInterruptedTwice(read),
      hint: "ask oldest() once after the copy, and use that one number for everything.",
    },
    {
      what: "in the end, the read and the lost messages are all messages",
      check: () => readOn(read),
      hint: "compute the number lost and the next number from the same look.",
    },
  ];
}

/** Interrupts the answer before its first look, before its second ... until it has no more. */
function readInterrupted(read: Read, interruptions: readonly Interruption[]): void {
  for (const start of STARTS) {
    for (const interrupt of interruptions) {
      let at = 0;
      while (readOnce(read, start, interrupt, at)) at++;
    }
  }
}

/** Interrupts the answer at two of its looks: the first overwrites the message. */
function readInterruptedTwice(read: Read): void {
  for (const start of [STARTS[1]!, STARTS[2]!]) {
    let any = true;
    for (let first = 0; any; first++) {
      any = readOnce(read, start, (writer) => writer.write(CELLS + 8), first);
      const again: Interruption = (writer) => writer.write(CELLS);
      for (let second = first + 1; any; second++) {
        if (!readOnce(read, start, again, first, second)) break;
      }
    }
  }
}

/**
 * Reads once, interrupted at these looks; false if the answer did not come to the last of them.
 */
function readOnce(
  read: Read,
  start: Start,
  interrupt: Interruption,
  ...at: readonly number[]
): boolean {
  const { written, next } = start;
  using writer = new Writer(written);
  let interrupted = false;
  const outcome = read(
    writer.shownTo((look) => {
      if (!at.includes(look)) return;
      interrupted = look === at.at(-1);
      interrupt(writer);
    }),
    next,
  );
  writer.expectRight(next, outcome, { mayBeEmpty: next === written });
  return interrupted;
}

/** Reads on and on while the writer writes, until all is written and read. */
function readOn(read: Read): void {
  using writer = new Writer(0);
  const bursts = [1, 3, 0, 40, 2, 0, 0, 33, 1, 64, 0, 5, 100, 0, 0, 31, 0, 32, 0, 7];
  let [next, had, lost] = [0, 0, 0];
  for (let turn = 0; turn < bursts.length || next < writer.published; turn++) {
    const burst = bursts[turn] ?? 0;
    const before = writer.published;
    const outcome = read(
      writer.shownTo((look) => {
        if (look === turn % 4 && burst > 0) writer.write(burst);
      }),
      next,
    );
    writer.expectRight(next, outcome, { mayBeEmpty: next === before });
    if (outcome.message !== undefined) had++;
    lost += outcome.lost ?? 0;
    next = outcome.next;
  }
  const { published } = writer;
  expect(
    had + lost === published,
    `${had} were read and ${lost} were lost, and ${published} were written.`,
  );
}

/** Both halves of a message tell which it is. */
function bytesOf(number: number): Uint8Array<ArrayBuffer> {
  const halves = `message ${number},`.padEnd(LENGTH / 2) + `end of message ${number}`;
  return new TextEncoder().encode(halves.padEnd(LENGTH));
}

/** The text of a message, without what only fills it. */
function textOf(bytes: Uint8Array): string {
  return text(bytes).replace(/ +/g, " ").replace(/#+/g, "###");
}

/** The other side: a real writer, and a film of all that happens. */
class Writer implements Disposable {
  readonly #writer: CircularBufferWriter;
  readonly #window: RingWindow;
  readonly #each: number;
  readonly #film = new Film(["writer", "reader"], {
    oldest: () => this.#oldest,
    published: () => this.published,
  });

  constructor(written: number) {
    const name = ownName("messages");
    this.#writer = circular(name, { capacity: pageSize() }).writer();
    this.#window = new RingWindow(name);
    this.#each = this.#window.lap / CELLS;
    this.write(written);
  }

  get published(): number {
    return this.#window.published / this.#each;
  }

  get #oldest(): number {
    return this.#window.oldest / this.#each;
  }

  /** Writes so many messages. */
  write(count: number): void {
    for (let i = 0; i < count; i++) this.#writer.trySend(bytesOf(this.#writer.sequence));
    this.#film.add("writer", `writes ${count}`);
  }

  /** Begins a message that is as long as several others, and does not come to its end. */
  begin(): void {
    this.#writer.tryClaim(4 * (LENGTH + HEAD_BYTES)).bytes.fill("#".charCodeAt(0));
    this.#film.add("writer", "begins a long message");
  }

  /** The ring as the reader sees it; `look` is called before each look, and within each copy. */
  shownTo(look: (index: number) => void): NumberedRing {
    let index = 0;
    const next = () => {
      expect(index < MOST_LOOKS, "A thousand looks, and no outcome.", () => this.#picture);
      look(index++);
    };
    const noted = <T>(what: string, result: T): T => {
      this.#film.add("reader", `${what} → ${JSON.stringify(result)}`);
      return result;
    };
    return {
      oldest: () => (next(), noted("oldest()", this.#oldest)),
      published: () => (next(), noted("published()", this.published)),
      copy: (number) => (next(), noted(`copy(${number})`, this.#copy(number, next))),
    };
  }

  /** Copies in two halves. */
  #copy(number: number, between: () => void): string {
    const bytes = this.#window.payload(number * this.#each, LENGTH);
    const copy = bytes.slice();
    this.#film.add("reader", `copy(${number}): the first half`);
    between();
    copy.set(bytes.subarray(LENGTH / 2), LENGTH / 2);
    return textOf(copy);
  }

  /** Fails unless a reader that wanted `next` may get this outcome. */
  expectRight(next: number, outcome: Outcome, { mayBeEmpty }: { mayBeEmpty: boolean }): void {
    const wrong = this.#problem(next, outcome, mayBeEmpty);
    const said = Deno.inspect(outcome, { compact: true, breakLength: 64 });
    expect(
      wrong === undefined,
      `The reader wants message ${next}. You return ${said}\n${wrong}`,
      () => this.#picture,
    );
  }

  #problem(next: number, outcome: Outcome, mayBeEmpty: boolean): string | undefined {
    const { message, lost = 0 } = outcome;
    if (message !== undefined) {
      if (lost !== 0) return "Either a message is read, or some are lost.";
      if (message !== textOf(bytesOf(next))) return `That is not message ${next}.`;
      return outcome.next === next + 1 ? undefined : `Then the reader wants ${next + 1}.`;
    }
    if (lost === 0) {
      if (!mayBeEmpty) return `Message ${next} is written.`;
      return outcome.next === next ? undefined : `The reader still wants ${next}.`;
    }
    const oldest = this.#oldest;
    if (outcome.next <= next) return "No message is lost.";
    if (outcome.next > oldest) return `From ${oldest} on, the messages are intact.`;
    const gone = outcome.next - next;
    return lost === gone ? undefined : `From ${next} to there, ${gone} are lost.`;
  }

  get #picture(): Picture {
    return this.#film.picture("The last operations, in numbers of messages");
  }

  [Symbol.dispose](): void {
    this.#window[Symbol.dispose]();
    this.#writer.close();
  }
}
