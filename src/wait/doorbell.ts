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
 *   sleep while bell is b                   (then a byte to an event loop, see below)
 * ```
 *
 * An event loop that sleeps on the futex needs a thread of the pool to sleep for it, and each
 * wake-up then takes two hops. So a bell may have a second word, `loop`: the id of the FIFO
 * (os/fifo.ts) of one isolate whose event loop sleeps. Many may sleep on the bell, but only one by
 * its FIFO; all others sleep on the futex.
 *
 * ```
 *   event loop                             waker that found the bell odd
 *   raise, look again                       add 1 and wake all
 *   claim: loop from 0 to its id            id = load(loop)         0: done
 *   compare: bell is still b                write a byte to the FIFO of id
 *   sleep until a byte; then 0 again        no such FIFO: loop from id to 0
 * ```
 *
 * An isolate that waits for many things at once claims their bells for its hall instead (hall.ts):
 * `loop` is odd then.
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
 *     of any other process keeps a fence (native/barrier.c), and so does `ring()` after the store of
 *     a word. If a sandbox forbids the call, the sleeper looks 20 us later instead, when a store
 *     under way has arrived. If even that look is too early, the sleeper looks again after a slice
 *     (C1). The wakers of a FencedDoorbell always keep the fence, and its sleepers need no barrier.
 * P2  An event loop claims, then compares; the waker adds, then loads `loop`. All four are
 *     sequentially consistent (the add is made by the kernel, with a barrier). So either the loop
 *     sees another value and does not sleep, or the waker sees the claim and writes.
 * I2  Each add that an event loop does not see before it sleeps is followed by a byte that arrives
 *     while it sleeps. With the byte before the add it would not be: the loop wakes up, raises the
 *     bell that is still odd, and sleeps; then the add makes the bell even, and no waker rings.
 * C1  Killed between publish and ring: the sleeper stays asleep. So no sleep is longer than a
 *     slice (reactor.ts), and a newcomer rings every bell of its role.
 * C2  Killed within ring: before the system call the bell is still up and the next ring takes it;
 *     after it all waiters are awake. Nothing lies in between.
 * C3  A sleeper killed: the bell is up, and the next ring costs one system call in vain. If it had
 *     claimed `loop`, the next ring finds no reader of its FIFO and clears the claim; until then
 *     others sleep on the futex.
 * C4  Killed between the add and the byte: an event loop that sleeps by its FIFO looks at the end of
 *     its slice. Until then no ring wakes it, since the bell is even.
 * C5  A peer stores an id that is not its own: somebody else's event loop wakes up in vain. A waker
 *     that may not write to a FIFO, such as one of another user, stores `REFUSED`: from then on
 *     everybody sleeps on the futex, and the one that slept by its FIFO looks after its slice. The
 *     parties of a region outside of /dev/shm do the same, as their FIFOs may be in different ones.
 *
 * @module
 */

import { check, ClosedError, Errno } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import { Word32, type Word64, type WordPlace } from "../memory/word.ts";
import { post } from "../os/fifo.ts";
import { addAndWake, orderOthers } from "../os/futex.ts";
import { isElsewhere } from "../region/elsewhere.ts";
import { announce, isHall } from "./hall.ts";

const WAITING = 1;

/** In `loop`: some waker cannot write to FIFOs. */
const REFUSED = 0xffffffff;

/** The futex word that waiters sleep on until a waker rings it. */
export class Doorbell {
  /** The memory that the bell is in. */
  readonly mapping: Mapping;
  /** The futex word. Only this class changes it. */
  readonly word: Word32;

  /** The id of the FIFO by which an event loop sleeps on the bell; undefined if none can. */
  readonly loop: Word32 | undefined;
  /** Whether all its wakers keep their fences, so that a sleeper need not order them. */
  readonly isFenced: boolean = false;

  /**
   * Makes the bell at `place` of a layout that begins at `base` of the mapping. Only a bell with
   * the word `loop` wakes event loops directly.
   */
  constructor(mapping: Mapping, place: WordPlace, base = 0, loop?: WordPlace) {
    this.mapping = mapping;
    this.word = new Word32(mapping, place, base);
    this.loop = loop && new Word32(mapping, loop, base);
  }

  /** A number that this bell has in every process, and few other bells have. */
  get place(): number {
    const { mapping, word } = this;
    return mapping.seed * 2 ** 20 + (word.address - mapping.address) % 2 ** 20;
  }

  /**
   * Claims the bell for the FIFO with this id; false if another has it. Compare the bell with the
   * value to which it was raised after this, then sleep.
   */
  claim(id: number): boolean {
    return this.claimFor(id) === 0;
  }

  /** Claims the bell as `claim()` does; returns 0, or the value of `loop` that prevents it. */
  claimFor(id: number): number {
    if (this.loop === undefined || isElsewhere(this.mapping)) return REFUSED;
    return this.loop.compareExchange(0, id); // P2 claimed before the compare ..
  }

  /** Ends a claim. */
  disclaim(id: number): void {
    if (this.mapping.usable) this.loop?.compareExchange(id, 0);
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

  /**
   * Wakes all sleepers if the value that this bell had after a publish says that there are any.
   * Throws if a peer has taken the memory away: then nobody sees what was published.
   */
  answer(glanced: number): void {
    this.mapping.checkWhole();
    if ((glanced & WAITING) !== 0) wake(this);
  }

  /** Wakes all sleepers; costs no system call if there are none. Call it after publishing. */
  ring(): void {
    this.answer(this.word.load()); // .. P1 loaded after the publish
  }
}

/**
 * A bell whose wakers keep the fence of P1, for parties that sleep about as often as they are woken.
 * Many subscribers of one topic may sleep after each sample, and a barrier in every thread for each
 * of them costs more than one fence a sample.
 */
export class FencedDoorbell extends Doorbell {
  override readonly isFenced = true;

  override publish(word: Word32, value: number): void {
    this.answer(word.storeThenLoad(value, this.word)); // .. P1 with a fence between the two
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
    const value = (bell.word.or(WAITING) | WAITING) >>> 0;
    bell.mapping.checkWhole();
    return { bell, value };
  });
  if (all.some(({ bell }) => !bell.isFenced)) orderOthers(); // P1 raised before the look ..
  return raised;
}

function wake(bell: Doorbell): void {
  const { mapping, word, loop } = bell;
  const woken = addAndWake(word.address);
  if (woken === -Errno.EFAULT) { // the kernel reports what a touch of the page finds
    word.load();
    mapping.checkWhole();
  }
  check(woken, { syscall: "futex", action: "wake who waits" });
  const id = loop?.load() ?? 0; // .. P2 loaded after the add
  if (id === 0 || id === REFUSED) return;
  const result = isElsewhere(mapping) ? -Errno.EACCES : inform(id, bell);
  if (result >= 0) return;
  const isGone = result === -Errno.ENXIO || result === -Errno.ENOENT;
  loop!.compareExchange(id, isGone ? 0 : REFUSED);
}

/** Informs the event loop or the hall that has claimed a bell. */
function inform(id: number, bell: Doorbell): number {
  return isHall(id) ? announce(id, bell) : post(id); // P4 of the hall: loop was loaded after the add
}

/** Makes the error for a wait on a bell whose memory was closed. */
export function closedWhileWaiting({ mapping }: Doorbell): ClosedError {
  return new ClosedError(`Cannot wait on ${mapping.what}: it was closed`);
}
