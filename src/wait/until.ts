/**
 * Waiting until an attempt succeeds: try, look, spin for a moment, then sleep on a bell.
 *
 * ```
 *   attempt ----> conditions ready? --> spin --> raise bells, look again, sleep a slice --.
 *      ^                 |               |                  ^        |                     |
 *      '-- one is true --'---------------'                  '--------+---------------------'
 * ```
 *
 * A waker can be killed between its publish and its ring, and the lock of a dead peer vanishes
 * without an event. So no sleep is longer than a slice, and after each slice the wait checks the
 * conditions and the peers again. (If words alone decide, an idle wait leaves that look to the native
 * library, for several slices.)
 * The end of a slice never means that a peer is dead: only `beforeSleep` decides that, from the
 * kernel's locks. The reactor checks all asynchronous waits, so a thousand idle ones cost one
 * wake-up a slice.
 *
 * Rules of every wait, of one condition or of several:
 *
 * - The time limit holds for the whole call, however many attempts fail on the way.
 * - A signal ends a wait with its reason, but never after the attempt has taken a message.
 * - Ctrl-C ends a wait that blocks the thread.
 * - The event loop gets a turn among asynchronous operations that need not wait (fairness.ts).
 *
 * @module
 */

import { checkWaits } from "../arguments.ts";
import { Errno, OsError, timeoutError } from "../errors.ts";
import { hasManyCpus, isWorker, now, perIsolate } from "../os/clock.ts";
import { FutexVector, hasWaitv, interrupts, VECTOR_LIMIT, wait as futexWait } from "../os/futex.ts";
import type { Attempt, Condition, Outcome, Waiter } from "./condition.ts";
import { closedWhileWaiting, raiseAll, type Raised } from "./doorbell.ts";
import { hadTurn, yieldOften } from "./fairness.ts";
import { reactor } from "./reactor.ts";
import { SLICE_NS, type Watched } from "./sleep.ts";
import { firstReady, spin } from "./spin.ts";

/** The time limits of a call that blocks the thread. */
export interface SyncWaitOptions {
  /**
   * The milliseconds until the wait throws a DOMException named TimeoutError; without a limit by
   * default.
   */
  timeout?: number | undefined;
  /**
   * The microseconds to spin before the thread sleeps; 50 by default, 0 with one CPU. If several
   * asynchronous calls wait at the same time, only the first spins, and for at most 50.
   */
  spin?: number | undefined;
}

/** The time limits of an asynchronous call, and a signal that ends it early. */
export interface WaitOptions extends SyncWaitOptions {
  /** Rejects the wait with the signal's reason when it aborts. */
  signal?: AbortSignal | undefined;
}

/** The options of an asynchronous loop. */
export interface LoopOptions extends WaitOptions {
  /** Ends the loop without an error when it aborts; closing the handle does the same. */
  until?: AbortSignal | undefined;
}

const DEFAULT_SPIN_US = 50;

/**
 * How long a wait for several conditions trusts that a party which was alive still is: asking the
 * kernel takes a microsecond for each. A death is found at most this much later than after a slice.
 */
const REST_NS = SLICE_NS / 8;

/** The longest spin of all asynchronous waits together in one turn of the event loop. */
const ASYNC_SPIN_LIMIT_NS = 50_000;

/** The most slices for which the native library looks at words in a blocked wait: 10 seconds. */
const SLICES_BLOCKED = 40;

/** The limits of a call. */
interface Limits {
  readonly deadline: number;
  readonly spinNs: number;
}

/** How one wait ended, and by which condition. */
interface End {
  readonly outcome: Outcome;
  readonly condition?: Condition | undefined;
}

const TIMEOUT: End = { outcome: "timeout" };
const CHANGED: End = { outcome: "ready" };

/**
 * Blocks the thread, and repeats an attempt that has just failed, until it succeeds. (The caller
 * makes the first attempt, so that it allocates nothing if that succeeds.)
 */
