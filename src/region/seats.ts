/**
 * Seats: the places of a region, each for one living party at a time.
 *
 * A seat is a role of the region, which is a byte that its holder locks (liveness.ts), and the
 * words that the region keeps for the holder: a lane, a turn, a row of references. The product
 * declares the words and clears them; this file decides when.
 *
 * ```
 *             hold, clear, raise `used`, go online
 *     free ---------------------------------------> held
 *      ^                                            |  |
 *      +----------- clear, release -----------------+  | death: the kernel releases the byte
 *      |                                               v
 *      +----------- hold, clear, release ------------ dead
 * ```
 *
 *   free   nobody holds the byte, and the words are clear    a newcomer takes it
 *   held   a living party holds the byte                     it releases the byte, or dies
 *   dead   nobody holds the byte, and the words are as its   a newcomer takes it, or a party that
 *          last holder left them                             it blocks repairs it
 *
 * I1  The words of a dead holder are cleared only by a party that holds the byte. A look at the
 *     byte proves nothing: a newcomer may hold it by the time the look returns.
 * I2  A newcomer holds the byte, then clears the words, then raises `used`, and only then goes
 *     online: it stores a word by which its peers know it.
 * I3  `used` is larger than the number of every seat that is online or dead. So a party that looks
 *     at the seats of its peers skips those that were never taken. A load is clamped to `count`.
 *
 * C1  A party dies while it clears words, its own or those of a dead holder: the seat is dead, and
 *     the next party clears it again. Clearing must be correct when it is repeated or half done. A
 *     product that cannot clear a seat (mpsc: only the consumer drains a lane) releases it again.
 * C2  A newcomer dies before it goes online: its peers never knew it, and the seat is as after C1.
 * C3  A newcomer dies after it has counted the generation up: no party uses that number.
 *
 * A party stores in a state word whether it is open, has closed, or leaves unfinished work (lost).
 * It holds the byte before it stores open, and stores closed or lost before it releases the byte.
 * So a peer that loads open, finds the byte free and loads open again knows that the party died.
 *
 * @module
 */

import { RoleTakenError } from "../errors.ts";
import type { Mapping } from "../memory/mapping.ts";
import type { Word32 } from "../memory/word.ts";
import type { Role } from "./liveness.ts";
import type { Region } from "./region.ts";

/** The values of a state word. */
export const SeatState = { never: 0, open: 1, closed: 2, lost: 3 } as const;

/** A role, and the word with its party's state. */
export interface Seat {
  readonly role: number;
  readonly state: Word32;
}

/** The condition of a party, as far as its peers can know it. */
export type Presence = "never" | "open" | "closed" | "lost" | "dead";

/** Returns whether a party is open, has closed, was lost, is dead, or never existed. */
export function presenceIn(region: Pick<Region, "isHeld">, { role, state }: Seat): Presence {
  const seen = presenceOf(state.load());
  if (seen !== "open" || region.isHeld(role)) return seen;
  const last = presenceOf(state.load());
  return last === "open" ? "dead" : last;
}

function presenceOf(state: number): Exclude<Presence, "dead"> {
  switch (state) {
    case SeatState.open:
      return "open";
    case SeatState.closed:
      return "closed";
    case SeatState.lost:
      return "lost";
    default:
      return "never";
  }
}

/**
 * Acquires a role. Throws a RoleTakenError if a living party holds it. The error names the attempt,
 * such as `publish to topic "imu"`, the holder, such as `a publisher`, and the method of the
 * definition that waits for the role, such as `nextPublisher`.
 */
export function takeRole(
  region: Pick<Region, "tryHold">,
  role: number,
  { action, holder = "one", next }: { action: string; holder?: string | undefined; next: string },
): Role {
  const taken = region.tryHold(role);
  if (taken !== undefined) return taken;
  throw new RoleTakenError(
    `Cannot ${action}: it has ${holder}, which is alive; close that first, or wait for it with ` +
      `${next}()`,
  );
}

/**
 * Increments the generation of a role, and returns that of this holder. The caller holds the role.
 */
export function nextGeneration(word: Word32): number {
  const generation = (word.load() + 1) >>> 0;
  word.store(generation); // C3
  return generation;
}

/** The range of a region's seats. */
export interface SeatRange {
  /** The role of seat 0; the other roles follow. */
  readonly firstRole: number;
  /** The number of seats. */
  readonly count: number;
  /** One more than the highest seat that was ever taken (I3). */
  readonly used?: Word32 | undefined;
}

/** The choice of a seat, and its repair. */
export interface TakeOptions {
  /** The only seat to take; by default the first that is free or dead. */
  readonly only?: number | undefined;
  /** Whether a seat is worth taking. */
  readonly suits?: (seat: number) => boolean;
  /** Clears the words of the last holder, with the byte held. Returns false to release the seat. */
  readonly clear?: (seat: number) => boolean | void;
}

/** A seat that this party holds. */
export interface TakenSeat {
  readonly index: number;
  readonly role: Role;
}

/** The parts of a region that its seats need. */
type SeatRegion = Pick<Region, "tryHold" | "isHeld"> & {
  readonly mapping?: Pick<Mapping, "checkWhole">;
};

/** The seats of a region. */
export class Seats {
  /** The number of seats. */
  readonly count: number;
  readonly #region: SeatRegion;
  readonly #firstRole: number;
  readonly #used: Word32 | undefined;

  constructor(region: SeatRegion, range: SeatRange) {
    this.#region = region;
    this.#firstRole = range.firstRole;
    this.count = range.count;
    this.#used = range.used;
  }

  /** Returns the role of a seat. */
  roleOf(seat: number): number {
    return this.#firstRole + seat;
  }

  /** Whether a living party holds a seat. */
  isHeld(seat: number): boolean {
    return this.#region.isHeld(this.roleOf(seat));
  }

  /** The number of seats to check: none beyond them was ever taken. */
  get used(): number {
    return this.#used === undefined ? this.count : Math.min(this.#used.load(), this.count);
  }

  /** Takes a seat and clears it; returns undefined when none can be taken. */
  take({ only, suits, clear }: TakeOptions = {}): TakenSeat | undefined {
    const last = only ?? this.count - 1;
    for (let index = only ?? 0; index <= last; index++) {
      if (suits?.(index) === false) continue;
      const role = this.#tryHold(index);
      if (role === undefined) continue;
      using stack = new DisposableStack();
      stack.use(role);
      if (clear?.(index) === false) continue;
      this.#raiseUsed(index + 1);
      this.#region.mapping?.checkWhole();
      stack.move();
      return { index, role };
    }
    this.#region.mapping?.checkWhole(); // it may have found zeros
    return undefined;
  }

  /** Repairs a seat with its byte held; returns false when a living party holds it. */
  repair(seat: number, clear: () => void): boolean {
    using role = this.#tryHold(seat);
    if (role === undefined) return false;
    clear(); // I1
    return true;
  }

  /**
   * Acquires a role after a look at its byte, which costs a tenth of opening the file to lock it.
   */
  #tryHold(seat: number): Role | undefined {
    return this.isHeld(seat) ? undefined : this.#region.tryHold(this.roleOf(seat));
  }

  #raiseUsed(count: number): void {
    const word = this.#used;
    if (word === undefined) return;
    let seen = word.load();
    while (seen < count) { // I3
      const found = word.compareExchange(seen, count);
      if (found === seen) return;
      seen = found;
    }
  }
}
