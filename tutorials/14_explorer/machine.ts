/**
 * A machine for a few parties, small enough to read. It runs one operation at a time, and its state
 * is plain data, so that a search can copy it and go back to it.
 *
 * The parties are those of chapter 13, unchanged: ordinary functions on shared words. To take one
 * more operation, the machine runs the function again from its beginning, hands it the results of its
 * earlier operations, and stops it at the next one. So the function must depend on nothing else.
 *
 * @module
 */

import type { Party, SharedWord } from "../13_doorbell/machine.ts";

/** A party in a state. */
export interface Place {
  /** The results of its operations so far. */
  log: number[];
  /** What it does: `sleeps` until woken, `ended` and `dead` for ever. */
  is: "awake" | "asleep" | "ended" | "dead";
  /** The word that it sleeps on. */
  on?: string;
}

/** All words, and how far each party is. */
export interface State {
  words: Record<string, number>;
  places: Place[];
}

/** The words and parties that are explored. */
export interface Game {
  readonly words: readonly string[];
  readonly parties: readonly Party[];
}

/** An operation that a party is about to do. */
interface Operation {
  readonly text: string;
  perform(state: State, place: Place): number;
}

/** Thrown to stop a party at its next operation. */
class Stop {
  readonly operation: Operation;

  constructor(operation: Operation) {
    this.operation = operation;
  }
}

/** A word whose first operations return what is in the log; the next one stops the party. */
function wordOf(name: string, log: Iterator<number>): SharedWord {
  const operate = (text: string, perform: Operation["perform"]): number => {
    const logged = log.next();
    if (logged.done !== true) return logged.value;
    throw new Stop({ text: `${name}.${text}`, perform });
  };
  const change = (text: string, next: (before: number) => number) =>
    operate(text, ({ words }) => {
      const before = words[name]!;
      words[name] = next(before) >>> 0;
      return before;
    });
  const wake = ({ places }: State) => {
    for (const place of places.filter(({ is, on }) => is === "asleep" && on === name)) {
      place.is = "awake";
      delete place.on;
    }
    return 0;
  };
  return {
    load: () => operate("load()", ({ words }) => words[name]!),
    store: (value) => void change(`store(${value})`, () => value),
    exchange: (value) => change(`exchange(${value})`, () => value),
    add: (value) => change(`add(${value})`, (before) => before + value),
    or: (bits) => change(`or(${bits})`, (before) => before | bits),
    sleepWhile: (value) =>
      void operate(`sleepWhile(${value})`, ({ words }, place) => {
        if (words[name] === value >>> 0) Object.assign(place, { is: "asleep", on: name });
        return 0;
      }),
    wakeAll: () => void operate("wakeAll()", wake),
    addAndWake: () =>
      void operate("addAndWake()", (state) => {
        state.words[name]!++;
        return wake(state);
      }),
  };
}

/** The state before anyone has done anything. */
export function firstState({ words, parties }: Game): State {
  return {
    words: Object.fromEntries(words.map((word) => [word, 0])),
    places: parties.map(() => ({ log: [], is: "awake" })),
  };
}

/** Whether a party can take a step: it is awake, and the party that it comes after has ended. */
export function canStep({ parties }: Game, { places }: State, party: number): boolean {
  const { after } = parties[party]!;
  const first = after === undefined ? undefined : parties.findIndex(({ name }) => name === after);
  const mayBegin = first === undefined || /ended|dead/.test(places[first]!.is);
  return mayBegin && places[party]!.is === "awake";
}

/** Changes the state: the party does its next operation. Returns the operation's text. */
export function step(game: Game, state: State, party: number): string {
  const place = state.places[party]!;
  const operation = nextOf(game, place, party);
  if (operation === undefined) throw new RangeError(`${game.parties[party]!.name} cannot step`);
  place.log.push(operation.perform(state, place));
  if (place.is === "awake" && nextOf(game, place, party) === undefined) endOf(place);
  return operation.text + (place.is === "asleep" ? ": asleep" : "");
}

/** Changes the state: the party is killed. */
export function kill(state: State, party: number): void {
  state.places[party] = { log: [], is: "dead" };
}

/** A copy that shares nothing with the state. */
export function copyOf({ words, places }: State): State {
  return {
    words: { ...words },
    places: places.map(({ log, ...rest }) => ({ log: [...log], ...rest })),
  };
}

function endOf(place: Place): void {
  place.log = [];
  place.is = "ended";
}

const MOST_ROUNDS = 100;

/** Runs a party up to its next operation; undefined at its end. A party may begin again. */
function nextOf({ words, parties }: Game, place: Place, party: number): Operation | undefined {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    try {
      const log = place.log.values();
      const shared = Object.fromEntries(words.map((name) => [name, wordOf(name, log)]));
      if (parties[party]!.code(shared as never)) return undefined;
      place.log = [];
    } catch (stop) {
      if (stop instanceof Stop) return stop.operation;
      throw stop;
    }
  }
  throw new Error(`${parties[party]!.name} begins again and again, and does nothing`);
}
