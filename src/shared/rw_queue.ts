/**
 * Who waits for a reader/writer lock and who is inside: one may be there to write, or many to read,
 * in the order in which they came.
 *
 * ```
 *   tickets: 18         who waits or is inside, each in a seat
 *
 *   seat 0   reader  12   inside        readers before the first writer are inside together
 *   seat 1   -
 *   seat 2   reader  14   inside
 *   seat 3   writer  15   waits         for 12 and 14
 *   seat 4   reader  17   waits         for 15: nobody overtakes, so nobody starves
 * ```
 *
 * This is Lamport's bakery with two kinds of customers. The truth is one word for each seat, its
 * `turn`: a ticket, and what the party in the seat wants with it. Only that party changes the word.
 * There is nothing that two parties would have to change together, so nothing can be half changed:
 * a party that died is gone once its word is 0.
 *
 * Every permit needs a seat of its own (seats.ts); a handle keeps those that it took, for its next
 * permits.
 *
 *   none      neither waits nor is inside            whoever sits there announces the next turn
 *   reader    waits, or is inside if no writer has   it leaves, or gives up (none)
 *             an earlier ticket
 *   writer    waits, or is just coming in            it comes in (writing), or gives up (none)
 *   writing   is inside                              it leaves (none)
 *
 * I1  Who waits comes in when nobody in its way has an earlier ticket: a reader looks for writers, a
 *     writer for anybody. Once that is so it stays so.
 * I2  A turn is announced with the ticket that will be drawn next, and only then is that ticket
 *     drawn, by a CAS of `tickets`; if another one draws it, the turn is announced again. So whoever
 *     draws a ticket finds all earlier ones announced, and its own is found by all later ones. A turn
 *     whose ticket another drew can only become a later one: whoever waits for it waits in vain for
 *     a moment, and is told of the change like of any other.
 *
 * P1  A turn is stored, then `tickets` changes; the next one draws, then loads the turns (I2).
 * P2  A party announces, raises its bell, looks at the turns, and sleeps. Who leaves clears its turn,
 *     then looks at all turns and rings for those that can come in. All are sequentially consistent:
 *     either the one sees the turn cleared, or the other sees the turn announced and rings.
 *     Of two that leave together the one that cleared last sees both cleared.
 * P3  What a writer did inside is done before its turn is cleared, and seen after that is seen.
 * P4  `torn` is set before the turn of a dead writer is cleared; who comes in looks at it afterwards.
 *
 * C1  A party dies at any step: its seat is dead (seats.ts), and its turn may still be announced. A
 *     party that finds the turn in its way repairs the seat, or a newcomer takes it. Clearing the turn
 *     is the repair.
 * C2  A writer dies inside (writing): `torn` tells those that come in, until a writer that was told
 *     has left. One that dies just before (writer) has not touched anything.
 * C3  Anyone dies between clearing a turn, its own or that of another, and ringing: those that could
 *     come in look again after a slice.
 *
 * On ARM: turns and tickets are changed by sequentially consistent operations, whose loads acquire
 * and whose stores release; what the lock protects is reached between them, on both sides of P3.
 *
 * Not promised: that a party which is stopped lets those behind it pass. It is alive, and its turn
 * comes before theirs.
 *
 * @module
 */

import { RoleTakenError } from "../errors.ts";
import { layout } from "../layout/layout.ts";
import { corrupt } from "../memory/corrupt.ts";
import { Word32, Word64 } from "../memory/word.ts";
import type { RegionKind } from "../region/header.ts";
import type { Region } from "../region/region.ts";
import { Seats, type TakenSeat } from "../region/seats.ts";
import { Doorbell } from "../wait/doorbell.ts";

/** How many can wait or be inside at a time. */
const SEATS = 128;

/** The words of one seat of a reader/writer lock. */
export const RW_SEAT = layout("rw_seat", {
  turn: { type: "u64", atomic: true, line: true, doc: "its holder: ticket * 4 + what it wants" },
  bell: {
    type: "u32",
    atomic: true,
    doc: "rung by who leaves; raised by its holder when it waits",
  },
});

