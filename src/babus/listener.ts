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
import { ClosedError } from "../errors.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { DONE, iterate, type Step } from "../wait/iterate.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { NEWS, type Slot } from "./slot.ts";

/** How a listener is to deal with a slot. */
export interface ListenOptions {
  /** Whether news in this slot end a wait, as by default; otherwise they are only told with others. */
  wake?: boolean | undefined;
}

/** A slot that is listened to. */
interface Subscription {
  readonly slot: Slot<unknown>;
  readonly wake: boolean;
  /** The number of the last message that was looked at. */
  seen: number;
  /** The number of the newest message at the last look. */
  newest: number;
}

/**
 * Waits for news in any of many slots. Every message that a listener has not looked at is news, also
 * one that was there before. A message that comes between `look` and reading its slot is read at
 * once, and reported again by the next look: compare `sequence` where that matters.
 *
 * The kernel watches up to 128 slots at once, for all promises of a process together. Beyond that
 * all are looked at each millisecond, which takes some percent of a processor.
 *
 * @example Wait for either of two slots
 * ```ts
 * import { Domain, Listener } from "@vring/vring";
 *
 * using robot = Domain.open("example-listener");
 * const [imu, image] = [robot.slot("imu"), robot.slot("image", { maxSize: 6_220_800 })];
 * using listener = new Listener().add(imu).add(image);
 * imu.writeSync(new Uint8Array(24)); // in another process
 * const news = await listener.wait({ timeout: 1000 });
 * console.log(news.map(({ name }) => name)); // [ "imu" ]
 * ```
 */
export class Listener implements Disposable, Waitable {
  readonly #subscriptions = new Map<Slot<unknown>, Subscription>();
  readonly #waiter: Waiter = {
    action: "hear of news in a slot",
    conditions: () => this[CONDITIONS](),
    changed: () => this.#change.signal,
    checkOpen: () => {
      if (this.#closed !== undefined) throw this.#closed;
    },
  };
  #change = new AbortController(); // ends sleeps on slots that are listened to no longer
  #closed: ClosedError | undefined;

  /** Listens to a slot from now on, also in a `wait()` that is under way; gives this listener. */
  add<T>(slot: Slot<T>, options: ListenOptions = {}): this {
    this.#checkOpen();
    const { wake = true } = checkedOptions(options, "listen to a slot");
    if (typeof Object(slot)[NEWS] !== "function") { // of another copy of this module, too
      throw new TypeError(
        `Cannot listen to ${inWords(slot)}: it is not a slot; pass one from domain.slot()`,
      );
    }
    const known = slot as Slot<unknown>;
    checkSlot(known);
    const { seen } = this.#subscriptions.get(known) ?? { seen: 0 };
    this.#subscriptions.set(known, { slot: known, wake, seen, newest: seen });
    this.#endSleeps();
    return this;
  }

  /**
   * Listens to a slot no longer; false if it did not. A wait that is left with no slot to wake it ends
   * with a RangeError.
   */
  remove<T>(slot: Slot<T>): boolean {
    const removed = this.#subscriptions.delete(slot as Slot<unknown>);
    if (removed) this.#endSleeps();
    return removed;
  }

  /** The slots that have news since they were last looked at. Never waits. */
  look(): Slot<unknown>[] {
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

  /** Blocks the thread until a slot that wakes has news; gives all slots that have. */
  waitSync(options: SyncWaitOptions = {}): Slot<unknown>[] {
    checkWaits(options);
    return this.#news() ?? untilSync(() => this.#news(), this.#waiter, options);
  }

  /** Resolves once a slot that wakes has news, with all slots that have. */
  wait(options: WaitOptions = {}): Promise<Slot<unknown>[]> {
    return until(() => this.#news(), this.#waiter, options);
  }

  /** The slots that have news, again and again, until the listener is closed. */
  [Symbol.asyncIterator](): AsyncGenerator<Slot<unknown>[], void, void> {
    const attempt = (): Step<Slot<unknown>[]> | undefined => {
      if (this.#closed !== undefined) return DONE;
      const news = this.#news();
      return news && { done: false, value: news };
    };
    return iterate({ attempt, waiter: this.#waiter });
  }

  /** Closes the listener; pending waits end with a ClosedError. The slots stay open. */
  close(): void {
    if (this.#closed !== undefined) return;
    this.#closed = new ClosedError("Cannot wait any longer: the listener was closed");
    this.#subscriptions.clear();
    this.#endSleeps();
  }

  /** Closes this handle, as `close()` does. */
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

  /** The slots that have news, if one of them wakes; undefined otherwise. */
  #news(): Slot<unknown>[] | undefined {
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

function checkSlot({ closed, name }: Slot<unknown>): void {
  if (!closed) return;
  throw new ClosedError(
    `Cannot listen to slot "${name}": it is closed; remove it from the listener, or open it again`,
  );
}
