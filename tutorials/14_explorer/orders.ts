/**
 * Chapter 14: every order of a few parties.
 *
 * @module
 */

import { flag, inTwoSteps, sleeper, unlooked, waker } from "../13_doorbell/bells.ts";
import { explore } from "../13_doorbell/machine.ts";
import { deathsIn, tracksOf } from "../13_doorbell/tracks.ts";
import { tablePicture } from "../stage/pictures.ts";
import type { Scene, Step } from "../stage/story.ts";
import { canStep, copyOf, firstState, type Game, kill, type State, step } from "./machine.ts";
import { endOf, eventsOf, type Move } from "./moves.ts";

const WORDS = ["count", "bell"];

/** A reader and a writer with a flag, as in chapter 13. */
const game: Game = { words: WORDS, parties: [sleeper("reader", flag), waker("writer", flag)] };
const twoReaders: Game = {
  words: WORDS,
  parties: [sleeper("reader 0", flag), sleeper("reader 1", flag), waker("writer", flag)],
};
const careless: Game = {
  words: WORDS,
  parties: [sleeper("reader", unlooked), waker("writer", unlooked)],
};
const mortal: Game = {
  words: WORDS,
  parties: [
    sleeper("reader", inTwoSteps),
    waker("writer", inTwoSteps, { mayDie: true }),
    waker("heir", inTwoSteps, { after: "writer" }),
  ],
};

/** How many orders there are of two parties with so many operations. */
function orders(a: number, b: number): number {
  if (a === 0 || b === 0) return 1;
  return orders(a - 1, b) + orders(a, b - 1);
}

/** The parties that can take a step. */
function moversIn(game: Game, state: State): number[] {
  return [...game.parties.keys()].filter((party) => canStep(game, state, party));
}

/** Counts the orders from this state on. */
function everyOrder(game: Game, state: State): number {
  const movers = moversIn(game, state);
  if (movers.length === 0) return 1;
  let count = 0;
  for (const party of movers) {
    const next = copyOf(state);
    step(game, next, party);
    count += everyOrder(game, next);
  }
  return count;
}

/** The different states that can be reached, each with a way to it that is as short as any. */
function statesOf(game: Game, deaths = 0): { state: State; path: Move[] }[] {
  const seen = new Map<string, { state: State; path: Move[] }>();
  const left = [{ state: firstState(game), path: [] as Move[] }];
  for (const each of left) {
    const key = JSON.stringify(each.state);
    if (seen.has(key)) continue;
    seen.set(key, each);
    const dead = each.state.places.filter(({ is }) => is === "dead").length;
    for (const [party, { mayDie }] of game.parties.entries()) {
      const { is } = each.state.places[party]!;
      const kills = mayDie && /awake|asleep/.test(is) && dead < deaths ? [true] : [];
      for (const dies of [...canStep(game, each.state, party) ? [false] : [], ...kills]) {
        const state = copyOf(each.state);
        if (dies) kill(state, party);
        else step(game, state, party);
        left.push({ state, path: [...each.path, { party, kills: dies }] });
      }
    }
  }
  return [...seen.values()];
}

/** Whether somebody sleeps, and nobody can take a step. */
function isLost(game: Game, state: State): boolean {
  const isOver = game.parties.every((_, party) => !canStep(game, state, party));
  return isOver && state.places.some(({ is }) => is === "asleep");
}

/** How many states there are, and the shortest way to one that is lost. */
export class Verdict {
  readonly states: number;
  readonly lost: readonly Move[] | undefined;
  readonly moves: number | undefined;

  constructor(game: Game, deaths = 0) {
    const all = statesOf(game, deaths);
    this.states = all.length;
    this.lost = all.find(({ state }) => isLost(game, state))?.path;
    this.moves = this.lost?.length;
  }
}

/** Tries every order of a game, with so many deaths. */
export function verdictOf(game: Game, deaths = 0): Verdict {
  return new Verdict(game, deaths);
}

function showLoss(scene: Scene, game: Game, { lost }: Verdict): void {
  const events = eventsOf(game, lost!);
  scene.show(
    tracksOf(events, game.parties, {
      title: "The shortest way to a lost state",
      end: endOf(game, lost!),
      deaths: deathsIn(events, game.parties),
    }),
  );
}

