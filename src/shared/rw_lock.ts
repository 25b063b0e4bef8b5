/**
 * A lock between processes that one may hold to write, or many to read; how it works is told in
 * rw_queue.ts.
 *
 * @module
 */

import { checkedOptions, checkWaits, inWords } from "../arguments.ts";
import { timeoutError, VringError } from "../errors.ts";
import { open, withoutData } from "../region/open.ts";
import { Region } from "../region/region.ts";
import { regionPath } from "../region/names.ts";
import { perIsolate } from "../os/clock.ts";
import { begin } from "../wait/fairness.ts";
import {
  type Awaited,
  type Outcome,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
} from "../wait/until.ts";
import { Queue, RW_LOCK, type Seat, Want, wantOf } from "./rw_queue.ts";
import type { Permit } from "./semaphore_lock.ts";

/** Locks that are held. The roles of their seats would go with a handle that is collected. */
const held = perIsolate(() => new Set<RwLock>());

const LOCKS = withoutData(RW_LOCK);

/** How to open a {@linkcode RwLock}. */
export interface RwLockOptions {
  /** The permission bits of a new one; 0o600 by default. */
  mode?: number;
  /** Keep it when the last one leaves, until it is unlinked. */
  persist?: boolean;
  /** Attach also if it belongs to another user than you or root. */
  anyOwner?: boolean;
}

/**
 * A lock between processes, by name: one may hold it to write, or many to read. Whoever comes first
 * comes in first, so neither readers nor writers starve. What a killed process held is free again
 * as soon as somebody wants it.
 *
 * Up to 128 can hold it or wait for it. A handle can hold several permits; one that writes while it holds another waits for itself.
 *
 * @example One writes, many read
 * ```ts
 * import { RwLock } from "@vring/vring";
 *
 * using lock = RwLock.open("example-rw-lock");
 * {
 *   using permit = lock.writeSync({ timeout: 1000 });
 *   console.log(permit.recovered ? "the last writer died inside" : "alone inside");
 * }
 * using one = lock.readSync();
 * using other = await lock.read(); // in another process, at the same time
 * console.log(lock.tryWrite()); // undefined
 * ```
 */
export class RwLock implements Disposable {
  /** The name. */
  readonly name: string;
  readonly #queue: Queue;
  readonly #idle: Seat[] = [];
  readonly #busy = new Set<Seat>();

  private constructor(name: string, region: Region) {
    this.name = name;
    this.#queue = new Queue(name, region);
  }

  /** Opens the lock of this name, or makes it, free. */
  static open(name: string, options: RwLockOptions = {}): RwLock {
    const own = checkedOptions(options, `open lock ${inWords(name)}`);
    const { region } = open(LOCKS, { path: regionPath(RW_LOCK.name, name), options: own });
    return new RwLock(name, region);
  }

  /** Removes the name, so that the next opener makes another lock; false if there is none. */
  static unlink(name: string): boolean {
    return Region.unlink(RW_LOCK, regionPath(RW_LOCK.name, name));
  }

  /**
   * Comes in to read if nobody writes or waits to; undefined otherwise, and also when others try at
   * the same moment. Never waits.
   */
  tryRead(): Permit | undefined {
    return this.#try(Want.reader);
  }

  /** Comes in to read, and blocks the thread until it can; a TimeoutError after `timeout` ms. */
  readSync(options: SyncWaitOptions = {}): Permit {
    return this.#waitSync(Want.reader, options);
  }

  /** Comes in to read once it can; a TimeoutError after `timeout` ms, or the signal's reason. */
  read(options: WaitOptions = {}): Promise<Permit> {
    return this.#wait(Want.reader, options);
  }

  /**
   * Comes in to write if nobody is inside or waits; undefined otherwise, and also when others try at
   * the same moment. Never waits.
   */
  tryWrite(): Permit | undefined {
    return this.#try(Want.writer);
  }

  /** Comes in to write, and blocks the thread until it can; a TimeoutError after `timeout` ms. */
  writeSync(options: SyncWaitOptions = {}): Permit {
    return this.#waitSync(Want.writer, options);
  }

