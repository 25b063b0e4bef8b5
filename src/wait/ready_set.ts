/**
 * Waiting for any of many things at a cost that does not grow with their number.
 *
 * The conditions of the things stay the same from one wait to the next, so their preparation lasts:
 * each bell stays raised and claimed for the hall of this isolate (hall.ts), whose hints say at which
 * things to look. A set is one condition for until.ts, whose bell is that of the hall.
 *
 * ```
 *   hot ----> its bell is raised, it is looked at once more, and it is not ready ----> armed
 *    ^                                                                                   |
 *    '------ a hint, a bell with another value at the end of a slice, a lost claim ------'
 * ```
 *
 * Each attempt looks at all that are hot, in the order of the list, and at nothing else. Whatever was
 * ready a moment ago stays hot, so its waker makes no system call for the next message. Things are
 * armed before a sleep, and when many are hot. `takeAll` arms only things that it has looked at in
 * vain several times: with many that are often ready, it costs as much as to look at each.
 *
 * I1  A thing is hot, or it was not ready after its bell was raised to the value that is noted. Then
 *     whatever makes it ready finds the bell up, and either the hint arrives or the waker died.
 * I2  No sleep begins while a thing is hot.
 * I3  Once in half a slice, and so after each slice of sleep, all are looked at: a dead waker, a dead
 *     peer, or a claim that is gone is found then. Programs that never sleep do so in `takeAll`, and
 *     in every 64th `take`, but do not ask for dead peers.
 * C1  A waker that was killed or stopped before it rang has published something that no hint tells.
 *     Once it has taken the bell down, that is also true of whatever other wakers publish there.
 *     Each waits for the next look at all (I3). What a waker has published that has returned from
 *     its ring is found by the next attempt, unless another one was killed or stopped so.
 *
 * @module
 */

import { ClosedError } from "../errors.ts";
import { now } from "../os/clock.ts";
import type { Condition } from "./condition.ts";
import { raiseAll } from "./doorbell.ts";
import { bitOf, type Hall, hall } from "./hall.ts";
import { SLICE_NS } from "./sleep.ts";

/** The fewest things for which a set pays. */
export const MANY = 16;

/** The most things that stay hot without being ready. */
const MOST_HOT = 16;

/** How often `takeAll` looks at a thing in vain before it arms it: that costs as much as 10 looks. */
const VAIN_LOOKS = 16;

/** How often `take` finds something until it reads the clock, which takes 50 ns. */
const TAKES = 64;

/** The longest spin on the hall alone while things are hot, in nanoseconds. */
const GLANCE_NS = 1000;

/** How often a set looks at a thing whose bell another isolate has claimed, in nanoseconds. */
const DEAF_SLICE_NS = 1e6;

/** A thing to wait for. */
export interface Thing<W> {
  readonly owner: W;
  readonly condition: Condition;
}

/** Things of which a thread waits for the first that is ready, again and again. */
export class ReadySet<W> implements Disposable {
  /** True if some thing is ready, or its peers are lost. */
  readonly condition: Condition;
  readonly #hall: Hall;
  readonly #things: readonly Thing<W>[];
  readonly #onLost: (thing: Thing<W>) => void;
  readonly #byBit = new Map<number, number[]>();
  readonly #raised: Uint32Array; // by thing: the value of its bell while it is armed
  readonly #isHot: Uint8Array;
  readonly #vain: Uint8Array; // by thing: the looks of `takeAll` since it was ready
  readonly #deaf = new Set<number>(); // their bells are claimed by another isolate: always hot
  readonly #hear = (bit: number) => this.#byBit.get(bit)?.forEach((index) => this.#heat(index));
  readonly #close = () => this[Symbol.dispose]();
  #hot: number[] = []; // in the order of the list
  #lookedAt = -Infinity;
  #glancedAt = -Infinity; // not before the last look
  #lost: Thing<W> | undefined; // found by the last look, and not returned yet
  #takes = 0;
  #isClosed = false;

  private constructor(own: Hall, things: readonly Thing<W>[], onLost: (thing: Thing<W>) => void) {
    this.#hall = own;
    this.#things = things;
    this.#onLost = onLost;
    this.#raised = new Uint32Array(things.length);
    this.#isHot = new Uint8Array(things.length);
    this.#vain = new Uint8Array(things.length).fill(VAIN_LOOKS);
    const glanceNs = () => this.#hot.length > 0 ? GLANCE_NS : undefined;
    const sliceNs = () => this.isDeaf ? DEAF_SLICE_NS : SLICE_NS;
    this.condition = {
      bell: own.bell,
      watch: own.groups,
      get glanceNs() {
        return glanceNs();
      },
      get sliceNs() {
        return sliceNs();
      },
      ready: () => this.#isClosed || this.#lost !== undefined || this.#find() !== undefined,
      beforeSleep: () => this.#findBeforeSleep() ? "ready" : undefined,
    };
  }

  /**
   * Makes a set; undefined unless all its things can be claimed. `onLost` is called with a thing that
   * `take` returns because its peers are lost.
   */
  static of<W>(
    things: readonly Thing<W>[],
    onLost: (thing: Thing<W>) => void = () => {},
  ): ReadySet<W> | undefined {
    if (!things.every(({ condition }) => condition.isSteady)) return undefined;
    const own = hall();
    if (own === undefined) return undefined;
    const set = new ReadySet(own, things, onLost);
    return set.#enter() ? set : undefined;
  }