/** The control block of a reader/writer lock. */
export const RW_LOCK_CONTROL = layout("rw_lock_control", {
  tickets: { type: "u64", atomic: true, line: true, doc: "how many tickets were drawn" },
  seats: { type: "u32", line: true, doc: "one more than the highest seat that ever was taken" },
  torn: { type: "u32", line: true, doc: "1 from a writer's death inside until another has left" },
  rows: { type: layout.array(RW_SEAT, SEATS), doc: "one for each that waits or is inside" },
});

/** How these locks are told from other regions. */
export const RW_LOCK: RegionKind = {
  name: "rwlock",
  title: "lock",
  control: RW_LOCK_CONTROL,
  mirrored: false,
};

/** What the holder of a seat wants. */
export const Want = { none: 0, reader: 1, writer: 2, writing: 3 } as const;

const WANTS = 4;

/** Tickets and wants are one number below 2^53: enough for 14 years at 5 million a second. */
const LAST_TICKET = 2 ** 51 - 1;

/** What a turn wants. */
export function wantOf(turn: number): number {
  return turn % WANTS;
}

function ticketOf(turn: number): number {
  return Math.floor(turn / WANTS);
}

/** The words of a seat. */
interface Row {
  readonly turn: Word64;
  /** The half of the turn that changes: what those who wait for it watch. */
  readonly low: Word32;
  readonly bell: Doorbell;
}

/** A seat that this party holds. */
export interface Seat extends TakenSeat {
  readonly row: Row;
  /** What was announced, while it is. */
  turn: number;
}

/** Everyone who waits or is inside. */
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
    const { turn, bell } = RW_SEAT.fields;
    return {
      turn: new Word64(mapping, turn, at),
      low: new Word32(mapping, turn, at),
      bell: new Doorbell(mapping, bell, at),
    };
  }

  /** Takes a seat. */
  sit(): Seat {
    const taken = this.#seats.take({ clear: (index) => this.#clear(index) }); // C1
    if (taken !== undefined) return { ...taken, row: this.#row(taken.index), turn: 0 };
    throw new RoleTakenError(
      `Cannot use ${this.what}: ${SEATS} wait for it or hold it, and all are alive; close some`,
    );
  }

  /** Comes into the queue, at its end. */
  join(seat: Seat, want: number): void {
    let told = true;
    for (;;) {
      const ticket = this.#tickets.load();
      if (!(ticket < LAST_TICKET)) throw corrupt(this.what, "its tickets are used up");
      seat.turn = ticket * WANTS + want;
      seat.row.turn.store(seat.turn); // P1 announced ..
      if (this.#tickets.compareExchange(ticket, ticket + 1) === ticket) break;
      told = false; // I2: somebody may wait for what was announced in vain
    }
    if (!told) this.#ringNext();
  }

  /** Who has not yet left and came before; undefined if nobody is in the way. */
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
    return ticketOf(turn) < ticketOf(seat.turn); // of two with one ticket the other must draw again
  }

  /** Clears the turns of the dead that are in the way. */
  clearDead(seat: Seat): void {
    const count = this.#seats.used;
    for (let index = 0; index < count; index++) {
      if (this.#blocks(index, seat)) this.#seats.repair(index, () => this.#clear(index));
    }
  }

  /** Clears the turn of a seat's last holder. The caller holds its role. */
  #clear(index: number): void {
    const { turn } = this.#row(index);
    const want = wantOf(turn.load());
    if (want === Want.none) return;
    if (want === Want.writing) this.#torn.store(1); // P4 before the turn is cleared ..
    turn.store(0);
    this.#ringNext();
  }

  /** Comes in; true if a writer died inside. */
  enter(seat: Seat): boolean {
    if (wantOf(seat.turn) === Want.writer) {
      seat.turn += Want.writing - Want.writer;
      seat.row.turn.store(seat.turn);
    }
    return this.#torn.load() !== 0; // .. P4 after the turn of the dead was seen cleared
  }

  /** Says that what a writer that died had left half changed is whole again. */
  mend(): void {
    this.#torn.store(0);
  }

  /** Leaves, or gives up. */
  leave(seat: Seat): void {
    seat.turn = 0;
    seat.row.turn.store(0); // P3 everything done inside comes before ..
    this.#ringNext(); // P2
  }

  /** Rings for all that nobody is in the way of. */
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