  /** Comes in to write once it can; a TimeoutError after `timeout` ms, or the signal's reason. */
  write(options: WaitOptions = {}): Promise<Permit> {
    return this.#wait(Want.writer, options);
  }

  /** Removes the name; whoever has the lock open goes on with it. False if there is none. */
  unlink(): boolean {
    return RwLock.unlink(this.name);
  }

  /** Gives back all permits, and the lock; whoever waits gets a ClosedError. */
  close(): void {
    const seats = [...this.#busy];
    this.#busy.clear();
    held().delete(this);
    this.#queue.region.close(() => seats.forEach((seat) => this.#queue.leave(seat)));
  }

  /** The same as `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #sit(): Seat {
    this.#queue.region.checkOpen();
    const seat = this.#idle.pop() ?? this.#queue.sit();
    this.#busy.add(seat);
    held().add(this);
    return seat;
  }

  #leave(seat: Seat): void {
    if (!this.#busy.delete(seat)) return; // the lock was closed
    if (this.#busy.size === 0) held().delete(this);
    this.#queue.leave(seat);
    this.#idle.push(seat);
  }

  #try(want: number): Permit | undefined {
    const seat = this.#sit();
    try {
      this.#queue.join(seat, want);
      if (this.#isFirst(seat)) return this.#enter(seat);
    } catch (error) {
      this.#leave(seat);
      throw error;
    }
    this.#leave(seat);
    return undefined;
  }

  /** Whether nobody is in the way who lives. */
  #isFirst(seat: Seat): boolean {
    if (this.#queue.blocker(seat) === undefined) return true;
    this.#queue.clearDead(seat);
    return this.#queue.blocker(seat) === undefined;
  }

  #waitSync(want: number, options: SyncWaitOptions): Permit {
    checkWaits(options);
    const seat = this.#sit();
    try {
      this.#queue.join(seat, want);
      if (this.#queue.blocker(seat) === undefined) return this.#enter(seat);
      this.#check(waitSync(this.#awaited(seat), options), seat, options);
      return this.#enter(seat);
    } catch (error) {
      this.#leave(seat);
      throw error;
    }
  }

  async #wait(want: number, options: WaitOptions): Promise<Permit> {
    await begin(options);
    const seat = this.#sit();
    try {
      this.#queue.join(seat, want);
      if (this.#queue.blocker(seat) === undefined) return this.#enter(seat);
      const outcome = await wait(this.#awaited(seat), options);
      this.#queue.region.checkOpen(); // it may have been closed since the wait ended
      this.#check(outcome, seat, options);
      return this.#enter(seat);
    } catch (error) {
      this.#leave(seat);
      throw error;
    }
  }

  #awaited(seat: Seat): Awaited {
    const queue = this.#queue;
    let blocker = queue.blocker(seat);
    return {
      bell: seat.row.bell,
      get watch() {
        return (blocker ?? seat.row).low;
      },
      ready: () => (blocker = queue.blocker(seat)) === undefined,
      hopeless: () => {
        queue.clearDead(seat); // which rings, if that was all that was in the way
        return false;
      },
    };
  }

  #check(outcome: Outcome, seat: Seat, { timeout = Infinity }: SyncWaitOptions): void {
    if (outcome !== "timeout" || this.#isFirst(seat)) return;
    const want = wantOf(seat.turn) === Want.reader ? "read" : "write";
    throw timeoutError(`${want} under ${this.#queue.what}`, timeout);
  }

  #enter(seat: Seat): Permit {
    const queue = this.#queue;
    const recovered = queue.enter(seat);
    let held = true;
    const give = () => {
      held = false;
      if (!this.#busy.has(seat)) return; // the lock was closed
      if (recovered && wantOf(seat.turn) === Want.writing) queue.mend(); // C2
      this.#leave(seat);
    };
    return {
      recovered,
      release: () => {
        if (held && this.#busy.has(seat)) return give();
        throw new VringError(`Cannot release ${queue.what}: this permit was given back`);
      },
      [Symbol.dispose]: () => {
        if (held) give();
      },
    };
  }
}
