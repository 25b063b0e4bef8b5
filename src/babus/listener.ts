/**
 * Waiting for news in any of many slots.
 *
 * ```
 *   slot imu      published 7   bell   <--+
 *   slot image    published 2   bell   <--+-- one sleep on the bells of all that wake
 *   slot log      published 9   bell          (subscribed without waking: looked at, not slept on)
 * ```
 *
 * Every slot has a bell of its own, and one system call sleeps on all that were asked for
 * (futex_waitv). So the kernel chooses who wakes: a writer of another slot finds its bell down and
 * makes no system call at all. The other way, one word for all slots and 32 bits that a sleeper
 * picks from, is not taken: what says that somebody sleeps there is a flag for each bit, and taking
 * it and waking for it are two system calls, between which a killed writer strands the sleepers.
 * Moreover slots would share bits, and a word that changes with every write of anybody keeps those
 * awake who are about to sleep.
 *
 * I1  A listener notes the number of the last message that it has looked at in each slot. News are
 *     messages after that: what was published while it was awake, or falling asleep, is not missed.
 * P1  Raise the bells, look at all slots, sleep: as with one bell (doorbell.ts, P1).
 *
 * @module
 */

import { checkedOptions, checkWaits, inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { ClosedError, counted } from "../errors.ts";
import type { Scalar } from "../layout/scalars.ts";
import type { Type } from "../message.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { iterate } from "../wait/iterate.ts";
import {
  type LoopOptions,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import type { SlotReader } from "./reader.ts";
import { NEWS, type Slot } from "./slot.ts";

/** How a listener deals with a slot. */
export interface ListenOptions {
  /** Whether news in this slot end a wait, as by default; otherwise they come only with others. */
  wake?: boolean | undefined;
}

/**
 * A slot as a listener returns it, with values of any type. It is one of the slots that were added:
 * after `slot === imu`, read `imu`, whose values have their type.
 */
export type AnySlot = SlotReader<Scalar | Codec<unknown, never, unknown>>;

/** A slot that is listened to. */
interface Subscription {
  readonly slot: Slot<Type>;
  readonly wake: boolean;
  /** The number of the last message that was looked at. */
  seen: number;
  /** The number of the newest message at the last look. */
  newest: number;
}

/**
 * Waits for news in any of many slots. Every message that a listener has not looked at is news, also
 * one that was there before. A message that arrives between `look` and reading its slot is read at
 * once, and reported again by the next look: compare `sequence` where that matters.
 *
 * The kernel watches up to 128 slots at once, for all promises of a process together. Beyond that
 * all are looked at each millisecond, which takes some percent of a processor.
 *
 * @example Wait for either of two slots
 * ```ts
 * import { domain, Listener } from "@vring/vring";
 *
 * const robot = domain("example-listener", { imu: {}, image: { size: 6_220_800 } });
 * using body = robot.open();
 * const { imu, image } = body.slots;
 * using listener = new Listener().add(imu).add(image);
 * imu.writeSync(new Uint8Array(24)); // in another process
 * const news = await listener.wait({ timeout: 1000 });
 * console.log(news.map(({ name }) => name)); // [ "imu" ]
 * ```
 */
export class Listener implements Disposable, Waitable {
  readonly #subscriptions = new Map<Slot<Type>, Subscription>();
  readonly #waiter: Waiter = {
    action: "hear of news in a slot",
    conditions: () => this[CONDITIONS](),
    changed: () => this.#change.signal,
    checkOpen: () => {
      if (this.#closed !== undefined) throw this.#closed;
    },
    state: () => `it listens to ${counted(this.#subscriptions.size, "slot")} without news`,
  };
  #change = new AbortController(); // ends sleeps on slots that are listened to no longer
  #closed: ClosedError | undefined;

  /** Listens to a slot from now on, also in a `wait()` that is under way; returns this listener. */
  add(slot: Slot<Type>, options: ListenOptions = {}): this {
    this.#checkOpen();
    const { wake = true } = checkedOptions(options, "listen to a slot");
    if (typeof Object(slot)[NEWS] !== "function") { // of another copy of this module, too
      throw new TypeError(
        `Cannot listen to ${inWords(slot)}: it is not a slot; pass one that a domain opened`,
      );
    }
    checkSlot(slot);
    const { seen } = this.#subscriptions.get(slot) ?? { seen: 0 };
    this.#subscriptions.set(slot, { slot, wake, seen, newest: seen });
    this.#endSleeps();
    return this;
  }

  /**
   * Stops listening to a slot; returns false if it did not listen. A wait that is left with no slot to
   * wake it ends with a RangeError.
   */
  remove(slot: Slot<Type>): boolean {
    const removed = this.#subscriptions.delete(slot);
    if (removed) this.#endSleeps();
    return removed;
  }

  /** Returns the slots that have news since they were last looked at. */
  look(): AnySlot[] {
    this.#checkOpen();
    const news: Subscription[] = [];
    for (const subscription of this.#subscriptions.values()) {
      checkSlot(subscription.slot);
      subscription.newest = subscription.slot.sequence;
      if (subscription.newest > subscription.seen) news.push(subscription);
    }
    // Only now: an error above must not lose news.
    for (const subscription of news) subscription.seen = subscription.newest;
    return news.map(({ slot }) => slot);
  }

  /** Blocks until a slot that wakes has news; returns all slots that have. */
  waitSync(options: SyncWaitOptions = {}): AnySlot[] {
    checkWaits(options);
    return this.#news() ?? untilSync(() => this.#news(), this.#waiter, options);
  }

  /** Resolves once a slot that wakes has news, with all slots that have. */
  wait(options: WaitOptions = {}): Promise<AnySlot[]> {
    return until(() => this.#news(), this.#waiter, options);
  }

  /** Loops over the slots that have news, as `wait()` resolves with them. */
  news(options: LoopOptions = {}): AsyncGenerator<AnySlot[], void, void> {
    const attempt = () => {
      const value = this.#news();
      return value && { done: false as const, value };
    };
    return iterate(
      { attempt, waiter: this.#waiter },
      checkedOptions(options, "hear of news in slots"),
    );
  }

  /** Loops over the slots that have news, as `news()` does. */
  [Symbol.asyncIterator](): AsyncGenerator<AnySlot[], void, void> {
    return this.news();
  }

  /** Closes the listener; pending waits end with a ClosedError. The slots stay open. */
  close(): void {
    if (this.#closed !== undefined) return;
    this.#closed = new ClosedError("Cannot wait any longer: the listener was closed");
    this.#subscriptions.clear();
    this.#endSleeps();
  }

  /** Closes the listener, as `close()` does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [CONDITIONS](): readonly Condition[] {
    this.#checkOpen();
    const waking: Condition[] = [];
    for (const subscription of this.#subscriptions.values()) {
      checkSlot(subscription.slot);
      if (subscription.wake) waking.push(subscription.slot[NEWS](() => subscription.seen));
    }
    if (waking.length > 0) return waking;
    throw new RangeError("Cannot wait: the listener has no slot that wakes it; add one");
  }

  /** Returns the slots that have news, if one of them wakes; undefined otherwise. */
  #news(): AnySlot[] | undefined {
    this.#checkOpen();
    for (const { slot, wake, seen } of this.#subscriptions.values()) {
      checkSlot(slot);
      if (wake && slot.sequence > seen) return this.look();
    }
    return undefined;
  }

  /** Ends all sleeps, so that they begin again on the slots that are listened to now. */
  #endSleeps(): void {
    const change = this.#change;
    this.#change = new AbortController();
    change.abort();
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new ClosedError("Cannot use this listener: it is closed");
  }
}

function checkSlot({ closed, name }: Slot<Type>): void {
  if (!closed) return;
  throw new ClosedError(
    `Cannot listen to slot "${name}": it is closed; remove it from the listener, or open it again`,
  );
}
