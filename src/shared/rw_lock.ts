/**
 * A lock between processes that one writer or many readers may hold; rw_queue.ts explains the
 * algorithm.
 *
 * @module
 */

import { checkedOptions, checkSyncWaits, definitionOptions, inWords } from "../arguments.ts";
import { Definition, type DefinitionOptions, type HandleOptions } from "../definition.ts";
import { withoutData } from "../region/open.ts";
import type { Region } from "../region/region.ts";
import { checkName, regionPath } from "../region/names.ts";
import { perIsolate } from "../os/clock.ts";
import type { Condition, Waiter } from "../wait/condition.ts";
import { yieldOften } from "../wait/fairness.ts";
import { type SyncWaitOptions, until, untilSync, type WaitOptions } from "../wait/until.ts";
import { Queue, RW_LOCK, type Seat, Want, wantOf } from "./rw_queue.ts";
import { makePermit, type Permit } from "./permit.ts";

/** The locks that are held. A garbage-collected handle would lose the roles of its seats. */
const held = perIsolate(() => new Set<RwLock>());

const LOCKS = withoutData(RW_LOCK);

/**
 * Defines a lock between processes that one writer or many readers may hold.
 *
 * @example One writes, many read
 * ```ts
 * import { rwLock } from "@vring/vring";
 *
 * const table = rwLock("example-rw-lock"); // a module that all programs import
 *
 * using lock = table.open();
 * {
 *   using permit = lock.writeSync({ timeout: 1000 });
 *   console.log(permit.recovered ? "the last writer died inside" : "alone inside");
 * }
 * using one = lock.readSync();
 * using other = await lock.read(); // in another process, at the same time
 * console.log(lock.tryWrite()); // undefined
 * ```
 */
export function rwLock(name: string, options?: DefinitionOptions): RwLockDefinition {
  if (options === undefined) options = {};
  return new RwLockDefinition(name, options);
}

/** Opens a lock for one writer or many readers; {@linkcode rwLock} makes this definition. */
export class RwLockDefinition extends Definition<Record<never, never>> {
  /** @ignore */
  constructor(name: string, options: DefinitionOptions) {
    super({
      product: LOCKS,
      name: checkName(name, "the name of a lock"),
      path: regionPath(RW_LOCK.name, name, "the name of a lock"),
      options: checkedOptions(options, `define lock ${inWords(name)}`, definitionOptions()),
    });
  }

  /** Opens the lock, or creates a free one. */
  open(options?: HandleOptions): RwLock {
    const { open } = checkedOptions(options, `open ${this.what()}`);
    return new RwLock(this.name, this.attach(open).region);
  }
}

/**
 * A lock between processes, by name: one writer or many readers may hold it. It is granted in the
 * order of arrival, so neither readers nor writers starve. A lock that a killed process held is
 * free again as soon as another process wants it.
 *
 * A lock has 128 seats. Each permit that is held or waited for needs one, and a handle keeps its
 * seats for its next permits until it closes. Without a free seat, a method throws a
 * RoleTakenError. A handle can hold several permits for reading, but a writer that already holds
 * the lock deadlocks.
 */
export class RwLock implements Disposable {
  /** The name of the lock. */
  readonly name: string;
  readonly #queue: Queue;
  readonly #idle: Seat[] = [];
  readonly #busy = new Set<Seat>();

  /** @ignore */
  constructor(name: string, region: Region) {
    this.name = name;
    this.#queue = new Queue(name, region);
  }

  /** Whether the handle is closed. */
  get closed(): boolean {
    return this.#queue.region.closed;
  }

  /**
   * Acquires the lock for reading unless a writer holds it or waits; returns undefined otherwise.
   * It also returns undefined if others try at the same moment. Never waits.
   */
  tryRead(): Permit | undefined {
    return this.#try(Want.reader);
  }

  /** Blocks the thread until it has acquired the lock for reading. */
  readSync(options?: SyncWaitOptions): Permit {
    if (options === undefined) options = {};
    return this.#waitSync(Want.reader, options);
  }

