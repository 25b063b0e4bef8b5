/**
 * Asynchronous sleep: one thread of Deno's pool sleeps in one `futex_waitv` for all asynchronous
 * waiters of this isolate. (One thread per waiter would exhaust the pool of 32 and stall file
 * reads.)
 *
 * ```
 *   vector:  control | bell a | bell b | bell b'| ...          one entry per (word, value)
 * ```
 *
 * A sleeper comes here if no byte in a FIFO can wake it (hearing.ts), or after none has for a while.
 *
 * The loop samples the control word, lists the entries, sleeps, and settles the waiters whose wait
 * has ended. It repeats while waiters are left. Adding or cancelling an entry while the thread
 * sleeps changes the control word and wakes the thread.
 *
 * At the end of each slice (until.ts) the reactor checks each sleeper's condition without waking
 * the sleeper: many idle waiters cost one wake-up and a check each. Slices end on a grid that all
 * isolates share. If only changes of words can make the conditions true, the thread watches those
 * words itself and returns only after several slices.
 *
 * P1  The control word is sampled before the entries are read, and changed after the entries are:
 *     a change that the list does not show makes the kernel's compare fail, and the loop runs again.
 * I1  Closing a mapping wakes the thread if it sleeps on a word of that mapping. Until then the
 *     thread may still read the word: closed memory reads as zeros (mapping.ts).
 * I2  Promises are settled only while no thread is asleep, so no operation is pending once the last
 *     one is settled: a test's sanitizer finds nothing, and the process can end.
 * C1  If the isolate is terminated, the thread returns by itself after those slices at most; the
 *     code stays mapped, and vector and control word become zeros, at which the thread returns.
 *
 * @module
 */

import { Errno, OsError } from "../errors.ts";
import { Mapping } from "../memory/mapping.ts";
import { Word32 } from "../memory/word.ts";
import { now, perIsolate } from "../os/clock.ts";
import { FutexVector, VECTOR_LIMIT, wake } from "../os/futex.ts";
import { pageSize } from "../os/page.ts";
import { Hearing } from "./hearing.ts";
import { mustEnd, type Sleep, type Sleeper, SLICE_NS, sliceEndAt, type Watched } from "./sleep.ts";

/** The most slices for which the thread watches words by itself. */
const SLICES_ALONE = 8;

const CONTROL = { path: "reactor.control", offset: 0 };

/** The sleepers of one isolate and the thread that sleeps for them. */
export class Reactor {
  readonly #sleepers = new Set<Sleeper>();
  readonly #hearing = new Hearing((sleeper) => this.#add(sleeper));
  readonly #vector = new FutexVector();
  readonly #control = new Word32(Mapping.anonymous(pageSize(), "waiting"), CONTROL);
  #running = false;
  #aloneNs = Infinity; // how often the thread looks by itself
  #poked = false; // the control word has changed since it was sampled, or is sampled soon

  /**
   * Whether a waiter has begun to sleep in this turn, and the thread does not sleep for it yet.
   * Then other waiters should not spin: 400 waiters that spin for 50 us each block the event loop
   * for 20 ms at every wake-up.
   */
  get hasNewcomer(): boolean {
    return this.#poked || this.#hearing.hasNewcomer;
  }

