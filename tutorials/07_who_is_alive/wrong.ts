/**
 * Wrong answers to the exercise. The checks refuse each, with an explanation of its own.
 *
 * @module
 */

import type { WrongAnswer } from "../wrong_answer.ts";
import type { RollCall } from "./check.ts";
import type { Room } from "./room.ts";

/** Returns the places for which something holds. */
function placesWhere({ places }: Room, holds: (place: number) => boolean): number[] {
  return Array.from({ length: places }, (_, place) => place).filter(holds);
}

const right: RollCall = {
  join: (room) => placesWhere(room, () => true).find((place) => room.tryLock(place)) ?? -1,
  living: (room, mine) =>
    placesWhere(room, (place) => place === mine || room.isLockedByOther(place)),
  leave: (room, mine) => room.unlock(mine),
};

/** Marks a place by a number, which is all that anybody looks at. */
function byNotes(
  noteOf: (room: Room) => number,
  isAlive: (room: Room, note: number) => boolean,
): RollCall {
  const alive = (room: Room, place: number) =>
    room.notes[place] !== 0 && isAlive(room, room.notes[place]!);
  return {
    join: (room) => {
      const place = placesWhere(room, (each) => !alive(room, each))[0] ?? -1;
      if (place !== -1) room.notes[place] = noteOf(room);
      return place;
    },
    living: (room) => placesWhere(room, (place) => alive(room, place)),
    leave: (room, mine) => room.notes[mine] = 0,
  };
}

/** Makes the wrong answers. */
export function wrongAnswers(): WrongAnswer<RollCall>[] {
  const first = "the first member has place 0";
  const later = "members that join later";
  return [
    {
      mistake: "marks the places that are taken",
      answer: byNotes(() => 1, () => true),
      fails: "a killed member is gone, and its place",
    },
    {
      mistake: "goes by the pid",
      answer: byNotes(({ pid }) => pid, (room, pid) => room.isRunning(pid)),
      fails: "a killed member is gone, even if",
    },
    {
      mistake: "goes by a heartbeat, and by the lock as well",
      answer: {
        join: (room) => {
          const place = right.join(room);
          room.notes[place] = room.now();
          return place;
        },
        living: (room, mine) => {
          room.notes[mine] = room.now();
          const beats = (place: number) => room.now() - room.notes[place]! < 1000;
          return right.living(room, mine).filter(beats);
        },
        leave: right.leave,
      },
      fails: "a member that was stopped",
    },
    {
      mistake: "lists all but itself",
      answer: {
        ...right,
        living: (room) => placesWhere(room, (place) => room.isLockedByOther(place)),
      },
      fails: first,
    },
    {
      mistake: "looks for a free place and does not lock it",
      answer: {
        ...right,
        join: (room) => placesWhere(room, (place) => !room.isLockedByOther(place))[0] ?? -1,
      },
      fails: later,
    },
    {
      mistake: "locks every free place",
      answer: {
        ...right,
        join: (room) => placesWhere(room, (place) => room.tryLock(place))[0] ?? -1,
      },
      fails: later,
    },
    {
      mistake: "leaves without an unlock",
      answer: { ...right, leave: () => {} },
      fails: "a member that has left",
    },
    {
      mistake: "returns the number of places when the room is full",
      answer: {
        ...right,
        join: (room) => {
          const place = right.join(room);
          return place === -1 ? room.places : place;
        },
      },
      fails: "a full room",
    },
    {
      mistake: "looks by locking and unlocking, its own place too",
      answer: {
        ...right,
        living: (room, mine) =>
          placesWhere(room, (place) => {
            if (!room.tryLock(place)) return true;
            room.unlock(place);
            return place === mine;
          }),
      },
      fails: later,
    },
    {
      mistake: "looks by locking and unlocking the places of others",
      answer: {
        ...right,
        living: (room, mine) =>
          placesWhere(room, (place) => {
            if (place === mine || !room.tryLock(place)) return true;
            room.unlock(place);
            return false;
          }),
      },
      fails: "a member joins while another",
    },
    {
      mistake: "looks first, and believes the look",
      answer: {
        ...right,
        join: (room) => {
          const place = placesWhere(room, (each) => !room.isLockedByOther(each))[0] ?? -1;
          if (place !== -1) room.tryLock(place);
          return place;
        },
      },
      fails: "two members join",
    },
  ];
}
