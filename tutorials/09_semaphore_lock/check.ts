/**
 * The checks of the exercise: they kill a party before each operation, and let others come between any
 * two of them.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { Door, House, Killed, type Party } from "./door.ts";

/** What a party learns when it enters. */
export type Learned = "busy" | "clean" | "dirty";

/** An answer. */
export interface OwnLock {
  readonly enter: (door: Door) => Learned;
  readonly leave: (door: Door) => void;
}

/** Checks an answer and prints the results. */
export function checkLock(answer: OwnLock): void {
  runChecks(import.meta.url, checksOf(answer));
}

/** The checks that an answer must pass. */
export function checksOf(answer: OwnLock): Check[] {
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
      "in peace, each party enters a clean lock, and the number is 0 inside and 1 outside",
      (play) => {
        for (const party of ["A", "B", "A"] as const) {
          play.enter(party, ["clean"]);
          play.leave(party);
        }
      },
      "`leave` must undo all that `enter` has done.",
    ),
    check(
      "while a party is inside, it is busy for others, and they change nothing",
      (play) => {
        play.enter("A", ["clean"]);
        play.enter("B", ["busy"]);
        play.enter("C", ["busy"]);
        play.leave("A");
        play.enter("B", ["clean"]);
        play.leave("B");
      },
      "a party that is outside holds nothing.",
    ),
    check(
      "a party is killed inside: the next one enters and learns that",
      (play) => {
        play.enter("A", ["clean"]);
        play.kill("A");
        play.enter("B", ["dirty"]);
        play.enter("C", ["busy"]);
        play.leave("B");
        play.enter("C", ["clean"]);
        play.leave("C");
      },
      "the kernel has dropped the record lock of the dead, and the number is still 0.",
    ),
    check(
      "the heir is killed inside, too: the next one learns the same",
      (play) => {
        play.enter("A", ["clean"]);
        play.kill("A");
        play.enter("B", ["dirty"]);
        play.kill("B");
        play.enter("C", ["dirty"]);
        play.leave("C");
        play.enter("D", ["clean"]);
        play.leave("D");
      },
      "the number says that a party died inside. Who may set it to 1, and when?",
    ),
    check(
      "killed before any operation of `enter`: the lock is neither lost nor doubled",
      (play) =>
        play.eachDeath((operation) => {
          const died = play.dies("A", operation, answer.enter);
          play.enter("B", died ? ["clean", "dirty"] : ["dirty"]);
          play.leave("B");
          play.enter("C", ["clean"]);
          play.leave("C");
          return died;
        }),
      "which operation must come first, so that the kernel can undo it?",
    ),
    check(
      "killed before any operation of `leave`: the lock is neither lost nor doubled",
      (play) =>
        play.eachDeath((operation) => {
          play.enter("A", ["clean"]);
          const died = play.dies("A", operation, answer.leave);
          play.enter("B", died ? ["clean", "dirty"] : ["clean"]);
          play.leave("B");
          play.enter("C", ["clean"]);
          play.leave("C");
          return died;
        }),
      "after each operation of `leave`: if the party dies now, what does the next one find?",
    ),
    check(
      "another party comes between any two operations: never two inside, and no false alarm",
      (play) => play.visits(),
      "from its first to its last operation, the record lock keeps all others away from the number.",
    ),
  ];
}

/** Parties that enter and leave one lock. */
class Play implements Disposable {
  readonly #answer: OwnLock;
  #house = new House();
  #doors = new Map<Party, Door>();
  #inside = new Set<Party>();

  constructor(answer: OwnLock) {
    this.#answer = answer;
  }

  /** Lets a party enter; it must learn one of these. */
  enter(party: Party, wanted: readonly Learned[]): Learned {
    const learned = this.#answer.enter(this.#door(party));
    this.#house.film.add(party, `returns "${learned}"`);
    this.#expect(wanted.includes(learned), `Expected: ${wanted.join(" or ")}.`);
    if (learned === "busy") return learned;
    this.#inside.add(party);
    const alone = this.#inside.size === 1;
    this.#expect(alone, `${[...this.#inside].join(" and ")} are inside together.`);
    const { number } = this.#house;
    this.#expect(number === 0, `The number is ${number} while ${party} is inside. Expected: 0.`);
    return learned;
  }

  leave(party: Party): void {
    this.#inside.delete(party);
    this.#answer.leave(this.#door(party));
    this.#house.film.add(party, "has left");
    const { number } = this.#house;
    this.#expect(
      this.#inside.size > 0 || number === 1,
      `The number is ${number} with nobody inside. Expected: 1.`,
    );
  }

  kill(party: Party): void {
    this.#door(party).kill();
    this.#doors.delete(party);
    this.#inside.delete(party);
    this.#house.film.add(party, "is killed inside");
  }

  /** Lets a party act, and kills it before an operation, or afterwards; whether it was before one. */
  dies(party: Party, operation: number, act: (door: Door) => unknown): boolean {
    const door = this.#door(party);
    door.dieBefore(operation);
    try {
      act(door);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    const died = door.dead;
    this.#inside.delete(party);
    door.kill();
    if (!died) this.#house.film.add(party, "is killed after its last operation");
    this.#doors.delete(party);
    return died;
  }

  /** Runs a scene with a death before the first operation, the second ... until nobody dies. */
  eachDeath(scene: (operation: number) => boolean): void {
    for (let operation = 1; this.#again(), scene(operation); operation++) {
      expect(operation < 100, "After a hundred operations it has not ended.");
    }
  }

  /** Lets B visit before each operation of A, which enters and leaves. */
  visits(): void {
    for (let at = 1, done = false; !done; at++) {
      this.#again();
      let operation = 0;
      this.#house.before = () => {
        if (++operation !== at) return;
        this.#house.before = () => {};
        if (this.enter("B", ["clean", "busy"]) !== "busy") this.leave("B");
      };
      if (this.enter("A", ["clean", "busy"]) !== "busy") this.leave("A");
      this.#house.before = () => {};
      done = operation < at;
      this.enter("C", ["clean"]);
      this.leave("C");
      this.#visitInside(at);
    }
  }

  /** As above, and B stays inside until A has made its next operation. */
  #visitInside(at: number): void {
    this.#again();
    let operation = 0;
    let stays = false;
    this.#house.before = () => {
      operation++;
      if (operation !== at || stays) return;
      const { before } = this.#house;
      this.#house.before = () => {};
      stays = this.enter("B", ["clean", "busy"]) !== "busy";
      this.#house.before = before;
    };
    if (this.enter("A", ["clean", "busy"]) !== "busy") this.leave("A");
    this.#house.before = () => {};
    if (!stays) return;
    const { number } = this.#house;
    this.#expect(number === 0, `The number is ${number} while B is inside. Expected: 0.`);
    this.leave("B");
    this.enter("C", ["clean"]);
    this.leave("C");
  }

  #door(party: Party): Door {
    let door = this.#doors.get(party);
    door ??= new Door(this.#house, party);
    this.#doors.set(party, door);
    return door;
  }

  #again(): void {
    this[Symbol.dispose]();
    this.#house = new House();
    this.#doors = new Map();
    this.#inside = new Set();
  }

  #expect(holds: boolean, wanted: string): void {
    expect(holds, wanted, () => this.#house.film.picture("The parties, and the lock after each"));
  }

  [Symbol.dispose](): void {
    for (const door of this.#doors.values()) door.kill();
    this.#house[Symbol.dispose]();
  }
}
