/**
 * Many lanes, one receiver: which lane to look at next.
 *
 * A word of hints says which lanes may hold something: bit k is for lane k and lane k + 32. It is a
 * hint only. A sender stores its head, then sets its bit unless it is set; the receiver takes the
 * bits, then looks at the heads.
 *
 * P1  Head stored, then hint loaded; hint taken (a read-modify-write), then head loaded: either the
 *     sender sees its bit gone and sets it, or the receiver sees the head. A bit that is set for an
 *     empty lane costs a look.
 * C1  A sender that dies between its head and its hint leaves a message that no bit tells of. So
 *     every lane is looked at before each sleep and after each slice (`look`), by a new receiver, and
 *     every so often by one that never waits, as there is nothing or too much.
 *
 * Fair: a lane has a turn of so many messages, then the next one that has any; so a lane waits for
 * at most one turn of each other, however fast those are.
 *
 * @module
 */

import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { LaneReceiver, Ringable } from "./lane.ts";
import { RECORD_HEADER } from "./record.ts";

/** How many messages a lane may give before others have their turn. */
export const TURN = 16;

/** So many times the next lane is looked for, and then every lane is looked at (C1). */
const FINDS = 256;

const ALL = 0xffff_ffff;

function bitOf(lane: number): number {
  return (1 << (lane & 31)) >>> 0;
}

/** The bell of a receiver of many lanes, as one of its senders rings it. */
export class HintedBell implements Ringable {
  readonly #hint: Word32;
  readonly #bit: number;
  readonly #bell: Doorbell;

  constructor(hint: Word32, lane: number, bell: Doorbell) {
    this.#hint = hint;
    this.#bit = bitOf(lane);
    this.#bell = bell;
  }

  /** Stores a head and then rings: the same as `store` and `ring`. */
  publish(head: Word32, value: number): void {
    if ((head.storeThenLoad(value, this.#hint) & this.#bit) === 0) this.#hint.or(this.#bit);
    this.#bell.ring();
  }

  /** Call it after publishing. */
  ring(): void {
    if ((this.#hint.load() & this.#bit) === 0) this.#hint.or(this.#bit); // P1 after the head ..
    this.#bell.ring();
  }
}

/** The lanes of one receiver. */
export class FanIn<L extends LaneReceiver> {
  readonly lanes: readonly L[];
  readonly #hint: Word32;
  readonly #excluded = new Set<L>();
  #bits = ALL; // lanes that may have something: hints that were taken
  #at = 0; // the lane whose turn it is
  #left = 0; // messages left in its turn
  #finds = 0; // since every lane was suspected

  /** At first every lane is looked at: the last receiver may have taken hints and died. */
  constructor(lanes: readonly L[], hint: Word32) {
    this.lanes = lanes;
    this.#hint = hint;
  }

  /** The lane whose turn it is to give a message, undefined if none is known to have one. */
  next(): L | undefined {
    if (this.#left > 0) {
      const lane = this.lanes[this.#at]!;
      if (this.#holds(lane)) {
        this.#left--;
        return lane;
      }
    }
    if (++this.#finds >= FINDS) this.suspectAll();
    const found = this.#find();
    if (found < 0) {
      this.#left = 0;
      return undefined;
    }
    this.#at = found;
    this.#left = TURN - 1;
    return this.lanes[found];
  }

  /** Ends the turn of the present lane. */
  endTurn(): void {
    this.#left = 0;
  }

  /** Whether any lane has a message, whatever the hints say (C1). */
  look(): boolean {
    if (this.#find() >= 0) return true;
    this.suspectAll();
    return this.#find() >= 0;
  }

  /** How many bytes lie in all lanes but those that are left out, unread. */
  get available(): number {
    return this.lanes.reduce((sum, lane) => sum + this.#unread(lane, lane.capacity), 0);
  }

  /** Leaves a lane out for good: what its sender stored makes no sense. */
  exclude(lane: L): void {
    this.#excluded.add(lane);
    this.#left = 0;
  }

  /** Has every lane looked at, whatever the hints say. */
  suspectAll(): void {
    this.#bits = ALL;
    this.#finds = 0;
  }

  /** The next lane after the present one that has a message, -1 if none of those suspected has. */
  #find(): number {
    if (this.#hint.load() !== 0) this.#bits |= this.#hint.exchange(0); // .. P1 before the heads
    const count = this.lanes.length;
    for (let step = 1; step <= count && this.#bits !== 0; step++) {
      const index = (this.#at + step) % count;
      if ((this.#bits & bitOf(index)) === 0) continue;
      if (this.#holds(this.lanes[index]!)) return index;
      const sharing = this.lanes[index ^ 32];
      if (sharing === undefined || !this.#holds(sharing)) this.#bits &= ~bitOf(index);
    }
    return -1;
  }

  #holds(lane: L): boolean {
    return this.#unread(lane, RECORD_HEADER) > 0;
  }

  /** How many bytes can be read from a lane: at least `wanted` if so many are there. */
  #unread(lane: L, wanted: number): number {
    if (this.#excluded.size > 0 && this.#excluded.has(lane)) return 0;
    try {
      return lane.available(wanted);
    } catch (error) {
      this.exclude(lane);
      throw error;
    }
  }
}