export function untilSync<T>(
  attempt: Attempt<T>,
  waiter: Waiter,
  options: SyncWaitOptions = {},
): T {
  checkWaits(options);
  let spun = waiter.deadline === undefined ? firstSpinOf(options) : 0;
  const condition = spun > 0 ? spin(waiter.conditions(), spun) : undefined;
  if (condition !== undefined) {
    const found = attempt(settle({ outcome: "ready", condition }, waiter, options));
    if (found !== undefined) return found;
    spun = 0; // less than that
  }
  const limits = limitsOf(options, waiter, spun);
  for (;;) {
    const end = waitSync(waiter.conditions(), limits);
    const found = attempt(settle(end, waiter, options));
    if (found !== undefined) return found;
    checkTime(limits, waiter, options);
  }
}

/** Repeats an attempt until it succeeds. Waits in between, and leaves the event loop free. */
export async function until<T>(
  attempt: Attempt<T>,
  waiter: Waiter,
  options: WaitOptions = {},
): Promise<T> {
  const turn = begin(waiter, options);
  if (turn !== undefined) await turn;
  const found = attempt();
  return found !== undefined ? found : await untilLater(attempt, waiter, options);
}

/** Begins an asynchronous operation; returns a promise if the first attempt must wait for it. */
export function begin(waiter: Waiter, options: WaitOptions): Promise<void> | undefined {
  return yieldOften(options) ?? (waiter.busy?.() ? Promise.resolve() : undefined);
}

/** Repeats an attempt that has just failed until it succeeds. Leaves the event loop free. */
export async function untilLater<T>(
  attempt: Attempt<T>,
  waiter: Waiter,
  options: WaitOptions,
): Promise<T> {
  const limits = limitsOf(options, waiter);
  for (;;) {
    const end = await wait(waiter, limits, options.signal);
    let found = attempt(settle(end, waiter, options));
    if (found !== undefined) return found;
    checkTime(limits, waiter, options);
    const turn = yieldOften(options);
    if (turn === undefined) continue;
    await turn;
    found = attempt();
    if (found !== undefined) return found;
  }
}

/** Returns the condition that ended a wait; throws if it timed out or is lost. */
function settle(
  { outcome, condition }: End,
  waiter: Waiter,
  options: SyncWaitOptions,
): Condition | undefined {
  waiter.checkOpen?.(); // the handle may have been closed since the wait ended
  if (outcome === "timeout") throw tooLate(waiter, options);
  if (outcome === "lost") waiter.lost?.(condition!);
  return condition;
}

/** Throws a TimeoutError at the deadline, even if a condition is always true and attempts fail. */
function checkTime({ deadline }: Limits, waiter: Waiter, options: SyncWaitOptions): void {
  if (deadline < Infinity && now() >= deadline) throw tooLate(waiter, options);
}

function tooLate(waiter: Waiter, { timeout = Infinity }: SyncWaitOptions): DOMException {
  const error = timeoutError(waiter.action, timeout, waiter.state?.());
  for (const { bell } of waiter.conditions()) bell.mapping.checkWhole(); // it may have seen zeros
  return error;
}

/** Checks the options and returns the deadline of a call that begins now. */
export function deadlineOf(options: SyncWaitOptions): number {
  checkWaits(options);
  const { timeout = Infinity } = options;
  return timeout === Infinity ? Infinity : now() + timeout * 1e6;
}

/** Returns the limits of a call that has spun for so many nanoseconds. */
function limitsOf(options: SyncWaitOptions, waiter: Waiter, spun = 0): Limits {
  const deadline = waiter.deadline ?? deadlineOf(options) - spun;
  return { deadline, spinNs: spinOf(options) - spun };
}

/** Returns how many nanoseconds a call may spin. */
function spinOf({ spin = hasManyCpus() ? DEFAULT_SPIN_US : 0 }: SyncWaitOptions): number {
  return spin * 1000;
}

/**
 * Returns how long a call may spin before it reads the clock: that takes 50 ns, and a peer often
 * answers at once.
 */
function firstSpinOf(options: SyncWaitOptions): number {
  const { timeout = Infinity } = options;
  return Math.min(spinOf(options), DEFAULT_SPIN_US * 1000, timeout * 1e6);
}

