/**
 * Parties that share a few words of memory and are run one operation at a time, in any order: the
 * library's explorer (test/explore), in the vocabulary of this tutorial.
 *
 * The explorer's machine is simulated, so that it can go back to any state: its words are no real
 * memory, and its sleepers no threads. {@linkcode words} are real, and {@linkcode putWords} brings
 * them to a state, to see what the kernel makes of it.
 *
 * To reach a state, the machine may run a party's code again from its start, and hand it the results
 * of its earlier operations. So the code must depend on nothing else.
 *
 * @module
 */

import { Mapping } from "../../src/memory/mapping.ts";
import { Word32 } from "../../src/memory/word.ts";
import { pageSize } from "../../src/os/page.ts";
import {
  AGAIN,
  type Bounds,
  currentActor,
  decode,
  exploreSync,
  type Inode,
  process,
  Run,
  type Scenario,
  type Transition,
  type World,
} from "../../test/explore/engine/mod.ts";

/** A word as a party sees it. Each call is one operation. */
export interface SharedWord {
  load(): number;
  store(value: number): void;
  /** This and the next two return the value before. */
  exchange(value: number): number;
  add(value: number): number;
  or(bits: number): number;
  /** System call: sleeps if the word has this value, until woken. */
  sleepWhile(value: number): void;
  /** System call: wakes all that sleep on the word. */
  wakeAll(): void;
  /** System call: adds 1 and wakes all that sleep on the word, in one operation. */
  addAndWake(): void;
}

/** The words that sleepers and wakers share. */
export interface Shared {
  /** How many messages there are. */
  readonly count: SharedWord;
  /** The word that readers raise before they sleep. */
  readonly bell: SharedWord;
}

const BELL_WORDS = ["count", "bell"];

/** A reader or a writer, which works on the words of `S`. */
export interface Party<S = Shared> {
  readonly name: string;
  /** Runs its work once; returns true at its end, and false to begin again. */
  readonly code: (shared: S) => boolean;
  /** It begins when this party has ended, or is dead. */
  readonly after?: string;
  /** It may be killed at any moment. */
  readonly mayDie?: boolean;
}

/** The words at one moment. */
export interface State {
  readonly words: Readonly<Record<string, number>>;
}

/** An operation: its party, its text, and the state after it. */
export interface Event {
  readonly party: string;
  readonly text: string;
  readonly state: State;
}

const memory = Mapping.anonymous(pageSize(), "the words of a bell");

/** The words of a bell, in real memory. */
export const words = {
  count: new Word32(memory, { path: "count", offset: 0 }),
  bell: new Word32(memory, { path: "bell", offset: 64 }),
};

/** Stores the words of a state in real memory. */
export function putWords({ words: { count = 0, bell = 0 } }: State): void {
  words.count.store(count);
  words.bell.store(bell);
}

/** The result of an operation: a value, what a sleep found, or the names of those that woke up. */
type Outcome = number | string | undefined;

/** The words of the machine, 64 bytes apart as on real memory. */
const WORDS_APART = 16;

function indexOf(at: number): number {
  return WORDS_APART * at;
}

/** Makes a word of the machine, as the party that runs sees it. */
function sharedWord(name: string, at: number, parties: readonly string[]): SharedWord {
  const index = indexOf(at);
  const operate = <T extends Outcome>(
    text: string,
    perform: (world: World, inode: Inode, thread: number) => T,
  ): T => {
    const [inode] = currentActor().world.inodes;
    return currentActor().operate<T>({
      label: () => `${name}.${text}`,
      perform: (world, thread) => perform(world, inode!, thread),
      wakeResult: () => undefined as T,
    });
  };
  const change = (text: string, next: (before: number) => number) =>
    operate(text, (world, inode) => {
      const before = inode.words[index]!;
      world.setWord(inode, index, next(before) >>> 0);
      return before;
    });
  const wakeAll = (world: World, inode: Inode) => {
    const woken = world.sleepersOn(inode, index).map(({ thread }) => parties[thread]!);
    world.wake(inode, index, woken.length);
    return woken.length === 0 ? "nobody" : woken.join(", ");
  };
  return {
    load: () => operate("load()", (_, inode) => inode.words[index]!),
    store: (value) =>
      void operate(`store(${value})`, (world, inode) => {
        world.setWord(inode, index, value >>> 0);
        return undefined;
      }),
    exchange: (value) => change(`exchange(${value})`, () => value),
    add: (value) => change(`add(${value})`, (before) => before + value),
    or: (bits) => change(`or(${bits})`, (before) => before | bits),
    sleepWhile: (value) =>
      void operate(
        `sleepWhile(${value})`,
        (world, inode, thread) =>
          inode.words[index] === value >>> 0
            ? world.fallAsleep(thread, [{ inode, index }], Infinity) as never
            : "differs",
      ),
    wakeAll: () => void operate("wakeAll()", wakeAll),
    addAndWake: () =>
      void operate("addAndWake()", (world, inode) => {
        world.setWord(inode, index, inode.words[index]! + 1 >>> 0);
        return wakeAll(world, inode);
      }),
  };
}

