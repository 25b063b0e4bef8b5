/**
 * The queue of a reader/writer lock: one writer or many readers hold it at a time, in the order of
 * their arrival.
 *
 * ```
 *   tickets: 18         each party that waits or holds has a seat
 *
 *   seat 0   reader  12   holds         readers before the first writer hold together
 *   seat 1   -
 *   seat 2   reader  14   holds
 *   seat 3   writer  15   waits         for 12 and 14
 *   seat 4   reader  17   waits         for 15: nobody overtakes, so nobody starves
 * ```
 *
 * This is Lamport's bakery with two kinds of customers. The truth is one word for each seat, its
 * `turn`: a ticket, and the intention of the party in the seat. Only that party changes the word.
 * No two words ever have to change together, so no change can be left half done: a party that died
 * is gone once its word is 0.
 *
 * Every permit needs a seat of its own (seats.ts); a handle keeps its seats for its next permits.
 *
 *   none      neither waits nor holds                its party announces the next turn
 *   reader    waits, or holds if no writer has an    it releases, or gives up (none)
 *             earlier ticket
 *   writer    waits, or is about to enter            it enters (writing), or gives up (none)
 *   writing   holds                                  it releases (none)
 *
 * I1  A waiting party enters when no conflicting party has an earlier ticket: only writers conflict
 *     with a reader, everybody conflicts with a writer. Once that is so it stays so.
 * I2  A turn is announced with the ticket that will be drawn next, and only then is that ticket
 *     drawn, by a CAS of `tickets`. If another party draws it, the turn is announced again. So a
 *     party that draws a ticket finds all earlier ones announced, and all later ones find its own.
 *     A turn whose ticket another party drew can only become a later one. A party that waits for it
 *     waits in vain for a moment, and the change wakes it like any other change.
 *
 * P1  A turn is stored, then `tickets` changes; the next party draws, then loads the turns (I2).
 * P2  A party announces, raises its bell, loads the turns, and sleeps. A leaving party clears its
 *     turn, then loads all turns and rings for those that can enter. All are sequentially
 *     consistent: either the sleeper sees the turn cleared, or the leaver sees the turn announced
 *     and rings. Of two that leave together, the one that cleared last sees both cleared.
 * P3  Everything that a writer does inside is done before its turn is cleared, and seen after that
 *     is seen.
 * P4  `torn` is set before the turn of a dead writer is cleared; a party that enters loads it
 *     afterwards.
 *
 * C1  A party dies at any step: its seat is dead (seats.ts), and its turn may still be announced. A
 *     party that the turn blocks repairs the seat, or a newcomer takes it. Clearing the turn is the
 *     repair.
 * C2  A writer dies inside (writing): `torn` informs the parties that enter, until a writer that
 *     was informed has left. A writer that dies before it enters (writer) has changed nothing.
 * C3  Any party dies between clearing a turn, its own or that of another, and ringing: the parties
 *     that could enter check again after a slice.
 *
 * On ARM: turns and tickets are changed by sequentially consistent operations, whose loads acquire
 * and whose stores release. The protected data is accessed between them, on both sides of P3.
 *
 * Limit: a stopped party does not let those behind it pass. It is alive, and its turn comes before
 * theirs.
 *
 * Load buffering: everything between entering and leaving comes after the acquire of the turns, and
 * before the release of its own (P3).
 *
 * @module
 */

import { RoleTakenError } from "../errors.ts";
import { processId } from "../os/clock.ts";
import { layout } from "../layout/layout.ts";
import { corrupt } from "../memory/corrupt.ts";
import { Word32, Word64 } from "../memory/word.ts";
import type { RegionType } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { Seats, type TakenSeat } from "../region/seats.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** The number of seats: of permits held or waited for, and of idle ones that handles keep. */
const SEATS = 128;

