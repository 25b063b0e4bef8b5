/**
 * Observing a slot without any right to write; slot_words.ts explains the algorithm, and
 * region/observed.ts how an observer follows a name.
 *
 * A reader of a slot stores nothing but a raised bell, so an observer reads as a reader does. It
 * waits on a bell of its own (wait/observing.ts), so no other party can detect it.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import { Landing } from "../landing.ts";
import type { Bytes, Type } from "../message.ts";
import { Observed, type Subject } from "../region/observed.ts";
import { Again } from "../region/poll.ts";
import type { Condition } from "../wait/condition.ts";
import { observing } from "../wait/observing.ts";
import type { SlotDefinition } from "./geometry.ts";
import { checkNumber, History, type SlotMessage } from "./history.ts";
import { SlotReader } from "./reader.ts";
import type { SlotWords } from "./slot_words.ts";

/** A slot under observation. */
interface Attachment<K extends Type> extends Subject {
  readonly words: SlotWords;
  readonly history: History<K>;
}

/**
 * Reads a slot with only the right to read its file. It neither keeps the slot alive nor wakes a
 * process. It can open before the slot exists. When another slot takes the name, it continues
 * there, and messages are numbered from 1 again. It polls, so a message that it waits for is late
 * by up to a tenth of the wait, at most 64 ms.
 */
export class SlotObserver<K extends Type = Bytes> extends SlotReader<K> {
  readonly #observed: Observed<Attachment<K>>;

  /** @ignore */
  constructor(definition: SlotDefinition<K>, landing: Landing = new Landing()) {
    super(definition);
    this.#observed = new Observed(() => {
      const words = definition.observe();
      if (words === undefined || words instanceof Again) return words;
      return {
        region: words.region,
        words,
        history: new History(words, definition.codec, landing),
      };
    });
  }

  /** The number of slots of this name that it has found so far, as of the last read; 0 before. */
  get slots(): number {
    return this.#observed.regions;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#observed.closed;
  }

  /**
   * Returns copies of the messages after this number that the slot still has, oldest first. A
   * number beyond the newest message belongs to an earlier slot, and counts as 0.
   */
  override since(sequence: number): SlotMessage<K>[] {
    checkNumber(sequence, this.title);
    return super.since(sequence > this.sequence ? 0 : sequence);
  }

  /** Stops observing. */
  close(): void {
    this.#observed.close();
  }

  /** @ignore */
  protected history(): History<K> | undefined {
    this.#checkOpen();
    return (this.#observed.lookEachSlice() ?? this.#observed.current)?.history;
  }

  /** @ignore */
  protected news(seen: () => number): Condition {
    return observing({
      watch: this.#observed.current?.words.publishedLow,
      ready: () => {
        this.#checkOpen();
        const { current } = this.#observed;
        return current !== undefined && current.words.last() > seen();
      },
      look: () => this.#observed.look() !== undefined,
    });
  }

  #checkOpen(): void {
    if (!this.#observed.closed) return;
    throw new ClosedError(`Cannot use the observer of ${this.title}: it is closed`);
  }
}
