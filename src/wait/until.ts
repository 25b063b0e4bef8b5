/**
 * Waiting for a condition in shared memory: look, spin for a moment, then sleep on a bell.
 *
 * Sleeping is sliced. A waker can be killed between its publish and its ring, and the lock of a
 * dead peer vanishes without a sound; so no sleep exceeds a slice, after which the condition and
 * the peers are looked at again. A slice never declares anyone dead: only `hopeless` does, from
 * what the kernel says. For asynchronous waits the reactor looks, so that a thousand idle waiters
 * cost one wake-up a slice.
 *
 * @module
 */

import { Errno, OsError } from "../errors.ts";
import type { Word32 } from "../memory/word.ts";
import { hasManyCpus, now } from "../os/clock.ts";
import { interrupts, wait as futexWait } from "../os/futex.ts";
import { closedWhileWaiting, type Doorbell } from "./doorbell.ts";
import { reactor, SLICE_NS, type Watched } from "./reactor.ts";

/** How long a call that blocks the thread may wait. */
export interface SyncWaitOptions {
  /** Milliseconds until the wait gives up; for ever by default. */
  timeout?: number;
  /**
   * Microseconds to watch the memory before going to sleep; 50 by default, 0 with one CPU. Of
   * asynchronous calls that wait at once only the first watches, for at most 50.
   */
  spin?: number;
}

/** How long an asynchronous call may wait, and who may call it off. */
export interface WaitOptions extends SyncWaitOptions {
  /** Ends the wait with the signal's reason. */
  signal?: AbortSignal;
}

/** Something to wait for. */
export interface Awaited {
  /** Rung after every change that may make it ready. */
  readonly bell: Doorbell;
  /** A word that changes when it may have become ready: what spinning watches. */
  readonly watch: Word32;
  /** Whether nothing but a change of `watch` makes it ready. */
  readonly watchTellsAll?: boolean;
  /** Looks at the shared memory. */
  ready(): boolean;
  /** Whether waiting on is pointless, as nobody is left who could make it ready. */
  hopeless?(): boolean;
}

/** How a wait ended. */
export type Outcome = "ready" | "timeout" | "hopeless";

const DEFAULT_SPIN_US = 50;

/** What asynchronous waits may spin in one turn of the event loop, in vain and all together. */
const ASYNC_SPIN_LIMIT_NS = 50_000;

/** Waits and blocks the thread: spins, then sleeps. */
export function waitSync(awaited: Awaited, options: SyncWaitOptions = {}): Outcome {
  if (awaited.ready()) return "ready";
  const { deadline, spinNs } = limits(options);
  const firstNs = Math.min(spinNs, DEFAULT_SPIN_US * 1000); // before anything costs a system call
  if (firstNs > 0 && spin(awaited, firstNs)) return "ready";
  const interruptsBefore = interrupts();
  const spinEnd = spinNs > firstNs ? now() + spinNs - firstNs : 0;
  for (;;) {
    const time = now();
    const outcome = time < spinEnd
      ? spinSlice(awaited, Math.min(spinEnd - time, SLICE_NS), deadline)
      : sleepSlice(awaited, time, deadline);
    if (outcome !== undefined) return outcome;
    if (interrupts() !== interruptsBefore) throw interrupted();
  }
}

function spinSlice(awaited: Awaited, budgetNs: number, deadline: number): Outcome | undefined {
  return spin(awaited, budgetNs) ? "ready" : lookAgain(awaited, now(), deadline);
}

function sleepSlice(awaited: Awaited, time: number, deadline: number): Outcome | undefined {
  const raised = awaited.bell.raise();
  const outcome = lookAgain(awaited, time, deadline);
  if (outcome !== undefined) return outcome;
  const sliceEnd = Math.min(deadline, time + SLICE_NS);
  checkWait(futexWait(awaited.bell.word.address, raised, sliceEnd));
  // Looked at before the bell is raised again: one that stays up costs the waker a system call.
  return awaited.ready() ? "ready" : undefined;
}