/** The words of one seat of a reader/writer lock. */
export const RW_SEAT = layout("rw_seat", {
  turn: { type: "u64", atomic: true, line: true, doc: "its holder: ticket * 4 + what it wants" },
  bell: {
    type: "u32",
    atomic: true,
    doc: "rung by a leaving party; raised by its holder when it waits",
  },
  pid: { type: "u32", doc: "its holder's process, for people: nothing depends on it" },
});

/** The control block of a reader/writer lock. */
export const RW_LOCK_CONTROL = layout("rw_lock_control", {
  tickets: { type: "u64", atomic: true, line: true, doc: "the number of tickets drawn" },
  seats: { type: "u32", line: true, doc: "one more than the highest seat that was ever taken" },
  torn: { type: "u32", line: true, doc: "1 from a writer's death inside until another has left" },
  rows: { type: layout.array(RW_SEAT, SEATS), doc: "one for each party that waits or holds" },
});

/** The region type of these locks. */
export const RW_LOCK: RegionType = {
  name: "rwlock",
  title: "lock",
  control: RW_LOCK_CONTROL,
  mirrored: false,
};

/** The intention of a seat's holder. */
export const Want = { none: 0, reader: 1, writer: 2, writing: 3 } as const;

const WANTS = 4;

/** Tickets and wants are one number below 2^53: enough for 14 years at 5 million a second. */
const LAST_TICKET = 2 ** 51 - 1;

/** Returns the intention of a turn. */
export function wantOf(turn: number): number {
  return turn % WANTS;
}

function ticketOf(turn: number): number {
  return Math.floor(turn / WANTS);
}

/** The words of a seat. */
interface Row {
  readonly turn: Word64;
  /**
   * The low half of the turn, which changes with it: parties that wait for the turn watch this
   * word.
   */
  readonly low: Word32;
  readonly bell: Doorbell;
  readonly pid: Word32;
}

/** A seat that this party holds. */
export interface Seat extends TakenSeat {
  readonly row: Row;
  /** The announced turn, or 0. */
  turn: number;
}

/** The parties that wait or hold. */
export class Queue {
  readonly region: Region;
  readonly what: string;
  readonly #tickets: Word64;
  readonly #seats: Seats;
  readonly #torn: Word32;
  readonly #rows: Row[] = [];
  readonly #turns = new Float64Array(SEATS);

  constructor(name: string, region: Region) {
    const { mapping, controlOffset } = region;
    const { tickets, seats, torn } = RW_LOCK_CONTROL.fields;
    this.region = region;
    this.what = `lock "${name}"`;
    this.#tickets = new Word64(mapping, tickets, controlOffset);
    const used = new Word32(mapping, seats, controlOffset);
    this.#seats = new Seats(region, { firstRole: 0, count: SEATS, used });
    this.#torn = new Word32(mapping, torn, controlOffset);
  }

