/**
 * Waiting for news in any of many slots.
 *
 * ```
 *   slot imu      published 7   bell   <--+
 *   slot image    published 2   bell   <--+-- one sleep on the bells of all that wake
 *   slot log      published 9   bell          (subscribed without waking: looked at, not slept on)
 * ```
 *
 * Each slot has its own bell, and one system call (futex_waitv) sleeps on the bells of all slots
 * that wake the listener. A writer of any other slot finds its bell down and makes no system call.
 * The rejected alternative is one word for all slots, of whose 32 bits a sleeper picks some. It
 * needs a flag for each bit that a thread sleeps on. Clearing the flag and waking the sleepers are
 * two steps, and a writer killed between them strands the sleepers. Slots would also share bits,
 * and every write would change the word and so keep a thread awake that is about to sleep.
 *
 * I1  A listener notes the number of the last message that it has looked at in each slot. News are
 *     messages after that, so it misses none that was published while it was awake or falling
 *     asleep.
 * P1  Raise the bells, look at all slots, sleep: as with one bell (doorbell.ts, P1).
 *
 * With many slots that is linear. So a listener to many keeps them in a set (wait/ready_set.ts), from
 * the second look on until slots are added or removed. Their bells stay raised, and a look goes to
 * the slots that were hot or rung, and to those that do not wake.
 *
 * C1  A writer is killed, or stopped, after its publish and before its ring. A listener to few reports
 *     that message at its next look. A listener to many looks at all slots once in half a slice. Until
 *     then it may miss that message, and those that other writers publish in this slot. A sleep ends
 *     for them at the end of its slice, as all sleeps do. Every other message whose write has
 *     returned is reported by the next look.
 *
 * @module
 */

import { checkedOptions, checkSyncWaits, inWords } from "../arguments.ts";
import type { Codec } from "../codec.ts";
import { ClosedError, counted } from "../errors.ts";
import type { Scalar } from "../layout/scalars.ts";
import type { Type } from "../message.ts";
import { onCollected } from "../os/clock.ts";
import { CONDITIONS, type Waitable } from "../wait/any.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { iterate } from "../wait/iterate.ts";
import { MANY, ReadySet } from "../wait/ready_set.ts";
import {
  type LoopOptions,
  type SyncWaitOptions,
  until,
  untilSync,
  type WaitOptions,
} from "../wait/until.ts";
import { SlotReader } from "./reader.ts";
import { NEWS, type Slot } from "./slot.ts";

/** The options of a slot in a listener. */
export interface ListenOptions {
  /**
   * Whether a new message in this slot ends a wait; true by default. With false, a wait reports the
   * slot only together with one that ends it.
   */
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
 * Waits for new messages in any of many slots. A message is new until the listener has reported its
 * slot, even if it was written before `add()`. If a message arrives after `look()` and before you
 * read the slot, you read it, and the next look reports the slot again: compare `sequence` where
 * that matters.
 *
 * A look and a wait cost the same for ten slots that wake the listener and for thousands. With 16 or
 * more, `look()` may report a message up to an eighth of a second late if its writer was killed or
 * stopped while it wrote, and so the messages that other writers add to that slot. Slots that another
 * process listens to together with many others are an exception: the kernel watches up to 128 of
 * them, for all promises of a process together, and beyond that the process checks each of them every
 * millisecond.
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
    conditions: () => {
      const set = this.#many.set();
      return set === undefined ? this[CONDITIONS]() : [set.condition];
    },
    changed: () => this.#change.signal,
    checkOpen: () => {
      if (this.#closed !== undefined) throw this.#closed;
    },
    state: () => `it listens to ${counted(this.#subscriptions.size, "slot")} without news`,
  };
  readonly #many: Many;
  #change = new AbortController(); // ends sleeps on slots that were removed
  #closed: ClosedError | undefined;

  /** Makes a listener without slots. */
  constructor() {
    const many = this.#many = new Many(this.#subscriptions);
    onCollected(this, () => many.forget());
  }

  /** Adds a slot, also to a `wait()` in progress, or changes its options; returns this listener. */
  add(slot: Slot<Type>, options?: ListenOptions): this {
    this.#checkOpen();
    const { wake = true } = checkedOptions(options, "listen to a slot");
    if (typeof Object(slot)[NEWS] !== "function") { // of another copy of this module, too
      const state = slot as unknown instanceof SlotReader
        ? "a SlotObserver is not woken; use its messages(), or waitAny()"
        : "it is not a slot; pass one that a domain opened";
      throw new TypeError(`Cannot listen to ${inWords(slot)}: ${state}`);
    }
    checkSlot(slot);
    const { seen } = this.#subscriptions.get(slot) ?? { seen: 0 };
    this.#subscriptions.set(slot, { slot, wake, seen, newest: seen });
    this.#endSleeps();
    return this;
  }

