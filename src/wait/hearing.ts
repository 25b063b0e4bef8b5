/**
 * The sleepers that the event loop wakes by itself: their wakers write a byte to the FIFO of this
 * isolate (doorbell.ts), and the runtime hears it as it hears its sockets.
 *
 * ```
 *   park --> claimed, compared --> asleep --.-- a byte, a cancellation --> those with news end
 *                |                          '-- two ends of slices --> the thread (reactor.ts)
 *                '-- another isolate has claimed a bell --> the thread
 * ```
 *
 * Only short sleeps are here. The thread takes over longer ones: it looks again more cheaply, and
 * needs no file. So any fault of the FIFO delays a wake-up at most until the end of a slice.
 *
 * I1  A bell is claimed while a sleeper of this isolate is here for it; several share the claim.
 *     Closing a mapping first ends the claims in it, since others may still use the memory.
 * I2  A wait for bytes is pending only while sleepers are here; it keeps the program alive.
 *
 * @module
 */

import { now } from "../os/clock.ts";
import { type Inbox, inbox } from "../os/fifo.ts";
import type { Doorbell } from "./doorbell.ts";
import { hasNews, mustEnd, type Sleeper, SLICE_NS, sliceEndAt } from "./sleep.ts";

/** The ends of slices after which the thread takes a sleeper over. */
const SLICES_HERE = 2;

/** The state of a sleeper that is here. */
interface Hearer {
  readonly id: number;
  slices: number;
  claims: boolean;
}

/** The sleepers of one isolate that hear their bells. */
export class Hearing {
  readonly #hearers = new Map<Sleeper, Hearer>();
  readonly #claims = new Map<Doorbell, number>(); // by how many sleepers
  readonly #handOver: (sleeper: Sleeper) => void;
  #inbox: Inbox | undefined; // while a wait is pending
  #lookAt = Infinity; // not after the first deadline or end of a slice
  #hasNewcomer = false;

  /** Makes it with the function that lets the thread sleep for a sleeper. */
  constructor(handOver: (sleeper: Sleeper) => void) {
    this.#handOver = handOver;
  }

  /** Whether a sleeper was taken after the event loop last woke up for one. */
  get hasNewcomer(): boolean {
    return this.#hasNewcomer;
  }

  /** Takes a sleeper whose bells are raised; false if the thread must sleep for it. */
  take(sleeper: Sleeper): boolean {
    const { bells, deadline, sliceNs = SLICE_NS } = sleeper.sleep;
    if (sliceNs < SLICE_NS || !bells.every(({ bell }) => bell.loop !== undefined)) return false;
    const own = this.#inbox ?? inbox();
    if (own === undefined || !this.#claimAll(sleeper, own.id)) return false;
    if (hasNews(sleeper.sleep)) { // .. P2 of the bell: the compare
      this.#disclaimAll(sleeper);
      this.#hearers.delete(sleeper);
      sleeper.resolve();
      return true;
    }
    this.#hasNewcomer = true;
    sleeper.sliceEnd = sliceEndAt(now(), SLICE_NS);
    const isFirst = this.#lookBy(Math.min(deadline, sleeper.sliceEnd));
    if (this.#inbox === undefined) void this.#listen(own);
    else if (isFirst) own.stir();
    return true;
  }

  /** Ends the sleep of a sleeper soon, and its claims at once; false if it is not here. */
  cancel(sleeper: Sleeper): boolean {
    if (!this.#hearers.has(sleeper)) return false;
    this.#disclaimAll(sleeper); // I1
    this.#inbox?.stir();
    return true;
  }

  async #listen(own: Inbox): Promise<void> {
    this.#inbox = own;
    while (this.#hearers.size > 0) {
      await own.wait(this.#lookAt);
      this.#hasNewcomer = false;
      this.#settle(now());
    }
    this.#inbox = undefined;
  }

  /** Ends the sleeps that must end. Looks at what others changed only when a slice ends. */
  #settle(time: number): void {
    const isLook = time >= this.#lookAt;
    if (isLook) this.#lookAt = Infinity;
    for (const [sleeper, hearer] of this.#hearers) {
      if (!isLook && !sleeper.cancelled && !hasNews(sleeper.sleep)) continue;
      try {
        if (!mustEnd(sleeper, time)) this.#stay(sleeper, hearer, time);
        else this.#leave(sleeper, sleeper.resolve);
      } catch (error) {
        this.#leave(sleeper, () => sleeper.reject(error));
      }
    }
  }

  /** Begins the next slice of a sleeper. */
  #stay(sleeper: Sleeper, hearer: Hearer, time: number): void {
    const hasLooked = sleeper.sliceEnd === Infinity;
    if (hasLooked && ++hearer.slices === SLICES_HERE) {
      return this.#leave(sleeper, () => this.#handOver(sleeper));
    }
    if (hasLooked) sleeper.sliceEnd = sliceEndAt(time, SLICE_NS);
    this.#lookBy(Math.min(sleeper.sleep.deadline, sleeper.sliceEnd));
  }

  /** Moves the next look forward; true if it was later. */
  #lookBy(time: number): boolean {
    if (time >= this.#lookAt) return false;
    this.#lookAt = time;
    return true;
  }

  #leave(sleeper: Sleeper, next: () => void): void {
    this.#disclaimAll(sleeper);
    this.#hearers.delete(sleeper);
    next();
  }

  /** Claims all bells of a sleeper, or none. */
  #claimAll(sleeper: Sleeper, id: number): boolean {
    const { bells } = sleeper.sleep;
    for (let i = 0; i < bells.length; i++) {
      const { bell } = bells[i]!;
      const count = this.#claims.get(bell) ?? 0;
      if (count > 0 || bell.claim(id)) this.#claims.set(bell, count + 1);
      else {
        while (--i >= 0) this.#disclaim(bells[i]!.bell, id);
        return false;
      }
    }
    this.#hearers.set(sleeper, { id, slices: 0, claims: true });
    return true;
  }

  #disclaimAll(sleeper: Sleeper): void {
    const hearer = this.#hearers.get(sleeper)!;
    if (!hearer.claims) return;
    hearer.claims = false;
    for (const { bell } of sleeper.sleep.bells) this.#disclaim(bell, hearer.id);
  }

  #disclaim(bell: Doorbell, id: number): void {
    const count = this.#claims.get(bell)! - 1;
    if (count > 0) this.#claims.set(bell, count);
    else {
      this.#claims.delete(bell);
      bell.disclaim(id);
    }
  }
}
