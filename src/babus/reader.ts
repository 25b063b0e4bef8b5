/**
 * The common part of the handles and the observers of a slot: reading it.
 *
 * @module
 */

import { checkedOptions, checkSyncWaits } from "../arguments.ts";
import { lossOf, type ValuesOptions } from "../receiver.ts";
import type { Bytes, Type, Value } from "../message.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { iterate, type Series } from "../wait/iterate.ts";
import {
  type LoopOptions,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import type { SlotDefinition } from "./geometry.ts";
import { checkNumber, type History, type SlotMessage } from "./history.ts";

/**
 * Reads the newest message of a slot, or those before it. For `waitAny` it is ready when a message
 * is newer than all that this handle has shown.
 */
export abstract class SlotReader<K extends Type = Bytes> implements Disposable, Waitable {
  /** The name within the domain. */
  readonly name: string;
  /** The number of last messages that can be read. */
  readonly depth: number;
  /** The largest message in bytes. */
  readonly size: number;
  /** The name in messages, such as `slot "robot/imu"`.
   * @ignore */
  protected readonly title: string;

  /** @ignore */
  constructor({ name, title, depth, size }: SlotDefinition<K>) {
    this.name = name;
    this.title = title;
    this.depth = depth;
    this.size = size;
  }

  /** Whether the handle is closed. */
  abstract readonly closed: boolean;
  /** Closes the handle. */
  abstract close(): void;
  /** Returns the history of the slot; undefined if none has existed yet. Throws once closed.
   * @ignore */
  protected abstract history(): History<K> | undefined;
  /** Makes the condition that there is a message after the one of a number.
   * @ignore */
  protected abstract news(seen: () => number): Condition;

  /** The number of the newest message; 0 before the first. */
  get sequence(): number {
    return this.history()?.last() ?? 0;
  }

  /** Returns a copy of the newest message, or undefined before the first. Never waits. */
  latest(): SlotMessage<K> | undefined {
    return this.history()?.latest();
  }

  /** Returns a copy of the message with this number, or undefined if the slot does not have it. */
  at(sequence: number): SlotMessage<K> | undefined {
    checkNumber(sequence, this.title);
    return this.history()?.at(sequence);
  }

  /** Returns copies of the messages after this number that the slot still has, oldest first. */
  since(sequence: number): SlotMessage<K>[] {
    checkNumber(sequence, this.title);
    return this.history()?.since(sequence) ?? [];
  }

  /**
   * Copies the bytes of the newest message into `target` and returns their number, or -1 before the
   * first message. Throws a RangeError if `target` is too small. Allocates nothing.
   */
  readInto(target: Uint8Array<ArrayBuffer>): number {
    return this.history()?.readInto(target) ?? -1;
  }

  /** Blocks until a message is newer than all that this handle has shown; returns the newest. */
  nextSync(options?: SyncWaitOptions): SlotMessage<K> {
    if (options === undefined) options = {};
    checkSyncWaits(options);
    return this.#unseen() ?? untilSync(this.#unseen, this.#waiter(this.#shown), options);
  }

  /** Resolves with the newest message once it is newer than all that this handle has shown. */
  next(options?: WaitOptions): Promise<SlotMessage<K>> {
    return until(this.#unseen, this.#waiter(this.#shown), options);
  }

  /**
   * Loops over copies of the messages in order, from the newest one on. The `lost` of each counts
   * the messages that were overwritten unread just before it.
   */
  messages(options?: LoopOptions): AsyncGenerator<SlotMessage<K>, void, void> {
    if (options === undefined) options = {};
    return iterate(this.#series((message) => message), this.#checked(options));
  }

  /**
   * Loops over the values in order, from the newest one on. Throws a LostError where messages were
   * overwritten unread, unless `onLoss` is "skip".
   */
  values(options?: ValuesOptions): AsyncGenerator<Value<K>, void, void> {
    if (options === undefined) options = {};
    const { onLoss = "throw", ...loop } = this.#checked(options);
    return iterate(
      this.#series(({ value, lost }) => {
        if (lost === 0 || onLoss === "skip") return value;
        throw lossOf(lost, this.title);
      }),
      loop,
    );
  }

  /** Loops over the values, as `values()` does. */
  [Symbol.asyncIterator](): AsyncGenerator<Value<K>, void, void> {
    return this.values();
  }

  /** Closes the handle, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.history(); // throws once closed
    return [this.news(this.#shown)];
  }

  #checked<O extends LoopOptions>(options: O): O {
    return checkedOptions(options, `read ${this.title}`);
  }

  readonly #shown = () => this.history()?.shown ?? 0;

  readonly #unseen = (): SlotMessage<K> | undefined => {
    const history = this.history();
    return history !== undefined && history.last() > history.shown ? history.latest() : undefined;
  };

  #waiter(seen: () => number): Waiter {
    return {
      action: `read ${this.title}`,
      conditions: () => [this.news(seen)],
      checkOpen: () => void this.history(),
      state: () => {
        const { sequence } = this;
        return sequence === 0 ? "it has no messages" : `its newest message is number ${sequence}`;
      },
    };
  }

  /**
   * Makes the series of messages from the newest one on; in a later slot, from its first one on.
   */
  #series<T>(select: (message: SlotMessage<K>) => T): Series<T> {
    let history: History<K> | undefined;
    let seen = -1;
    const attempt = () => {
      const current = this.history();
      if (seen < 0) seen = Math.max((current?.last() ?? 0) - 1, 0);
      else if (current !== history) seen = 0;
      history = current;
      const message = current?.after(seen);
      if (message === undefined) return undefined;
      seen = message.sequence;
      return { done: false as const, value: select(message) };
    };
    return { attempt, waiter: this.#waiter(() => seen) };
  }
}
