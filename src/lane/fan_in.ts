/**
 * Many lanes, one receiver: the choice of the next lane to read.
 *
 * A word of hints shows which lanes may hold a message: bit k is for lane k and lane k + 32. It is
 * a hint only. A sender stores its head, then sets its bit unless it is set; the receiver takes the
 * bits, then loads the heads.
 *
 * P1  Head stored, then hint loaded; hint taken (a read-modify-write), then head loaded: either the
 *     sender sees its bit gone and sets it, or the receiver sees the head. A bit that is set for an
 *     empty lane costs one load.
 * C1  A sender that dies between its head and its hint leaves a message without a bit. So every
 *     lane is checked before each sleep and after each slice (`look`), by a new receiver, and now
 *     and then by a receiver that never waits.
 *
 * A hint is a line that both sides change for each message, which costs more than the message. So if
 * one lane has had all messages for a while, the receiver leaves its bit set: the sender need not
 * set it again. The receiver looks at that lane always, and takes the hints once another bit is set.
 * It also watches the head of that lane while it spins, and looks at the hints now and then.
 *
 * It is fair: a lane has a turn of `TURN` messages, then the next lane with a message has its turn.
 * So a lane waits for at most one turn of each other lane, however fast they are.
 *
 * @module
 */

import type { Word32 } from "../memory/word.ts";
import type { Doorbell } from "../wait/doorbell.ts";
import type { LaneReceiver, Ringable } from "./lane.ts";
import { RECORD_HEADER } from "./record.ts";
import type { Lanes } from "./source.ts";

/** The number of messages a lane may deliver before others have their turn. */
export const TURN = 16;

/** The number of searches after which every lane is checked (C1). */
const FINDS = 256;

/** The searches that one lane must win in a row until its bit stays set. */
export const ALONE = 64;

/** The nanoseconds between looks at the hints, while the head of one lane is watched. */
const GLANCE_NS = 2000;

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

  /** Stores a head and then rings: `store` and `ring` in one call. */
  publish(head: Word32, value: number): void {
    if ((head.storeThenLoad(value, this.#hint) & this.#bit) === 0) this.#hint.or(this.#bit);
    this.#bell.ring();
  }

  /** Rings; call it after publishing. */
  ring(): void {
    if ((this.#hint.load() & this.#bit) === 0) this.#hint.or(this.#bit); // P1 after the head ..
    this.#bell.ring();
  }
}

/** The lanes of one receiver. */
export class FanIn<L extends LaneReceiver> implements Lanes {
  readonly lanes: readonly L[];
  readonly #hint: Word32;
  readonly #alone: number;
  readonly #excluded = new Set<L>();
  #bits = ALL; // lanes that may hold a message: the hints taken
  #at = 0; // the lane whose turn it is
  #left = 0; // messages left in its turn
  #finds = 0; // searches since every lane was suspected
  #wins = 0; // searches in a row that the present lane has won

  /**
   * Suspects every lane at first: the last receiver may have taken hints and died. `alone` is
   * `ALONE` if the receiver heeds `glanceNs`.
   */
  constructor(lanes: readonly L[], hint: Word32, alone = Infinity) {
    this.lanes = lanes;
    this.#hint = hint;
    this.#alone = alone;
  }

  get watch(): Word32 {
    return this.#wins < this.#alone ? this.#hint : this.lanes[this.#at]!.head;
  }

  /** The longest time to watch that word alone. */
  get glanceNs(): number | undefined {
    return this.#wins < this.#alone ? undefined : GLANCE_NS;
  }

  /** Returns the lane that delivers the next message; undefined if none is known to have one. */
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
    this.#wins = found === this.#at ? this.#wins + 1 : 0;
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

  /** The number of unread bytes in all lanes but the excluded ones. */
  get available(): number {
    return this.lanes.reduce((sum, lane) => sum + this.#unread(lane, lane.capacity), 0);
  }

  /** Excludes a lane for good: its sender corrupted it. */
  exclude(lane: L): void {
    this.#excluded.add(lane);
    this.#left = 0;
  }

  /** Makes the next search check every lane, whatever the hints say. */
  suspectAll(): void {
    this.#bits = ALL;
    this.#finds = 0;
  }

  /** Finds the next lane after the present one with a message; -1 if no suspected lane has one. */
  #find(): number {
    const hints = this.#hint.load();
    const stays = this.#wins >= this.#alone && hints === bitOf(this.#at);
    if (hints !== 0) this.#bits |= stays ? hints : this.#hint.exchange(0); // .. P1 before the heads
    const count = this.lanes.length;
    for (let step = 1; step <= count && this.#bits !== 0; step++) {
      const index = (this.#at + step) % count;
      if ((this.#bits & bitOf(index)) === 0) continue;
      if (this.#holds(this.lanes[index]!)) return index;
      const sharing = this.lanes[index ^ 32];
      if (sharing === undefined || !this.#holds(sharing)) this.#bits &= ~bitOf(index);
    }
    this.lanes[0]!.place.mapping.checkWhole(); // the hints may have been zeros
    return -1;
  }

  #holds(lane: L): boolean {
    return this.#unread(lane, RECORD_HEADER) > 0;
  }

  /** Returns the number of readable bytes in a lane: at least `wanted` if that many exist. */
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
