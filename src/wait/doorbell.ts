/**
 * The bell: the futex word that waiters sleep on.
 *
 * The value is `sequence << 1 | waiting`. Even: no waiter needs a wake-up. Odd: a waiter sleeps on
 * exactly this value, or is about to. Any number of parties may wait, and any number may ring.
 *
 * ```
 *   sleeper                                waker
 *   b = raise()          bell is odd        publish                 the condition becomes true
 *   order all wakers                        b = load(bell)          even: done, no system call
 *   look again                              odd: add 1 and wake all, in one system call
 *   sleep while bell is b
 * ```
 *
 * I1  Only `raise` makes the bell odd; only a wake makes it even, and then the sequence differs,
 *     so a late sleeper's compare in the kernel fails. (A second waker that saw the same odd value
 *     adds 1 to an even one and leaves it odd with no sleeper: the next ring costs one system call
 *     in vain.)
 * P1  The sleeper raises, then looks; the waker publishes, then loads the bell. Either the sleeper
 *     sees what was published, or the waker sees the bell up: never neither. Each needs a barrier
 *     between its two steps, because a store can wait in its processor while a later load goes
 *     ahead. Wakers publish far more often than a sleeper sleeps. So the sleeper pays for both:
 *     after raising, it has the kernel put a barrier into every running thread (membarrier, 1 to
 *     2 us). If a waker publishes before its barrier, the look sees that; if it loads the bell
 *     after its barrier, it sees the bell up. The barrier reaches registered processes; the waker
 *     of any other process keeps a fence (native/vring.c), and so does `ring()` after the store of
 *     a word. If a sandbox forbids the call, the sleeper looks 20 us later instead, when a store
 *     under way has arrived. If even that look is too early, the sleeper looks again after a slice
 *     (C1).
 * C1  Killed between publish and ring: the sleeper stays asleep. So no sleep is longer than a
 *     slice (reactor.ts), and a newcomer rings every bell of its role.
 * C2  Killed within ring: before the system call the bell is still up and the next ring takes it;
 *     after it all waiters are awake. Nothing lies in between.
 * C3  A sleeper killed: the bell is up, and the next ring costs one system call in vain.
 *
 * @module
 */

import { check, ClosedError } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import { Word32, type Word64, type WordPlace } from "../memory/word.ts";
import { addAndWake, orderOthers } from "../os/futex.ts";

const WAITING = 1;

/** The futex word that waiters sleep on until a waker rings it. */
export class Doorbell {
  /** The memory that the bell is in. */
  readonly mapping: Mapping;
  /** The futex word. Only this class changes it. */
  readonly word: Word32;

  /** Makes the bell at `place` of a layout that begins at `base` of the mapping. */
  constructor(mapping: Mapping, place: WordPlace, base = 0) {
    this.mapping = mapping;
    this.word = new Word32(mapping, place, base);
  }

  /**
   * Announces a sleeper and returns the bell's value. Check the condition after this, then sleep
   * while the bell has that value.
   */
  raise(): number {
    return raiseAll([{ bell: this }])[0]!.value;
  }

  /** Stores a value in a word and then rings, in one native call. */
  publish(word: Word32 | Word64, value: number): void {
    this.answer(word.storeThenGlance(value, this.word)); // .. P1 as in ring()
  }

  /** Wakes all sleepers if the value that this bell had after a publish says that there are any. */
  answer(glanced: number): void {
    if ((glanced & WAITING) !== 0) wake(this.word.address);
  }

  /** Wakes all sleepers; costs no system call if there are none. Call it after publishing. */
  ring(): void {
    if ((this.word.load() & WAITING) === 0) return; // .. P1 loaded after the publish
    wake(this.word.address);
  }
}

/** A bell, and the value that it was raised to. */
export interface Raised {
  readonly bell: Doorbell;
  readonly value: number;
}

/** Announces a sleeper at each bell, as `raise()` does at one, and returns their values. */
export function raiseAll(all: readonly { readonly bell: Doorbell }[]): Raised[] {
  const raised = all.map(({ bell }) => {
    if (bell.mapping.closed) throw closedWhileWaiting(bell);
    return { bell, value: (bell.word.or(WAITING) | WAITING) >>> 0 };
  });
  orderOthers(); // P1 raised before the look ..
  return raised;
}

function wake(address: number): void {
  check(addAndWake(address), { syscall: "futex", action: "wake who waits" });
}

/** Makes the error for a wait on a bell whose memory was closed. */
export function closedWhileWaiting({ mapping }: Doorbell): ClosedError {
  return new ClosedError(`Cannot wait on ${mapping.what}: it was closed`);
}