  /** Resolves once it has acquired the lock for reading. */
  read(options?: WaitOptions): Promise<Permit> {
    if (options === undefined) options = {};
    return this.#wait(Want.reader, options);
  }

  /**
   * Acquires the lock for writing unless another permit holds it or waits; returns undefined
   * otherwise. It also returns undefined if others try at the same moment. Never waits.
   */
  tryWrite(): Permit | undefined {
    return this.#try(Want.writer);
  }

  /** Blocks the thread until it has acquired the lock for writing. */
  writeSync(options?: SyncWaitOptions): Permit {
    if (options === undefined) options = {};
    return this.#waitSync(Want.writer, options);
  }

  /** Resolves once it has acquired the lock for writing. */
  write(options?: WaitOptions): Promise<Permit> {
    if (options === undefined) options = {};
    return this.#wait(Want.writer, options);
  }

  /** Releases all permits and closes the lock; pending waits fail with a ClosedError. */
  close(): void {
    const seats = [...this.#busy];
    this.#busy.clear();
    held().delete(this);
    this.#queue.region.close(() => seats.forEach((seat) => this.#queue.leave(seat)));
  }

  /** Closes the lock, as `close()` does. */
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

  /** Whether no living party is ahead of this seat; clears the turns of dead ones. */
  #isFirst(seat: Seat): boolean {
    if (this.#queue.blocker(seat) === undefined) return true;
    this.#queue.clearDead(seat);
    return this.#queue.blocker(seat) === undefined;
  }

  #waitSync(want: number, options: SyncWaitOptions): Permit {
    checkSyncWaits(options);
    const seat = this.#sit();
    try {
      this.#queue.join(seat, want);
      return this.#enterIfFirst(seat) ??
        untilSync(() => this.#enterIfFirst(seat), this.#waiter(seat), options);
    } catch (error) {
      this.#leave(seat);
      throw error;
    }
  }

  async #wait(want: number, options: WaitOptions): Promise<Permit> {
    const turn = yieldOften(options);
    if (turn !== undefined) await turn;
    const seat = this.#sit();
    try {
      this.#queue.join(seat, want);
      return this.#enterIfFirst(seat) ??
        await until(() => this.#enterIfFirst(seat), this.#waiter(seat), options);
    } catch (error) {
      this.#leave(seat);
      throw error;
    }
  }

  #enterIfFirst(seat: Seat): Permit | undefined {
    this.#queue.region.checkOpen();
    return this.#queue.blocker(seat) === undefined ? this.#enter(seat) : undefined;
  }

  #waiter(seat: Seat): Waiter {
    const queue = this.#queue;
    const want = wantOf(seat.turn) === Want.reader ? "read" : "write";
    let blocker = queue.blocker(seat);
    const isFirst = () => (blocker = queue.blocker(seat)) === undefined;
    const first: Condition = {
      bell: seat.row.bell,
      get watch() {
        return (blocker ?? seat.row).low;
      },
      ready: isFirst,
      beforeSleep: () => {
        queue.clearDead(seat); // rings this seat's bell if only the dead were in its way
        return isFirst() ? "ready" : undefined;
      },
    };
    return {
      action: `${want} under ${queue.what}`,
      conditions: () => [first],
      checkOpen: () => queue.region.checkOpen(),
      state: () => queue.describeHolder(),
    };
  }

  #enter(seat: Seat): Permit {
    const queue = this.#queue;
    const recovered = queue.enter(seat);
    queue.region.mapping.checkWhole(); // another handle may hold the lock that is gone
    let held = true;
    return makePermit(recovered, queue.what, () => {
      if (!held) return false;
      held = false;
      if (!this.#busy.has(seat)) return false; // the lock was closed
      if (recovered && wantOf(seat.turn) === Want.writing) queue.mend(); // C2
      this.#leave(seat);
      queue.region.mapping.checkWhole();
      return true;
    });
  }
}
