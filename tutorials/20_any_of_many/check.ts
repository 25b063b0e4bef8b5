/**
 * The checks of the exercise, with real bells, the kernel's own comparison, and messages that arrive
 * before any operation of the answer.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { FutexVector } from "../../src/os/futex.ts";
import { pageSize } from "../../src/os/page.ts";
import { Doorbell } from "../../src/wait/doorbell.ts";
import { type Check, runChecks, Wrong } from "../check.ts";
import { Film } from "../film.ts";

/** The operations that a listener has. */
export interface Room {
  /** How many slots there are. */
  readonly slots: number;
  /** The number of the newest message in a slot; 0 if the slot is empty. */
  sequence(slot: number): number;
  /** Raises the bell of a slot; returns the value to sleep on. */
  raise(slot: number): number;
  /** System call: sleeps while each of these bells has the value that is given with it. */
  sleep(bells: readonly Raised[]): void;
}

/** A slot whose bell was raised, and the value of the bell then. */
export type Raised = readonly [slot: number, value: number];

/** The memory of a listener. */
export interface Mind {
  /** For each slot, the number of the last message that it has returned; 0 at first. */
  readonly seen: number[];
}

/** An answer. */
export type Listen = (room: Room, mask: number, mind: Mind) => number;

/** Checks an answer and prints the results. */
export function checkListen(listen: Listen): void {
  runChecks(import.meta.url, checksOf(listen));
}

/** The checks that an answer must pass. */
export function checksOf(listen: Listen): Check[] {
  return [
    {
      what: "it returns existing news at once, without raising a bell",
      check: () => tellAtOnce(listen),
      hint: "look first. A listener that finds news does not sleep, and needs no wake-up.",
    },
    {
      what: "it reports each message once",
      check: () => tellOnce(listen),
      hint: "`mind.seen[slot]` is yours to change.",
    },
    {
      what: "slots outside the mask neither report nor wake",
      check: () => leaveOthers(listen),
      hint: "slot 3 is in the mask if `mask & 1 << 3` is not 0. A raised bell " +
        "without a listener costs its writer a needless system call.",
    },
    {
      what: "a message in any slot of the mask wakes",
      check: () => wakeForEach(listen),
      hint: "pass all bells of the mask to one sleep.",
    },
    {
      what: "a message at any moment: it never sleeps while there is news",
      check: () => atAnyMoment(listen),
      hint: "raise the bells, then look at all slots, then sleep. Do nothing else between the " +
        "last look and the sleep.",
    },
    {
      what: "a bell that rings without a message reports nothing",
      check: () => ringWithoutMessage(listen),
      hint: "after a wake-up, look again. Without news, begin again by raising the bells.",
    },
  ];
}

const SLOTS = 5;
const MASK = 0b10110;
const IN_MASK = [1, 2, 4];
const MOST_OPERATIONS = 200;
/** More than a right answer does before it sleeps. */
const MOMENTS = 25;

/** A step of a writer before an operation of the listener. */
interface Deed {
  /** The operation; or the sleep, if the listener sleeps earlier. */
  readonly before: number;
  readonly slot: number;
  /** It only rings. */
  readonly onlyRings?: boolean;
}

/** The listener sleeps, and no writer will wake it. */
class Forever extends Error {}

/** Slots with bells, a listener, and writers that write at given moments. */
class Scene implements Disposable {
  readonly #listen: Listen;
  readonly #deeds: Deed[];
  readonly #memory = Mapping.anonymous(pageSize(), "slots");
  readonly #list = new FutexVector();
  readonly #counts = this.#each((place) => new Word32(this.#memory, place));
  readonly #bells = this.#each(({ path, offset }) =>
    new Doorbell(this.#memory, { path, offset: offset + 64 })
  );
  readonly #mind = { seen: Array<number>(SLOTS).fill(0) };
  readonly #film = new Film(["listener", "writers"], {
    messages: () => this.#counts.map((count) => count.load()).join(" "),
    "bells up": () => this.#bells.map((_, slot) => this.isUp(slot) ? slot : "-").join(" "),
  });
  #operations = 0;

  constructor(listen: Listen, deeds: readonly Deed[] = []) {
    this.#listen = listen;
    this.#deeds = [...deeds];
  }

  #each<T>(make: (place: { path: string; offset: number }) => T): T[] {
    return Array.from({ length: SLOTS }, (_, i) => make({ path: `slot ${i}`, offset: 128 * i }));
  }

  /** Whether a bell is up. */
  isUp(slot: number): boolean {
    return this.#bells[slot]!.word.load() % 2 === 1;
  }

  /** A message in a slot. */
  write(slot: number, what = "a message"): void {
    if (what === "a message") this.#counts[slot]!.add(1);
    this.#bells[slot]!.ring();
    this.#film.add("writers", `${what} in slot ${slot}`);
  }

  /** Lets the answer listen; "asleep" if it sleeps for ever. */
  listen(mask: number): number | "asleep" {
    this.#film.add("listener", `listen(${bits(mask)})`);
    try {
      const news = this.#listen(this.#room(), mask, this.#mind);
      this.#film.add("listener", `returns ${bits(news)}`);
      return news;
    } catch (error) {
      if (error instanceof Forever) return "asleep";
      throw error;
    }
  }

  /** Fails unless listening gives this. */
  expect(mask: number, wanted: number | "asleep", why: string): void {
    const news = this.listen(mask);
    if (news === wanted) return;
    const shown = [wanted, news].map((value) => value === "asleep" ? "to sleep" : bits(value));
    throw this.wrong(`${why} Expected: ${shown[0]}; your answer: ${shown[1]}.`);
  }

  wrong(why: string): Wrong {
    return new Wrong(why, this.#film.picture("The last operations; slots 0 to 4 after each"));
  }

  #room(): Room {
    return {
      slots: SLOTS,
      sequence: (slot) => {
        this.#begin(slot);
        const sequence = this.#counts[slot]!.load();
        this.#film.add("listener", `sequence(${slot}) → ${sequence}`);
        return sequence;
      },
      raise: (slot) => {
        this.#begin(slot);
        const raised = this.#bells[slot]!.raise();
        this.#film.add("listener", `raise(${slot}) → ${raised}`);
        return raised;
      },
      sleep: (bells) => {
        for (const [slot] of bells) this.#check(slot);
        this.#begin(bells[0]?.[0]);
        this.#sleep(bells);
      },
    };
  }

  /** Runs the writers' steps that come before this operation. */
  #begin(slot: number | undefined): void {
    this.#check(slot);
    if (this.#operations === MOST_OPERATIONS) {
      throw this.wrong(`After ${MOST_OPERATIONS} operations it has not ended.`);
    }
    while (this.#deeds[0] !== undefined && this.#deeds[0].before <= this.#operations) this.#do();
    this.#operations++;
  }

  #check(slot: number | undefined): void {
    const isThere = slot !== undefined && Number.isInteger(slot) && slot >= 0 && slot < SLOTS;
    if (!isThere) {
      throw this.wrong(`There are slots 0 to ${SLOTS - 1}, and you ask for slot ${slot}.`);
    }
  }

  #do(): void {
    const { slot, onlyRings = false } = this.#deeds.shift()!;
    this.write(slot, onlyRings ? "a ring without a message" : "a message");
  }

  /** Lets the kernel compare: its sleep has a time limit that has passed. */
  #sleep(bells: readonly Raised[]): void {
    const names = bells.map(([slot, value]) => `${slot} while ${value}`).join(", ");
    this.#list.clear();
    for (const [slot, value] of bells) this.#list.push(this.#bells[slot]!.word.address, value);
    if (this.#list.waitSync(0) >= 0) {
      this.#film.add("listener", `sleep on ${names}: differs`);
      return;
    }
    this.#film.add("listener", `sleep on ${names}: asleep`);
    while (this.#list.waitSync(0) < 0) {
      if (this.#deeds.length === 0) throw new Forever();
      this.#do();
    }
  }

  [Symbol.dispose](): void {
    this.#list.close();
    this.#memory.close();
  }
}