  /** Whether it can be used no more: it was closed, or the memory of a thing was. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether hints are missing: another isolate has claimed a bell, or a peer took the hall away. */
  get isDeaf(): boolean {
    return this.#deaf.size > 0 || this.#hall.mapping.isLost;
  }

  /** Returns the first thing that is ready, or whose peers were found lost. */
  take(): Thing<W> | undefined {
    this.#checkOpen();
    const lost = this.#lost;
    if (lost === undefined) {
      if (++this.#takes % TAKES === 0) this.#glanceAtAll();
      return this.#find();
    }
    this.#lost = undefined;
    this.#onLost(lost);
    return lost;
  }

  /** Returns all things that are ready. */
  takeAll(): Thing<W>[] {
    this.#checkOpen();
    this.#glanceAtAll();
    this.#hall.collect();
    const ready: Thing<W>[] = [];
    const idle: number[] = [];
    for (const index of this.#hot) {
      const thing = this.#things[index]!;
      if (thing.condition.ready()) {
        ready.push(thing);
        this.#vain[index] = 0;
      } else if (++this.#vain[index]! > VAIN_LOOKS) idle.push(index);
    }
    if (idle.length > MOST_HOT) this.#arm(idle);
    return ready;
  }

  /** Ends all claims, and the waits. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#leave(this.#things.length);
    if (this.#hall.mapping.usable && !this.#hall.mapping.isLost) this.#hall.bell.ring();
  }

  /** Claims all bells, or none. */
  #enter(): boolean {
    for (const [index, { condition: { bell } }] of this.#things.entries()) {
      if (!this.#hall.claim(bell, this.#hear)) {
        this.#leave(index);
        return false;
      }
      const bit = bitOf(bell);
      const others = this.#byBit.get(bit);
      if (others === undefined) this.#byBit.set(bit, [index]);
      else others.push(index);
      bell.mapping.onClose(this.#close);
      this.#heat(index);
    }
    return true;
  }

  /** Ends the claims of the first `count` things. */
  #leave(count: number): void {
    this.#isClosed = true;
    for (const { condition: { bell } } of this.#things.slice(0, count)) {
      bell.mapping.offClose(this.#close);
      this.#hall.disclaim(bell, this.#hear);
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new ClosedError("Cannot wait for any of several: one was closed");
  }

  /** Returns the first thing that is ready. */
  #find(): Thing<W> | undefined {
    this.#hall.collect();
    const hot = this.#hot;
    for (let i = 0; i < hot.length; i++) {
      const thing = this.#things[hot[i]!]!;
      if (!thing.condition.ready()) continue;
      if (i > MOST_HOT) this.#arm(hot.slice(0, i));
      return thing;
    }
    return undefined;
  }

  /** Arms all, and returns whether that, or the look that is due, finds something. */
  #findBeforeSleep(): boolean {
    if (this.#find() !== undefined || this.#armAll()) return true;
    const time = now();
    if (time - this.#lookedAt < SLICE_NS / 2) return false;
    this.#lookedAt = this.#glancedAt = time;
    for (let index = 0; index < this.#things.length; index++) this.#look(index, time); // I3
    return this.#lost !== undefined || this.#armAll();
  }

  /** Looks at all things, if that is due (I3), without the checks that cost system calls. */
  #glanceAtAll(): void {
    const time = now();
    if (time - this.#glancedAt < SLICE_NS / 2) return;
    this.#glancedAt = time;
    for (const [index, { condition }] of this.#things.entries()) {
      const isClaimed = condition.bell.loop!.load() === this.#hall.id;
      if (this.#isHot[index] === 0 && (!isClaimed || condition.ready())) this.#heat(index);
    }
  }

  #armAll(): boolean {
    this.#arm(this.#hot.slice());
    return this.#find() !== undefined;
  }

  /** Raises the bells of hot things, and looks at each once more: those that are ready stay hot. */
  #arm(indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    for (const index of indexes) {
      const { bell } = this.#things[index]!.condition;
      if (this.#hall.reclaim(bell)) this.#deaf.delete(index); // its owner has ended the claim
      else this.#deaf.add(index);
      this.#isHot[index] = this.#vain[index] = 0;
    }
    this.#hot = this.#hot.filter((index) => this.#isHot[index] === 1);
    const raised = raiseAll(indexes.map((index) => this.#things[index]!.condition));
    raised.forEach(({ value }, i) => this.#raised[indexes[i]!] = value);
    for (const index of indexes) { // I1 after the raise
      if (this.#deaf.has(index) || this.#things[index]!.condition.ready()) this.#heat(index);
    }
  }

  /** Looks at a thing for what no hint tells. */
  #look(index: number, time: number): void {
    const { condition } = this.#things[index]!;
    const { bell } = condition;
    const isArmed = this.#isHot[index] === 0;
    if (!this.#hall.reclaim(bell)) this.#deaf.add(index);
    else if (isArmed && bell.word.load() === this.#raised[index] && !condition.ready()) {
      bell.mapping.checkFile(time);
      const outcome = condition.beforeSleep?.();
      if (outcome === "lost") this.#lost ??= this.#things[index]!;
      if (outcome === undefined) return;
    }
    this.#heat(index);
  }

  /** Puts a thing on the list of those to be looked at. */
  #heat(index: number): void {
    if (this.#isHot[index] === 1) return;
    this.#isHot[index] = 1;
    const hot = this.#hot;
    let at = hot.length;
    hot.push(index);
    while (at > 0 && hot[at - 1]! > index) hot[at] = hot[--at]!;
    hot[at] = index;
  }
}