function showState(scene: Scene, game: Game, { words, places }: State): void {
  const rows = places.map(({ log, is, on }, i) => [
    game.parties[i]!.name,
    log.length === 0 ? "nothing yet" : log.join(", "),
    on === undefined ? is : `${is} on ${on}`,
  ]);
  const values = Object.entries(words).map(([name, value]) => `${name} ${value}`).join(", ");
  scene.show(tablePicture("state", `A state; the words: ${values}`, [
    ["party", "what its operations returned", "it is"],
    ...rows,
  ]));
}

/** The steps from orders to states. */
export function fromOrdersToStates(): Step[] {
  let counted = 0;
  const state = firstState(game);
  return [
    {
      title: "How many orders?",
      text:
        `Chapter 13 said "every order", and a machine tried them all. In this chapter you see how
        that works, and in the exercise you write it.

        One party does 3 operations, another one 4. Each keeps its own order. Between any two
        operations, the other one may do some of its own.`,
      ask: {
        kind: "number",
        text: "In how many orders can these 7 operations happen?",
        unit: "orders",
        answer: () => orders(3, 4),
        right: "3 of the 7 places belong to the first party: 7 * 6 * 5 / (3 * 2 * 1).",
        often: [
          { number: 12, because: "3 times 4 are the pairs. An order arranges all 7." },
          {
            number: 5040,
            because: "There are 5040 orders of 7 things. But each party keeps its own order.",
          },
          { number: 7, because: "7 places, of which 3 belong to the first party: 35 choices." },
        ],
        otherwise: "Choose which 3 of the 7 places belong to the first party: 7 * 6 * 5 / 6.",
      },
      run: (scene) => {
        scene.code(orders);
        scene.look(() => orders(3, 4));
        scene.look(() => orders(10, 10));
      },
      after:
        `A test runs one of them, and nearly always the same one. A lost wake-up needs another.`,
    },
    {
      title: "Stop at each operation",
      text:
        `A machine that chooses the order must stop a party in the middle of its code. Here is the
        trick. The machine runs the code from its beginning, and hands each operation the result that
        it had before. At the first operation without a result, the machine throws, and the code stops there.

        So a party's place is a list of results: its log. \`game\` is a reader and a writer with the
        flag of chapter 13. We take three steps of the reader, party 0.`,
      run: (scene) => {
        scene.look(() => step(game, state, 0));
        scene.look(() => step(game, state, 0));
        scene.look(() => step(game, state, 0));
        showState(scene, game, state);
      },
      after: `The reader looked, raised the flag, and looked again.`,
    },
    {
      title: "A state",
      text: `The state is plain data: the words, and the place of each party. So we can copy it, and
        go on from it twice. From here either the reader goes to sleep, or the writer comes first.`,
      ask: {
        kind: "choice",
        picture: "state",
        text: "Two states have the same words. Are they the same state?",
        options: [
          {
            text: "Only if the parties are at the same places too",
            right: true,
            because: "What comes next depends on the words and on the logs. Nothing else.",
          },
          {
            text: "Yes: memory is all that parties share",
            because:
              "Each party continues from its own place: one may be about to sleep, one may " +
              "not.",
          },
          {
            text: "Only if the same operations led there",
            because: "The way does not matter. What comes next depends on the state alone.",
          },
        ],
      },
      run: (scene) => {
        const other = scene.run("other", () => copyOf(state));
        scene.look(() => step(game, other, 1));
        showState(scene, game, other);
        scene.look(() => state.words["count"]);
      },
      after: "The copy has changed, and the first state has not.",
    },
    {
      title: "Every order",
      text: `From the first state, take every party that can take a step, each with a copy of the
        state. From there on, do the same again. A party that sleeps or has ended takes no step. If
        nobody can, one order has come to its end.`,
      run: (scene) => {
        scene.code(everyOrder);
        scene.look(() => everyOrder(game, firstState(game)));
        counted = scene.look(() => everyOrder(twoReaders, firstState(twoReaders)));
      },
    },
    {
      title: "Many orders, few states",
      text: () =>
        `One more reader, and ${counted} orders. With a fourth party there are millions. But many
        orders meet: two parties that change different words can do it in either order, and the
        state afterwards is the same.

        So a search remembers every state that it has been in, and goes on from each once.`,
      ask: {
        kind: "number",
        text: "How many different states do two readers and a writer have? A factor of 2 counts.",
        answer: () => statesOf(twoReaders).length,
        within: 2,
        unit: "states",
        right: "A small part of the orders. That is why a search can try everything.",
        often: [
          { number: 7180, because: "There are 7180 orders. They meet in few states." },
        ],
        otherwise: "Most orders meet: there are about thirty times as many orders as states.",
      },
      run: (scene) => {
        scene.look(() => statesOf(game).length);
        scene.look(() => statesOf(twoReaders).length);
      },
    },
  ];
}

