/**
 * Waiting for the first of several things: one sleep on all their bells.
 *
 * As in wait/until.ts: every bell is raised, then everything is looked at again, then one sleep on all
 * of them, in slices. What has nothing to wait for any more, as its other end is gone, is as good as
 * ready: whoever turns to it is told.
 *
 * @module
 */

import { checkWaits, inWords } from "../arguments.ts";
import { timeoutError } from "../errors.ts";
import { now, perIsolate } from "../os/clock.ts";
import { FutexVector, interrupts } from "../os/futex.ts";
import { reactor, SLICE_NS } from "./reactor.ts";
import { begin } from "./fairness.ts";
import {
  asyncSpinNs,
  type Awaited,
  checkOpen,
  checkWait,
  interrupted,
  limits,
  type Outcome,
  type SyncWaitOptions,
  wait,
  type WaitOptions,
  waitSync,
  watchedOf,
} from "./until.ts";

/** What a receiver gives to `waitAny`. */
export const AWAITED: unique symbol = Symbol.for("vring.awaited/1");

/** What can be waited for together with others: the receiving ends of everything here. */
export interface Waitable {
  /** @ignore */
  [AWAITED](): readonly Awaited[];
}

/**
 * Blocks the thread until one of these has something to receive, or to tell, such as that its other
 * end has closed; gives the first that has.
 *
 * @example The first of two rings
 * ```ts
 * import { SpscConsumer, SpscProducer, waitAnySync } from "@vring/vring";
 *
 * using left = SpscConsumer.open("example-left");
 * using right = SpscConsumer.open("example-right");
 * using producer = SpscProducer.open("example-right"); // in another process
 * producer.trySend(new Uint8Array(3));
 * console.log(waitAnySync([left, right]) === right); // true
 * ```
 */
export function waitAnySync<W extends Waitable>(
  waitables: readonly W[],
  options: SyncWaitOptions = {},
): W {
  checkWaits(options);
  const { all, owners } = awaitedOf(waitables);
  const { deadline, spinNs } = limits(options);
  if (all.length === 1) return settled(waitSync(all[0]!, options), owners, options);
  const watched = watch(all, spinNs);
  if (watched >= 0) return owners[watched]!;
  const interruptsBefore = interrupts();
  const list = sleepList();
  for (;;) {
    list.clear();
    for (const { bell } of all) list.push(bell.word.address, bell.raise());
    const found = lookAgain(all);
    if (found >= 0) return owners[found]!;
    const time = now();
    if (time >= deadline) throw tooLate(options);
    const result = list.waitSync(Math.min(deadline, time + SLICE_NS));
    checkWait(result);
    const ready = firstReady(all);
    if (ready >= 0) return owners[ready]!;
    if (interrupts() !== interruptsBefore) throw interrupted();
  }
}

/** One for all blocking sleeps of an isolate: memory for another one would take 40 us. */
const sleepList = perIsolate(() => new FutexVector());

/**
 * Resolves once one of these has something to receive, or to tell, such as that its other end has
 * closed; with the first that has. The event loop is free meanwhile.
 */
export async function waitAny<W extends Waitable>(
  waitables: readonly W[],
  options: WaitOptions = {},
): Promise<W> {
  const turn = begin(options);
  const { all, owners } = awaitedOf(waitables);
  if (turn !== undefined) {
    await turn;
    options.signal?.throwIfAborted(); // a sleep is not called off by what has happened before it
  }
  const { deadline, spinNs } = limits(options);
  if (all.length === 1) return settled(await wait(all[0]!, options), owners, options);
  const watched = watch(all, asyncSpinNs(spinNs));
  if (watched >= 0) return owners[watched]!;
  for (;;) {
    const watched = watchedOf(all);
    const bells = all.map(({ bell }) => ({ bell, value: bell.raise() }));
    const found = lookAgain(all);
    if (found >= 0) return owners[found]!;
    if (now() >= deadline) throw tooLate(options);
    const look = () => lookAgain(all) >= 0;
    await reactor().park({ bells, watched, deadline, look }, options.signal);
    options.signal?.throwIfAborted();
    checkOpen(all);
    const ready = firstReady(all);
    if (ready >= 0) return owners[ready]!;
  }
}

/** What waiting for one thing comes to. */
function settled<W>(outcome: Outcome, [owner]: readonly W[], options: SyncWaitOptions): W {
  if (outcome === "timeout") throw tooLate(options);
  return owner!;
}

/** All that is waited for, and whose each of it is. */
function awaitedOf<W extends Waitable>(waitables: readonly W[]) {
  const all: Awaited[] = [];
  const owners: W[] = [];
  if (typeof Object(waitables)[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot wait for ${inWords(waitables)}: pass an array of what receives`);
  }
  for (const waitable of waitables) {
    checkWaitable(waitable);
    for (const awaited of waitable[AWAITED]()) {
      all.push(awaited);
      owners.push(waitable);
    }
  }
  if (all.length > 0) return { all, owners };
  throw new RangeError("Cannot wait for the first of nothing: pass what to wait for");
}

/** What TypeScript would not let pass, such as a sender. */
function checkWaitable(given: Waitable | null | undefined): void {
  if (typeof given?.[AWAITED] === "function") return;
  const { name } = Object(given?.constructor);
  throw new TypeError(
    `Cannot wait for ${
      name || inWords(given)
    }: it does not receive; pass consumers, readers, subscribers, slots or listeners`,
  );
}

/** Looks again and again for so long; the index of what is ready, -1 if nothing came to be. */
function watch(all: readonly Awaited[], budgetNs: number): number {
  let found = firstReady(all);
  const end = now() + budgetNs;
  while (found < 0 && now() < end) found = firstReady(all);
  return found;
}

function firstReady(all: readonly Awaited[]): number {
  return all.findIndex((awaited) => awaited.ready());
}

/** The look between raising the bells and sleeping. */
function lookAgain(all: readonly Awaited[]): number {
  const ready = firstReady(all);
  return ready >= 0 ? ready : all.findIndex((awaited) => awaited.hopeless?.() ?? false);
}

/** A time-out of `waitAny` as one of what it was used for; other errors as they are. */
export function explained(
  error: unknown,
  action: string,
  { timeout = Infinity }: SyncWaitOptions,
): unknown {
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return late ? timeoutError(action, timeout) : error;
}

function tooLate({ timeout = Infinity }: SyncWaitOptions): DOMException {
  return timeoutError("see any of several become ready", timeout);
}
