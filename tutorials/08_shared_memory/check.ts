/**
 * The checks of the exercise. They kill the answer before each of its stores in turn, and the repair
 * too, and count the coins afterwards.
 *
 * @module
 */

import { type SharedMemory, sharedMemory, struct, type View } from "../../mod.ts";
import { type Check, expect, ownName, runChecks } from "../check.ts";
import { Film } from "../film.ts";

/** Two purses in shared memory, and three numbers for notes. */
export interface PursesWithNotes {
  /** Ann's coins. */
  ann: number;
  /** Ben's coins. */
  ben: number;
  /** A number for you. */
  note1: number;
  /** A number for you. */
  note2: number;
  /** A number for you. */
  note3: number;
}

/** An answer: how to move coins, and how to repair them after a death. */
export interface Mover {
  readonly move: (purses: PursesWithNotes, coins: number) => void;
  readonly repair: (purses: PursesWithNotes) => void;
}

const FIELDS = ["ann", "ben", "note1", "note2", "note3"] as const;

const Purses = struct("purses_with_notes", {
  ann: "f64",
  ben: "f64",
  note1: "f64",
  note2: "f64",
  note3: "f64",
});

/** Checks an answer and prints the results. */
export function checkMove(mover: Mover): void {
  runChecks(import.meta.url, checksOf(mover));
}

/** The checks that an answer must pass. */
export function checksOf(mover: Mover): Check[] {
  return [
    {
      what: "coins are moved",
      check: () => moveInPeace(mover),
      hint: "Ben must gain as many coins as Ann loses.",
    },
    {
      what: "killed anywhere while moving: after the repair, all coins are moved or none",
      check: () => killMove(mover),
      hint: "write down what you are about to do, and mark the complete note as valid by one " +
        "store. Which of your stores may come first, and which only then?",
    },
    {
      what: "killed while repairing as well: the next one repairs that too",
      check: () => killRepair(mover),
      hint: "note the result (ben = 70) and not the change (ben += 30): the result can be stored " +
        "twice without harm. And cross the note out at the very end.",
    },
    {
      what: "after a repair, the next move may be killed too",
      check: () => killNextMove(mover),
      hint: "is the note of the last move still valid?",
    },
    {
      what: "a repair needs nothing but the purses: in between, the process has moved other purses",
      check: () => repairElsewhere(mover),
      hint:
        "variables of your program die with it. Only what you store in `purses` is still there.",
    },
  ];
}

function moveInPeace({ move }: Mover): void {
  using scene = new Scene(100, 40);
  scene.run("move", (purses) => move(purses, 30));
  scene.expectCoins([[70, 70]]);
}

function killMove({ move, repair }: Mover): void {
  // Several sums, as a repair that knows the sum would have it too easy.
  for (const [ann, ben] of [[100, 40], [37, 5]] as const) {
    eachDeath((deaths) => {
      using scene = new Scene(ann, ben);
      const died = scene.run("move", (purses) => move(purses, 30), deaths());
      scene.run("repair", repair);
      const moved = [ann - 30, ben + 30] as const;
      scene.expectCoins(died ? [[ann, ben], moved] : [moved]);
      return died;
    });
  }
}

function killRepair({ move, repair }: Mover): void {
  eachDeath((deaths) => {
    const afterStores = deaths();
    let died = false;
    eachDeath((deathsOfRepair) => {
      using scene = new Scene(100, 40);
      died = scene.run("move", (purses) => move(purses, 30), afterStores);
      const diedAgain = scene.run("repair", repair, deathsOfRepair());
      scene.run("repair", repair);
      scene.expectCoins(died ? [[100, 40], [70, 70]] : [[70, 70]]);
      return diedAgain;
    });
    return died;
  });
}

function killNextMove({ move, repair }: Mover): void {
  eachDeath((deaths) => {
    const afterStores = deaths();
    let died = false;
    eachDeath((deathsOfNext) => {
      using scene = new Scene(100, 40);
      died = scene.run("move", (purses) => move(purses, 30), afterStores);
      scene.run("repair", repair);
      const { ann, ben } = scene;
      const diedAgain = scene.run("move", (purses) => move(purses, 5), deathsOfNext());
      scene.run("repair", repair);
      const moved = [ann - 5, ben + 5] as const;
      scene.expectCoins(diedAgain ? [[ann, ben], moved] : [moved]);
      return diedAgain;
    });
    return died;
  });
}