/** The steps from the verdict to the shipped explorer. */
export function verdicts(): Step[] {
  return [
    {
      title: "A verdict",
      text: `Chapter 13 began with a flag and no second look. We try every state of its reader and
        its writer. In which of them is a wake-up lost?`,
      ask: {
        kind: "choice",
        text: "What shows that a wake-up is lost?",
        options: [
          {
            text: "A party sleeps, and nobody can take a step",
            right: true,
            because: "Nobody is left to wake it. No other state can follow.",
          },
          {
            text: "A party sleeps, and there is a message",
            because:
              "The message may be published, and the bell not rung yet. Then the writer is " +
              "about to wake it.",
          },
          {
            text: "A party sleeps",
            because: "A party may sleep, as long as somebody will wake it.",
          },
        ],
      },
      run: (scene) => {
        const verdict = scene.run("verdict", () => verdictOf(careless));
        showLoss(scene, careless, verdict);
      },
      after:
        `A search that takes the states in the order in which it found them comes to the shortest
        way first. A short way is easier to understand.`,
    },
    {
      title: "Death at each step",
      text: `A process may be killed between any two operations. To the search that is one more
        choice in each state. Here is the bell of chapter 13 that is rung in two steps. The writer
        may die, and then its heir begins.`,
      ask: {
        kind: "choice",
        text: "How must the search change?",
        options: [
          {
            text: "Each state has one more move for each party that may die",
            right: true,
            because: "The state after it has a dead party, and the search goes on from there.",
          },
          {
            text: "It runs again for each operation, and kills there",
            because: "One run for each operation works too, and does the same work many times. A " +
              "move is simpler.",
          },
          {
            text: "It kills at the end of each order",
            because: "At the end of an order, the party is done. A death does harm in the middle.",
          },
        ],
      },
      run: (scene) => {
        const verdict = scene.run("verdict", () => verdictOf(mortal, 1));
        showLoss(scene, mortal, verdict);
      },
    },
    {
      title: "The library's explorer",
      text: `The library has such a search for itself: \`test/explore\`. Its parties are the shipped
        algorithms, and its machine has what they use: files, locks, sleeps with a deadline, and memory
        that reorders, as in chapter 11. Ours copies a state for each move; the library's has one state, and takes its steps back.

        We let both try the same parties.`,
      run: (scene) => {
        scene.look(() => verdictOf(twoReaders).moves);
        scene.look(() => explore(twoReaders.parties).lost?.length);
        scene.look(() => verdictOf(mortal, 1).moves);
        scene.look(() => explore(mortal.parties).lost?.length);
      },
      after:
        `Both find the same, by ways of the same length. The shipped one tries its scenarios with
        \`deno task explore\`. A scenario with too many states gets bounds: so many switches, so many deaths.
        Within them, every run is tried.`,
    },
    {
      title: "Be the scheduler",
      text: `In the playground you choose the moves of the shipped code. Strand a sleeper with one
        kill: [[play broken-clear-then-wake|broken-clear-then-wake]]. Or try the right one for as long
        as you like: [[play doorbell-2-1|doorbell-2-1]]. A search shows how it is done.

        In the exercise you write the search, in four steps. The judge compares it with the library's
        explorer.`,
    },
  ];
}
