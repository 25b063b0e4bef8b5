/**
 * One writer of a slot at a time, whoever dies.
 *
 * The truth is one word, `owner`: the seat of the one that writes, plus 1, or 0. A seat belongs to
 * whoever holds its role. What the lock protects needs no repair (slot_words.ts, C1), so an owner
 * that died is simply followed by the next.
 *
 * I1  `owner` names a seat only by a CAS of whoever holds the role of that seat, or it was stored by
 *     one that has died since. Only the owner makes it 0; or, of a dead owner, who holds its role.
 * P1  What an owner did comes before it stores 0; who finds 0, or follows the dead, sees it.
 * P2  An owner stores 0, then looks at the bell (doorbell.ts, P1).
 * C1  An owner dies: its seat stands in `owner`, with a free role. Who wants to write takes that
 *     role, which no newcomer can have then, and replaces the seat by its own; if it dies at that,
 *     the word names one of two dead. A newcomer that takes the seat makes the word 0 first.
 * C2  An owner dies between 0 and the bell: those who wait look again after a slice.
 *
 * Not promised: turns. Who comes at the right moment goes first; a write is short.
 *
 * @module
 */

import { RoleTakenError } from "../errors.ts";
import type { Role } from "../region/liveness.ts";
import type { Region } from "../region/region.ts";
import { Word32 } from "../memory/word.ts";
import { Doorbell } from "../wait/doorbell.ts";
import type { Awaited } from "../wait/until.ts";
import { SLOT_CONTROL, type SlotWords } from "./slot_words.ts";

/** How many can be about to write at a time. */
const SEATS = 64;

const NOBODY = 0;

/** The right to write to a slot. */
export class WriteLock {
  readonly #slot: SlotWords;
  readonly #region: Region;
  readonly #owner: Word32;
  readonly #bell: Doorbell;
  #role: Role | undefined;
  #own = NOBODY; // what `owner` is while this one writes
  #held = false;

  constructor(slot: SlotWords) {
    const { mapping, controlOffset } = slot.region;
    const { owner, owner_bell } = SLOT_CONTROL.fields;
    this.#slot = slot;
    this.#region = slot.region;
    this.#owner = new Word32(mapping, owner, controlOffset);
    this.#bell = new Doorbell(mapping, owner_bell, controlOffset);
  }

  /** Whether this one holds it. */
  get held(): boolean {
    return this.#held;
  }

  /** Takes the lock if nobody has it. */
  tryAcquire(): boolean {
    if (this.#held) return true;
    if (this.#own === NOBODY) this.#sit();
    return this.#held = this.#owner.compareExchange(NOBODY, this.#own) === NOBODY; // .. P1
  }

  /** The same, and takes it from an owner that has died. */
  tryFollow(): boolean {
    if (this.tryAcquire()) return true;
    const seen = this.#owner.load();
    if (seen === NOBODY) return this.tryAcquire();
    if (seen > SEATS || seen === this.#own) {
      throw this.#slot.corrupt(`seat ${seen} writes to it, of ${SEATS}, and this is ${this.#own}`);
    }
    const seat = seen - 1;
    if (this.#region.isHeld(seat)) return false;
    using role = this.#region.tryHold(seat); // C1: now nobody can be alive in that seat
    if (role === undefined) return false;
    return this.#held = this.#owner.compareExchange(seen, this.#own) === seen; // .. P1
  }

  /** Gives the lock back. */
  release(): void {
    this.#held = false;
    this.#owner.store(NOBODY); // P1 everything that was written comes before ..
    this.#bell.ring(); // P2
  }

  /** What whoever wants to write waits for; being ready is having the lock. */
  readonly awaited = (): Awaited => ({
    bell: this.#bell,
    watch: this.#owner,
    ready: () => this.tryAcquire(),
    hopeless: () => this.tryFollow(), // and then it is ready
  });

  /** Takes a seat. */
  #sit(): void {
    for (let seat = 0; seat < SEATS; seat++) {
      const role = this.#region.tryHold(seat);
      if (role === undefined) continue;
      this.#role = role;
      this.#own = seat + 1;
      if (this.#owner.compareExchange(this.#own, NOBODY) === this.#own) this.#bell.ring(); // C1
      return;
    }
    throw new RoleTakenError(
      `Cannot write to ${this.#slot.what}: it has ${SEATS} writers, and all are alive; close some`,
    );
  }

  /** Gives back the lock and the seat. */
  close(): void {
    if (this.#held) this.release();
    this.#role?.close();
  }
}