/** The parties as actors of the explorer. */
function scenarioOf<S>(parties: readonly Party<S>[], names: readonly string[]): Scenario {
  const shared = Object.fromEntries(
    names.map((name, at) => [name, sharedWord(name, at, parties.map(({ name }) => name))]),
  ) as S;
  const mortal = parties.filter(({ mayDie }) => mayDie).length;
  return {
    name: "parties",
    about: "",
    setup: () => {
      const inode = process().makeInode("words", 4 * indexOf(names.length));
      currentActor().local((world) => world.share(inode));
    },
    actors: Object.fromEntries(parties.map(({ name, code, after, mayDie }) => {
      const body = () => code(shared) ? undefined : AGAIN;
      return [name, { body, immortal: !mayDie, ...after !== undefined && { after } }];
    })),
    bounds: { preemptions: Infinity, deaths: mortal, noise: 0 },
    check: () => undefined,
  };
}

const UNBOUNDED: Bounds = { preemptions: Infinity, deaths: Infinity, noise: 0 };

/** Runs parties on a few words, all 0 at first. */
export class Machine<S = Shared> {
  readonly parties: readonly Party<S>[];
  readonly #names: readonly string[];
  readonly #run: Run;
  /** What happened in the present step, in the words of the explorer. */
  #told: string[] = [];

  constructor(parties: readonly Party<S>[], names: readonly string[] = BELL_WORDS) {
    this.parties = parties;
    this.#names = names;
    this.#run = new Run(scenarioOf(parties, names), UNBOUNDED, {
      anyMayDie: true,
      observe: ({ what }) => this.#told.push(what),
    });
    void this.#run.begin(); // no party is asynchronous
  }

  /** The words now. */
  get state(): State {
    const { words } = this.#run.world.inodes[0]!;
    return {
      words: Object.fromEntries(this.#names.map((name, at) => [name, words[indexOf(at)]!])),
    };
  }

  /** Whether a party can take a step. */
  canRun(index: number): boolean {
    return this.#stepOf(index) !== undefined;
  }

  /** Whether a party sleeps. */
  isAsleep(index: number): boolean {
    return this.#run.world.sleepers.get(index)?.woken === "";
  }

  /** Whether a party can be killed: it has not ended. */
  canDie(index: number): boolean {
    return this.#deathOf(index) !== undefined;
  }

  /** Kills a party. */
  kill(index: number): Event {
    this.#take(this.#deathOf(index));
    return { party: this.parties[index]!.name, text: "is killed", state: this.state };
  }

  /** Lets a party do its next operation, after it has woken up. */
  step(index: number): Event {
    if (this.#stepOf(index)?.kind === "wake") this.#take(this.#stepOf(index));
    this.#take(this.#stepOf(index));
    const text = this.#textOf(this.#told.at(-1) ?? "does nothing");
    return { party: this.parties[index]!.name, text, state: this.state };
  }

  /** Takes the steps of a run that a search found. */
  replay(token: string): Event[] {
    const events: Event[] = [];
    for (const code of decode(token).codes) {
      if (code.startsWith("w")) continue; // the next step includes it
      const index = code.charCodeAt(code.length - 1) - "A".charCodeAt(0);
      events.push(code.startsWith("k") ? this.kill(index) : this.step(index));
    }
    return events;
  }

  #deathOf(index: number): Transition | undefined {
    return this.#choices(index).find(({ kind }) => kind === "kill");
  }

  #choices(index: number): Transition[] {
    return this.#run.choices().filter(({ actor }) => actor?.index === index);
  }

  #stepOf(index: number): Transition | undefined {
    return this.#choices(index).find(({ kind }) => kind === "step" || kind === "wake");
  }

  #take(transition: Transition | undefined): void {
    this.#told = [];
    void this.#run.follow(transition, { next: () => undefined });
    const failed = this.#run.actors.find(({ failure }) => failure !== undefined);
    if (failed !== undefined) throw failed.failure;
  }

  /** Turns the explorer's words into those of this tutorial. */
  #textOf(told: string): string {
    const [operation, result] = told.replace(" falls asleep", " -> asleep").split(" -> ");
    if (result === undefined) return operation!;
    return /\.(sleepWhile|wakeAll|addAndWake)\(/.test(operation!)
      ? `${operation}: ${result}`
      : `${operation} → ${result}`;
  }
}

/** The result of trying all orders. */
export interface Exploration {
  /** The number of different states that the search entered. */
  readonly states: number;
  /** The shortest way to an end at which a party sleeps for ever. */
  readonly lost: readonly Event[] | undefined;
}

const MOST_STATES = 200_000;

/** Tries every order of the parties' operations. Every party should reach its end. */
export function explore<S = Shared>(
  parties: readonly Party<S>[],
  names: readonly string[] = BELL_WORDS,
): Exploration {
  const scenario = scenarioOf(parties, names);
  const { finding, states, exhausted } = exploreSync(scenario, {
    shortest: true,
    states: MOST_STATES,
  });
  if (finding === undefined) {
    if (exhausted) return { states, lost: undefined };
    throw new Error("Cannot explore: the number of states has no end");
  }
  const isSleep = finding.kind === "lost wake-up" || /cannot continue/.test(finding.message);
  if (!isSleep) throw new Error(`Cannot explore: ${finding.message.split("\n")[0]}: no end`);
  return { states, lost: new Machine(parties, names).replay(finding.token) };
}