/** Returns how many nanoseconds a wait that begins now may spin. */
function spinBudget({ deadline, spinNs }: Limits): number {
  return deadline === Infinity ? spinNs : Math.min(spinNs, Math.max(0, deadline - now()));
}

function waitSync(all: readonly Condition[], limits: Limits): End {
  const { deadline } = limits;
  const spinNs = spinBudget(limits);
  const firstNs = Math.min(spinNs, DEFAULT_SPIN_US * 1000); // before anything costs a system call
  const condition = spin(all, firstNs);
  if (condition !== undefined) return { outcome: "ready", condition };
  const interruptsBefore = interrupts();
  const spinEnd = spinNs > firstNs ? now() + spinNs - firstNs : 0;
  for (let idle = false;;) {
    const time = now();
    const spins = time < spinEnd;
    const end = spins
      ? spinSlice(all, Math.min(spinEnd - time, SLICE_NS), deadline)
      : sleepSlice(all, { time, deadline, interruptsBefore, idle });
    if (end !== undefined) return end;
    if (interrupts() !== interruptsBefore) throw interrupted();
    idle = !spins;
  }
}

function spinSlice(all: readonly Condition[], budgetNs: number, deadline: number): End | undefined {
  const condition = spin(all, budgetNs);
  return condition !== undefined
    ? { outcome: "ready", condition }
    : lookAgain(all, now(), deadline);
}

/** The list of words of all blocking sleeps of an isolate: making one takes 40 us. */
const sleepList = perIsolate(() => new FutexVector());

/** One sleep. */
interface Slice {
  readonly time: number;
  readonly deadline: number;
  readonly interruptsBefore: number;
  /** Whether the wait has slept in vain before. */
  readonly idle: boolean;
}

function sleepSlice(all: readonly Condition[], slice: Slice): End | undefined {
  const { time, deadline } = slice;
  // A Worker that was terminated keeps its roles until it leaves its sleep.
  const watched = slice.idle && !isWorker() ? watchedOf(all) : undefined;
  const bells = raiseAll(all);
  const end = lookAgain(all, time, deadline);
  if (end !== undefined) return end;
  const sliceNs = sliceOf(all);
  const isLong = watched !== undefined && sliceNs === SLICE_NS && hasWaitv() &&
    bells.length + watched.length <= VECTOR_LIMIT;
  const result = isLong
    ? sleepAlone(bells, watched, slice)
    : sleepOn(bells, Math.min(deadline, time + sliceNs));
  checkWait(result, bells);
  // Looked at before the bells are raised again: one that stays up costs the waker a system call.
  const condition = firstReady(all);
  return condition && { outcome: "ready", condition };
}

/** Sleeps until a bell differs from its value or the deadline passes. */
function sleepOn(bells: readonly Raised[], deadline: number): number {
  if (bells.length === 1) return futexWait(bells[0]!.bell.word.address, bells[0]!.value, deadline);
  return listed(bells).waitSync(deadline);
}

/**
 * Sleeps for several slices, if only words can end a wait: after each slice the native library looks
 * at them, which costs a third of a look from here.
 */
function sleepAlone(
  bells: readonly Raised[],
  watched: readonly Watched[],
  { time, deadline, interruptsBefore }: Slice,
): number {
  const end = Math.min(deadline, time + SLICES_BLOCKED * SLICE_NS);
  return listed(bells, watched).waitSync(end, SLICE_NS, interruptsBefore);
}

function listed(bells: readonly Raised[], watched: readonly Watched[] = []): FutexVector {
  const list = sleepList();
  list.clear();
  for (const { bell, value } of bells) list.push(bell.word.address, value);
  for (const { word, value } of watched) list.push(word.address, value);
  return list;
}

/** Spins as an asynchronous wait does before it sleeps; returns whether a condition is true. */
export function spinFor(waiter: Waiter, options: SyncWaitOptions): boolean {
  const limits = { deadline: waiter.deadline ?? Infinity, spinNs: spinOf(options) };
  return spin(waiter.conditions(), asyncSpinBudget(limits)) !== undefined;
}