  /**
   * Sleeps until a bell rings, the deadline passes, a look returns true or a signal aborts. Throws
   * the error of a look, and a ClosedError when the memory of a bell is closed. The caller checks
   * which of the other events ended the sleep.
   */
  async park(sleep: Sleep, ...signals: (AbortSignal | undefined)[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { sleep, sliceEnd: Infinity, cancelled: false, resolve, reject };
    const cancel = () => {
      sleeper.cancelled = true;
      if (!this.#hearing.cancel(sleeper)) this.#poke();
    };
    const mappings = sleep.bells.map(({ bell }) => bell.mapping);
    try {
      for (const mapping of mappings) mapping.onClose(cancel); // I1
      for (const signal of signals) signal?.addEventListener("abort", cancel);
      if (!this.#hearing.take(sleeper)) this.#add(sleeper);
      await promise;
    } finally {
      for (const signal of signals) signal?.removeEventListener("abort", cancel);
      for (const mapping of mappings) mapping.offClose(cancel);
    }
  }

  /** Lets the thread sleep for a sleeper. */
  #add(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    if (this.#running) this.#poke();
    else void this.#run();
  }

  /** Wakes the sleeping thread, so that it sleeps again on the current list. */
  #poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    this.#control.add(1); // .. P1 changed after the entries
    wake(this.#control.address, 1);
  }

  async #run(): Promise<void> {
    this.#running = this.#poked = true;
    await null; // other waiters that begin in this turn share the first sleep
    while (this.#sleepers.size > 0) {
      const error = await this.#sleep();
      if (!isFault(error) || !this.#settle(undefined)) this.#settle(error);
    }
    this.#running = this.#poked = false;
  }

  /** One sleep of the thread; returns its error, if it failed. */
  async #sleep(): Promise<unknown> {
    try {
      const result = await this.#vector.wait(this.#listSleepers(), this.#aloneNs);
      if (result >= 0 || result === -Errno.ETIMEDOUT || result === -Errno.EINTR) return undefined;
      const action = `wait on ${this.#vector.length} words`;
      return new OsError(-result, { syscall: "futex_waitv", action });
    } catch (error) {
      return error;
    }
  }

  /** Writes the list for the kernel; returns the earliest deadline. */
  #listSleepers(): number {
    this.#poked = false;
    this.#vector.clear();
    this.#vector.push(this.#control.address, this.#control.load()); // P1 sampled before the entries ..
    let deadline = Infinity;
    const listed = new Map<number, number>();
    const list = (word: Word32, value: number) => {
      if (listed.get(word.address) === value) return;
      listed.set(word.address, value);
      this.#vector.push(word.address, value);
    };
    for (const { sleep, cancelled } of this.#sleepers) {
      if (cancelled) return 0; // since the last settling: do not sleep at all
      deadline = Math.min(deadline, sleep.deadline);
      for (const { bell, value } of sleep.bells) list(bell.word, value);
    }
    const watched = this.#watched();
    for (const { word, value } of watched ?? []) list(word, value);
    const slices = watched === undefined ? 1 : SLICES_ALONE;
    this.#aloneNs = watched === undefined ? Infinity : SLICE_NS;
    const time = now();
    for (const sleeper of this.#sleepers) {
      const sliceEnd = sliceEndAt(time, sleeper.sleep.sliceNs ?? SLICE_NS, slices);
      sleeper.sliceEnd = Math.min(sleeper.sliceEnd, sliceEnd);
      deadline = Math.min(deadline, sleeper.sliceEnd);
    }
    return deadline;
  }

  /** The words to watch; undefined if words are not enough, or are too many for the kernel. */
  #watched(): readonly Watched[] | undefined {
    const all: Watched[] = [];
    for (const { sleep: { watched } } of this.#sleepers) {
      if (watched === undefined) return undefined;
      all.push(...watched);
    }
    return this.#vector.length + all.length > VECTOR_LIMIT ? undefined : all;
  }

  /**
   * Ends the sleeps that must end; all of them if the thread's sleep failed. Returns whether the
   * memory or the look of any had an error of its own.
   */
  #settle(error: unknown): boolean {
    const time = now();
    let hadProblem = false;
    for (const sleeper of this.#sleepers) {
      try {
        if (mustEnd(sleeper, time) || error !== undefined) this.#end(sleeper, error);
      } catch (problem) {
        hadProblem = true;
        this.#end(sleeper, problem);
      }
    }
    return hadProblem;
  }

  #end(sleeper: Sleeper, error: unknown): void {
    this.#sleepers.delete(sleeper);
    if (error === undefined) sleeper.resolve();
    else sleeper.reject(error);
  }
}

/**
 * Whether the kernel found a word whose memory is gone. A touch of it tells whose that is, and all
 * others sleep on.
 */
function isFault(error: unknown): boolean {
  return error instanceof OsError && error.errno === Errno.EFAULT;
}

/** The reactor of this isolate. */
export const reactor: () => Reactor = perIsolate(() => new Reactor());