  /**
   * Removes a slot; returns false if it was not added. A wait in progress ends with a RangeError if
   * no slot is left that can end it.
   */
  remove(slot: Slot<Type>): boolean {
    const removed = this.#subscriptions.delete(slot);
    if (removed) this.#endSleeps();
    return removed;
  }

  /** Returns the slots with messages that are new since the last look, without waiting. */
  look(): AnySlot[] {
    this.#checkOpen();
    const news: Subscription[] = [];
    for (const subscription of this.#many.candidates()) {
      checkSlot(subscription.slot);
      subscription.newest = subscription.slot.sequence;
      if (subscription.newest > subscription.seen) news.push(subscription);
    }
    // Only now: an error above must not lose news.
    for (const subscription of news) subscription.seen = subscription.newest;
    return news.map(({ slot }) => slot);
  }

  /** Blocks until a slot with `wake` has a new message; returns all slots with new messages. */
  waitSync(options?: SyncWaitOptions): AnySlot[] {
    if (options === undefined) options = {};
    checkSyncWaits(options);
    return this.#news() ?? untilSync(() => this.#news(), this.#waiter, options);
  }

  /** Resolves with all slots with new messages, once one of those with `wake` has one. */
  wait(options?: WaitOptions): Promise<AnySlot[]> {
    return until(() => this.#news(), this.#waiter, options);
  }

  /** Loops over waits: each turn gets the slots with new messages, as `wait()` returns them. */
  news(options?: LoopOptions): AsyncGenerator<AnySlot[], void, void> {
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
      if (!subscription.wake) continue;
      const condition = subscription.slot[NEWS](() => subscription.seen);
      waking.push({ ...condition, isSteady: false }); // slots are added and removed
    }
    if (waking.length > 0) return waking;
    throw new RangeError("Cannot wait: the listener has no slot that wakes it; add one");
  }

  /** Returns the slots that have news, if one of them wakes; undefined otherwise. */
  #news(): AnySlot[] | undefined {
    this.#checkOpen();
    const set = this.#many.set();
    if (set !== undefined) return set.take() && this.look();
    for (const { slot, wake, seen } of this.#subscriptions.values()) {
      checkSlot(slot);
      if (wake && slot.sequence > seen) return this.look();
    }
    return undefined;
  }

  /** Ends all sleeps, so that they begin again on the slots that are listened to now. */
  #endSleeps(): void {
    this.#many.forget();
    const change = this.#change;
    this.#change = new AbortController();
    change.abort();
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new ClosedError("Cannot use this listener: it is closed");
  }
}

/** The set of the slots that wake a listener to many, from the second use on. */
class Many {
  readonly #subscriptions: Map<Slot<Type>, Subscription>;
  #quiet: Subscription[] = []; // those that do not wake
  #set: ReadySet<Subscription> | undefined;
  #state: "new" | "used" | "kept" | "refused" = "new";

  constructor(subscriptions: Map<Slot<Type>, Subscription>) {
    this.#subscriptions = subscriptions;
  }

  /** Returns the set; undefined if the slots are few, were not waited for yet, or have changed. */
  set(): ReadySet<Subscription> | undefined {
    if (this.#state === "kept" && (this.#set!.isClosed || this.#set!.isDeaf)) this.forget();
    if (this.#state === "new") this.#state = "used";
    else if (this.#state === "used") this.#prepare();
    return this.#set;
  }

  /** Returns those of which a look finds news, and perhaps others. */
  candidates(): Iterable<Subscription> {
    const set = this.set();
    if (set === undefined) return this.#subscriptions.values();
    return set.takeAll().map(({ owner }) => owner).concat(this.#quiet);
  }

  /** Forgets the set, as the slots have changed. */
  forget(): void {
    this.#set?.[Symbol.dispose]();
    this.#set = undefined;
    this.#state = "new";
  }

  #prepare(): void {
    const all = [...this.#subscriptions.values()];
    const waking = all.filter(({ wake }) => wake);
    if (waking.length >= MANY && all.every(({ slot }) => !slot.closed)) {
      this.#set = ReadySet.of(waking.map((owner) => ({
        owner,
        condition: owner.slot[NEWS](() => owner.seen),
      })));
    }
    this.#quiet = all.filter(({ wake }) => !wake);
    this.#state = this.#set === undefined ? "refused" : "kept";
  }
}

function checkSlot({ closed, name }: Slot<Type>): void {
  if (!closed) return;
  throw new ClosedError(
    `Cannot listen to slot "${name}": it is closed; remove it from the listener, or open it again`,
  );
}
