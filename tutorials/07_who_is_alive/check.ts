/**
 * The checks of the exercise. The locks are real; a member dies as the kernel ends a process, which
 * closes its open file.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { House, Room } from "./room.ts";

/** An answer. */
export interface RollCall {
  readonly join: (room: Room) => number;
  readonly living: (room: Room, mine: number) => number[];
  readonly leave: (room: Room, mine: number) => void;
}

/** Checks an answer and prints the results. */
export function checkRollCall(answer: RollCall): void {
  runChecks(import.meta.url, checksOf(answer));
}

const HOUR_MS = 3_600_000;

/** The checks that an answer must pass. */
export function checksOf(answer: RollCall): Check[] {
  const check = (what: string, act: (play: Play) => void, hint: string): Check => ({
    what,
    check: () => {
      using play = new Play(answer);
      act(play);
    },
    hint,
  });
  return [
    check(
      "the first member has place 0, and lists itself",
      (play) => {
        play.join("Ann", 0);
        play.list("Ann", [0]);
      },
      "`isLockedByOther` does not count your own lock, but you are alive, too.",
    ),
    check(
      "members that join later have places of their own, and all see all",
      (play) => {
        play.joinAll(["Ann", "Ben", "Cem"]);
        for (const member of ["Ann", "Ben", "Cem"]) play.list(member, [0, 1, 2]);
      },
      "a place is yours once you hold its lock.",
    ),
    check(
      "a member that has left is gone, and its place is free",
      (play) => {
        play.joinAll(["Ann", "Ben", "Cem"]);
        play.leave("Ben");
        play.list("Ann", [0, 2]);
        play.join("Dan", 1);
        play.list("Cem", [0, 1, 2]);
      },
      "what did `join` do that `leave` must undo?",
    ),
    check(
      "a killed member is gone, and its place is free",
      (play) => {
        play.joinAll(["Ann", "Ben", "Cem"]);
        play.kill("Ben");
        play.list("Cem", [0, 2]);
        play.join("Dan", 1);
        play.list("Ann", [0, 1, 2]);
      },
      "the dead clear nothing. Which of the things that a member has done ends with it?",
    ),
    check(
      "a killed member is gone, even if a stranger has its pid now",
      (play) => {
        play.joinAll(["Ann", "Ben"]);
        play.kill("Ben", true);
        play.list("Ann", [0]);
      },
      "a living process with this number need not be the member. What can a stranger not have?",
    ),
    check(
      "a member that was stopped an hour ago is alive",
      (play) => {
        play.joinAll(["Ann", "Ben"]);
        play.wait(HOUR_MS);
        play.list("Ann", [0, 1]);
        play.join("Cem", 2);
      },
      "a stopped process is silent and alive. Go by something that it keeps while it is stopped.",
    ),
    check(
      "a full room returns -1, and keeps its members",
      (play) => {
        play.joinAll(["Ann", "Ben", "Cem", "Dan"]);
        play.join("Eve", -1);
        play.list("Ann", [0, 1, 2, 3]);
      },
      "after the last place, there is nothing left to try.",
    ),
    check(
      "a look changes nothing: the members keep their places",
      (play) => {
        play.joinAll(["Ann", "Ben"]);
        play.list("Ben", [0, 1]);
        play.list("Ann", [0, 1]);
        play.join("Cem", 2);
      },
      "`unlock` drops your lock, even if you had it before you tried.",
    ),
    check(
      "two members join at the same time",
      (play) => play.during("join"),
      "between a look and a lock, another member may come. Only the result of `tryLock` counts.",
    ),
    check(
      "a member joins while another one looks",
      (play) => play.during("living"),
      "a place that you lock, even for a moment, is taken for all others.",
    ),
  ];
}

interface Member {
  readonly room: Room;
  place: number;
}

/** Members in a room of four places, and the story of what they do. */
class Play implements Disposable {
  readonly #answer: RollCall;
  #house = new House(4);
  #members = new Map<string, Member>();
  #story: string[] = [];

  constructor(answer: RollCall) {
    this.#answer = answer;
  }

  /** Lets a member join, which must get this place. */
  join(name: string, wanted: number): void {
    const place = this.#enter(name);
    this.#expect(place === wanted, `Expected: place ${wanted}.`);
  }

  /** Lets members join; they must get the places 0, 1, 2 ... */
  joinAll(names: readonly string[]): void {
    for (const [place, name] of names.entries()) this.join(name, place);
  }

  /** Lets a member list the living. */
  list(name: string, wanted: readonly number[]): void {
    const { room, place } = this.#members.get(name)!;
    const listed = this.#answer.living(room, place);
    this.#story.push(`${name} lists ${listed.join(", ") || "nobody"}`);
    this.#expect(`${listed}` === `${wanted}`, `Expected: ${wanted.join(", ")}.`);
  }

  leave(name: string): void {
    const { room, place } = this.#members.get(name)!;
    this.#answer.leave(room, place);
    this.#story.push(`${name} leaves`);
  }

  /** Kills a member; `reused` gives the number of its process to a stranger. */
  kill(name: string, reused = false): void {
    const { room } = this.#members.get(name)!;
    room.end();
    this.#members.delete(name);
    this.#house.end(room.pid, reused);
    this.#story.push(`${name} is killed${reused ? `, and a stranger gets its pid` : ""}`);
  }

  wait(ms: number): void {
    this.#house.now += ms;
    this.#story.push(`${ms / HOUR_MS} hour passes; all but one member are stopped`);
  }

  /** Lets Ben join before each step that Ann makes with a lock, in a room of its own each time. */
  during(what: "join" | "living"): void {
    for (let at = 1, done = false; !done; at++) {
      this.#again();
      if (what === "living") this.joinAll(["Ann", "Cem"]);
      let step = 0;
      this.#house.step = () => {
        if (++step !== at) return;
        this.#house.step = () => {};
        this.#story.push(
          `${what === "join" ? "Ann joins" : "Ann looks"}, and in the middle of it:`,
        );
        this.#enter("Ben");
      };
      if (what === "join") this.#enter("Ann");
      else this.#answer.living(this.#members.get("Ann")!.room, 0);
      this.#house.step = () => {};
      done = step < at;
      if (done) return;
      const places = [...this.#members.values()].map(({ place }) => place).sort();
      const wanted = places.map((_, i) => i);
      this.#expect(
        `${places}` === `${wanted}`,
        `Their places are ${places.join(", ")}. Expected: ${wanted.join(", ")}.`,
      );
      this.list("Ann", wanted);
    }
  }

  #again(): void {
    this[Symbol.dispose]();
    this.#house = new House(4);
    this.#members = new Map();
    this.#story = [];
  }

  #enter(name: string): number {
    const room = new Room(this.#house);
    const member = { room, place: -1 };
    this.#members.set(name, member);
    member.place = this.#answer.join(room);
    this.#story.push(`${name} joins, and gets ${member.place}`);
    return member.place;
  }

  #expect(holds: boolean, wanted: string): void {
    expect(holds, `${this.#story.join("\n")}\n\n${wanted}`);
  }

  [Symbol.dispose](): void {
    for (const { room } of this.#members.values()) room.end();
    this.#members.clear();
    this.#house[Symbol.dispose]();
  }
}