/** Waits and leaves the event loop free: spins for a moment, then sleeps in the reactor. */
export async function wait(awaited: Awaited, options: WaitOptions = {}): Promise<Outcome> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (awaited.ready()) return "ready";
  const { deadline, spinNs } = limits(options);
  const spinLimit = asyncSpinNs(spinNs);
  if (spinLimit > 0 && spin(awaited, spinLimit)) return "ready";
  for (;;) {
    const watched = watchedOf([awaited]);
    const bells = [{ bell: awaited.bell, value: awaited.bell.raise() }];
    let outcome = lookAgain(awaited, now(), deadline);
    if (outcome !== undefined) return outcome;
    const look = () => (outcome = lookAgain(awaited, now(), deadline)) !== undefined;
    await reactor().park({ bells, watched, deadline, look }, signal);
    if (outcome !== undefined) return outcome; // which may have been to take something
    signal?.throwIfAborted();
    checkOpen([awaited]);
    if (awaited.ready()) return "ready";
  }
}

/** How long an asynchronous wait may spin: not at all behind one that did so in vain this turn. */
export function asyncSpinNs(spinNs: number): number {
  return reactor().hasNewcomer ? 0 : Math.min(spinNs, ASYNC_SPIN_LIMIT_NS);
}

/** Throws a ClosedError if the memory was closed between the wake-up and the code that runs next. */
export function checkOpen(all: readonly Awaited[]): void {
  const closed = all.find(({ bell }) => bell.mapping.closed);
  if (closed !== undefined) throw closedWhileWaiting(closed.bell);
}

/** The words that tell all there is to see, as they are before the bells are raised; if they do. */
export function watchedOf(all: readonly Awaited[]): Watched[] | undefined {
  if (!all.every(({ watchTellsAll }) => watchTellsAll)) return undefined;
  return all.map(({ watch }) => ({ word: watch, value: watch.load() }));
}

/** The look between raising the bell and sleeping. */
function lookAgain(awaited: Awaited, time: number, deadline: number): Outcome | undefined {
  if (awaited.ready()) return "ready";
  // The last words of a peer may have come between the look at the condition and the one at it.
  if (awaited.hopeless?.()) return awaited.ready() ? "ready" : "hopeless";
  return time >= deadline ? "timeout" : undefined;
}

/** Watches for up to `budgetNs`; true if it became ready. */
function spin(awaited: Awaited, budgetNs: number): boolean {
  const { watch } = awaited;
  let left = budgetNs;
  let end = 0;
  while (left > 0) {
    const seen = watch.load();
    if (awaited.ready()) return true;
    if (!watch.spinWhile(seen, left)) break;
    if (awaited.ready()) return true;
    const time = now(); // it changed, but not to what is needed
    end ||= time + budgetNs;
    left = end - time;
  }
  return awaited.ready();
}

/** Until when to wait, and how long to watch before sleeping; checks both. */
export function limits(options: SyncWaitOptions): { deadline: number; spinNs: number } {
  const { timeout = Infinity, spin = hasManyCpus() ? DEFAULT_SPIN_US : 0 } = options;
  if (!(timeout >= 0)) {
    throw new RangeError(`Cannot wait ${timeout} ms: a timeout is 0 or more milliseconds`);
  }
  if (!(spin >= 0)) {
    throw new RangeError(`Cannot spin ${spin} us: a spin is 0 or more microseconds`);
  }
  const timeoutNs = timeout * 1e6;
  const deadline = timeout === Infinity ? Infinity : now() + timeoutNs;
  return { deadline, spinNs: Math.min(spin * 1000, timeoutNs) };
}

/** The options of each next part of a wait: a limit on time is one for all of them. */
export function parts(options: WaitOptions): () => WaitOptions {
  const { timeout = Infinity } = options;
  if (!(timeout > 0 && timeout < Infinity)) return () => options;
  const deadline = now() + timeout * 1e6;
  let begun = false;
  return () => {
    if (begun) return { ...options, timeout: Math.max(0, (deadline - now()) / 1e6) };
    begun = true;
    return options; // as they were given: an error may tell of them
  };
}

/** Throws unless a futex wait ended in one of the ways it may. */
export function checkWait(result: number): void {
  const { EAGAIN, EINTR, ETIMEDOUT } = Errno;
  if (result >= 0 || result === -EAGAIN || result === -EINTR || result === -ETIMEDOUT) return;
  throw new OsError(-result, { syscall: "futex", action: "wait" });
}

/** What a wait that blocks the thread throws after Ctrl-C. */
export function interrupted(): DOMException {
  return new DOMException(
    "Cannot wait any longer: Ctrl-C arrived while this call blocked the thread, where no SIGINT " +
      "listener can run; use the form that returns a promise if a listener must run",
    "AbortError",
  );
}
