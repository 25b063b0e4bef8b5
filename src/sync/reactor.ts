/**
 * Asynchronous sleep: one thread of Deno's pool, in one `futex_waitv`, covers every asynchronous
 * waiter of this isolate. (A thread for each would exhaust the pool of 32 and stall file reads.)
 *
 * ```
 *   vector:  control | bell a | bell b | bell b'| ...          one entry per (word, value)
 * ```
 *
 * The loop samples the control word, lists the entries, sleeps, settles who is done, and begins
 * again while anyone is left. Whoever adds or cancels an entry while the thread sleeps changes the
 * control word and wakes it.
 *
 * P1  The control word is sampled before the entries are read, and changed after the entries are:
 *     a change that the list does not show makes the kernel's compare fail, and the loop runs again.
 * I1  A mapping is pinned from the listing of its word until the thread is back, as the thread may
 *     read the word (the scan does, where futex_waitv is missing).
 * I2  Promises are settled only while no thread is asleep, so nothing is under way once the last
 *     waiter is told: a test's sanitizer sees nothing, and the process can end.
 * C1  If the isolate is terminated, the thread returns by itself at the end of the slice at most;
 *     code, vector and control word stay mapped.
 *
 * @module
 */

import { ClosedError, Errno, OsError } from "../errors.ts";
import { Mapping } from "../memory/mapping.ts";
import { Word32 } from "../memory/word.ts";
import { now, perIsolate } from "../os/clock.ts";
import { FutexVector, wake } from "../os/futex.ts";
import { pageSize } from "../os/page.ts";
import type { Doorbell } from "./doorbell.ts";

/** One sleeper. */
interface Sleeper {
  readonly bell: Doorbell;
  readonly raised: number;
  readonly deadline: number;
  cancelled: boolean;
  resolve(): void;
  reject(error: unknown): void;
}

const CONTROL = { path: "reactor.control", offset: 0 };

/** The sleepers of one isolate and the thread that sleeps for them. */
export class Reactor {
  readonly #sleepers = new Set<Sleeper>();
  readonly #vector = new FutexVector();
  readonly #control = new Word32(Mapping.anonymous(pageSize(), "waiting"), CONTROL);
  #running = false;
  #poked = false; // the control word has changed since it was sampled

  /**
   * Sleeps while the bell has the value `raised`, until the deadline or until the signal aborts.
   * Throws a ClosedError when the bell's memory is closed meanwhile. Why it ended is for the
   * caller to look up.
   */
  async park(
    bell: Doorbell,
    raised: number,
    deadline: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { bell, raised, deadline, cancelled: false, resolve, reject };
    const cancel = () => {
      sleeper.cancelled = true;
      this.#poke();
    };
    bell.mapping.pin(cancel); // I1
    signal?.addEventListener("abort", cancel);
    this.#sleepers.add(sleeper);
    if (this.#running) this.#poke();
    else this.#run();
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", cancel);
      bell.mapping.unpin(cancel);
    }
  }

  /** Brings the sleeping thread back, so that it sleeps again on the present list. */
  #poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    this.#control.add(1); // .. P1 changed after the entries
    wake(this.#control.address, 1);
  }

  async #run(): Promise<void> {
    this.#running = true;
    await null; // whoever else begins to wait in this turn shares the first sleep
    while (this.#sleepers.size > 0) this.#settle(await this.#sleep());
    this.#running = false;
  }

  /** One sleep of the thread; gives what went wrong, if anything did. */
  async #sleep(): Promise<unknown> {
    try {
      const result = await this.#vector.wait(this.#listSleepers());
      if (result >= 0 || result === -Errno.ETIMEDOUT || result === -Errno.EINTR) return undefined;
      const action = `wait on ${this.#vector.length} words`;
      return new OsError(-result, { syscall: "futex_waitv", action });
    } catch (error) {
      return error;
    }
  }

  /** Writes the list for the kernel; gives the earliest deadline. */
  #listSleepers(): number {
    this.#poked = false;
    this.#vector.clear();
    this.#vector.push(this.#control.address, this.#control.load()); // P1 sampled before the entries ..
    let deadline = Infinity;
    const listed = new Map<number, number>();
    for (const sleeper of this.#sleepers) {
      if (sleeper.cancelled) return 0; // since the last settling: do not sleep at all
      deadline = Math.min(deadline, sleeper.deadline);
      const { address } = sleeper.bell.word;
      if (listed.get(address) === sleeper.raised) continue;
      listed.set(address, sleeper.raised);
      this.#vector.push(address, sleeper.raised);
    }
    return deadline;
  }

  /** Wakes everyone whose bell has changed, whose time is up or who is cancelled. */
  #settle(error: unknown): void {
    const time = now();
    for (const sleeper of this.#sleepers) {
      const { bell, raised, deadline, cancelled } = sleeper;
      const { closed } = bell.mapping;
      if (error === undefined && !cancelled && !closed && time < deadline) {
        if (bell.word.load() === raised) continue;
      }
      this.#sleepers.delete(sleeper);
      if (closed) sleeper.reject(new ClosedError("Cannot wait any longer: the handle was closed"));
      else if (error !== undefined) sleeper.reject(error);
      else sleeper.resolve();
    }
  }
}

/** The reactor of this isolate. */
export const reactor: () => Reactor = perIsolate(() => new Reactor());
