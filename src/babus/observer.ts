/**
 * Observing a slot without any right to write; slot_words.ts explains the algorithm, and
 * region/observed.ts how an observer follows a name.
 *
 * A reader of a slot stores nothing but a raised bell, so an observer reads as a reader does. It
 * waits on a bell of its own (wait/observing.ts), and nobody can tell that it is there.
 *
 * @module
 */

import type { Codec } from "../codec.ts";
import { inWords } from "../arguments.ts";
import { ClosedError } from "../errors.ts";
import { Observed, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition } from "../wait/condition.ts";
import { observing } from "../wait/observing.ts";
import { observeSlot } from "./geometry.ts";
import { checkSince, History, type SlotNews, type SlotOutcome } from "./history.ts";
import type { SlotWords } from "./slot_words.ts";

/** How to observe a slot. */
export interface SlotObserverOptions<T> {
  /** The codec of the messages; plain bytes by default. All programs must use the same. */
  codec?: Codec<T> | undefined;
  /** Also observes a slot that belongs to another user than you or root. */
  anyOwner?: boolean | undefined;
}

/** A slot under observation. */
interface Attachment<T> extends Subject {
  readonly words: SlotWords;
  readonly history: History<T>;
}

const EMPTY = { state: "empty" } as const;

/** Makes an observer, for `Domain`. */
export let makeObserver: <T>(
  domain: string,
  name: string,
  options: { codec: Codec<T>; anyOwner?: boolean | undefined },
) => SlotObserver<T>;

/**
 * Looks at the messages of a slot without any right to write. It neither keeps the slot alive nor
 * wakes anyone, and it needs only the right to read the file. It may be opened before the slot
 * exists. When another slot takes the name, it continues there, where messages are numbered from 1
 * again. To `waitAny` it is ready when there is a message newer than all that it has shown, late by
 * up to a tenth of the wait, at most 64 ms. Made by `domain.observer()`.
 */
export class SlotObserver<T = Uint8Array> implements Disposable, Waitable {
  /** The name within the domain. */
  readonly name: string;
  readonly #observed: Observed<Attachment<T>>;

  static {
    makeObserver = (domain, name, options) => new SlotObserver(domain, name, options);
  }

  private constructor(
    domain: string,
    name: string,
    { codec, anyOwner }: { codec: Codec<T>; anyOwner?: boolean | undefined },
  ) {
    this.name = name;
    this.#observed = new Observed(() => {
      const words = observeSlot(domain, name, { anyOwner }, codec.type);
      if (words === undefined || words instanceof Again) return words;
      return { region: words.region, words, history: new History(words, codec) };
    });
  }

  /** The number of the newest message; 0 before the first. */
  get sequence(): number {
    return this.#current()?.words.last() ?? 0;
  }

  /** How many of the last messages can be looked back at; 0 while no slot has existed. */
  get depth(): number {
    return this.#current()?.words.plan.depth ?? 0;
  }

  /** The largest message in bytes; 0 while no slot has existed. */
  get maxSize(): number {
    return this.#current()?.words.plan.maxBytes ?? 0;
  }

  /** The number of slots of this name that were observed so far; 0 while none has existed. */
  get slots(): number {
    return this.#observed.regions;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#observed.closed;
  }

  /** A copy of the newest message. Never waits. */
  latest(): SlotOutcome<T> {
    return this.#current()?.history.at(0) ?? EMPTY;
  }

  /** A copy of the message that is so many older than the newest. Never waits. */
  at(age: number): SlotOutcome<T> {
    return this.#current()?.history.at(age) ?? EMPTY;
  }

  /**
   * Copies of the messages after the one of this number, and how many of those are gone. A number
   * that no message of the slot has yet is one of an earlier slot, and counts as 0.
   */
  since(sequence: number): SlotNews<T> {
    checkSince(sequence, `slot "${this.name}"`);
    const current = this.#current();
    if (current === undefined) return { messages: [], lost: 0 };
    return current.history.since(sequence > current.words.last() ? 0 : sequence);
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    return [observing({
      watch: this.#observed.current?.words.publishedLow,
      ready: () => {
        this.#checkOpen();
        const { current } = this.#observed;
        return current !== undefined && current.words.last() > current.history.shown;
      },
      look: () => this.#observed.look() !== undefined,
    })];
  }

  /** Stops observing. */
  close(): void {
    this.#observed.close();
  }

  /** Closes this handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Returns the slot that had the name at the last look. */
  #current(): Attachment<T> | undefined {
    this.#checkOpen();
    return this.#observed.lookEachSlice() ?? this.#observed.current;
  }

  #checkOpen(): void {
    if (!this.#observed.closed) return;
    throw new ClosedError(`Cannot use the observer of slot ${inWords(this.name)}: it is closed`);
  }
}