/**
 * Kills a move, lets the same program move other purses, and then repairs the first ones: as in a new
 * process, whatever the program remembers by itself is about something else by then.
 */
function repairElsewhere({ move, repair }: Mover): void {
  eachDeath((deaths) => {
    using scene = new Scene(100, 40);
    const died = scene.run("move", (purses) => move(purses, 30), deaths());
    using other = new Scene(7, 1, "other");
    other.run("move", (purses) => move(purses, 3));
    other.expectCoins([[4, 4]]);
    scene.moveOthers();
    scene.run("repair", repair);
    scene.expectCoins(died ? [[100, 40], [70, 70]] : [[70, 70]]);
    return died;
  });
}

/** Dies after no store, after one, after two ... until `scene` returns that it did not die. */
function eachDeath(scene: (deaths: () => number) => boolean): void {
  for (let stores = 0; scene(() => stores); stores++) {
    expect(stores < 1000, "After a thousand stores it has not ended.");
  }
}

/** Thrown where a process is killed, through all code that it would still run. */
class Killed extends Error {}

/** Purses in shared memory, and a film of all stores. */
class Scene implements Disposable {
  readonly #memory: SharedMemory;
  readonly #stored: View<typeof Purses>;
  readonly #film = new Film(
    ["move", "repair", "others"],
    Object.fromEntries(FIELDS.map((field) => [field, () => this.#stored[field]])),
  );

  constructor(ann: number, ben: number, which = "purses") {
    this.#memory = sharedMemory(ownName(which), { size: Purses.size }).open({
      open: "create",
    });
    this.#stored = this.#memory.view(Purses);
    this.#stored.ann = ann;
    this.#stored.ben = ben;
  }

  get ann(): number {
    return this.#stored.ann;
  }

  get ben(): number {
    return this.#stored.ben;
  }

  /** Lets a process do something, and kills it after so many stores; whether it was killed. */
  run(
    what: "move" | "repair",
    action: (purses: PursesWithNotes) => void,
    dieAfter = Infinity,
  ): boolean {
    const note = (text: string) => this.#film.add(what, text);
    const { purses, isDead } = mortal(this.#stored, note, dieAfter);
    note("begins");
    try {
      action(purses);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
    if (!isDead()) note("is done");
    return isDead();
  }

  /** The process has been replaced by one that moved other purses. */
  moveOthers(): void {
    this.#film.add("others", "a new process has moved other purses");
  }

  /** Fails unless Ann and Ben have one of these pairs of coins. */
  expectCoins(allowed: readonly (readonly [ann: number, ben: number])[]): void {
    const isAllowed = allowed.some(([ann, ben]) => ann === this.ann && ben === this.ben);
    const wanted = allowed.map(([ann, ben]) => `Ann ${ann}, Ben ${ben}`).join(", or ");
    expect(
      isAllowed,
      `In the end: Ann ${this.ann}, Ben ${this.ben}. Expected: ${wanted}.`,
      () => this.#film.picture("Each store, and the purses after it"),
    );
  }

  [Symbol.dispose](): void {
    this.#memory.close();
  }
}

/** The purses as a process sees them that dies after so many stores; it notes the stores. */
function mortal(stored: PursesWithNotes, note: (text: string) => void, dieAfter: number) {
  let stores = 0;
  let dead = false;
  const purses = {} as PursesWithNotes;
  for (const field of FIELDS) {
    Object.defineProperty(purses, field, {
      get: () => stored[field],
      set: (value: number) => {
        const store = `${field} = ${value}`;
        if (dead) note(`the dead store nothing, not even in \`finally\`: ${store}`);
        else if (stores++ >= dieAfter) note("is killed");
        dead ||= stores > dieAfter;
        if (dead) throw new Killed();
        stored[field] = value;
        note(store);
      },
    });
  }
  return { purses, isDead: () => dead };
}
