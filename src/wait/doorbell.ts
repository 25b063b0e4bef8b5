/**
 * The bell: the futex word that waiters sleep on.
 *
 * The value is `sequence << 1 | waiting`. Even: no waiter needs a wake-up. Odd: a waiter sleeps on
 * exactly this value, or is about to. Any number of parties may wait, and any number may ring.
 *
 * ```
 *   sleeper                                waker
 *   b = raise()          bell is odd        publish                 the condition becomes true
 *   look again                              b = load(bell)          even: done, no system call
 *   sleep while bell is b                   odd: add 1 and wake all, in one system call
 * ```
 *
 * I1  Only `raise` makes the bell odd; only a wake makes it even, and then the sequence differs,
 *     so a late sleeper's compare in the kernel fails. (A second waker that saw the same odd value
 *     adds 1 to an even one and leaves it odd with no sleeper: the next ring costs one system call
 *     in vain.)
 * P1  The sleeper raises, then looks; the waker publishes, then loads the bell. All four are
 *     sequentially consistent, so either the sleeper sees what was published or the waker sees
 *     the bell up: never neither.
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
import { addAndWake } from "../os/futex.ts";

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
    if (this.mapping.closed) throw closedWhileWaiting(this);
    return (this.word.or(WAITING) | WAITING) >>> 0; // P1 raised before the look ..
  }

  /** Stores a value in a word and then rings, in one native call. */
  publish(word: Word32 | Word64, value: number): void {
    if ((word.storeThenLoad(value, this.word) & WAITING) === 0) return; // .. P1 as in ring()
    wake(this.word.address);
  }

  /** Wakes all sleepers; costs no system call if there are none. Call it after publishing. */
  ring(): void {
    if ((this.word.load() & WAITING) === 0) return; // .. P1 loaded after the publish
    wake(this.word.address);
  }
}

function wake(address: number): void {
  check(addAndWake(address), { syscall: "futex", action: "wake who waits" });
}

/** Makes the error for a wait on a bell whose memory was closed. */
export function closedWhileWaiting({ mapping }: Doorbell): ClosedError {
  return new ClosedError(`Cannot wait on ${mapping.what}: it was closed`);
}
