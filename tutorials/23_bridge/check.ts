/**
 * The checks of the exercise. They send frames over a network that loses, repeats and delays messages,
 * in every way, the shortest first, so that a failure shows a minimal one.
 *
 * @module
 */

import { type Check, runChecks, Wrong } from "../check.ts";
import { Film } from "../film.ts";

/** A message of the near bridge. */
export interface Message {
  /** The number of its first frame, or of the next one if it has none. */
  readonly first: number;
  /** How many frames it has; 0 for a mark. */
  readonly count: number;
  /** How many frames were lost before the near bridge so far, in all. */
  readonly before: number;
  /** How many frames were lost inside the near bridge so far, in all. */
  readonly inside: number;
}

/** Where frames are. */
export interface Account {
  published: number;
  before: number;
  inside: number;
  wire: number;
  here: number;
}

/** What the far bridge remembers. */
export interface Mind {
  /** The number of the last frame in the account; 0 at first. */
  last: number;
  /** The number of the last frame that was published here; 0 at first. */
  published: number;
  /** All 0 at first. */
  readonly account: Account;
}

/** Publishes a frame here, after so many that are lost; false if the topic refuses it. */
export type Publish = (number: number, lost: number) => boolean;

/** An answer. */
export type Arrive = (mind: Mind, message: Message, publish: Publish) => void;

/** Checks an answer and prints the results. */
export function checkAccount(arrive: Arrive): void {
  runChecks(import.meta.url, checksOf(arrive));
}

/** The checks that an answer must pass. */
export function checksOf(arrive: Arrive): Check[] {
  const every = (fates: readonly Fate[], most: number) => () => tryAll(arrive, fates, most);
  return [
    {
      what: "frames that arrive are published, in order, and counted",
      check: every(["sent", "two"], 3),
      hint: "from `first` to `first + count - 1`; each adds 1 to `account.published`.",
    },
    {
      what: "a gap in the numbers is lost on the wire, also if only a mark shows it",
      check: every(["sent", "two", "wire"], 4),
      hint: "the gap is `first - last - 1`. A mark has a `first`, too, and no frames.",
    },
    {
      what: "frames lost before and inside are in their places, and not on the wire",
      check: every(["sent", "before", "inside", "wire"], 5),
      hint: "`before` and `inside` are totals. What they have grown by is a part of the gap.",
    },
    {
      what: "a frame that the topic refuses is lost here, and the next one says so",
      check: every(["sent", "two", "refused", "wire"], 4),
      hint: "`lost` is the distance to the last frame that was published here, minus 1.",
    },
    {
      what: "messages that come twice, late, or with old frames publish nothing twice",
      check: every(["sent", "again", "late", "overlap", "wire"], 5),
      hint: "leave out what is not above `last`. A late frame was counted as lost: it stays lost.",
    },
    {
      what: "all of that together",
      check: every(["before", "inside", "wire", "refused", "again", "late", "overlap"], 4),
      hint: "every number must be in the account once, in exactly one place.",
    },
  ];
}

/** What becomes of a frame. `two` are two in one message, `overlap` comes with the frame before. */
type Fate =
  | "sent"
  | "two"
  | "before"
  | "inside"
  | "wire"
  | "refused"
  | "again"
  | "late"
  | "overlap";

const PLACES = ["published", "before", "inside", "wire", "here"] as const;

/** Tries all fates of so many frames. */
function tryAll(arrive: Arrive, fates: readonly Fate[], most: number): void {
  for (let length = 1; length <= most; length++) {
    for (let code = 0; code < fates.length ** length; code++) {
      let rest = code;
      const world = new World(arrive);
      for (let i = 0; i < length; i++) {
        world.play(fates[rest % fates.length]!);
        rest = Math.floor(rest / fates.length);
      }
      world.end();
    }
  }
}