  #row(index: number): Row {
    return this.#rows[index] ??= this.#makeRow(index);
  }

  #makeRow(index: number): Row {
    const { mapping, controlOffset } = this.region;
    const at = controlOffset + RW_LOCK_CONTROL.fields.rows.offset + index * RW_SEAT.size;
    const { turn, bell, pid } = RW_SEAT.fields;
    return {
      turn: new Word64(mapping, turn, at),
      low: new Word32(mapping, turn, at),
      bell: new Doorbell(mapping, bell, at),
      pid: new Word32(mapping, pid, at),
    };
  }

  /** Takes a seat. */
  sit(): Seat {
    const taken = this.#seats.take({ clear: (index) => this.#clear(index) }); // C1
    if (taken !== undefined) {
      const row = this.#row(taken.index);
      row.pid.store(processId());
      return { ...taken, row, turn: 0 };
    }
    throw new RoleTakenError(
      `Cannot use ${this.what}: ${SEATS} wait for it or hold it, and all are alive; close some`,
    );
  }

  /** Joins the queue at its end. */
  join(seat: Seat, want: number): void {
    let firstTry = true;
    for (;;) {
      const ticket = this.#tickets.load();
      if (!(ticket < LAST_TICKET)) throw corrupt(this.what, "its tickets are used up");
      seat.turn = ticket * WANTS + want;
      seat.row.turn.store(seat.turn); // P1 announced ..
      if (this.#tickets.compareExchange(ticket, ticket + 1) === ticket) break;
      firstTry = false; // I2: a party may be waiting for the announced turn in vain
    }
    if (!firstTry) this.#ringNext();
  }

  /** Finds a conflicting party with an earlier ticket; undefined if none blocks this seat. */
  blocker(seat: Seat): Row | undefined {
    const count = this.#seats.used;
    for (let index = 0; index < count; index++) {
      if (this.#blocks(index, seat)) return this.#row(index);
    }
    return undefined;
  }

  #blocks(index: number, seat: Seat): boolean {
    if (index === seat.index) return false;
    const turn = this.#row(index).turn.load(); // .. P1 so every earlier turn is here; .. P3
    const want = wantOf(turn);
    if (want === Want.none) return false;
    if (want === Want.reader && wantOf(seat.turn) === Want.reader) return false;
    return ticketOf(turn) < ticketOf(seat.turn); // two with one ticket: the other redraws
  }

  /** Describes the party with the first ticket, such as `process 12 holds it for writing`. */
  describeHolder(): string | undefined {
    const turns = Array.from({ length: this.#seats.used }, (_, i) => this.#row(i).turn.load());
    const held = turns.filter((turn) => wantOf(turn) !== Want.none);
    if (held.length === 0) return undefined;
    const first = Math.min(...held);
    const pid = this.#row(turns.indexOf(first)).pid.load();
    const who = pid === processId() ? "this process" : `process ${pid}`;
    return `${who} holds it for ${wantOf(first) === Want.reader ? "reading" : "writing"}`;
  }

  /** Clears the turns of dead parties that block this seat. */
  clearDead(seat: Seat): void {
    const count = this.#seats.used;
    for (let index = 0; index < count; index++) {
      if (this.#blocks(index, seat)) this.#seats.repair(index, () => this.#clear(index));
    }
  }

  /** Clears the turn of the seat's previous holder. The caller holds its role. */
  #clear(index: number): void {
    const { turn } = this.#row(index);
    const want = wantOf(turn.load());
    if (want === Want.none) return;
    if (want === Want.writing) this.#torn.store(1); // P4 before the turn is cleared ..
    turn.store(0);
    this.#ringNext();
  }

  /** Enters; returns true if a writer died inside. */
  enter(seat: Seat): boolean {
    if (wantOf(seat.turn) === Want.writer) {
      seat.turn += Want.writing - Want.writer;
      seat.row.turn.store(seat.turn);
    }
    return this.#torn.load() !== 0; // .. P4 after the turn of the dead was seen cleared
  }

  /** Declares that the data a dead writer left half changed is whole again. */
  mend(): void {
    this.#torn.store(0);
  }

  /** Releases the lock, or gives up the wait. */
  leave(seat: Seat): void {
    seat.turn = 0;
    seat.row.turn.store(0); // P3 everything done inside comes before ..
    this.#ringNext(); // P2
  }

  /** Rings for all parties that nothing blocks. */
  #ringNext(): void {
    const count = this.#seats.used;
    let first = Infinity;
    let firstWriter = Infinity;
    for (let index = 0; index < count; index++) {
      const turn = this.#turns[index] = this.#row(index).turn.load();
      if (wantOf(turn) === Want.none) continue;
      const ticket = ticketOf(turn);
      first = Math.min(first, ticket);
      if (wantOf(turn) !== Want.reader) firstWriter = Math.min(firstWriter, ticket);
    }
    for (let index = 0; index < count; index++) {
      const turn = this.#turns[index]!;
      const want = wantOf(turn);
      if (want === Want.none) continue;
      const ahead = want === Want.reader ? firstWriter : first;
      if (ticketOf(turn) <= ahead) this.#row(index).bell.ring();
    }
  }
}