function bits(mask: number): string {
  return `0b${(mask >>> 0).toString(2).padStart(SLOTS, "0")}`;
}

function tellAtOnce(listen: Listen): void {
  using scene = new Scene(listen);
  scene.write(1);
  scene.write(4);
  scene.expect(MASK, 0b10010, "There are messages in slots 1 and 4.");
  const up = IN_MASK.find((slot) => scene.isUp(slot));
  if (up !== undefined) throw scene.wrong(`The bell of slot ${up} is up, and nobody sleeps.`);
}

function tellOnce(listen: Listen): void {
  using scene = new Scene(listen);
  scene.write(1);
  scene.expect(MASK, 0b00010, "There is a message in slot 1.");
  scene.expect(MASK, "asleep", "You have reported it already.");
  scene.write(1);
  scene.write(1);
  scene.expect(MASK, 0b00010, "There are two more in slot 1.");
  scene.expect(MASK, "asleep", "You have reported both.");
}

function leaveOthers(listen: Listen): void {
  using scene = new Scene(listen);
  scene.write(0);
  scene.write(3);
  scene.expect(MASK, "asleep", "There are messages in slots 0 and 3, which are not in the mask.");
  const up = [0, 3].find((slot) => scene.isUp(slot));
  if (up !== undefined) {
    throw scene.wrong(`The bell of slot ${up} is up, and it is not in the mask.`);
  }
  scene.expect(0b01001, 0b01001, "With another mask they are news.");
}

function wakeForEach(listen: Listen): void {
  for (const slot of IN_MASK) {
    using scene = new Scene(listen, [{ before: Infinity, slot }]);
    scene.expect(MASK, 1 << slot, `It sleeps, and a message arrives in slot ${slot}.`);
  }
}

function atAnyMoment(listen: Listen): void {
  for (let before = 0; before < MOMENTS; before++) {
    for (const slot of IN_MASK) {
      for (const other of IN_MASK) {
        tryTwo(listen, { before, slot }, { before: Infinity, slot: other });
        tryTwo(listen, { before: 0, slot: other }, { before, slot });
      }
    }
  }
}

/** Two messages; the listener must return both. */
function tryTwo(listen: Listen, first: Deed, second: Deed): void {
  using scene = new Scene(listen, [first, second]);
  const all = 1 << first.slot | 1 << second.slot;
  for (let untold = all; untold !== 0;) {
    const told = scene.listen(MASK);
    if (told === "asleep") throw scene.wrong(`It sleeps while there is news: ${bits(untold)}.`);
    if (told === 0 || (told & ~all) !== 0) throw scene.wrong(`It reports ${bits(told)}.`);
    untold &= ~told;
  }
}

function ringWithoutMessage(listen: Listen): void {
  for (const slot of IN_MASK) {
    const never = { before: Infinity, slot };
    using idle = new Scene(listen, [{ ...never, onlyRings: true }]);
    idle.expect(MASK, "asleep", `The bell of slot ${slot} rings without a message.`);
    for (const other of IN_MASK) {
      using scene = new Scene(listen, [{ ...never, onlyRings: true }, { ...never, slot: other }]);
      scene.expect(
        MASK,
        1 << other,
        `A bell rings without a message, then slot ${other} gets one.`,
      );
    }
  }
}