async function wait(waiter: Waiter, limits: Limits, signal?: AbortSignal): Promise<End> {
  const all = waiter.conditions();
  const { deadline } = limits;
  const changed = waiter.changed?.();
  signal?.throwIfAborted();
  const condition = spin(all, asyncSpinBudget(limits));
  if (condition !== undefined) return { outcome: "ready", condition };
  for (;;) {
    const watched = watchedOf(all);
    const bells = raiseAll(all);
    let end = lookAgain(all, now(), deadline);
    if (end !== undefined) return end;
    const look = () => (end = lookAgain(all, now(), deadline)) !== undefined;
    const sleep = {
      bells,
      watched,
      deadline,
      look,
      get sliceNs(): number {
        return sliceOf(all);
      },
    };
    await reactor().park(sleep, signal, changed);
    hadTurn();
    if (end !== undefined) return end; // the look may have taken something: before the signal
    signal?.throwIfAborted();
    if (changed?.aborted) return CHANGED;
    checkOpen(all);
    const condition = firstReady(all);
    if (condition !== undefined) return { outcome: "ready", condition };
  }
}

/** The longest sleep of any of these conditions. */
function sliceOf(all: readonly Condition[]): number {
  return all.reduce((least, { sliceNs = SLICE_NS }) => Math.min(least, sliceNs), SLICE_NS);
}

/** Returns how long an asynchronous wait may spin: 0 if another one spun in vain in this turn. */
function asyncSpinBudget(limits: Limits): number {
  return reactor().hasNewcomer ? 0 : Math.min(spinBudget(limits), ASYNC_SPIN_LIMIT_NS);
}

/** Throws if memory was closed or taken away between the wake-up and the code that runs next. */
function checkOpen(all: readonly Condition[]): void {
  const closed = all.find(({ bell }) => bell.mapping.closed);
  if (closed !== undefined) throw closedWhileWaiting(closed.bell);
  for (const { bell } of all) bell.mapping.checkWhole();
}

/**
 * Loads all watched words before the bells are raised; undefined if they are not enough to watch.
 */
function watchedOf(all: readonly Condition[]): Watched[] | undefined {
  if (!all.every(({ watchTellsAll }) => watchTellsAll)) return undefined;
  return all.map(({ watch }) => ({ word: watch, value: watch.load() }));
}

/** Checks all conditions between raising the bells and sleeping; returns undefined to sleep. */
function lookAgain(all: readonly Condition[], time: number, deadline: number): End | undefined {
  const condition = firstReady(all);
  for (const { bell } of all) bell.mapping.checkFile(time);
  if (condition !== undefined) return { outcome: "ready", condition };
  const restsSince = all.length === 1 || time >= deadline ? Infinity : time - REST_NS;
  for (const condition of all) {
    if (condition.restsFrom !== undefined && condition.restsFrom > restsSince) continue;
    const outcome = condition.beforeSleep?.();
    if (outcome === undefined) {
      if (condition.restsFrom !== undefined) condition.restsFrom = time;
      continue;
    }
    // A peer may have published its last words between the look at the ring and the look at it.
    const lost = outcome === "lost" && !condition.ready();
    return { outcome: lost ? "lost" : "ready", condition };
  }
  return time >= deadline ? TIMEOUT : undefined;
}

/** Throws unless a futex wait ended in one of the ways it may. */
function checkWait(result: number, bells: readonly Raised[]): void {
  const { EAGAIN, EFAULT, EINTR, ETIMEDOUT } = Errno;
  if (result === -EFAULT) { // the kernel reports what a touch of the page finds
    for (const { bell } of bells) bell.word.load();
    for (const { bell } of bells) bell.mapping.checkWhole();
  }
  if (result >= 0 || result === -EAGAIN || result === -EINTR || result === -ETIMEDOUT) return;
  throw new OsError(-result, { syscall: "futex", action: "wait" });
}

/** The error of a wait that blocked the thread when Ctrl-C arrived. */
export function interrupted(): DOMException {
  return new DOMException(
    "Cannot wait any longer: Ctrl-C arrived while this call blocked the thread, where no SIGINT " +
      "listener can run; use the form that returns a promise if a listener must run",
    "AbortError",
  );
}