/** Both ends of a network, and the truth about every frame. */
class World {
  readonly #arrive: Arrive;
  readonly #mind: Mind = {
    last: 0,
    published: 0,
    account: { published: 0, before: 0, inside: 0, wire: 0, here: 0 },
  };
  readonly #truth: Account = { published: 0, before: 0, inside: 0, wire: 0, here: 0 };
  readonly #refused = new Set<number>();
  readonly #film = new Film(["near", "wire", "far"], {
    last: () => this.#mind.last,
    ...Object.fromEntries(PLACES.map((place) => [place, () => this.#mind.account[place]])),
  });
  /** Messages that the next one overtakes. */
  #late: Message[] = [];
  #number = 0;
  #lost = { before: 0, inside: 0 };
  /** The last frame that the near bridge has had in hand, and so can repeat. */
  #sent = 0;
  /** The last number that the far bridge knows of, and that it has published. */
  #known = 0;
  #published = 0;

  constructor(arrive: Arrive) {
    this.#arrive = arrive;
  }

  play(fate: Fate): void {
    const number = ++this.#number;
    if (fate === "before" || fate === "inside") {
      this.#lost[fate]++;
      this.#film.add("near", `frame ${number} is lost ${fate} the bridge`);
      return;
    }
    const repeats = fate === "overlap" && number > 1 && this.#sent === number - 1;
    this.#sent = number;
    if (fate === "wire") this.#film.add("wire", `frame ${number} is lost`);
    else if (fate === "late") this.#late.push(this.#message(number, 1));
    else if (fate === "two") {
      this.#sent = ++this.#number;
      this.#deliver(this.#message(number, 2));
    } else if (repeats) this.#deliver(this.#message(number - 1, 2));
    else {
      if (fate === "refused") this.#refused.add(number);
      const message = this.#message(number, 1);
      this.#deliver(message);
      if (fate === "again") this.#deliver(message);
    }
  }

  /** The near bridge sends a mark, and all must be in the account. */
  end(): void {
    this.#deliver(this.#message(this.#number + 1, 0));
    const { before, inside } = this.#lost;
    const truth = { ...this.#truth, before, inside };
    const sum = truth.published + truth.before + truth.inside + truth.here;
    truth.wire = this.#number - sum;
    const [mine, right] = [this.#mind.account, truth].map(listed);
    if (mine !== right) throw this.#wrong(`Your account: ${mine}.\nThe truth: ${right}.`);
  }

  #message(first: number, count: number): Message {
    return { first, count, ...this.#lost };
  }

  #deliver(message: Message): void {
    this.#pass(message);
    for (const late of this.#late.splice(0)) this.#pass(late);
  }

  /** Passes a message to the answer, which must publish what is new in it. */
  #pass(message: Message): void {
    const { first, count, before, inside } = message;
    const frames = count === 0 ? "a mark" : count === 1 ? "1 frame" : `${count} frames`;
    this.#film.add("far", `arrives: first ${first}, ${frames}, before ${before}, inside ${inside}`);
    const end = first + count - 1;
    const wanted = Array.from({ length: count }, (_, i) => first + i)
      .filter((number) => number > this.#known);
    this.#arrive(this.#mind, message, (number, lost) => {
      const isRefused = this.#refused.has(number);
      this.#film.add("far", `publish(${number}, ${lost}) → ${!isRefused}`);
      const next = wanted.shift();
      if (number !== next) {
        throw this.#wrong(
          next === undefined ? "There is nothing new in this message." : `Number ${next} is next.`,
        );
      }
      const missing = number - this.#published - 1;
      if (lost !== missing) throw this.#wrong(`Before ${number}, ${missing} are lost here.`);
      if (isRefused) this.#truth.here++;
      else {
        this.#truth.published++;
        this.#published = number;
      }
      return !isRefused;
    });
    this.#film.add("far", "returns");
    if (wanted.length > 0) throw this.#wrong(`You did not publish number ${wanted[0]}.`);
    this.#known = Math.max(this.#known, end);
  }

  #wrong(why: string): Wrong {
    return new Wrong(why, this.#film.picture("What happens, and your `mind` after it"));
  }
}

function listed(account: Account): string {
  return PLACES.map((place) => `${place} ${account[place]}`).join(", ");
}
