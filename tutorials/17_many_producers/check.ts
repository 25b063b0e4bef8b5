/**
 * The checks of the exercise. Producers write before each look of the answer in turn, and the check
 * counts the looks.
 *
 * @module
 */

import { type Check, expect, runChecks } from "../check.ts";
import { Film } from "../film.ts";
import type { Picture } from "../stage/story.ts";

/** The ring as the answer sees it. */
export interface Ring {
  readonly lanes: number;
  loadHints(): number;
  clearHints(): void;
  /** Returns the hints, and clears them in the same operation. */
  takeHints(): number;
  /** Whether there is a message in a lane. */
  has(lane: number): boolean;
}

/** The numbers that the answer may remember. */
export interface Mind {
  /** 0 at first. */
  bits: number;
  /** -1 at first. */
  last: number;
}

/** An answer. */
export type Choose = (ring: Ring, mind: Mind) => number | undefined;

const LANES = 32;
const MOST_LOOKS = 1000;

/** Checks an answer and prints the results. */
export function checkChoice(choose: Choose): void {
  runChecks(import.meta.url, checksOf(choose));
}

/** The checks that an answer must pass. */
export function checksOf(choose: Choose): Check[] {
  return [
    {
      what: "it finds a message in any lane",
      check: () => findEach(choose),
      hint: "`1 << 31` is negative, so compare with `!== 0`.",
    },
    {
      what: "without a hint it looks at no lane",
      check: () => countIdle(choose),
      hint: "look only at lanes whose bits are set.",
    },
    {
      what: "it serves a hinted lane until the lane is empty",
      check: () => emptyOne(choose),
      hint:
        "a producer need not hint again while its bit is set. Once you have taken the bit, how " +
        "do you remember that the lane has more?",
    },
    {
      what: "in turns: it serves no lane twice while another one waits",
      check: () => serveAll(choose),
      hint: "begin behind the lane that you served last, and go round.",
    },
    {
      what: "it forgets no message, at whatever moment that arrives",
      check: () => interruptAll(choose),
      hint:
        "you lose a hint that is set between your look into its lane and your clearing. First " +
        "clear, then look.",
    },
  ];
}

const TITLE = "Each look, and the lanes in the words after it";

/** The lanes for which something is so. */
function lanesIn(isSo: (lane: number) => boolean): string {
  return Array.from({ length: LANES }, (_, lane) => lane).filter(isSo).join(" ") || "-";
}

/** Lanes, how many messages are in each, and hints. */
class Scene {
  readonly mind: Mind = { bits: 0, last: -1 };
  /** The lanes that the answer has looked into. */
  readonly looked: number[] = [];
  readonly #choose: Choose;
  readonly #waiting = new Array<number>(LANES).fill(0);
  readonly #film = new Film(["producers", "consumer"], {
    hints: () => lanesIn((lane) => (this.#hints & 1 << lane) !== 0),
    waiting: () => lanesIn((lane) => this.#waiting[lane]! > 0),
    bits: () => lanesIn((lane) => (this.mind.bits & 1 << lane) !== 0),
  });
  #written = 0;
  #hints = 0;
  #before: (look: number) => void = () => {};
  #looks = 0;

  constructor(choose: Choose) {
    this.#choose = choose;
  }

  get picture(): Picture {
    return this.#film.picture(TITLE);
  }

  /** What happened around the last message. */
  get pictureAroundWrite(): Picture {
    return this.#film.picture(TITLE, Math.min(this.#film.length, this.#written + 5));
  }

  /** A producer writes, and sets its hint unless it is set. */
  write(lane: number): void {
    this.#waiting[lane]!++;
    this.#hints |= 1 << lane;
    this.#film.add("producers", `${lane} writes`);
    this.#written = this.#film.length;
  }

  /** How many messages are in all lanes. */
  get left(): number {
    return this.#waiting.reduce((sum, count) => sum + count, 0);
  }

  /** Lets the answer choose, and reads one message; `before` is called before each of its looks. */
  serve(before: (look: number) => void = () => {}): number | undefined {
    this.#before = before;
    this.#looks = 0;
    const lane = this.#choose(this.#ring, this.mind);
    this.#film.add("consumer", `chooses ${lane === undefined ? "none" : `lane ${lane}`}`);
    if (lane === undefined) return undefined;
    const isLane = Number.isInteger(lane) && lane >= 0 && lane < LANES;
    expect(isLane && this.#waiting[lane]! > 0, `Lane ${lane} has no message.`, () => this.picture);
    this.#waiting[lane]!--;
    return lane;
  }

  readonly #ring: Ring = {
    lanes: LANES,
    loadHints: () => this.#look("loadHints()", () => this.#hints),
    clearHints: () => this.#look("clearHints()", () => void (this.#hints = 0)),
    takeHints: () =>
      this.#look("takeHints()", () => {
        const hints = this.#hints;
        this.#hints = 0;
        return hints;
      }),
    has: (lane) =>
      this.#look(`has(${lane})`, () => {
        this.looked.push(lane);
        return this.#waiting[lane]! > 0;
      }),
  };

  #look<T>(what: string, look: () => T): T {
    expect(
      this.#looks < MOST_LOOKS,
      "After a thousand looks you have not chosen.",
      () => this.picture,
    );
    this.#before(this.#looks++);
    const result = look();
    this.#film.add("consumer", result === undefined ? what : `${what} → ${result}`);
    return result;
  }
}

