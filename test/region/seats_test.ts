/**
 * Seats: which one a party takes, what it does while it holds the byte, and how its peers see it.
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { RoleTakenError } from "../../src/errors.ts";
import { Word32 } from "../../src/memory/word.ts";
import type { Region } from "../../src/region/region.ts";
import { nextGeneration, presenceIn, Seats, SeatState, takeRole } from "../../src/region/seats.ts";
import { CONTROL, Place, TYPE } from "./scene.ts";
import { openRegion } from "./opening.ts";

const FIRST_ROLE = 7;
const COUNT = 4;

/** Two attachments of one region, and its seats as each of them sees them. */
class Table implements Disposable {
  readonly #place = new Place();
  readonly own: Region = this.#open();
  readonly other: Region = this.#open();
  readonly used = new Word32(this.own.mapping, CONTROL.fields.count, this.own.controlOffset);
  readonly state = new Word32(this.own.mapping, CONTROL.fields.turn, this.own.controlOffset);
  readonly seats: Seats = this.#seatsOf(this.own);
  readonly others: Seats = this.#seatsOf(this.other);

  #open(): Region {
    return openRegion(TYPE, this.#place.path, { dataBytes: 4096 });
  }

  #seatsOf(region: Region): Seats {
    return new Seats(region, { firstRole: FIRST_ROLE, count: COUNT, used: this.used });
  }

  [Symbol.dispose](): void {
    this.own.close();
    this.other.close();
    this.#place[Symbol.dispose]();
  }
}

Deno.test("take() takes the first seat that no living party holds", () => {
  using table = new Table();
  const taken = [table.seats, table.others, table.seats].map((seats) => seats.take());
  assertEquals(taken.map((one) => one?.index), [0, 1, 2]);
  assert([0, 1, 2].every((seat) => table.own.isHeld(FIRST_ROLE + seat)));
  assertEquals([table.seats.roleOf(3), table.seats.isHeld(3)], [FIRST_ROLE + 3, false]);
  taken[1]!.role.close();
  assertEquals([table.seats.take()?.index, table.seats.take()?.index], [1, 3]);
  assertEquals(table.others.take(), undefined);
});

Deno.test("take() opens no file for a seat that a living party holds", () => {
  using table = new Table();
  for (const seat of [0, 1]) table.others.take({ only: seat });
  const tried: number[] = [];
  const tryHold = (role: number) => (tried.push(role), table.own.tryHold(role));
  const region = { isHeld: (role: number) => table.own.isHeld(role), tryHold };
  assertEquals(new Seats(region, { firstRole: FIRST_ROLE, count: COUNT }).take()?.index, 2);
  assertEquals(tried, [FIRST_ROLE + 2]);
});

Deno.test("take() of one seat takes no other", () => {
  using table = new Table();
  assertEquals(table.seats.take({ only: 2 })?.index, 2);
  assertEquals(table.others.take({ only: 2 }), undefined);
  assertEquals([0, 1, 3].filter((seat) => table.others.isHeld(seat)), []);
});

Deno.test("take() neither holds nor clears a seat that does not suit", () => {
  using table = new Table();
  const held: boolean[] = [];
  const suits = (seat: number) => {
    held.push(table.others.isHeld(seat));
    return seat === 2;
  };
  const cleared: number[] = [];
  const taken = table.seats.take({ suits, clear: (seat) => void cleared.push(seat) });
  assertEquals([taken?.index, cleared, held], [2, [2], [false, false, false]]);
});

Deno.test("take() clears a seat while it holds the byte, and before it counts it as used", () => {
  using table = new Table();
  const seen: [boolean, number][] = [];
  const clear = (seat: number) => void seen.push([table.others.isHeld(seat), table.seats.used]);
  table.seats.take({ only: 1, clear });
  table.seats.take({ clear });
  assertEquals([seen, table.seats.used], [[[true, 0], [true, 2]], 2]);
});

Deno.test("take() releases a seat that cannot be cleared, and tries the next", () => {
  using table = new Table();
  assertEquals(table.seats.take({ clear: (seat) => seat === 1 })?.index, 1);
  assertEquals(table.others.isHeld(0), false);
  const clear = () => {
    throw new Error("not now");
  };
  assertThrows(() => table.seats.take({ clear }), Error, "not now");
  assertEquals([0, 2].filter((seat) => table.others.isHeld(seat)), []);
});

Deno.test("repair() clears a seat while it holds the byte, unless a living party does", () => {
  using table = new Table();
  const taken = table.seats.take()!;
  assertEquals(table.others.repair(0, () => assert(false)), false);
  taken.role.close();
  let held = false;
  assert(table.others.repair(0, () => held = table.seats.isHeld(0)));
  assertEquals([held, table.seats.isHeld(0)], [true, false]);
});

Deno.test("used never exceeds the number of seats, for any word of a peer", () => {
  using table = new Table();
  for (
    const [stored, used] of [[0, 0], [3, 3], [COUNT + 1, COUNT], [2 ** 32 - 1, COUNT]] as const
  ) {
    table.used.store(stored);
    assertEquals(table.seats.used, used);
  }
  assertEquals(new Seats(table.own, { firstRole: 0, count: COUNT }).used, COUNT);
});

Deno.test("presenceIn() distinguishes a living party from one that closed, died, or never was", () => {
  using table = new Table();
  const { own, other, state } = table;
  const seat = { role: FIRST_ROLE, state };
  assertEquals(presenceIn(own, seat), "never");
  const role = other.tryHold(FIRST_ROLE)!;
  assertEquals(presenceIn(own, seat), "never");
  state.store(SeatState.open);
  assertEquals(presenceIn(own, seat), "open");
  role.close();
  assertEquals(presenceIn(own, seat), "dead");
  for (
    const [stored, presence] of [[SeatState.closed, "closed"], [SeatState.lost, "lost"]] as const
  ) {
    state.store(stored);
    assertEquals(presenceIn(own, seat), presence);
  }
  state.store(4711);
  assertEquals(presenceIn(own, seat), "never");
});

Deno.test("presenceIn() does not take a party for dead that closes between its looks", () => {
  using table = new Table();
  const { state } = table;
  state.store(SeatState.open);
  const isHeld = () => {
    state.store(SeatState.closed);
    return false;
  };
  assertEquals(presenceIn({ isHeld }, { role: FIRST_ROLE, state }), "closed");
});

Deno.test("takeRole() holds a role, or says which party holds it and what to do", () => {
  using table = new Table();
  const names = { action: 'publish to topic "imu"', holder: "a publisher", next: "nextPublisher" };
  const role = takeRole(table.own, 0, names);
  const error = assertThrows(() => takeRole(table.other, 0, names), RoleTakenError);
  assertEquals(
    error.message,
    'Cannot publish to topic "imu": it has a publisher, which is alive; close that first, or ' +
      "wait for it with nextPublisher()",
  );
  role.close();
  takeRole(table.other, 0, names);
});

Deno.test("nextGeneration() counts up, and begins again after 32 bits", () => {
  using table = new Table();
  table.used.store(2 ** 32 - 2);
  assertEquals([1, 2, 3].map(() => nextGeneration(table.used)), [2 ** 32 - 1, 0, 1]);
});
