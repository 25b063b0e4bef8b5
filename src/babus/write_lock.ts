/**
 * The lock of a slot's writers: one writes at a time, even when writers die.
 *
 * The truth is one word, `owner`: the seat (seats.ts) of the lock's owner, plus 1, or 0. The memory
 * that the lock protects needs no repair (slot_words.ts, C1), so the next writer simply follows an
 * owner that died.
 *
 * I1  `owner` names a seat only by a CAS of the seat's holder, which may have died since. Only the
 *     owner makes it 0; or, after its death, the next holder of its seat.
 * P1  An owner writes to the slot before it stores 0; a writer that loads 0, or follows a dead
 *     owner, sees all of that.
 * P2  An owner stores 0, then loads the bell (doorbell.ts, P1).
 * C1  An owner dies: `owner` names its seat, which is dead. Another writer repairs the seat by a
 *     CAS that replaces it with its own; meanwhile no newcomer can hold the role. If that writer
 *     dies too, the word names one of two dead seats. A newcomer that takes the seat makes the word
 *     0.
 * C2  An owner dies between 0 and the bell: waiting writers check again after a slice.
 *
 * Limit: waiting writers have no order. The first to try after a release acquires the lock; a write
 * is short.
 *
 * @module
 */

import { RoleTakenError } from "../errors.ts";
import type { Role } from "../region/liveness.ts";
import { Seats } from "../region/seats.ts";
import { Word32 } from "../memory/word.ts";
import type { Condition } from "../wait/condition.ts";
import { Doorbell } from "../wait/doorbell.ts";
import { SLOT_CONTROL, type SlotWords } from "./slot_words.ts";

/** The most writers at a time. */
export const SEATS = 64;

const NOBODY = 0;

/** The right to write to a slot. */
export class WriteLock {
  readonly #slot: SlotWords;
  readonly #seats: Seats;
  readonly #owner: Word32;
  readonly #bell: Doorbell;
  /** The condition that this writer holds the lock. Checking it acquires a free lock. */
  readonly free: Condition;
  #role: Role | undefined;
  #own = NOBODY; // the value of `owner` while this writer holds the lock
  #held = false;

  constructor(slot: SlotWords) {
    const { mapping, controlOffset } = slot.region;
    const { owner, owner_bell } = SLOT_CONTROL.fields;
    this.#slot = slot;
    this.#seats = new Seats(slot.region, { firstRole: 0, count: SEATS });
    this.#owner = new Word32(mapping, owner, controlOffset);
    this.#bell = new Doorbell(mapping, owner_bell, controlOffset);
    this.free = {
      bell: this.#bell,
      watch: this.#owner,
      ready: () => this.tryAcquire(),
      beforeSleep: () => this.tryFollow() ? "ready" : undefined,
    };
  }

  /** Whether this writer holds the lock. */
  get held(): boolean {
    return this.#held;
  }

  /** Acquires the lock if it is free. */
  tryAcquire(): boolean {
    if (this.#held) return true;
    if (this.#own === NOBODY) this.#sit();
    const isFree = this.#owner.compareExchange(NOBODY, this.#own) === NOBODY; // .. P1
    this.#slot.region.mapping.checkWhole(); // another handle may hold the lock that is gone
    return this.#held = isFree;
  }

  /** Acquires the lock if it is free or its owner has died. */
  tryFollow(): boolean {
    if (this.tryAcquire()) return true;
    const seen = this.#owner.load();
    if (seen === NOBODY) return this.tryAcquire();
    if (seen > SEATS || seen === this.#own) {
      throw this.#slot.corrupt(`seat ${seen} writes to it, of ${SEATS}, and this is ${this.#own}`);
    }
    this.#seats.repair(seen - 1, () => { // C1
      this.#held = this.#owner.compareExchange(seen, this.#own) === seen; // .. P1
    });
    this.#slot.region.mapping.checkWhole();
    return this.#held;
  }

  /** Releases the lock. */
  release(): void {
    this.#held = false;
    this.#owner.store(NOBODY); // P1 all writes to the slot come before ..
    this.#bell.ring(); // P2
  }

  #sit(): void {
    const clear = (seat: number) => {
      if (this.#owner.compareExchange(seat + 1, NOBODY) === seat + 1) this.#bell.ring(); // C1
    };
    const taken = this.#seats.take({ clear });
    if (taken === undefined) {
      throw new RoleTakenError(
        `Cannot write to ${this.#slot.what}: it has ${SEATS} writers, and all are alive; close some`,
      );
    }
    this.#role = taken.role;
    this.#own = taken.index + 1;
  }

  /** Releases the lock and the seat. */
  close(): void {
    if (this.#held) this.release();
    this.#role?.close();
  }
}