function findEach(choose: Choose): void {
  for (let lane = 0; lane < LANES; lane++) {
    const scene = new Scene(choose);
    expect(scene.serve() === undefined, "All lanes are empty, but you chose one.");
    scene.write(lane);
    expect(scene.serve() === lane, `There is a message in lane ${lane}.`, () => scene.picture);
  }
}

function countIdle(choose: Choose): void {
  const scene = new Scene(choose);
  scene.write(7);
  while (scene.serve() !== undefined); // until it has seen that the lane is empty
  scene.looked.length = 0;
  scene.serve();
  expect(
    scene.looked.length === 0,
    `Without a hint, you look into ${scene.looked.length} lanes.`,
    () => scene.picture,
  );
  for (const lane of [9, 30]) scene.write(lane);
  while (scene.serve() !== undefined);
  const looked = scene.looked.filter((lane) => lane !== 9 && lane !== 30);
  expect(
    looked.length === 0,
    `Only lanes 9 and 30 have hints, and you look into lane ${looked[0]}.`,
    () => scene.picture,
  );
}

function emptyOne(choose: Choose): void {
  const scene = new Scene(choose);
  for (let i = 0; i < 3; i++) scene.write(5);
  scene.write(9);
  for (let left = 4; left > 0; left--) {
    const lane = scene.serve();
    expect(lane !== undefined, `There are ${left} messages left.`, () => scene.picture);
  }
}

function serveAll(choose: Choose): void {
  const scene = new Scene(choose);
  const busy = [0, 3, 4, 31];
  scene.write(3); // the first lane that is served
  scene.serve();
  const served = new Map(busy.map((lane) => [lane, 0]));
  for (let round = 0; round < 40; round++) {
    for (const lane of busy) scene.write(lane); // each has a message at any time
    const lane = scene.serve();
    expect(lane !== undefined, "All four lanes have messages.", () => scene.picture);
    served.set(lane, served.get(lane)! + 1);
    const counts = busy.map((lane) => served.get(lane)!);
    expect(
      Math.max(...counts) - Math.min(...counts) <= 1,
      `Lanes ${busy.join(", ")} always have messages.\nYou have served them ${
        counts.join(", ")
      } times.`,
      () => scene.picture,
    );
  }
}

/** Writes before the first look, before the second ... until the answer has no more. */
function interruptAll(choose: Choose): void {
  for (const lane of [2, 6, 31]) {
    for (const already of [[], [6], [2, 6, 6], [20, 2]]) {
      for (let at = 0; interruptAt(choose, lane, already, at); at++);
    }
  }
}

function interruptAt(choose: Choose, lane: number, already: number[], at: number): boolean {
  const scene = new Scene(choose);
  for (const other of already) scene.write(other);
  let [looks, interrupted] = [0, false];
  const before = () => {
    if (looks++ !== at) return;
    interrupted = true;
    scene.write(lane);
  };
  for (let nothing = 0; nothing < 2;) nothing = scene.serve(before) === undefined ? nothing + 1 : 0;
  expect(
    scene.left === 0,
    `The message in lane ${lane} is left, and you do not find it.`,
    () => scene.pictureAroundWrite,
  );
  return interrupted;
}
