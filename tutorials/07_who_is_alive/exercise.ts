/**
 * Exercise: a roll call.
 *
 * A room has numbered places, and each member is a process. `join` gives a member the first free
 * place, or -1 if there is none. `living` lists the places of all living members, in order, the
 * caller's own too. `leave` gives a place back. Members may be killed or stopped at any moment.
 *
 * A member sees the room through `room`, its own open file:
 *
 *     room.places                    how many places there are
 *     room.tryLock(place)            locks the byte of a place; false if another member holds it
 *     room.unlock(place)             unlocks it
 *     room.isLockedByOther(place)    your own lock does not count
 *     room.notes[place]              a number in shared memory for each place, 0 at first
 *     room.pid, room.isRunning(pid)  this process, and whether there is one with this number
 *     room.now()                     the time in milliseconds
 *
 * You will not need all of them. The answer in the file marks the places that are taken. Run it
 * with `deno run --allow-ffi tutorials/07_who_is_alive/exercise.ts`.
 *
 * @module
 */

import { checkRollCall } from "./check.ts";
import type { Room } from "./room.ts";

/** Takes the first free place and returns it; returns -1 if the room is full. */
function join(room: Room): number {
  const place = room.notes.indexOf(0);
  if (place !== -1) room.notes[place] = 1;
  return place;
}

/** Returns the places of all living members in order; `mine` is that of the caller. */
function living(room: Room, _mine: number): number[] {
  const places: number[] = [];
  for (let place = 0; place < room.places; place++) {
    if (room.notes[place] !== 0) places.push(place);
  }
  return places;
}

/** Gives a place back. */
function leave(room: Room, mine: number): void {
  room.notes[mine] = 0;
}

checkRollCall({ join, living, leave });
